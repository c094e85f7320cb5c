# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import able, unable
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OUR_FILE,
    OURS,
    TIME,
    plan_one,
    quiet_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    outside,
    row,
    service,
    with_rows,
)

NLB = {"middleboxes": [{"name": "nat", "seconds": 350, "destinations": ["192.0.2.2"]}]}
REARM = {"mode": "rearm", "time": 600, "intvl": 30, "probes": 9, "limit": 900, "outside_limit": None}
OURS_SEEN = {"sysctls": {OUR_FILE: list(OURS)}, "modules": {}, "ipvs_timeouts": [], "ipvs_unit": False, "rps": False}


def rearm_of(*rows, node=able, ours=None, **policy):
    """The option of node_settings, and what of the connections that were seen it may re-arm: late ones and others."""
    seen = {**with_rows(node(quiet_node()), *rows), "ours": {**OURS_SEEN, **(ours or {})}}
    planned = plan_one(seen, **policy)[1]
    told = planned.get("rearm")
    assert planned["to_converge"] is (told is not None)
    return planned["settings"].get("open_connections"), told and (told["late"], told["without_keepalive"])


def test_connections_that_were_armed_late_are_re_armed():
    assert rearm_of(row("a/b", SAFE, service(without=2, gaps=[(600, 1), (7200, 3)]))) == (REARM, (3, 0))


def test_connections_without_so_keepalive_are_where_the_user_asks_for_it():
    late = row("a/b", SAFE, service(without=2, gaps=[(7200, 3)]))
    assert rearm_of(late, open_connections="all") == ({**REARM, "mode": "all"}, (3, 2))
    assert rearm_of(row("a/b", SAFE, service(without=2)), open_connections="all") == ({**REARM, "mode": "all"}, (0, 2))
    assert rearm_of(row("a/b", SAFE, service(without=2))) == (None, None)


def test_the_reason_and_the_summary_say_how_many():
    node = plan_one(with_rows(able(quiet_node()), row("a/b", SAFE, service(gaps=[(7200, 3)]))))[1]
    assert node["reasons"]["open connections"] == "3 open connections at risk; keepalive_open_connections"
    assert node["summary"].endswith(
        " 3 open connections to services stay at risk until an apply re-arms them or their programs change that (see "
        "the findings)."
    )
    assert node["changes"] == []


@pytest.mark.parametrize(
    ("rows", "policy", "node"),
    [
        pytest.param([row("a/b", SAFE, service(gaps=[(7200, 1)]))], {"open_connections": "never"}, able, id="never"),
        pytest.param([row("a/b", SAFE, service(gaps=[(7200, 1)]))], {}, unable, id="a node that cannot"),
        pytest.param([row("a/b", SAFE, service(gaps=[(7200, 1)]))], {}, dict, id="a node_info that did not look"),
        pytest.param([row("a/b", SAFE, service(gaps=[(798, 5)], in_flight=3))], {}, able, id="none that is at risk"),
        pytest.param(
            [row("a/b", SAFE, service(gaps=[(9000, 5)]))], {}, able, id="timers longer than any of the namespace"
        ),
        pytest.param([row("a/b", SAFE, service(gaps=[(7200, 5)]), sandbox="vm")], {}, able, id="a sandbox"),
        pytest.param([row("a/b", None, service(gaps=[(7200, 5)]), error="x")], {}, able, id="values not read"),
        pytest.param([row("a/b", SAFE)], {"open_connections": "all"}, able, id="no connection"),
        pytest.param(
            [{**row("a/b", SAFE), **outside(service("192.0.2.2:5432", without=5, gaps=[(7200, 1)]))}],
            {"open_connections": "all"},
            able,
            id="connections to other addresses under a limit of a day",
        ),
    ],
)
def test_a_node_is_not_contacted_for(rows, policy, node):
    assert rearm_of(*rows, node=node, **policy) == (None, None)


def test_a_timer_as_long_as_what_was_there_before_us_may_be_re_armed():
    late = row("a/b", SAFE, service(gaps=[(9000, 5)]))
    assert rearm_of(late, ours={"originals": {TIME: "9000"}}) == (REARM, (5, 0))


def test_what_is_left_of_a_timer_says_not_whose_it_was():
    """Of a chatting connection it shrinks, so that a gap below the namespace's time is no sign of an own value."""
    late = row("a/b", (1200, 30, 9), service(gaps=[(1000, 1)]))
    assert rearm_of(late)[1] == (1, 0)


def test_connections_to_other_addresses_have_a_limit_of_their_own():
    late = {**row("a/b", KERNEL), **outside(service("192.0.2.2:5432", without=5, gaps=[(7200, 2)]))}
    settings = {"mode": "rearm", "time": 233, "intvl": 11, "probes": 9, "limit": 900, "outside_limit": 350}
    seen = plan_one(with_rows(able(quiet_node()), late), **NLB)[1]
    assert (seen["settings"]["open_connections"], seen["rearm"]["late"]) == (settings, 2)


def test_connections_beyond_those_that_are_listed_count_where_all_are_wanted():
    more = {**row("a/b", SAFE), "to_services": 4, "without_keepalive": 4, "connections": 4}
    assert rearm_of(more, open_connections="all") == ({**REARM, "mode": "all"}, (0, 4))
    assert rearm_of(more) == (None, None)


def test_connections_behind_a_proxy_are_left_alone():
    proxy = {"middleboxes": [{"name": "haproxy", "destinations": ["10.96.0.10"]}]}
    assert rearm_of(row("a/b", SAFE, service(without=2, gaps=[(7200, 3)])), open_connections="all", **proxy) == (
        None,
        None,
    )


@pytest.mark.parametrize(
    ("option", "kind", "kinds"), [("pods", "pod", ["node", "container"]), ("containers", "container", ["node", "pod"])]
)
def test_those_of_a_kind_that_the_user_wants_left_alone_are(option, kind, kinds):
    late = row("a/b", SAFE, service(gaps=[(7200, 3)], without=1), kind=kind)
    of_node = row("node", SAFE, service(gaps=[(7200, 2)]), kind="node")
    policy = {option: False, "open_connections": "all"}
    assert rearm_of(late, **policy) == (None, None)
    assert rearm_of(late, of_node, **policy) == ({**REARM, "mode": "all", "kinds": kinds}, (2, 0))


def test_those_that_the_node_did_not_list_may_be_of_pods():
    node = with_rows(able(quiet_node()), row("a/b", SAFE), omitted=3)
    node["pods"]["totals"]["without_keepalive"] = 5
    assert plan_one(node, open_connections="all")[1]["rearm"]["without_keepalive"] == 5
    assert plan_one(node, open_connections="all", pods=False)[1]["rearm"] is None


def test_in_namespaces_of_no_pod_and_no_container_the_node_re_arms_nothing():
    late = row("ns x", SAFE, service(gaps=[(7200, 1)], without=1), kind="other")
    assert rearm_of(late, open_connections="all") == (None, None)


def test_with_raise_ipvs_what_the_raised_limit_keeps_is_left_alone():
    node = with_rows(able(quiet_node()), row("a/b", KERNEL, service(gaps=[(7200, 3)])))
    assert "open_connections" not in plan_one(node, strategy="raise_ipvs")[1]["settings"]
