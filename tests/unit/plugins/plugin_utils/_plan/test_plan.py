# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings._rows_owners import (
    with_keepalived,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BRIDGE,
    EMPTY,
    ESTABLISHED,
    INTVL,
    KEEPALIVE_KEYS,
    OURS,
    PROBES,
    TIME,
    UNSEEN,
    altered,
    applied_node,
    conntrack_in,
    ipvs_in,
    nftables_node,
    nodes,
    plain_node,
    plan_one,
    quiet_node,
    stock_node,
    unprivileged_node,
    with_configured_tcp,
    with_established,
    with_ipvs_tcp,
    with_keepalive,
    with_pods,
    with_tables,
    without_conntrack,
)

INGRESS = "network namespace ingress_sbox"


def swarm_node():
    """A node of Docker Swarm: no Kubernetes, ip_vs loaded, and no service in the node's own namespace."""
    return altered(plain_node(), ipvs={"loaded": True}, namespaces={"count": 6})


def test_ipvs_in_another_namespace_is_a_limit_of_all():
    several = nodes(with_tables(swarm_node(), ipvs_in(INGRESS), ipvs_in("network namespace lb_1", 900)), stock_node())
    plan = make_plan(several, {})
    assert plan["limit"] == {"seconds": 300, "name": f"IPVS tcp in {INGRESS}", "node": "worker1"}
    assert plan["planned_limit"] == plan["limit"]
    assert plan["keepalive"] == {"time": 200, "intvl": 10, "probes": 9}
    assert [node["verdict"] for node in plan["nodes"].values()] == ["unsafe", "unsafe"]
    assert [limit["seconds"] for limit in plan["nodes"]["worker1"]["limits"]] == [300, 900]
    assert plan["nodes"]["worker1"]["notes"][0] == (
        f"IPVS in {INGRESS} and 1 other has virtual services and timeouts of its own. keepalive_ipvs_timeouts does not "
        "set those, keepalive_namespace_ipvs_timeouts does."
    )


def test_nobody_looked_into_the_other_namespaces():
    """As node_info of 0.1.0 leaves it."""
    _plan, worker = plan_one(altered(swarm_node(), namespaces={"tables": None}))
    assert worker["verdict"] == "unknown"
    assert worker["why"] == (
        "IPVS tcp in other network namespaces could not be read: ip_vs is loaded, and nobody looked for virtual "
        "services in the 5 others"
    )
    assert not [note for note in worker["notes"] if "not on the path" in note]


def test_a_limit_of_another_namespace_that_makes_no_sense_is_left_out():
    plan, worker = plan_one(with_tables(quiet_node(), ipvs_in(INGRESS, 5), conntrack_in("shop/a", 3, kind="pod")))
    assert (plan["limit"]["seconds"], worker["verdict"]) == (900, "unsafe")
    (finding,) = [each for each in plan["findings"] if each["id"] == "limit-absurd"]
    assert finding["remedy"] == (
        f"Correct IPVS tcp in {INGRESS} there. Correct conntrack established in pod shop/a there."
    )


def test_what_the_settings_change_is_only_in_the_nodes_own_namespace():
    node = with_tables(stock_node(), ipvs_in(INGRESS), conntrack_in("shop/a", 500, kind="pod"))
    plan, _worker = plan_one(node, ipvs_timeouts={"tcp": 3600}, sysctls={ESTABLISHED: "7200"})
    assert plan["planned_limit"] == {"seconds": 300, "name": f"IPVS tcp in {INGRESS}", "node": "worker1"}
    lower = with_tables(stock_node(), conntrack_in("shop/a", 500, kind="pod"))
    plan, _worker = plan_one(lower, ipvs_timeouts={"tcp": 3600}, sysctls={ESTABLISHED: "7200"})
    assert plan["planned_limit"]["name"] == "conntrack established in pod shop/a"


def test_timeouts_that_are_set_in_other_namespaces_are_the_limits_afterwards():
    node = with_tables(stock_node(), ipvs_in(INGRESS), ipvs_in("container lb (docker)", 200))
    wanted = {"ingress_sbox": {"tcp": 3600}, "lb": {"tcp": 700}}
    plan, _worker = plan_one(node, namespace_ipvs_timeouts=wanted)
    assert (plan["limit"]["seconds"], plan["keepalive"]["time"]) == (200, 466)
    assert plan["planned_limit"] == {"seconds": 700, "name": "IPVS tcp in container lb (docker)", "node": "worker1"}
    raised, _worker = plan_one(node, namespace_ipvs_timeouts={**wanted, "lb": {"tcp": 9000}})
    assert raised["planned_limit"] == {"seconds": 900, "name": "IPVS tcp", "node": "worker1"}


def test_raise_ipvs_does_not_reach_into_other_namespaces():
    with pytest.raises(PlanError) as caught:
        plan_one(with_tables(stock_node(), ipvs_in(INGRESS, 900)), strategy="raise_ipvs")
    message = str(caught.value)
    assert f"IPVS tcp in {INGRESS} on worker1" in message
    assert "It is in another network namespace, which raise_ipvs does not reach. Raise it there first" in message


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


@pytest.mark.parametrize(
    "box", ["aws_alb", {"name": "haproxy", "seconds": 50}, {"name": "x", "seconds": 9, "proxy": True}]
)
def test_a_proxy_is_no_limit_for_keepalive(box):
    assert (
        make_plan(nodes(stock_node()), {"middleboxes": [box]})["limits"] == make_plan(nodes(stock_node()), {})["limits"]
    )


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
            without_conntrack(stock_node()),
            {"strategy": "raise_ipvs", "time": 32767, "intvl": 32767, "lost_probes": 100},
            "keepalive_strategy: raise_ipvs would need an IPVS tcp timeout of 3729717 s, above 2147483 s (what "
            "every kernel "
            "takes for an IPVS timeout, in seconds). Lower the keepalive 32767/32767/101 that is in use.",
            id="raise_ipvs above an absurd keepalive of the user's",
        ),
        pytest.param(
            stock_node(),
            {"time": 800},
            "keepalive_time: 800 + 2 x 1 = 802 s, with timer slack 904 s, is 4 s beyond 900 s (IPVS tcp on worker1). "
            "Lower keepalive_time, or leave it unset to have it worked out.",
            id="an unsafe override",
        ),
        pytest.param(
            stock_node(),
            {"ipvs_timeouts": {"tcp": 9}},
            "IPVS tcp on worker1: 9 s is below 10 s (the shortest idle limit that keepalive in whole seconds can stay "
            "below). Raise it in keepalive_ipvs_timeouts.",
            id="a timeout of the user's under 10 s",
        ),
        pytest.param(
            stock_node(),
            {"sysctls": {"net.netfilter.nf_conntrack_tcp_timeout_established": 3}},
            "conntrack established on worker1: 3 s is below 10 s (the shortest idle limit that keepalive in whole "
            "seconds can stay below). Raise it in keepalive_sysctls.",
            id="a sysctl of the user's under 10 s",
        ),
        pytest.param(
            stock_node(),
            {"middleboxes": [{"name": "our box", "seconds": 5}]},
            "our box: 5 s is below 10 s (the shortest idle limit that keepalive in whole seconds can stay below). "
            "Raise it there, or correct keepalive_middleboxes.",
            id="a middlebox under 10 s",
        ),
    ],
)
def test_a_policy_that_contradicts_the_nodes_is_refused(node, policy, message):
    with pytest.raises(PlanError) as caught:
        make_plan(nodes(node), policy)
    assert str(caught.value) == message


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


SHORT = "shows {} s, below 10 s (the shortest idle limit that keepalive in whole seconds can stay below)"
LONG = "shows {} s, above 21474836 s (the longest timeout that any kernel takes)"
FORGETS = "is {} s beyond {} s ({} on worker3)"

# A third worker that shows something absurd: its name for it, the verdict on it, and the end of the sentence on it.
ABSURD = [
    pytest.param(
        with_configured_tcp(applied_node(), 5),
        "IPVS tcp after a kube-proxy restart",
        "unknown",
        SHORT.format(5),
        id="kube-proxy's tcpTimeout 5s",
    ),
    pytest.param(
        with_configured_tcp(applied_node(), -5),
        "IPVS tcp after a kube-proxy restart",
        "unknown",
        SHORT.format(-5),
        id="kube-proxy's tcpTimeout -5s",
    ),
    pytest.param(
        with_keepalived(applied_node(), tcp=1),
        "IPVS tcp after a keepalived restart",
        "unknown",
        SHORT.format(1),
        id="keepalived's tcp 1",
    ),
    pytest.param(
        with_ipvs_tcp(applied_node(), 5), "IPVS tcp", "unsafe", FORGETS.format(739, 5, "IPVS tcp"), id="IPVS tcp 5"
    ),
    pytest.param(
        with_ipvs_tcp(applied_node(), 0), "IPVS tcp", "unsafe", FORGETS.format(744, 0, "IPVS tcp"), id="IPVS tcp 0"
    ),
    pytest.param(
        with_ipvs_tcp(applied_node(), 10**12), "IPVS tcp", "unknown", LONG.format(10**12), id="IPVS tcp of ages"
    ),
    pytest.param(
        with_established(applied_node(), 3),
        "conntrack established",
        "unsafe",
        FORGETS.format(741, 3, "conntrack established"),
        id="conntrack 3",
    ),
    pytest.param(
        with_established(applied_node(), -(10**12)),
        "conntrack established",
        "unsafe",
        FORGETS.format(10**12 + 744, -(10**12), "conntrack established"),
        id="conntrack of ages ago",
    ),
    pytest.param(
        with_ipvs_tcp(with_keepalive(applied_node(), (1, 1, 3)), 5),
        "IPVS tcp",
        "unknown",
        SHORT.format(5),
        id="1/1/3 of 5",
    ),
]


@pytest.mark.parametrize("policy", [{}, {"strategy": "raise_ipvs"}, {"time": 500}], ids=repr)
@pytest.mark.parametrize(("node", "name", "verdict", "why"), ABSURD)
def test_a_node_that_shows_something_absurd_is_set_apart_and_the_others_are_planned_without_it(
    node, name, verdict, why, policy
):
    others = nodes(stock_node(), applied_node())
    plan, alone = make_plan({**others, "worker3": node}, policy), make_plan(others, policy)
    for worker in others:
        assert plan["nodes"][worker] == alone["nodes"][worker]
    assert (plan["limit"], plan["keepalive"]) == (alone["limit"], alone["keepalive"])
    assert plan["reasons"]["limit"].endswith("idle limits that were seen; 1 made no sense")
    apart = plan["nodes"]["worker3"]
    assert apart["own_verdict"] == verdict
    assert apart["own_why"].endswith(why)
    assert [(each["node"], each["name"]) for each in plan["not_seen"]] == [("worker3", name)]
    found = [each for each in plan["findings"] if each["id"] == "limit-absurd"]
    assert [each["scope"] for each in found] == ["worker3"]
    assert found[0]["observed"].startswith(f"{name} shows ")


def test_nodes_that_show_different_absurdities_are_each_told_and_the_rest_is_planned():
    absurd = [with_configured_tcp(stock_node(), 5), with_established(stock_node(), 0), with_ipvs_tcp(stock_node(), 1)]
    deadly = with_keepalive(stock_node(), (0, 0, 0))
    plan = make_plan(nodes(*absurd, deadly, stock_node()), {})
    assert plan["keepalive"] == {"time": 600, "intvl": 30, "probes": 9}
    assert plan["nodes"]["worker5"]["settings"] == {**EMPTY, "sysctls": OURS}
    assert [node["verdict"] for node in plan["nodes"].values()] == ["unsafe"] * 5
    told = {
        each["scope"]: each["id"] for each in plan["findings"] if each["id"] in ("limit-absurd", "keepalive-deadly")
    }
    assert told == {**dict.fromkeys(["worker1", "worker2", "worker3"], "limit-absurd"), "worker4": "keepalive-deadly"}
    assert plan["reasons"]["limit"] == "the lowest of 9 idle limits that were seen; 3 made no sense"


def test_a_cluster_of_which_every_node_is_absurd_has_no_limit_and_is_not_safe():
    plan = make_plan(nodes(*[without_conntrack(with_ipvs_tcp(stock_node(), 9)) for _each in range(3)]), {})
    assert (plan["limit"], plan["keepalive"], plan["safe"], plan["verdict"]) == (None, None, False, "unsafe")
    assert plan["reasons"]["limit"] == "no idle limit was seen; 3 made no sense"


def test_a_path_that_nobody_has_looked_at_is_not_called_free_of_limits():
    reason = make_plan(nodes(plain_node()), {})["reasons"]["limit"]
    assert reason == "no idle limit was seen: no IPVS, no conntrack; no middlebox was declared"


def test_what_was_set_earlier_stays_on_a_node_that_shows_something_absurd():
    _plan, worker = plan_one(with_ipvs_tcp(applied_node(), 5))
    assert worker["settings"]["sysctls"] == OURS
    (note,) = worker["notes"]
    assert note.startswith(
        "keepalive 600/30/9 in /etc/sysctl.d/k8s.conf stays: a limit of this node makes no sense, so "
    )


def test_the_users_own_timeout_cures_a_node_that_shows_something_absurd():
    plan, worker = plan_one(with_ipvs_tcp(stock_node(), 5), ipvs_timeouts={"tcp": 900})
    assert plan["planned_limit"] == {"seconds": 900, "name": "IPVS tcp", "node": "worker1"}
    assert (worker["settings"]["sysctls"], worker["settings"]["ipvs_timeouts"]) == (OURS, {"tcp": 900})
    assert worker["own_verdict"] == "unsafe"


def test_a_keepalive_that_no_ipvs_timeout_can_be_above_does_not_decide_over_all():
    absurd = with_pods(without_conntrack(stock_node()), [((2147483, 75, 9), 1)])
    plan = make_plan(nodes(absurd, without_conntrack(stock_node())), {"strategy": "raise_ipvs"})
    assert [node["settings"]["ipvs_timeouts"] for node in plan["nodes"].values()] == [{"tcp": 8284}, {"tcp": 8284}]
    assert plan["nodes"]["worker1"]["namespaces_unsafe"] == 1


def test_an_absurdly_long_ipvs_timeout_is_not_given_back_to_the_node():
    _plan, worker = plan_one(with_ipvs_tcp(without_conntrack(stock_node()), 10**12), strategy="raise_ipvs")
    assert worker["settings"]["ipvs_timeouts"] == {"tcp": 2147483}
