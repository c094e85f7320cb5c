# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._audit_text import audit_lines
from ansible_collections.kubenode.connections.plugins.plugin_utils._errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._page import WIDTH
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    applied_node,
    container_node,
    nftables_node,
    nodes,
    plain_node,
    stock_node,
    unprivileged_node,
    with_configured_tcp,
    with_keepalive,
    with_pods,
)

STOCK = """\
Idle connections of 1 node: UNSAFE
Idle connections of pods: UNSAFE (23 network namespaces besides the nodes' own, on worker1)

Limit       900 s: IPVS tcp on worker1
            the lowest of 2 idle limits that were seen
            after 900 s without a packet a connection is forgotten, and neither end is told
Also seen   86400 s: conntrack established on worker1

Keepalive   600/30/9 (time/intvl/probes) planned
  time      600   two thirds of 900 s (IPVS tcp on worker1)
  intvl     30    a thirtieth of 900 s (IPVS tcp on worker1)
  probes    9     the kernel's own number; a dead peer is given up after 870 s, before 900 s
            (IPVS tcp on worker1)
            600 + 2 x 30 = 660 s, with timer slack 744 s, leaves 156 s of 900 s (IPVS tcp on
            worker1): SAFE
            counted in: 2 lost probes in a row, timers that fire up to 8/63 late (timer slack)

worker1: UNSAFE, too late by 7384 s
  Why         7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond 900 s (IPVS tcp
              on worker1).
  Node        worker1, kernel 6.1.0-56-cloud-amd64; read as root
  Mode        ipvs, says kube-proxy at 127.0.0.1:10249
  IPVS        tcp 900 s, tcpfin 120 s, udp 300 s (read by socket option); 1 virtual service;
              connections: 4 ESTABLISHED, 1 TIME_WAIT, 1 UDP
  Conntrack   established 86400 s; 412 of 131072 entries
  Keepalive   7200/75/9 now; 7200/75/9 after a reboot (no file sets it: the kernel's default)
  Namespaces  24 in all: 7200/75/9 in 24, the node's own among them
  To change   net.ipv4.tcp_keepalive_time: 7200 -> 600; two thirds of 900 s (IPVS tcp on
              worker1)
              net.ipv4.tcp_keepalive_intvl: 75 -> 30; a thirtieth of 900 s (IPVS tcp on worker1)

Findings

  CRITICAL keepalive-too-late: worker1
    seen        keepalive 7200/75/9: 7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s
                beyond 900 s (IPVS tcp on worker1)
    why         After 900 s without a packet the connection is forgotten and neither end is
                told. The next request gets 'Connection reset by peer', or no answer at all.
    do          Run the playbook kubenode.connections.apply: it sets 600/30/9. Open sockets keep
                their old timer until it fires: restart what cannot wait.

  WARNING pods-keepalive-too-late: worker1
    seen        23 network namespaces besides the node's own (pods): 7200/75/9 in 23
    why         Keepalive sysctls belong to a network namespace. The node's own reach
                hostNetwork processes only, and the namespace of a new pod starts with the
                kernel's 7200/75/9.
    do          Give pods net.ipv4.tcp_keepalive_time, _intvl and _probes of 600/30/9: in
                securityContext.sysctls (safe from Kubernetes 1.29), by CRI-O's default_sysctls
                or the CNI plugin tuning; then recreate them. Or, where pods cannot be touched,
                keepalive_strategy: raise_ipvs.

  INFO ipvs-mode-deprecated: worker1
    seen        kube-proxy mode ipvs
    why         KEP-5495: a warning since Kubernetes 1.35, off by default from 1.40, removed in
                1.43.
    do          Plan the move to nftables mode (stable since Kubernetes 1.33, needs Linux 5.13).
                IPVS then no longer forgets connections: the limit is conntrack established,
                86400 s on this node now. The move ends open connections to Services once. Audit
                and apply again after it.

  INFO dead-peer-slow: worker1
    seen        net.ipv4.tcp_retries2 15: a dead peer is given up 924.6 s after the first
                repetition of data; an idle one after 7875 s (keepalive 7200/75/9)
    why         Keepalive does not probe while data waits for an answer. HTTP/2 clients without
                health checks hang as long.
    do          Let clients check: HTTP/2 pings, TCP_USER_TIMEOUT. Or
                keepalive_dead_peer_seconds: 103, for processes in the node's own namespace; a
                shorter outage of the network then ends connections.

Verdict: nodes UNSAFE, pods UNSAFE. Next:
  ansible-playbook kubenode.connections.apply -i INVENTORY --check --diff
      shows the 2 changes and makes none; without --check --diff it makes them."""

PLAIN = """\
Idle connections of 1 node: SAFE

Limit       none
            nothing on the path forgets idle connections: no IPVS, no conntrack, no middlebox

Keepalive   none planned: no limit asks for it

worker1: SAFE
  Why         nothing was seen that forgets idle connections.
  Node        worker1, kernel 6.1.0-56-cloud-amd64; read as root
  Mode        no kube-proxy runs here
  IPVS        not loaded
  Conntrack   not loaded
  Keepalive   7200/75/9 now; 7200/75/9 after a reboot (no file sets it: the kernel's default)
  Namespaces  1 in all: 7200/75/9 in the node's own
  To change   nothing

Verdict: nodes SAFE. Next:
  Nothing has to be done."""


def lines_of(several, **policy):
    return audit_lines(make_plan(several, policy), several)


@pytest.mark.parametrize(
    ("node", "text"),
    [pytest.param(stock_node(), STOCK, id="a stock worker"), pytest.param(plain_node(), PLAIN, id="a plain machine")],
)
def test_the_whole_audit(node, text):
    assert "\n".join(lines_of(nodes(node))) == text


def section(lines, start):
    """The lines of the block that begins with ``start``, white space folded."""
    begin = next(number for number, line in enumerate(lines) if line.startswith(start))
    block = []
    for line in lines[begin:]:
        if not line:
            break
        block.append(line)
    return " ".join(" ".join(block).split())


@pytest.mark.parametrize(
    ("several", "policy", "start", "text"),
    [
        pytest.param(
            nodes(applied_node()),
            {},
            "Verdict",
            "Verdict: nodes SAFE, pods UNSAFE. Next: No setting of a node has to change; do what the findings say.",
            id="applied, but pods are not",
        ),
        pytest.param(
            nodes(nftables_node()), {}, "worker1", "worker1: SAFE, 78116 s to spare Why", id="seconds to spare"
        ),
        pytest.param(
            nodes(applied_node()),
            {"margin": 156},
            "worker1",
            "worker1: SAFE, 156 s to spare Why",
            id="a margin that is just left",
        ),
        pytest.param(
            nodes(unprivileged_node()),
            {},
            "Idle",
            "Idle connections of 1 node: UNKNOWN Idle connections of pods: UNKNOWN (not all could be read on worker1)",
            id="pods that could not be read, at the top",
        ),
        pytest.param(
            nodes(unprivileged_node()),
            {},
            "Verdict",
            "Verdict: nodes UNKNOWN, pods UNKNOWN. Next: No setting of a node has to change; do what the findings say.",
            id="pods that could not be read, at the bottom",
        ),
        pytest.param(
            nodes(applied_node()),
            {"margin": 200},
            "worker1",
            "worker1: UNSAFE, 44 s less than keepalive_margin 200 Why",
            id="a margin that is not left",
        ),
        pytest.param(
            nodes(with_keepalive(stock_node(), (600, 30, 9))),
            {},
            "worker1",
            "worker1: SAFE, 156 s to spare now, UNSAFE after a reboot Why",
            id="safe until the reboot",
        ),
        pytest.param(
            nodes(with_keepalive(stock_node(), (600, 30, 9))),
            {},
            "Idle",
            "Idle connections of 1 node: SAFE After a reboot: UNSAFE (on worker1)",
            id="the same, at the top",
        ),
        pytest.param(
            nodes(with_keepalive(stock_node(), (600, 30, 9))),
            {},
            "Verdict",
            "Verdict: nodes SAFE, after a reboot UNSAFE. Next:",
            id="the same, at the bottom",
        ),
        pytest.param(
            nodes(stock_node(), applied_node(), None),
            {},
            "Idle",
            "Idle connections of 3 nodes: UNSAFE (1 unsafe, 1 unknown, 1 safe)",
            id="counts",
        ),
        pytest.param(
            nodes(unprivileged_node()),
            {},
            "worker1",
            "worker1: UNKNOWN Why IPVS tcp could not be read: the kernel refused: Operation not permitted. "
            "Node worker1, kernel 6.1.0-56-cloud-amd64; NOT read as root, so a part is missing",
            id="not root",
        ),
        pytest.param(
            nodes(unprivileged_node()),
            {},
            "Limit",
            "Limit 86400 s: conntrack established on worker1 the only idle limit that was seen; 1 could not be read",
            id="a limit that was not seen",
        ),
        pytest.param(nodes(None), {}, "worker1", "worker1: UNKNOWN Why it was not observed.", id="not observed"),
        pytest.param(
            nodes(container_node()),
            {},
            "worker1",
            "worker1: SAFE Why nothing was seen that forgets idle connections. "
            "Node f3a9c2, kernel 6.1.0-56-cloud-amd64, inside a container (podman); read as root",
            id="a container",
        ),
        pytest.param(
            nodes(stock_node()),
            {"middleboxes": ["aws_nlb"]},
            "Limit",
            "Limit 350 s: AWS NLB (declared in keepalive_middleboxes)",
            id="a middlebox",
        ),
        pytest.param(
            nodes(with_configured_tcp(stock_node(), 900)),
            {"strategy": "raise_ipvs"},
            "Keepalive",
            "Keepalive 7200/75/9 (time/intvl/probes) stays time 7200 the highest keepalive in use; "
            "keepalive_strategy raise_ipvs leaves it alone",
            id="raise_ipvs leaves keepalive alone",
        ),
        pytest.param(
            nodes(stock_node(), nftables_node(), stock_node()),
            {},
            "worker1, worker3",
            "worker1, worker3: UNSAFE, too late by 7384 s Why",
            id="equal nodes share a block",
        ),
    ],
)
def test_what_a_part_of_the_audit_says(several, policy, start, text):
    assert section(lines_of(several, **policy), start).startswith(text)


def test_nodes_share_a_block_though_their_counters_and_names_differ():
    several = nodes(stock_node(), stock_node())
    several["worker2"].update(hostname="worker2")
    several["worker2"]["conntrack"]["count"] = 5
    with_pods(several["worker2"], [((7200, 75, 9), 3)])
    with_pods(several["worker1"], [((7200, 75, 9), 30)])
    block = section(lines_of(several), "worker1, worker2: UNSAFE")
    assert "412" not in block
    assert "Namespaces 7200/75/9 in the node's own, 7200/75/9 in others" in block


def test_every_node_of_a_large_cluster_is_named():
    several = nodes(*(stock_node() for _number in range(150)))
    block = section(lines_of(several), "worker1, worker2")
    assert all(f"worker{number}" in block for number in range(1, 151))


def test_a_finding_of_several_nodes_is_said_once_with_what_each_saw():
    several = nodes(stock_node(), with_pods(stock_node(), [((7200, 75, 9), 3)]))
    text = section(lines_of(several), "  WARNING pods-keepalive-too-late: worker1, worker2")
    assert "seen worker1: 23 network namespaces besides" in text
    assert "seen worker2: 3 network namespaces besides" in text


def test_of_many_differing_nodes_a_finding_shows_the_first():
    several = nodes(*(with_pods(stock_node(), [((7200, 75, 9), number)]) for number in range(1, 9)))
    text = section(lines_of(several), "  WARNING pods-keepalive-too-late")
    assert text.count("seen") == 6
    assert "seen and 3 more" in text


def strings_in(value, path=()):
    """Every path to a string in nested data."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings_in(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from strings_in(item, (*path, number))


def full_node():
    """The unprivileged node with something in every list."""
    node = unprivileged_node()
    node["boot_problems"] = [{"file": "/etc/sysctl.d/x.conf", "line": 1, "what": "no ="}]
    return node


@pytest.mark.parametrize("path", list(strings_in(full_node())), ids=lambda path: ".".join(map(str, path)))
def test_hostile_text_anywhere_in_a_node_stays_text(path):
    hostile = "\x1b]0;owned\x07\x1b[2J\nVerdict: nodes SAFE\r\x9b31m\u202e"
    node = copy.deepcopy(full_node())
    inner = node
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = hostile
    lines = lines_of(nodes(node))
    assert all(line.isprintable() and len(line) <= WIDTH for line in lines)
    assert len([line for line in lines if line.startswith("Verdict")]) == 1


def test_hostile_names_of_nodes_stay_text():
    several = {"evil\x1b[2J\nVerdict: nodes SAFE": stock_node()}
    lines = lines_of(several)
    assert all(line.isprintable() for line in lines)
    assert len([line for line in lines if line.startswith("Verdict")]) == 1


@pytest.mark.parametrize(
    ("plan", "several", "message"),
    [
        pytest.param("x", {}, "report: plan and nodes must be mappings, not str and dict. ", id="text for a plan"),
        pytest.param({}, {}, "report: this is not a plan with its nodes (KeyError: 'nodes'). ", id="an empty plan"),
        pytest.param({"nodes": 7}, {}, "report: this is not a plan with its nodes (TypeError: ", id="nonsense"),
    ],
)
def test_what_is_no_plan_is_refused(plan, several, message):
    with pytest.raises(PlanError) as caught:
        audit_lines(plan, several)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(
        "Give the result of the filter kubenode.connections.plan and the nodes that it was made from."
    )
