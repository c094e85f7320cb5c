# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Group, Module, Namespaces
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.other_writers import Line
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    conntrack_in,
    ipvs_in,
    nftables_node,
    plain_node,
    stock_node,
    with_keepalive,
    with_service,
    with_sysctl,
    with_tables,
    without_ipvs,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import row, with_rows

BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
RETRIES2 = "net.ipv4.tcp_retries2"
GROUPS = (Group(Keepalive(600, 30, 9), 1, True),)


@pytest.mark.parametrize(
    ("node", "mode"),
    [
        pytest.param(stock_node(), "ipvs", id="kube-proxy says ipvs"),
        pytest.param(nftables_node(), "nftables", id="kube-proxy says nftables"),
        pytest.param(plain_node(), "none", id="no kube-proxy"),
        pytest.param(
            {**stock_node(), "kube_proxy": {"running": True, "mode": None}}, "unknown", id="it did not answer"
        ),
        pytest.param(
            {**stock_node(), "kube_proxy": {"running": True, "mode": "<html>"}}, "unknown", id="it said nonsense"
        ),
    ],
)
def test_the_mode(node, mode):
    assert parse_node(node).mode == mode


@pytest.mark.parametrize(
    ("node", "boot"),
    [
        pytest.param(stock_node(), Keepalive(7200, 75, 9), id="no file: the kernel's default comes back"),
        pytest.param(with_keepalive(stock_node(), (600, 30, 9)), Keepalive(7200, 75, 9), id="set by hand: lost"),
        pytest.param(
            with_keepalive(stock_node(), (600, 30, 9), (300, 20, 5), "/etc/sysctl.d/x.conf"),
            Keepalive(300, 20, 5),
            id="a file decides",
        ),
    ],
)
def test_the_keepalive_after_a_boot(node, boot):
    assert parse_node(node).boot_keepalive == boot


@pytest.mark.parametrize(
    ("boot", "value"),
    [
        pytest.param(
            {"value": "1", "file": "/etc/sysctl.conf", "in_time": True}, "1", id="the module is there in time"
        ),
        pytest.param({"value": "1", "file": "/etc/sysctl.conf", "in_time": False}, "0", id="the module comes too late"),
        pytest.param({}, "0", id="no file sets it"),
    ],
)
def test_a_key_of_a_module_after_a_boot(boot, value):
    assert parse_node(with_sysctl(stock_node(), BE_LIBERAL, "1", **boot)).boot_value(BE_LIBERAL) == value


def test_a_keepalive_that_is_not_three_numbers_is_not_seen():
    assert parse_node(with_sysctl(stock_node(), "net.ipv4.tcp_keepalive_intvl", "75s")).keepalive is None
    assert parse_node(with_sysctl(stock_node(), "net.ipv4.tcp_keepalive_intvl", None)).keepalive is None


@pytest.mark.parametrize(
    ("node", "on_path"),
    [
        pytest.param(stock_node(), True, id="kube-proxy in ipvs mode"),
        pytest.param(altered(stock_node(), ipvs={"loaded": None}), True, id="whether it is loaded was not seen"),
        pytest.param(without_ipvs(stock_node()), False, id="not loaded"),
        pytest.param(altered(nftables_node(), ipvs={"loaded": True}), False, id="loaded, in another mode"),
        pytest.param(
            altered(nftables_node(), ipvs={"loaded": True, "totals": {"services": 1}}),
            True,
            id="a service in another mode",
        ),
        pytest.param(
            altered(nftables_node(), ipvs={"loaded": True, "totals": {"services": 2, "tcp_services": 0}}),
            False,
            id="services for UDP or SCTP only",
        ),
    ],
)
def test_whether_ipvs_is_on_the_path(node, on_path):
    assert parse_node(node).ipvs_on_path is on_path


def loaded(**namespaces):
    """ip_vs is loaded without a service, on a machine that is not of a cluster."""
    return altered(plain_node(), ipvs={"loaded": True}, namespaces={"count": 3, **namespaces})


OLD = {"tables": None}


@pytest.mark.parametrize(
    ("node", "elsewhere"),
    [
        pytest.param(loaded(), False, id="in none"),
        pytest.param(with_tables(loaded(), ipvs_in("ingress_sbox")), True, id="in one"),
        pytest.param(with_tables(loaded(unreadable=1), ipvs_in("ingress_sbox")), True, id="in one, more are hidden"),
        pytest.param(with_tables(loaded(), ipvs_in("dns", tcp_services=0)), False, id="for UDP only"),
        pytest.param(with_tables(loaded(), conntrack_in("shop/api", 600)), False, id="a conntrack timeout is no IPVS"),
        pytest.param(with_tables(loaded(), unread=1, error="denied"), None, id="a table could not be read"),
        pytest.param(loaded(unreadable=1), None, id="a namespace could not be entered"),
        pytest.param(loaded(**OLD), None, id="an older node_info did not look"),
        pytest.param(loaded(**OLD, count=1), False, id="it did not look, but there is no other namespace"),
        pytest.param(altered(plain_node(), namespaces={"count": 3, **OLD}), False, id="ip_vs is not loaded"),
    ],
)
def test_whether_ipvs_is_in_another_namespace(node, elsewhere):
    assert parse_node(node).ipvs_elsewhere is elsewhere


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        pytest.param(stock_node(), True, id="kubelet runs"),
        pytest.param(plain_node(), False, id="neither kubelet nor pods"),
        pytest.param(with_rows(plain_node(), row("a/b")), True, id="pods without kubelet"),
        pytest.param(with_rows(plain_node()), False, id="no pod"),
    ],
)
def test_whether_it_is_a_node_of_a_cluster(node, expected):
    assert parse_node(node).on_kubernetes is expected


def test_a_sysctl_as_a_number():
    node = parse_node(with_sysctl(with_sysctl(stock_node(), RETRIES2, "7"), BE_LIBERAL, "7 9"))
    assert (node.number(RETRIES2), node.number(BE_LIBERAL), node.number("a.b")) == (7, None, None)


def test_who_decides_a_value_after_a_boot():
    line = {"value": "1", "file": "/etc/sysctl.d/x.conf", "line": 4, "in_time": True}
    node = with_sysctl(with_sysctl(stock_node(), BE_LIBERAL, "1", **line), RETRIES2, "7", **line)
    profile = {"file": "/etc/tuned/p/tuned.conf", "line": 9, "value": "8"}
    node["owners"] = {"tuned": {"profile": "p", "reapplies": False, "sysctls": {RETRIES2: profile}}}
    node = parse_node(node)
    assert (node.boot_value(BE_LIBERAL), node.boot_source(BE_LIBERAL)) == ("1", "/etc/sysctl.d/x.conf:4")
    assert node.tuned_line(RETRIES2) == Line("8", "/etc/tuned/p/tuned.conf:9")
    assert (node.boot_value(RETRIES2), node.boot_source(RETRIES2)) == ("8", "TuneD /etc/tuned/p/tuned.conf:9")
    assert node.boot(BE_LIBERAL).file == "/etc/sysctl.d/x.conf"
    assert [read("a.b") for read in (node.boot, node.boot_value, node.boot_source, node.tuned_line)] == [None] * 4


@pytest.mark.parametrize(
    ("module", "at_boot"),
    [(Module(True, False, None), False), (Module(False, True, None), True), (Module(False, False, "x:1"), True)],
)
def test_a_module_is_there_after_a_boot_where_it_is_built_in_or_named(module, at_boot):
    assert module.at_boot is at_boot


@pytest.mark.parametrize(
    ("spaces", "complete", "not_read"),
    [
        pytest.param(Namespaces(1, 0, None, GROUPS), True, "network namespaces could not be read", id="all"),
        pytest.param(Namespaces(None, 0, None, ()), False, "network namespaces could not be read", id="none"),
        pytest.param(
            Namespaces(2, 1, None, GROUPS), False, "1 network namespace or process could not be read", id="not one"
        ),
        pytest.param(
            Namespaces(3, 2, "no right", GROUPS),
            False,
            "2 network namespaces or processes could not be read: no right",
            id="not two, and why",
        ),
        pytest.param(
            Namespaces(1, 0, "no right", GROUPS), False, "network namespaces could not be read: no right", id="why"
        ),
    ],
)
def test_which_namespaces_were_not_read(spaces, complete, not_read):
    assert (spaces.complete, spaces.not_read) == (complete, not_read)


def no_node(**sections):
    """A host where all was looked at: no kubelet, no kube-proxy, no containers, no IPVS."""
    return altered({**with_rows(plain_node()), "container_runtimes": []}, **sections)


UNREAD = {"id": "other-writers", "what": "the configuration of keepalived", "why": "denied", "do": ""}


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(no_node(), id="nothing of all that"),
        pytest.param(no_node(ipvs={"loaded": True}, namespaces={"count": 9}), id="ip_vs is loaded, without a service"),
        pytest.param(
            {**no_node(), "owners": {"keepalived": None}}, id="keepalived for an address, which sets no IPVS timeouts"
        ),
        pytest.param(
            no_node(problems=[{**UNREAD, "what": "the configuration of TuneD"}]), id="TuneD could not be read"
        ),
    ],
)
def test_a_host_without_kubernetes_containers_and_ipvs_is_no_node(node):
    assert parse_node(node).is_node is False


UNREAD_SERVICES = {"id": "ipvs-services", "what": "IPVS", "why": "denied", "do": ""}


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(stock_node(), id="a worker"),
        pytest.param(no_node(kubelet={"running": True}), id="kubelet runs"),
        pytest.param(no_node(kubelet={"running": None}), id="whether kubelet runs is not known"),
        pytest.param(no_node(kubelet={"error": "Process 9 calls itself kubelet"}), id="a doubtful kubelet"),
        pytest.param(no_node(kube_proxy={"running": True}), id="kube-proxy runs"),
        pytest.param(no_node(kube_proxy={"running": None}), id="whether kube-proxy runs is not known"),
        pytest.param(no_node(container_runtimes=["containerd"]), id="a container runtime, before kubelet comes"),
        pytest.param(no_node(container_runtimes=None), id="which container runtime is not known"),
        pytest.param(no_node(pods=None), id="pods could not be read"),
        pytest.param(no_node(pods={"count": 1}), id="a pod"),
        pytest.param(with_service(no_node(), "rr"), id="an IPVS service"),
        pytest.param(with_tables(no_node(ipvs={"loaded": True}), ipvs_in("lb_1")), id="an IPVS service in a namespace"),
        pytest.param(
            no_node(ipvs={"loaded": True}, namespaces={"count": 2, "tables": None}), id="nobody looked for such a one"
        ),
        pytest.param(no_node(problems=[UNREAD_SERVICES]), id="IPVS services could not be read"),
        pytest.param(
            {**no_node(), "owners": {"keepalived": {"file": "/k", "line": 1, "timeouts": {"tcp": 900}}}},
            id="a load balancer whose virtual servers are away",
        ),
        pytest.param(no_node(problems=[UNREAD]), id="whether keepalived sets IPVS timeouts could not be read"),
        pytest.param(plain_node(), id="an older node_info did not look"),
    ],
)
def test_whoever_may_be_a_node_is_one(node):
    assert parse_node(node).is_node is True
