# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BRIDGE,
    EMPTY,
    INTVL,
    KEEPALIVE_KEYS,
    OURS,
    PROBES,
    TIME,
    UNSEEN,
    applied_node,
    container_node,
    nftables_node,
    nodes,
    plain_node,
    plan_one,
    stock_node,
    unprivileged_node,
    with_established,
    with_ipvs_tcp,
    with_keepalive,
    with_pods,
    with_sysctl,
    without_conntrack,
)


def test_a_stock_node_is_unsafe_and_gets_600_30_9():
    plan, worker = plan_one(stock_node())
    assert plan["limit"] == plan["planned_limit"] == {"seconds": 900, "name": "IPVS tcp", "node": "worker1"}
    assert plan["keepalive"] == {"time": 600, "intvl": 30, "probes": 9}
    assert (plan["safe"], plan["decided_in_time"], plan["verdict"]) == (True, True, "unsafe")
    assert plan["reasons"]["limit"] == "the lowest of 2 idle limits that were seen"
    assert (worker["mode"], worker["verdict"], worker["spare_seconds"]) == ("ipvs", "unsafe", -7384)
    assert worker["namespaces_unsafe"] == 23
    assert worker["summary"] == (
        "worker1 is unsafe: 7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond 900 s (IPVS tcp on "
        "worker1)."
    )
    assert worker["settings"] == {**EMPTY, "sysctls": OURS}
    assert [change["sentence"] for change in worker["changes"]] == [
        "net.ipv4.tcp_keepalive_time: 7200 becomes 600; two thirds of 900 s (IPVS tcp on worker1).",
        "net.ipv4.tcp_keepalive_intvl: 75 becomes 30; a thirtieth of 900 s (IPVS tcp on worker1).",
    ]
    assert worker["owners"] == {
        **dict.fromkeys(KEEPALIVE_KEYS, "kernel default"),
        "IPVS tcp": "kernel default",
        "IPVS tcpfin": "kernel default",
        "IPVS udp": "kernel default",
    }


def test_a_node_that_was_applied_keeps_its_settings_and_needs_no_change():
    plan, worker = plan_one(applied_node())
    assert (plan["verdict"], worker["verdict"], worker["spare_seconds"]) == ("safe", "safe", 156)
    assert worker["settings"] == {**EMPTY, "sysctls": OURS}
    assert worker["changes"] == []
    assert worker["owners"][TIME] == "/etc/sysctl.d/k8s.conf:3"


@pytest.mark.parametrize(
    ("node", "verdict", "keepalive", "why"),
    [
        pytest.param(
            nftables_node(),
            "safe",
            (7200, 75, 9),
            "7200 + 2 x 75 = 7350 s, with timer slack 8284 s, leaves 78116 s of 86400 s (conntrack established on "
            "worker1)",
            id="nftables mode: conntrack is the limit, and the kernel's keepalive is below it",
        ),
        pytest.param(
            plain_node(),
            "safe",
            None,
            "nothing was seen that forgets idle connections",
            id="no kube-proxy, no conntrack: confirmed absent",
        ),
        pytest.param(
            container_node(),
            "safe",
            None,
            "nothing was seen that forgets idle connections",
            id="a container whose namespace has nothing",
        ),
        pytest.param(
            unprivileged_node(),
            "unknown",
            (7200, 75, 9),
            "IPVS tcp could not be read: the kernel refused: Operation not permitted",
            id="not root: safe below what was seen is not safe",
        ),
        pytest.param(
            with_keepalive(unprivileged_node(), (86400, 75, 9)),
            "unsafe",
            (7200, 75, 9),
            "86400 + 2 x 75 = 86550 s, with timer slack 97541 s, is 11141 s beyond 86400 s (conntrack established "
            "on worker1)",
            id="not root, yet too late for what was seen",
        ),
        pytest.param(None, "unknown", None, "it was not observed", id="not observed"),
        pytest.param({}, "unknown", None, "it was not observed", id="observed as nothing"),
        pytest.param(
            with_sysctl(stock_node(), TIME, None),
            "unknown",
            (600, 30, 9),
            "its keepalive could not be read",
            id="keepalive unreadable",
        ),
        pytest.param(
            with_keepalive(stock_node(), (600, 30, 0)),
            "unsafe",
            (600, 30, 9),
            "keepalive 600/30/0 has a value below 1, which ends or floods idle connections",
            id="no probes at all",
        ),
    ],
)
def test_the_verdict_of_one_node(node, verdict, keepalive, why):
    plan, worker = plan_one(node)
    assert (worker["verdict"], plan["verdict"], worker["why"]) == (verdict, verdict, why)
    values = plan["keepalive"] and tuple(plan["keepalive"].values())
    assert values == keepalive


def test_a_margin_that_is_not_left_is_unsafe_though_seconds_are_to_spare():
    _plan, worker = plan_one(applied_node(), margin=200)
    assert (worker["verdict"], worker["spare_seconds"]) == ("unsafe", 156)


@pytest.mark.parametrize(
    ("node", "safe", "settings"),
    [
        pytest.param(plain_node(), True, EMPTY, id="everything confirmed absent"),
        pytest.param(None, False, UNSEEN, id="nothing observed"),
    ],
)
def test_without_a_limit_nothing_is_planned(node, safe, settings):
    plan, worker = plan_one(node)
    assert (plan["limit"], plan["keepalive"], plan["safe"]) == (None, None, safe)
    assert worker["settings"] == settings


def test_a_mixed_cluster_has_one_limit_for_all():
    plan = make_plan(nodes(nftables_node(), stock_node(), plain_node()), {})
    assert plan["limit"] == {"seconds": 900, "name": "IPVS tcp", "node": "worker2"}
    assert [node["settings"]["sysctls"] for node in plan["nodes"].values()] == [OURS, OURS, OURS]
    assert [limit["seconds"] for limit in plan["limits"]] == [900, 86400, 86400]
    assert [limit["seconds"] for limit in plan["nodes"]["worker1"]["limits"]] == [86400]


def test_a_node_that_was_not_observed_leaves_the_plan_to_the_rest():
    plan = make_plan(nodes(stock_node(), None), {})
    assert plan["keepalive"] == {"time": 600, "intvl": 30, "probes": 9}
    assert plan["not_seen"] == [
        {"node": "worker2", "name": "IPVS tcp", "why": "the node was not observed"},
        {"node": "worker2", "name": "conntrack established", "why": "the node was not observed"},
    ]
    assert plan["reasons"]["limit"] == "the lowest of 2 idle limits that were seen; 2 could not be read"
    assert plan["nodes"]["worker2"]["settings"] == UNSEEN


def test_the_verdict_of_all_is_not_safe_while_a_node_was_not_observed():
    assert make_plan(nodes(applied_node(), None), {})["verdict"] == "unknown"


def test_a_middlebox_is_a_limit_of_no_node():
    plan, worker = plan_one(stock_node(), middleboxes=["aws_nlb"])
    assert plan["limit"] == {"seconds": 350, "name": "AWS NLB", "node": None}
    assert plan["keepalive"] == {"time": 233, "intvl": 11, "probes": 9}
    assert worker["spare_seconds"] == 350 - 8284


def test_the_article_is_safe_and_not_decided_in_time_below_900_seconds():
    plan, worker = plan_one(stock_node(), profile="article")
    assert (plan["safe"], plan["decided_in_time"]) == (True, False)
    assert worker["settings"] == {
        **EMPTY,
        "modules": ["br_netfilter"],
        "sysctls": {TIME: "600", INTVL: "30", PROBES: "10", **dict.fromkeys(BRIDGE, "1")},
    }


@pytest.mark.parametrize(
    ("node", "policy", "message"),
    [
        pytest.param(
            stock_node(),
            {"strategy": "raise_ipvs", "middleboxes": ["aws_nlb"]},
            "keepalive_strategy: raise_ipvs raises IPVS only and keeps 7200/75/9, which is in use: 7200 + 2 x 75 = "
            "7350 s, "
            "with timer slack 8284 s, is 7934 s beyond 350 s (AWS NLB). "
            "Use keepalive_strategy: lower_keepalive, and lower the keepalive of the pods too.",
            id="raise_ipvs behind a load balancer",
        ),
        pytest.param(
            with_established(stock_node(), 3600),
            {"strategy": "raise_ipvs"},
            "keepalive_strategy: raise_ipvs raises IPVS only and keeps 7200/75/9, which is in use: 7200 + 2 x 75 = "
            "7350 s, "
            "with timer slack 8284 s, is 4684 s beyond 3600 s (conntrack established on worker1). "
            "Use keepalive_strategy: lower_keepalive, and lower the keepalive of the pods too.",
            id="raise_ipvs with a short conntrack timeout",
        ),
        pytest.param(
            stock_node(),
            {"strategy": "raise_ipvs", "ipvs_timeouts": {"tcp": 7800}},
            "keepalive_ipvs_timeouts: tcp 7800 is too short for keepalive_strategy raise_ipvs: 7200 + 2 x 75 = 7350 "
            "s, with "
            "timer slack 8284 s, is 484 s beyond 7800 s (keepalive_ipvs_timeouts tcp). Write at least 8284, or "
            "leave it out.",
            id="raise_ipvs with too short a timeout of the user's",
        ),
        pytest.param(
            with_pods(without_conntrack(stock_node()), [((2147483, 75, 9), 1)]),
            {"strategy": "raise_ipvs"},
            "keepalive_strategy: raise_ipvs would need an IPVS tcp timeout of 2420349 s, above 2147483 s (what "
            "every kernel "
            "takes for an IPVS timeout, in seconds). Lower the keepalive 2147483/75/9 that is in use.",
            id="raise_ipvs above an absurd keepalive",
        ),
        pytest.param(
            stock_node(),
            {"time": 800},
            "keepalive_time: 800 + 2 x 1 = 802 s, with timer slack 904 s, is 4 s beyond 900 s (IPVS tcp on worker1). "
            "Lower keepalive_time, or leave it unset to have it worked out.",
            id="an unsafe override",
        ),
        pytest.param(
            with_ipvs_tcp(stock_node(), 9),
            {},
            "IPVS tcp on worker1: 9 s is below 10 s (the shortest idle limit that keepalive in whole seconds can stay "
            "below). Raise the IPVS tcp timeout on that node, for example with keepalive_ipvs_timeouts: {tcp: 900}.",
            id="a limit under 10 s",
        ),
    ],
)
def test_a_policy_that_contradicts_the_nodes_is_refused(node, policy, message):
    with pytest.raises(PlanError) as caught:
        make_plan(nodes(node), policy)
    assert str(caught.value) == message


@pytest.mark.parametrize("several", [None, {}, [], "worker1"])
def test_no_nodes_is_an_error(several):
    with pytest.raises(PlanError) as caught:
        make_plan(several, {})
    assert str(caught.value) == (
        "no node was given, at least one is expected. Give a mapping of names to what node_info returned as node."
    )


def test_the_policy_comes_back_as_understood():
    policy = make_plan(nodes(stock_node()), {"time": "100", "middleboxes": ["azure_lb"]})["policy"]
    assert (policy["time"], policy["lost_probes"], policy["strategy"]) == (100, 2, "lower_keepalive")
    assert policy["middleboxes"] == [{"name": "Azure LB", "seconds": 240}]


def test_the_same_input_gives_the_same_plan_and_stays_as_it_was():
    several = nodes(stock_node(), nftables_node(), None, unprivileged_node())
    before = copy.deepcopy(several)
    plan = make_plan(several, {})
    assert make_plan(several, {}) == plan
    assert several == before
    backwards = make_plan(dict(reversed(several.items())), {})
    assert {key: backwards[key] for key in ("limit", "keepalive", "limits", "nodes")} == {
        key: plan[key] for key in ("limit", "keepalive", "limits", "nodes")
    }
