# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import of_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._limits._changed import changed
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nftables_node,
    plain_node,
    quiet_node,
    stock_node,
    unprivileged_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import row, with_rows

RESTART = "IPVS tcp after a kube-proxy restart"
SERVICES = "the idle limit of Services"
CONNTRACK = (86400, "conntrack established")


def on_kubernetes(node):
    node["kubelet"] = dict(stock_node()["kubelet"])
    return node


def without_kube_proxy(node):
    node["kube_proxy"] = dict(plain_node()["kube_proxy"])
    return node


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        pytest.param(unprivileged_node(), [("IPVS tcp", "the kernel refused: Operation not permitted")], id="not root"),
        pytest.param(
            changed(stock_node(), "ipvs.timeouts", None),
            [("IPVS tcp", "the timeouts could not be read")],
            id="timeouts missing without a word",
        ),
        pytest.param(
            changed(nftables_node(), "kube_proxy.mode", "ipvs"),
            [("IPVS tcp", "kube-proxy is in ipvs mode, but no IPVS is visible in this network namespace")],
            id="ipvs mode, but IPVS is in another namespace",
        ),
        pytest.param(
            changed(stock_node(), "conntrack.timeouts", {}),
            [("conntrack established", "nf_conntrack_tcp_timeout_established could not be read")],
            id="conntrack without its timeout",
        ),
        pytest.param(
            changed(
                changed(changed(stock_node(), "kube_proxy.mode", "iptables"), "ipvs.totals.services", 0),
                "problems",
                [{"id": "ipvs-services", "what": "/proc/net/ip_vs", "why": "Permission denied", "do": ""}],
            ),
            [("IPVS tcp", "whether IPVS has virtual services could not be read")],
            id="virtual services unreadable",
        ),
        pytest.param(
            {"hostname": "worker1"},
            [
                ("IPVS tcp", "whether IPVS is loaded could not be read"),
                ("conntrack established", "whether nf_conntrack is loaded could not be read"),
            ],
            id="data that says nothing",
        ),
        pytest.param(
            on_kubernetes(plain_node()),
            [(SERVICES, "kubelet runs, but no kube-proxy, so who forwards them is not known")],
            id="a node of Cilium",
        ),
        pytest.param(
            with_rows(plain_node(), row("a/b")),
            [(SERVICES, "there are pods, but no kube-proxy, so who forwards them is not known")],
            id="K3s with Cilium: kubelet is in K3s's own process",
        ),
        pytest.param(
            None,
            [("IPVS tcp", "the node was not observed"), ("conntrack established", "the node was not observed")],
            id="not observed",
        ),
    ],
)
def test_what_could_not_be_read_is_never_left_out(node, expected):
    seen = of_node("worker1", parse_node(node))
    assert [(each.node, each.name, each.why) for each in seen.hidden_limits] == [
        ("worker1", *each) for each in expected
    ]
    assert all(each.do.endswith(".") for each in seen.not_seen)


def test_a_limit_that_was_not_seen_names_the_problem_behind_it():
    (unseen,) = of_node("worker1", parse_node(unprivileged_node())).hidden_limits
    assert unseen.problem == "ipvs-timeouts"
    silent = unprivileged_node()
    silent["problems"][0]["why"] = ""
    (unseen,) = of_node("worker1", parse_node(silent)).hidden_limits
    assert (unseen.why, unseen.problem) == ("the timeouts could not be read", None)


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(plain_node(), id="no kubelet and no pod"),
        pytest.param(with_rows(plain_node(), row("process x (7)", kind="other")), id="namespaces of no pod"),
        pytest.param(on_kubernetes(without_kube_proxy(stock_node())), id="kube-router: IPVS has virtual services"),
    ],
)
def test_who_forwards_services_is_known_or_nobodys_question(node):
    assert of_node("worker1", parse_node(node)).not_seen == ()


def test_a_declared_middlebox_settles_who_forwards_services():
    assert of_node("worker1", parse_node(on_kubernetes(plain_node())), declared=True).not_seen == ()


@pytest.mark.parametrize(
    ("mode", "running", "note"),
    [
        ("nftables", True, "kube-proxy is in nftables mode"),
        (None, True, "kube-proxy did not say its mode"),
        (None, False, "no kube-proxy runs"),
    ],
)
def test_an_idle_ip_vs_is_noted(mode, running, note):
    node = changed(stock_node(), "ipvs.totals.services", 0)
    node["kube_proxy"].update(mode=mode, running=running)
    seen = of_node("worker1", parse_node(node))
    assert seen.notes == (f"ip_vs is loaded, but {note} and there is no virtual service: IPVS is not on the path.",)


@pytest.mark.parametrize("node", [nftables_node(), stock_node()], ids=["not loaded", "on the path"])
def test_there_is_no_note_where_ip_vs_is_not_idle(node):
    assert of_node("worker1", parse_node(node)).notes == ()


def behind(node, *data_planes):
    return {**node, "data_planes": list(data_planes)}


@pytest.mark.parametrize(
    ("node", "why"),
    [
        pytest.param(
            behind(nftables_node(), "cilium"),
            "Cilium forwards them by tables of its own; kube-proxy's nftables mode was seen",
            id="Cilium beside kube-proxy",
        ),
        pytest.param(
            behind(stock_node(), "calico_ebpf", "ovs"),
            "Calico's eBPF data plane forwards them by tables of its own; kube-proxy's ipvs mode was seen",
            id="Calico's eBPF data plane beside kube-proxy",
        ),
        pytest.param(
            behind(plain_node(), "cilium"),
            "Cilium forwards them by tables of its own; no kube-proxy runs",
            id="Cilium alone",
        ),
        pytest.param(behind(plain_node(), "ovs"), None, id="Open vSwitch has the kernel's connection tracking"),
        pytest.param(behind(nftables_node(), "ovs"), None, id="Open vSwitch beside kube-proxy"),
        pytest.param(nftables_node(), None, id="kube-proxy alone"),
    ],
)
def test_who_forwards_services_beside_kube_proxy(node, why):
    seen = of_node("worker1", parse_node(node))
    assert [each.why for each in seen.not_seen if each.name == SERVICES] == ([why] if why else [])
    assert [each for each in of_node("worker1", parse_node(node), True).not_seen if each.name == SERVICES] == []


def test_each_place_of_a_node_is_seen_or_not():
    seen = of_node("worker1", parse_node(with_rows(quiet_node(), row("a/b"))))
    assert [each.as_dict() for each in seen.seen] == [
        {"place": "ipvs", "what": "IPVS tcp 900 s"},
        {"place": "conntrack", "what": "conntrack established 86400 s"},
        {"place": "services", "what": "kube-proxy in ipvs mode"},
        {"place": "namespaces", "what": "keepalive of 2 network namespaces"},
        {"place": "connections", "what": "0 open connections"},
    ]
    assert seen.not_seen == ()


@pytest.mark.parametrize(
    ("node", "place", "told"),
    [
        pytest.param(
            lambda: with_rows(quiet_node(), row("a/b"), error="/proc/net/tcp: Permission denied"),
            "connections",
            "connections to services could not be read: /proc/net/tcp: Permission denied",
            id="connections",
        ),
        pytest.param(
            lambda: changed(quiet_node(), "namespaces.unreadable", 2),
            "namespaces",
            "the keepalive of 2 network namespaces or processes could not be read: no reason was given",
            id="namespaces",
        ),
        pytest.param(
            lambda: {
                **changed(
                    changed(quiet_node(), "namespaces.unreadable", 2), "namespaces.error", "/proc/7/ns/net: denied"
                ),
                "problems": [
                    {
                        "id": "namespaces",
                        "what": "keepalive in other network namespaces",
                        "why": "2 of the namespaces or processes cannot be read, such as /proc/7/ns/net: denied",
                        "do": "Run as root.",
                    }
                ],
            },
            "namespaces",
            "the keepalive of 2 network namespaces or processes could not be read: /proc/7/ns/net: denied",
            id="namespaces, told once how many",
        ),
        pytest.param(
            lambda: with_rows(quiet_node(), {**row("a/b"), "sandbox": "gvisor"}, {**row("a/c"), "sandbox": "vm"}),
            "sandboxes",
            "TCP keepalive of a/b, a/c could not be read: a sandbox has TCP of its own, which the node does not show",
            id="sandboxes",
        ),
    ],
)
def test_a_place_of_pods_that_was_not_looked_at_hides_no_limit(node, place, told):
    seen = of_node("worker1", parse_node(node()))
    assert [(each.place, str(each)) for each in seen.not_seen] == [(place, told)]
    assert seen.hidden_limits == ()
    assert place not in [each.place for each in seen.seen]
