# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import (
    NOTHING_ELSEWHERE,
    Elsewhere,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_nodes
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.hosts import Host, Play
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_text import with_text
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.run import (
    converged_of,
    for_hosts,
    judge_after,
    make_plan_of_play,
    nodes_of,
    outcomes_of,
    too_many_unobserved,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import make_document
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import language
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import (
    able,
    enforcing,
    unable,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    quiet_node,
    stock_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import row, service, with_rows

POINTS_TO_OUTPUT = {"failed": True, "msg": "The module failed to execute correctly.\nSee stdout/stderr for the error"}
CLOSED = "Shared connection to w1 closed.\r\n"
UNREACHABLE = {"unreachable": True, "msg": "Failed to connect to the host via ssh: no route to host", "changed": False}


def play(*results, **variables):
    """Hosts of which each registered one of these as ``seen``."""
    return Play({f"w{number}": Host(variables, {"seen": result}) for number, result in enumerate(results, start=1)})


def seen(node):
    return {"changed": False, "node": copy.deepcopy(node)}


def plan_of(of_play, nodes, every_host=False, elsewhere=NOTHING_ELSEWHERE):
    return make_plan_of_play(of_play, nodes, elsewhere, every_host)


NOT_YET = {"not_observed": "this play has not come to it: leave serial out, and see which task failed before"}


@pytest.mark.parametrize(
    ("result", "node"),
    [
        pytest.param({"node": {"hostname": "w1"}}, {"hostname": "w1"}, id="observed"),
        pytest.param(
            UNREACHABLE,
            {"not_observed": "unreachable: Failed to connect to the host via ssh: no route to host"},
            id="unreachable",
        ),
        pytest.param({"unreachable": True}, {"not_observed": "unreachable"}, id="unreachable, nobody says why"),
        pytest.param(
            {"failed": True, "msg": "\n  The module  interpreter\t'/x' was not found.\nSee stdout"},
            {"not_observed": "The module interpreter '/x' was not found."},
            id="no Python: the first line",
        ),
        pytest.param(
            {**POINTS_TO_OUTPUT, "module_stdout": "", "module_stderr": "/bin/sh: 1: /x: not found\r\n"},
            {"not_observed": "The module failed to execute correctly. /bin/sh: 1: /x: not found"},
            id="no Python, on older ansible-core",
        ),
        pytest.param(
            {**POINTS_TO_OUTPUT, "module_stdout": "/bin/sh: 1: /x: not found\r\n", "module_stderr": CLOSED},
            {"not_observed": "The module failed to execute correctly. /bin/sh: 1: /x: not found"},
            id="no Python, on older ansible-core over SSH with a terminal",
        ),
        pytest.param(
            {"failed": True, "msg": "The interpreter '/x' was not found.", "module_stderr": "/x: not found"},
            {"not_observed": "The interpreter '/x' was not found."},
            id="a message that says it all",
        ),
        pytest.param({"failed": True, "msg": "Missing sudo password"}, {"not_observed": "Missing sudo password"}),
        pytest.param({"failed": True, "msg": "x" * 9_000_000}, {"not_observed": "x" * 300}, id="a huge message"),
        pytest.param({"failed": True, "msg": ["x"]}, {}, id="a message that is none"),
        pytest.param({"skipped": True}, {"not_observed": "a condition (when) skipped its task"}, id="skipped"),
        pytest.param("text", NOT_YET, id="a result that is text"),
        pytest.param([1], NOT_YET, id="a list"),
        pytest.param(None, NOT_YET, id="null"),
        pytest.param({"node": 5, "msg": "x"}, {"not_observed": "x"}, id="a node that is a number"),
        pytest.param({"node": ["x"]}, {}, id="a node that is a list"),
        pytest.param({"node": "x"}, {}, id="a node that is text"),
        pytest.param(with_text({"node": {"hostname": "w1"}}), {"hostname": "w1"}, id="observed, as one text"),
    ],
)
def test_what_was_seen_or_why_not(result, node):
    assert nodes_of(play(result), "seen") == parse_nodes([("w1", node)])


def test_a_host_whose_task_never_ran_was_not_observed():
    assert nodes_of(Play({"w1": Host({}, {})}), "seen") == {"w1": NOT_YET}


@pytest.mark.parametrize(
    ("converged", "hostname"),
    [
        ({"node": {"hostname": "after"}}, "after"),
        ({"changed": True}, "before"),
        (None, "before"),
        ({"node": 5}, "before"),
        ("text", "before"),
    ],
)
def test_the_look_after_the_converge_counts(converged, hostname):
    host = Host({}, {"seen": {"node": {"hostname": "before"}}, "done": converged})
    of_play = Play({"w1": host})
    (node,) = nodes_of(of_play, "seen", converged_of(of_play, None, "done")).values()
    assert node.hostname == hostname


@pytest.mark.parametrize(
    ("result", "counts"),
    [
        pytest.param({"changed": True, "planned_at": "now"}, True, id="of this plan"),
        pytest.param({"changed": True, "planned_at": "before"}, False, id="of an earlier apply in the same run"),
        pytest.param({"unreachable": True, "msg": "x"}, True, id="unreachable, which has no word of a plan"),
        pytest.param(None, False, id="none at all"),
    ],
)
def test_only_what_came_of_this_plan_counts(result, counts):
    of_play = Play({"w1": Host({}, {"done": result})})
    assert converged_of(of_play, {"planned": {"made_at": "now"}}, "done") == {"w1": result if counts else None}


@pytest.mark.parametrize("planned", [None, {}, {"planned": {}}, "text"], ids=repr)
def test_where_no_plan_is_named_each_result_counts(planned):
    result = {"changed": True, "planned_at": "before"}
    assert converged_of(Play({"w1": Host({}, {"done": result})}), planned, "done") == {"w1": result}


HOSTILE = ["text", [1], None, {"node": 5}, {"node": {"hostname": [1], "ipvs": "x", "not_observed": {}}}]


@pytest.mark.parametrize("result", HOSTILE, ids=repr)
def test_no_result_ends_in_a_traceback(result):
    of_play = play(seen(quiet_node()), result)
    nodes = nodes_of(of_play, "seen")
    plan = plan_of(of_play, nodes)
    too_many_unobserved(plan, nodes, 100)
    outcomes = outcomes_of(result, converged_of(of_play, result, "seen"))
    document = make_document(plan, nodes, made_at="2026-11-21T03:40:00Z", collection_version="0.2.0", **outcomes)
    assert text_lines(document, 80, None)
    assert document["verdict"] == "unknown"


def test_control_characters_of_a_message_reach_no_terminal():
    of_play = play(seen(quiet_node()), {"failed": True, "msg": "\x1b[2J\x07bell \u202egnp"})
    nodes = nodes_of(of_play, "seen")
    plan = plan_of(of_play, nodes)
    told = too_many_unobserved(plan, nodes, 0)
    document = make_document(plan, nodes, made_at="2026-11-21T03:40:00Z", collection_version="0.2.0")
    shown = [told, *map(plain, text_lines(document, 80, None))]
    assert not {"\x1b", "\x07", "\u202e"} & set("".join(shown))


def with_escapes(node):
    """The node with what a terminal would obey in the values of its sysctls."""
    node = copy.deepcopy(node)
    for sysctl in node["sysctls"].values():
        sysctl["value"] = f"{sysctl['value']}\x1b[2J\u202egnp\n"
    return node


def test_control_characters_of_a_value_reach_no_terminal():
    """Ansible prints what a task failed with, or that it did not, as it is."""
    of_play = play(seen(with_escapes(stock_node())), seen(with_escapes(quiet_node())))
    planned = for_hosts(plan_of(of_play, nodes_of(of_play, "seen")), "now", "5f0c93ab")
    said = [node[name] for node in planned["nodes"].values() for name in ("summary", "failure")]
    said.append(judge_after("w1", with_escapes(stock_node()), {}, {**LIMIT, "name": "\x1b[31mIPVS"}, {}))
    assert "7200\\x1b[2J" in said[-1]
    assert not {"\x1b", "\n", "\u202e"} & set("".join(said))


def test_one_plan_of_all_from_one_policy():
    plan = plan_of(of := play(seen(quiet_node()), seen(stock_node()), keepalive_margin="60"), nodes_of(of, "seen"))
    assert (plan["policy"]["margin"], list(plan["nodes"])) == (60, ["w1", "w2"])


def test_a_misspelt_variable_leads_to_no_plan():
    with pytest.raises(PlanError, match=r"^keepalive_middlebox: not a variable of this collection\. Did you mean "):
        plan_of(play(seen(stock_node()), keepalive_middlebox=["aws_nlb"]), {})


def test_the_wishes_of_a_node_are_its_own():
    hosts = {"w1": Host({}, {}), "w2": Host({"keepalive_sysctls": {"vm.swappiness": "10"}}, {})}
    plan = plan_of(Play(hosts), {name: stock_node() for name in hosts})
    assert [plan["nodes"][name]["settings"]["sysctls"].get("vm.swappiness") for name in hosts] == [None, "10"]


def test_hosts_left_out_of_whom_nothing_is_known_leave_it_unknown():
    of_play = play(seen(quiet_node()))
    plan = plan_of(of_play, nodes_of(of_play, "seen"), elsewhere=Elsewhere(("w2",), 2))
    assert (plan["nodes"]["w1"]["verdict"], plan["left_out"]["hosts"]) == ("unknown", ["w2"])


def unobserved(missing, of_all, share):
    of_play = play(*[UNREACHABLE] * missing, *[seen(quiet_node())] * (of_all - missing))
    nodes = nodes_of(of_play, "seen")
    return too_many_unobserved(plan_of(of_play, nodes), nodes, share)


@pytest.mark.parametrize(("missing", "share"), [(0, 0), (1, 10), (2, 20), (1, 11), (10, 100)])
def test_at_the_share_and_below_it_the_run_goes_on(missing, share):
    assert unobserved(missing, 10, share) is None


@pytest.mark.parametrize(("missing", "share"), [(1, 0), (1, 9), (2, 19), (10, 99)])
def test_above_it_the_run_stops(missing, share):
    said = f"{missing} of 10 hosts could not be observed, at most {share} % may be "
    assert unobserved(missing, 10, share).startswith(said)


def test_the_reason_of_each_is_told():
    of_play = play(seen(quiet_node()), UNREACHABLE, UNREACHABLE, {"failed": True, "msg": "Missing sudo password"}, None)
    nodes = nodes_of(of_play, "seen")
    assert too_many_unobserved(plan_of(of_play, nodes), nodes, 50) == (
        "4 of 5 hosts could not be observed, at most 50 % may be (keepalive_max_unobserved_percentage). Nothing was "
        "changed. w2, w3: it was not observed: unreachable: Failed to connect to the host via ssh: no route to host; "
        "w4: it was not observed: Missing sudo password; w5: it was not observed: this play has not come to it: leave "
        "serial out, and see which task failed before. Make them reachable, take them out of the inventory, or raise "
        "that share."
    )


def test_of_many_reasons_the_first_are_told():
    of_play = play(
        seen(quiet_node()), *({"unreachable": True, "msg": f"no route to w{number}"} for number in range(99))
    )
    nodes = nodes_of(of_play, "seen")
    told = too_many_unobserved(plan_of(of_play, nodes), nodes, 50)
    assert "w7: it was not observed: unreachable: no route to w5 and 93 more. Make them reachable" in told


LIMIT = {"seconds": 900, "name": "IPVS tcp", "node": "w9"}


@pytest.mark.parametrize(
    ("node", "wishes", "limit", "begins"),
    [
        pytest.param(quiet_node(), {}, LIMIT, None, id="as planned"),
        pytest.param(quiet_node(), {}, None, None, id="without a limit of others"),
        pytest.param(with_rows(quiet_node(), row("shop/orders-0")), {}, LIMIT, None, id="a pod has started meanwhile"),
        pytest.param(stock_node(), {}, LIMIT, "w1 is unsafe: 7200 + 2 x 75 = 7350 s, ", id="nothing was changed"),
        pytest.param(
            quiet_node(), {}, {**LIMIT, "seconds": 350}, "w1 is unsafe: 600 + 2 x 30 = 660 s, ", id="a lower limit"
        ),
        pytest.param(quiet_node(), {"be_liberal": True}, LIMIT, "w1 is safe: ", id="a value that is another"),
        pytest.param({}, {}, LIMIT, "w1 is unknown: it was not observed.", id="not observed"),
        pytest.param("x", {}, LIMIT, "w1 is unknown: it was not observed.", id="text for a node"),
        pytest.param(enforcing(quiet_node()), {"enforce": True}, LIMIT, None, id="enforced as wanted"),
        pytest.param(
            able(quiet_node()),
            {"enforce": True},
            LIMIT,
            "w1 is safe: 600 + 2 x 30 = 660 s, ",
            id="safe by itself, and nothing is enforced",
        ),
        pytest.param(unable(quiet_node()), {"enforce": True}, LIMIT, None, id="a node that cannot enforce it"),
        pytest.param(
            with_rows(able(quiet_node()), row("a/b", (600, 30, 9), service(gaps=[(7200, 1)]))),
            {},
            LIMIT,
            None,
            id="a connection that could not be re-armed",
        ),
    ],
)
def test_a_node_right_after_its_converge(node, wishes, limit, begins):
    told = judge_after("w1", copy.deepcopy(node), wishes, limit, {})
    assert told is None if begins is None else told.startswith(begins)


@pytest.mark.parametrize(
    ("changed", "by_others"),
    [
        pytest.param({}, True, id="the values that were written are others now"),
        pytest.param({"limit": {**LIMIT, "seconds": 350}}, False, id="others than were written would be right"),
        pytest.param({"node": {}}, False, id="nobody can see what they are"),
    ],
)
def test_where_others_change_the_node_too_that_is_said(changed, by_others):
    written = plan_of(play(seen(stock_node())), {"w1": stock_node()})["nodes"]["w1"]["settings"]["sysctls"]
    after = {"node": stock_node(), "limit": LIMIT, **changed}
    told = judge_after("w1", copy.deepcopy(after["node"]), {}, after["limit"], written)
    said = "This run had written what was planned: somebody else changes this node, too (another apply, a tool). "
    assert told.startswith(said) is by_others


def test_a_node_that_stays_unknown_is_told_with_what_to_do():
    of_cilium = altered(quiet_node(), kube_proxy={"running": False, "mode": None}, ipvs={"loaded": False})
    told = judge_after("w1", of_cilium, {}, None, {})
    assert told == (
        "w1 is unknown: the idle limit of Services could not be read: kubelet runs, but no kube-proxy, so who forwards "
        "them is not known. Name what forwards Services in keepalive_middleboxes: cilium, calico_ebpf, or {name: ..., "
        "seconds: ...}. If kube-proxy just has not started yet, run again when it has."
    )


def test_the_tasks_of_a_host_get_what_they_need_and_no_more():
    of_play = play(seen(quiet_node()), seen(stock_node()), UNREACHABLE)
    planned = for_hosts(plan_of(of_play, nodes_of(of_play, "seen")), "now", "5f0c93ab")
    assert planned["made_at"] == "now"
    assert planned["limit"] == {"seconds": 900, "name": "IPVS tcp", "node": "w1"}
    # What an older node_info saw does not say what is ours.
    assert planned["to_converge"] == ["w1", "w2"]
    assert {name: node["verdict"] for name, node in planned["nodes"].items()} == {
        "w1": "safe",
        "w2": "unsafe",
        "w3": "unknown",
    }
    assert {key for node in planned["nodes"].values() for key in node} == {
        "to_converge",
        "settings",
        "verdict",
        "limit",
        "summary",
        "failure",
        "watch",
        "plan",
    }
    assert planned["nodes"]["w1"]["plan"] == {"id": "1-5f0c93ab", "seen": ""}
    assert planned["nodes"]["w1"]["failure"] is None
    assert planned["nodes"]["w2"]["failure"].startswith("w2 is unsafe: 7200 + 2 x 75 = 7350 s, ")
    assert planned["nodes"]["w3"]["failure"].startswith("w3 is unknown: it was not observed: unreachable: ")


def types_in(value):
    if isinstance(value, dict):
        return {type(value)}.union(*map(types_in, [*value, *value.values()]))
    if isinstance(value, list):
        return {type(value)}.union(*map(types_in, value))
    return {type(value)}


def test_the_tasks_of_a_host_get_plain_data():
    of_play = play(seen(quiet_node()), seen(stock_node()), UNREACHABLE)
    planned = for_hosts(plan_of(of_play, nodes_of(of_play, "seen")), "now", "5f0c93ab", language("zh"))
    assert types_in(planned) == {dict, list, str, int, bool, type(None)}


def test_the_tasks_of_a_host_are_told_in_the_language_of_the_report():
    of_play = play(seen(quiet_node()), seen(stock_node()), UNREACHABLE)
    plan = plan_of(of_play, nodes := nodes_of(of_play, "seen"))
    told = for_hosts(plan, "now", "5f0c93ab", language("zh"))["nodes"]["w2"]
    assert "不安全" in told["summary"]
    assert told["failure"].startswith(told["summary"])
    assert too_many_unobserved(plan, nodes, 0, language("zh")).startswith("3 台主机中有 1 台无法观察")


NAT = {"name": "nat", "seconds": 350}


@pytest.mark.parametrize("bound", [{"hosts": ["w2"]}, {"pods": ["a/*"]}])
def test_a_node_is_judged_by_the_limit_that_holds_for_it(bound):
    wishes = {"enforce": True, "middleboxes": [{**NAT, **bound}]}
    both = [with_rows(enforcing(quiet_node()), row(label, (233, 11, 9))) for label in ("b/c", "a/b")]
    of_play = play(*map(seen, both), **{f"keepalive_{name}": value for name, value in wishes.items()})
    planned = for_hosts(plan_of(of_play, nodes_of(of_play, "seen")), "now", "5f0c93ab")
    assert (planned["limit"]["seconds"], planned["nodes"]["w1"]["limit"]["seconds"]) == (350, 900)
    assert judge_after("w1", both[0], wishes, planned["nodes"]["w1"]["limit"], {}) is None


BEFORE = {"planned": {"nodes": {"w1": {"to_converge": True, "verdict": "unsafe"}, "w2": {"to_converge": False}}}}


def test_what_an_apply_did():
    hosts = {"w1": Host({}, {"done": {"changed": True}}), "w2": Host({}, {}), "w3": Host({}, {})}
    assert outcomes_of(BEFORE, converged_of(Play(hosts), BEFORE, "done")) == {
        "applied": {"w1": {"changed": True}, "w2": {"changed": False}, "w3": None},
        "verdicts_before": {"w1": "unsafe", "w2": None},
    }
    assert outcomes_of(None, {}) == {"applied": None, "verdicts_before": None}
