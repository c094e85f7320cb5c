# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import of_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit, ascending
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings._rows_owners import (
    by_release,
    with_keepalived,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._limits._changed import changed
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    container_node,
    nftables_node,
    plain_node,
    stock_node,
    with_configured_tcp,
    with_established,
    with_ipvs_tcp,
)

RESTART = "IPVS tcp after a kube-proxy restart"
SERVICES = "the idle limit of Services"
CONNTRACK = (86400, "conntrack established")


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        pytest.param(stock_node(), [(900, "IPVS tcp"), CONNTRACK], id="ipvs mode: IPVS and conntrack"),
        pytest.param(nftables_node(), [CONNTRACK], id="nftables mode: conntrack only"),
        pytest.param(plain_node(), [], id="no kube-proxy, no conntrack: nothing"),
        pytest.param(container_node(), [], id="a container without IPVS and conntrack of its own: nothing"),
        pytest.param(
            changed(changed(stock_node(), "kube_proxy.mode", "iptables"), "ipvs.totals.services", 0),
            [CONNTRACK],
            id="iptables mode with ip_vs loaded and no virtual service: IPVS is not on the path",
        ),
        pytest.param(
            changed(stock_node(), "kube_proxy.mode", "iptables"),
            [(900, "IPVS tcp"), CONNTRACK],
            id="iptables mode with virtual services of someone else: IPVS is on the path",
        ),
        pytest.param(
            with_configured_tcp(changed(stock_node(), "kube_proxy.mode", "iptables"), 600),
            [(900, "IPVS tcp"), CONNTRACK],
            id="kube-proxy's IPVS values mean nothing in iptables mode, though IPVS is on the path",
        ),
        pytest.param(
            changed(changed(stock_node(), "kube_proxy.mode", "iptables"), "ipvs.totals.tcp_services", 0),
            [CONNTRACK],
            id="services for UDP or SCTP only: no TCP connection goes through IPVS",
        ),
        pytest.param(
            changed(stock_node(), "ipvs.totals.services", 0),
            [(900, "IPVS tcp"), CONNTRACK],
            id="ipvs mode without a virtual service yet: IPVS is on the path",
        ),
        pytest.param(
            with_configured_tcp(with_ipvs_tcp(stock_node(), 8284), 900),
            [(900, RESTART), (8284, "IPVS tcp"), CONNTRACK],
            id="kube-proxy will set 900 again",
        ),
        pytest.param(
            with_configured_tcp(stock_node(), 900),
            [(900, "IPVS tcp"), CONNTRACK],
            id="kube-proxy's value is the one in force",
        ),
        pytest.param(
            with_keepalived(with_ipvs_tcp(stock_node(), 8284), tcp=600),
            [(600, "IPVS tcp after a keepalived restart"), (8284, "IPVS tcp"), CONNTRACK],
            id="keepalived will set 600 again",
        ),
        pytest.param(
            with_keepalived(stock_node(), udp=60), [(900, "IPVS tcp"), CONNTRACK], id="keepalived leaves tcp alone"
        ),
        pytest.param(
            with_keepalived(nftables_node(), tcp=600), [CONNTRACK], id="keepalived's values mean nothing without IPVS"
        ),
        pytest.param(
            by_release(with_established(stock_node(), 432000), "v1.27.3"),
            [(900, "IPVS tcp"), (432000, "conntrack established")],
            id="kube-proxy before 1.29 leaves a higher conntrack timeout alone",
        ),
        pytest.param(
            by_release(with_established(stock_node(), 3600), "v1.27.3"),
            [
                (900, "IPVS tcp"),
                (3600, "conntrack established"),
                (86400, "conntrack established after a kube-proxy restart"),
            ],
            id="and raises a lower one",
        ),
        pytest.param(
            by_release(with_established(stock_node(), 432000), None),
            [
                (900, "IPVS tcp"),
                (86400, "conntrack established after a kube-proxy restart"),
                (432000, "conntrack established"),
            ],
            id="of a kube-proxy whose release nobody knows the lower one counts",
        ),
        pytest.param(
            changed(with_configured_tcp(nftables_node(), 900), "ipvs.loaded", False),
            [CONNTRACK],
            id="kube-proxy's IPVS values mean nothing in nftables mode",
        ),
        pytest.param(
            with_established(stock_node(), 432000),
            [
                (900, "IPVS tcp"),
                (86400, "conntrack established after a kube-proxy restart"),
                (432000, "conntrack established"),
            ],
            id="kube-proxy will lower conntrack's timeout",
        ),
        pytest.param(
            changed(stock_node(), "kube_proxy.conntrack.tcp_established", 0),
            [(900, "IPVS tcp"), CONNTRACK],
            id="kube-proxy leaves conntrack's timeout alone",
        ),
    ],
)
def test_the_limits_that_are_really_there(node, expected):
    seen = of_node("worker1", parse_node(node))
    assert [(limit.seconds, limit.name) for limit in seen.limits] == expected
    assert seen.not_seen == ()


def test_the_order_of_equal_limits_does_not_depend_on_the_order_of_nodes():
    limits = [Limit(900, "IPVS tcp", "b"), Limit(900, "IPVS tcp", "a"), Limit(350, "AWS NLB", None)]
    assert ascending(limits) == ascending(limits[::-1]) == (limits[2], limits[1], limits[0])


@pytest.mark.parametrize(
    ("seconds", "absurd"),
    [
        (10, None),
        (9, "shows 9 s, below 10 s (the shortest idle limit that keepalive in whole seconds can stay below)"),
        (21474836, None),
        (21474837, "shows 21474837 s, above 21474836 s (the longest timeout that any kernel takes)"),
    ],
)
def test_which_limits_make_sense(seconds, absurd):
    assert Limit(seconds, "IPVS tcp", "worker1").absurd == absurd


@pytest.mark.parametrize(
    ("seconds", "expected"), [(300, [300]), (3, []), (None, [])], ids=["one", "one that is absurd", "none"]
)
def test_a_timeout_policy_of_conntrack_is_a_limit(seconds, expected):
    node = nftables_node()
    node["conntrack"]["policies"] = {"used": 1, "established": seconds}
    seen = of_node("worker1", parse_node(node))
    name = "conntrack established by a timeout policy"
    assert [limit.seconds for limit in seen.limits if limit.name == name] == expected
    assert [limit.name for limit in seen.shown] == ([name] if seconds == 3 else [])
    assert {(each.place, each.shown.in_force) for each in seen.not_seen if each.shown} == (
        {("conntrack", True)} if seconds == 3 else set()
    )
