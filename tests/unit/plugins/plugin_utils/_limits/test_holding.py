# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import (
    Holding,
    holding_of,
    in_force,
    parse_holding,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import (
    CONNTRACK_POLICY,
    IPVS_TCP_KUBE_ROUTER,
    Limit,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import parse_middleboxes
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import altered, quiet_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    SAFE,
    outside,
    row,
    service,
    with_rows,
)

IPVS = Limit(900, "IPVS tcp", "w1")
TRACKED = Limit(7200, "conntrack established", "w1")
DATABASE, STORE = "192.0.2.2:5432", "[2001:db8::9]:443"


def node(**pods):
    """A node whose own namespace has a connection of a hostNetwork pod, and two pods, one with one to a database."""
    host = {**service(STORE), "processes": [{**PROCESS, "pod": "ingress/proxy-x7"}]}
    rows = [
        {**row("the node itself", SAFE, kind="node"), **outside(host)},
        {**row("shop/cart-1", SAFE, service("10.96.0.10:80", 1)), **outside(service(DATABASE, 3))},
        row("shop/pay-1", SAFE, service("10.96.0.11:80", 1)),
    ]
    return parse_node(with_rows(quiet_node(), *rows, **pods))


PROCESS = {"name": "proxy", "pid": 1, "runtime": None, "without_keepalive": 0, "gap": None}


def held(seen=None, **binding):
    (box,) = parse_middleboxes([{"name": "box", "seconds": 350, **binding}])
    return holding_of("w1", seen or node(), [IPVS, TRACKED], IPVS, [box])


def seconds(holding, seen=None):
    """Of each namespace."""
    return [limit.seconds if (limit := holding.of(space)) else None for space in (seen or node()).pods.spaces]


BOUND = [
    pytest.param({}, [350, 350, 350], id="to nothing: all"),
    pytest.param({"hosts": ["w*"]}, [350, 350, 350], id="to this host: all that is on it"),
    pytest.param({"hosts": ["x*"]}, [900, 900, 900], id="to another host"),
    pytest.param({"pods": ["shop/*"]}, [900, 350, 350], id="to pods"),
    pytest.param({"pods": ["*/pay-1"]}, [900, 900, 350], id="to one pod"),
    pytest.param({"pods": ["ingress/*"]}, [350, 900, 900], id="to a hostNetwork pod"),
    pytest.param({"destinations": ["192.0.2.0/24:5432"]}, [900, 350, 900], id="to a destination that one pod has"),
    pytest.param({"destinations": ["192.0.2.0/24:5433"]}, [900, 900, 900], id="to another port"),
    pytest.param({"destinations": ["[2001:db8::]/32:443"]}, [350, 900, 900], id="to an IPv6 one of the node"),
    pytest.param({"destinations": ["10.96.0.11"]}, [900, 900, 350], id="to a service"),
    pytest.param({"pods": ["shop/pay-*"], "destinations": ["192.0.2.2"]}, [900, 900, 900], id="both must match"),
    pytest.param({"pods": ["shop/*"], "hosts": ["x"]}, [900, 900, 900], id="pods on another host"),
]


@pytest.mark.parametrize(("binding", "expected"), BOUND)
def test_what_a_middlebox_holds_for(binding, expected):
    assert seconds(held(**binding)) == expected


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param({"sockets_from": None}, 350, id="sockets were not read"),
        pytest.param({"omitted": 3}, 350, id="namespaces were left out"),
        pytest.param({}, 900, id="all was seen"),
    ],
)
def test_where_not_all_was_seen_a_destination_holds_for_all(pods, expected):
    seen = node(**pods)
    assert set(seconds(held(seen, destinations=["203.0.113.1"]), seen)) == {expected}


def test_bound_to_pods_and_destinations_it_holds_for_all_of_these_pods_where_sockets_were_not_read():
    seen = node(sockets_from=None)
    assert seconds(held(seen, pods=["shop/pay-*"], destinations=["203.0.113.1"]), seen) == [900, 900, 350]


def test_where_a_namespace_could_not_be_read_or_has_more_than_is_listed_it_holds_for_it():
    rows = [row("a/unread", SAFE, error="denied"), {**row("a/many", SAFE), "to_outside": 100}, row("a/fine", SAFE)]
    seen = parse_node(with_rows(quiet_node(), *rows))
    assert seconds(held(seen, destinations=["203.0.113.1"]), seen) == [900, 350, 350, 900]


def test_a_pod_whose_name_is_not_known_may_be_any():
    seen = parse_node(with_rows(quiet_node(), row("pod 0b1c", SAFE)))
    assert seconds(held(seen, pods=["shop/*"]), seen) == [900, 350]


def test_a_node_without_rows_of_pods_is_held_by_every_box():
    seen = parse_node({**quiet_node(), "pods": {}})
    assert held(seen, destinations=["203.0.113.1"]).of_node(seen.pods).seconds == 350


def test_connections_to_other_addresses_cross_no_ipvs():
    pods = node().pods
    cart = next(space for space in pods.spaces if space.label == "shop/cart-1")
    holding = held(destinations=[DATABASE])
    assert holding.to_outside(cart, cart.outside[0]).seconds == 350
    assert holding.to_outside(cart, cart.outside[0]._replace(name="192.0.2.3:5432")) == TRACKED
    assert holding.to_service(cart, cart.services[0]) == IPVS, "the box is not on the path there"
    assert held(hosts=["x"]).outside == TRACKED


@pytest.mark.parametrize(
    ("by_mark", "own", "expected"),
    [
        pytest.param(1, [IPVS, TRACKED], IPVS, id="the lower of both"),
        pytest.param(150, [IPVS, Limit(600, "conntrack established", "w1")], 600, id="connection tracking is lower"),
        pytest.param(2, [Limit(300, IPVS_TCP_KUBE_ROUTER, "w1"), IPVS], 300, id="what kube-router will set"),
        pytest.param(0, [IPVS, TRACKED], TRACKED, id="none by mark"),
        pytest.param(
            1, [Limit(60, "IPVS tcp in container web", "w1", in_namespace=True), TRACKED], TRACKED, id="elsewhere"
        ),
    ],
)
def test_where_ipvs_balances_by_firewall_mark_connections_to_other_addresses_may_cross_it(by_mark, own, expected):
    seen = parse_node(altered(quiet_node(), ipvs={"services_by_mark": by_mark}))
    outside_limit = holding_of("w1", seen, own, IPVS, []).outside
    assert expected in (outside_limit, outside_limit.seconds)


def test_a_timeout_policy_holds_for_connections_to_other_addresses_too():
    policy = Limit(300, CONNTRACK_POLICY, "w1")
    assert holding_of("w1", node(), [policy, IPVS, TRACKED], policy, []).outside == policy


def test_as_plain_data_and_back():
    for binding in ({}, {"destinations": [DATABASE, STORE], "pods": ["shop/*"], "hosts": ["w1"]}):
        holding = held(**binding)
        again = parse_holding(holding.as_dict())
        assert (again, seconds(again)) == (holding, seconds(holding))
    proxied = held(proxy=True, destinations=[DATABASE])
    assert parse_holding(proxied.as_dict()) == proxied
    assert (proxied.bound, len(proxied.proxies)) == ((), 1)
    assert parse_holding(Holding().as_dict()) == Holding()


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        ({"hosts": ["w1"]}, True),
        ({"hosts": ["gone"]}, True),
        ({"hosts": ["x*"]}, False),
        ({"pods": ["shop/*"]}, True),
        ({"pods": ["shop/nobody"]}, False),
        ({"destinations": ["192.0.2.2"]}, True),
        ({"destinations": ["198.51.100.0/24"], "hosts": ["w1"]}, False),
    ],
)
def test_whether_it_holds_for_anything(binding, expected):
    (box,) = parse_middleboxes([{"name": "box", "seconds": 350, **binding}])
    nodes = {"w1": node(), "gone": None} if "gone" in str(binding) else {"w1": node()}
    assert in_force(box, nodes) is expected
