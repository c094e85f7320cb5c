# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.connection_tables import (
    Conntrack,
    Draining,
    Growth,
    Idle,
    parse_conntrack,
    parse_growth,
    parse_ipvs,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    idle,
    stock_node,
    with_real_servers,
)


@pytest.mark.parametrize(
    ("timeouts", "seen"),
    [
        ({"tcp": "900", "tcpfin": 120, "udp": 300}, {"tcp": 900, "tcpfin": 120, "udp": 300}),
        ({"tcp": 900, "tcpfin": 120}, None),
        ({"tcp": 900, "tcpfin": 120, "udp": None}, None),
        (None, None),
    ],
)
def test_ipvs_timeouts_are_all_three_or_not_seen(timeouts, seen):
    assert parse_ipvs({"timeouts": timeouts}).timeouts == seen


def test_no_unit_is_another_thing_than_a_unit_that_sets_none():
    seen = [parse_ipvs({"timeouts_at_boot": each}).timeouts_at_boot for each in (None, {}, {"tcp": 8284})]
    assert seen == [None, {}, {"tcp": 8284}]


def test_connection_tracking():
    counters = [{"cpu": 0, "invalid": 3, "drop": 1}, 7, {"cpu": 1, "invalid": "4"}]
    values = {"loaded": True, "count": "5", "max": 9, "statistics": counters}
    timeouts = {"established": 86400, "close_wait": "60"}
    seen = parse_conntrack({**values, "timeouts": timeouts, "cut_within": {"60": 2}})
    rows = ({"cpu": 0, "invalid": 3, "drop": 1}, {"cpu": 1, "invalid": 4})
    assert seen == Conntrack(True, 86400, 60, 5, 9, rows, {"60": 2})
    assert [seen.counted(name) for name in ("invalid", "drop", "early_drop")] == [7, 1, 0]
    assert parse_conntrack({"loaded": "yes"}) == Conntrack(None, None, None, None, None, (), {})


@pytest.mark.parametrize(
    ("ipvs", "carry_tcp"),
    [
        pytest.param({"totals": {"services": 3, "tcp_services": 2}}, 2, id="counted by the node"),
        pytest.param({"totals": {"services": 3, "tcp_services": 0}}, 0, id="none of them"),
        pytest.param({"totals": {"services": 0, "tcp_services": 2}}, 0, id="never more than there are"),
        pytest.param({"totals": {"services": 2}, "services": [{"protocol": "UDP"}, {"protocol": "SCTP"}]}, 0, id="old"),
        pytest.param({"totals": {"services": 2}, "services": [{"protocol": "UDP"}, {"protocol": "FWM"}]}, 1, id="mark"),
        pytest.param({"totals": {"services": 3}, "services": [{"protocol": "UDP"}]}, 2, id="old, not all listed"),
        pytest.param({"totals": {"services": 1}, "services": [{"protocol": "UDP"}, 7, 8]}, 0, id="nonsense"),
        pytest.param({}, 0, id="not read"),
    ],
)
def test_services_that_may_carry_tcp(ipvs, carry_tcp):
    assert parse_ipvs(ipvs).tcp_services == carry_tcp


def test_virtual_services_in_numbers():
    ipvs = parse_node(with_real_servers(stock_node(), "TCP", (0, 2, 1), (1, 4, 0), (1, 3, 0))).ipvs
    assert (ipvs.services, ipvs.persistent, ipvs.scattering) == (1, 0, 1)
    assert ipvs.draining == (Draining("TCP", "10.96.0.1:443", "10.2.0.1:8080", 2, 1),)


@pytest.mark.parametrize("nothing", [None, [], "many", {"services": "many"}])
def test_virtual_services_that_were_not_read_are_none(nothing):
    node = stock_node()
    node["ipvs"].update(totals=nothing, draining=nothing)
    ipvs = parse_node(node).ipvs
    assert (ipvs.services, ipvs.persistent, ipvs.scattering, ipvs.draining) == (0, 0, 0, ())


def test_how_much_counters_grew():
    growth = {"seconds": 1, "conntrack": {"invalid": 1, "drop": "x"}, "softnet": None}
    assert parse_growth(growth) == Growth(1.0, {"invalid": 1}, {})


@pytest.mark.parametrize("seconds", [0, -1, 86400, float("inf"), float("nan"), True, "1", "soon", None])
def test_a_growth_without_a_length_that_a_sample_has_is_none(seconds):
    assert parse_growth({"seconds": seconds, "conntrack": {"invalid": 3}, "softnet": {}}) is None


def test_what_is_about_to_expire():
    ipvs = {"cut_within": {"60": 1, "300": "2", "900": None, "7": 3}, "idlest": [idle(40), {"client": 7}, None]}
    node = parse_node(altered(stock_node(), ipvs=ipvs, conntrack={"cut_within": [1]}))
    assert node.ipvs.cut_within == {"60": 1, "300": 2}
    assert node.conntrack.cut_within == {}
    assert node.ipvs.idlest[0] == Idle("10.1.0.2:39002", "10.96.0.10:80", "10.2.0.2:8080", 860, 40)
    assert node.ipvs.idlest[1:] == (Idle("?", "?", "?", None, 0),) * 2
