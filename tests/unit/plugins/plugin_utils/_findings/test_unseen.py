# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import unseen
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    plain_node,
    quiet_node,
    stock_node,
    unprivileged_node,
    with_configured_tcp,
    with_established,
    with_ipvs_tcp,
    with_sysctl,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    row,
    with_rows,
)

WHO_FORWARDS = (
    "Name what forwards Services in keepalive_middleboxes: cilium, calico_ebpf, or {name: ..., seconds: ...}. If "
    "kube-proxy just has not started yet, run again when it has."
)
DENIED = "kubelet: /proc/1024/environ: Permission denied"


def with_kubelet(**values):
    """A worker of which nothing but its kubelet is to be spoken of."""
    return altered(quiet_node(), kubelet=values)


RAISED = [
    pytest.param(
        "limit-absurd",
        altered(quiet_node(), conntrack={"policies": {"used": 1, "established": 5}}),
        {},
        {
            "severity": "critical",
            "remedy": "Correct the timeout policy (nfct list timeout; nftables: nft list ruleset; Open vSwitch: "
            "ovs-vsctl list ct_timeout_policy).",
        },
        id="a timeout policy of 5 s",
    ),
    pytest.param(
        "pod-sandboxed",
        with_rows(quiet_node(), row("lab/run-0", SAFE, sandbox="gvisor"), row("shop/web-0", SAFE)),
        {},
        {"severity": "unknown", "scope": "worker1", "observed": "lab/run-0 (gVisor)"},
        id="gVisor",
    ),
    pytest.param(
        "pod-sandboxed",
        with_rows(quiet_node(), *(row(f"vms/vm-{n}", KERNEL, sandbox="vm") for n in range(2))),
        {"pods": False},
        {"severity": "info", "observed": "vms/vm-0 (a virtual machine), vms/vm-1 (a virtual machine)"},
        id="virtual machines, and pods are to be left alone",
    ),
    pytest.param(
        "limit-absurd",
        with_configured_tcp(quiet_node(), 5),
        {},
        {
            "severity": "critical",
            "scope": "worker1",
            "observed": "IPVS tcp after a kube-proxy restart shows 5 s, below 10 s (the shortest idle limit that "
            "keepalive in whole seconds can stay below)",
            "why": "This limit does not count: the other nodes are planned without it. Once it is in force, idle "
            "connections are lost.",
            "remedy": "Correct ipvs.tcpTimeout in kube-proxy's configuration.",
        },
        id="kube-proxy would set 5 s",
    ),
    pytest.param(
        "limit-absurd",
        with_ipvs_tcp(with_established(quiet_node(), 3), 9),
        {},
        {
            "severity": "critical",
            "observed": "conntrack established shows 3 s, below 10 s (the shortest idle limit that keepalive in whole "
            "seconds can stay below); IPVS tcp shows 9 s, below 10 s (the shortest idle limit that keepalive in whole "
            "seconds can stay below)",
            "remedy": "Correct net.netfilter.nf_conntrack_tcp_timeout_established on that node. Correct the IPVS tcp "
            "timeout of that node, for example with keepalive_ipvs_timeouts: {tcp: 900}.",
        },
        id="the kernel has 3 s and 9 s",
    ),
    pytest.param(
        "limit-absurd",
        with_ipvs_tcp(quiet_node(), 10**12),
        {},
        {
            "severity": "unknown",
            "observed": "IPVS tcp shows 1000000000000 s, above 21474836 s (the longest timeout that any kernel takes)",
            "why": "This limit does not count: the other nodes are planned without it. Nobody knows the true one.",
        },
        id="longer than any kernel takes",
    ),
    pytest.param(
        "node-not-observed",
        None,
        {},
        {
            "severity": "unknown",
            "scope": "worker1",
            "observed": "the node was not observed",
            "why": "Its limits may be lower than those that were seen, and connections cross it.",
            "remedy": "Make it reachable and run again. If it is gone for good, take it out of the inventory.",
        },
        id="unreachable",
    ),
    pytest.param(
        "limit-unknown",
        unprivileged_node(),
        {},
        {
            "severity": "unknown",
            "observed": "IPVS tcp: the kernel refused: Operation not permitted",
            "why": "The true limit may be lower than those that were seen, so nobody can call this node safe.",
            "remedy": "Run again as root (-e keepalive_become=true).",
        },
        id="not root",
    ),
    pytest.param(
        "limit-unknown",
        altered(unprivileged_node(), conntrack={"timeouts": {}}),
        {},
        {
            "observed": "IPVS tcp: the kernel refused: Operation not permitted; conntrack established: "
            "nf_conntrack_tcp_timeout_established could not be read",
            "remedy": "Run again as root (-e keepalive_become=true).",
        },
        id="not root, and one cure for two places",
    ),
    pytest.param(
        "limit-unknown",
        altered(quiet_node(), ipvs={"timeouts": None}, root=True),
        {},
        {
            "observed": "IPVS tcp: the timeouts could not be read",
            "remedy": "Run on the node itself: this root lacks rights, as in a container.",
        },
        id="root in a container",
    ),
    pytest.param(
        "keepalive-unreadable",
        with_sysctl(quiet_node(), "net.ipv4.tcp_keepalive_time", None),
        {},
        {
            "severity": "unknown",
            "observed": "net.ipv4.tcp_keepalive_time (absent)",
            "why": "Without the keepalive in force nobody can say whether it is soon enough.",
        },
        id="a key is absent",
    ),
    pytest.param(
        "keepalive-unreadable",
        with_sysctl(quiet_node(), "net.ipv4.tcp_keepalive_time", "soon"),
        {},
        {"observed": "values that are not whole numbers"},
        id="a key is no number",
    ),
    pytest.param(
        "namespaces-not-read",
        unprivileged_node(),
        {},
        {
            "severity": "unknown",
            "observed": "23 network namespaces or processes could not be read: /proc/812/ns/net: Permission denied",
            "why": "Pods have their own keepalive, and the node's own says nothing about it.",
            "remedy": "Run again as root (-e keepalive_become=true).",
        },
        id="not root",
    ),
    pytest.param(
        "kube-proxy-mode-unknown",
        altered(
            quiet_node(), kube_proxy={"mode": None, "error": "kube-proxy at 127.0.0.1:10249: timed out after 3 s."}
        ),
        {},
        {
            "severity": "unknown",
            "observed": "kube-proxy at 127.0.0.1:10249: timed out after 3 s",
            "why": "Its mode says whether IPVS is on the path, its configuration what it will set again.",
            "remedy": "Give its metrics address in keepalive_kube_proxy_address (metricsBindAddress in its "
            "configuration).",
        },
        id="no answer",
    ),
    pytest.param(
        "kube-proxy-mode-unknown",
        altered(quiet_node(), kube_proxy={"running": None, "mode": None, "error": "It may run."}, root=False),
        {},
        {"observed": "It may run", "remedy": "Run again as root (-e keepalive_become=true)."},
        id="processes are hidden",
    ),
    pytest.param(
        "kube-proxy-mode-unknown",
        altered(quiet_node(), kube_proxy={"mode": "<html>"}),
        {},
        {"observed": "kube-proxy at 127.0.0.1:10249: its mode is '<html>'"},
        id="nonsense",
    ),
    pytest.param(
        "not-read",
        altered(
            quiet_node(),
            problems=[
                {
                    "id": "ipvs-connections",
                    "what": "/proc/net/ip_vs_conn",
                    "why": "2 lines make no sense",
                    "do": "Report them.",
                }
            ],
        ),
        {},
        {
            "severity": "unknown",
            "observed": "/proc/net/ip_vs_conn: 2 lines make no sense",
            "remedy": "Report them.",
            "why": "What could not be read is not taken for fine.",
        },
        id="a table that makes no sense",
    ),
    pytest.param(
        "not-read",
        altered(
            plain_node(), problems=[{"id": "kube-proxy", "what": "kube-proxy's mode", "why": "nonsense", "do": "Look."}]
        ),
        {},
        {"observed": "kube-proxy's mode: nonsense", "remedy": "Look."},
        id="something else answers at kube-proxy's port",
    ),
    pytest.param(
        "limit-unknown",
        altered(plain_node(), kubelet=stock_node()["kubelet"]),
        {},
        {
            "severity": "unknown",
            "observed": "the idle limit of Services: kubelet runs, but no kube-proxy, so who forwards them is not "
            "known",
            "remedy": WHO_FORWARDS,
        },
        id="a node of Cilium",
    ),
    pytest.param(
        "limit-unknown",
        altered(plain_node(), kubelet=stock_node()["kubelet"], conntrack={"loaded": None}),
        {},
        {"remedy": f"Run on the node itself: this root lacks rights, as in a container. {WHO_FORWARDS}"},
        id="a node of Cilium, and something that could not be read",
    ),
    pytest.param(
        "limit-unknown",
        altered(plain_node(), kubelet=stock_node()["kubelet"]),
        {"middleboxes": ["aws_nlb", "haproxy"]},
        {"severity": "unknown"},
        id="a load balancer and a proxy forward no Services on a node",
    ),
]

NOT_RAISED = [
    pytest.param("pod-sandboxed", with_rows(quiet_node(), row("shop/web-0", SAFE)), {}, id="no sandbox"),
    pytest.param("pod-sandboxed", quiet_node(), {}, id="nobody looked for pods"),
    pytest.param("limit-absurd", with_ipvs_tcp(quiet_node(), 10), {}, id="the shortest limit there is a plan for"),
    pytest.param("limit-unknown", with_ipvs_tcp(quiet_node(), 9), {}, id="what makes no sense was read"),
    pytest.param(
        "limit-unknown",
        altered(plain_node(), kubelet=stock_node()["kubelet"]),
        {"middleboxes": ["cilium"]},
        id="a node of Cilium that was declared",
    ),
    pytest.param("limit-unknown", plain_node(), {}, id="a machine without Kubernetes"),
    pytest.param("node-not-observed", stock_node(), {}, id="observed"),
    pytest.param("limit-unknown", stock_node(), {}, id="all limits were read"),
    pytest.param("keepalive-unreadable", stock_node(), {}, id="all three were read"),
    pytest.param("namespaces-not-read", stock_node(), {}, id="all were read"),
    pytest.param("kube-proxy-mode-unknown", stock_node(), {}, id="it said ipvs"),
    pytest.param("kube-proxy-mode-unknown", plain_node(), {}, id="it does not run"),
    pytest.param("not-read", unprivileged_node(), {}, id="other rules say it already"),
    pytest.param(
        "not-read",
        altered(
            with_kubelet(error=DENIED), problems=[{"id": "kubelet", "what": "kubelet", "why": DENIED, "do": "Look."}]
        ),
        {},
        id="the rule on kubelet says it already",
    ),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert _rule_cases.finding_of(identity, node, policy) is None


def test_every_rule_of_the_room_is_tested_both_ways():
    ids = {rule.id for rule in unseen.RULES}
    assert {row.values[0] for row in RAISED} == {row.values[0] for row in NOT_RAISED} == ids
