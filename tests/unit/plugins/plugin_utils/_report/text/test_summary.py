# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import Rerun
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.summary import (
    files_words,
    findings_words,
    next_command,
    write_head,
    write_more,
    write_next,
    write_opening,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._lines import lines, styled

RUN = Rerun(("-i hosts",))
AUDIT = "ansible-playbook kubenode.connections.apply -i hosts --check --diff"
APPLY = "ansible-playbook kubenode.connections.apply -i hosts"
VERIFY = "ansible-playbook kubenode.connections.verify -i hosts"

LIMIT = {"seconds": 900, "name": "IPVS tcp", "node": "w1"}


def node(name="w1", verdict="safe", spare=156, why="so", applied=None):
    spaces = {"groups": [{}], "unreadable": 0, "error": None}
    found = {"namespaces": spaces, "pods": None, "verdict_after_boot": verdict, "cloud": None, "observed": False}
    return {"name": name, "verdict": verdict, "spare_seconds": spare, "why": why, "applied": applied, **found}


def with_own_program(one):
    return {**one, "pods": {"rows": [{"kind": "node", "at_risk": True}], "error": None}}


def document(*nodes, limit=LIMIT, kind="audit", check_mode=False, changes=0, verdict=None, margin=0, **more):
    verdicts = [each["verdict"] for each in nodes]
    counts = {
        "nodes": {name: verdicts.count(name) for name in ("unsafe", "unknown", "safe")},
        "safe_until_reboot": 0,
        "pods": {"seen": 0, "at_risk": 0},
        "containers": {"seen": 0, "at_risk": 0},
        "namespaces": {"of_no_pod": 0, "unnamed": 0},
        "sockets": {"at_risk": 1, "outside_at_risk": 0},
        "findings": {"critical": 0, "warning": 0, "unknown": 0, "info": 0},
        "changes": changes,
    }
    return {
        "verdict": verdict or min(verdicts, key=("unsafe", "unknown", "safe").index),
        "nodes": list(nodes),
        "limit": limit,
        "limit_reason": "no idle limit was seen",
        "left_out": {"sentence": ""},
        "other_hosts": [],
        "policy": {"margin": margin, "middleboxes": []},
        "kind": kind,
        "check_mode": check_mode,
        "counts": {**counts, **more},
    }


def findings(**numbers):
    return {"findings": {"critical": 0, "warning": 0, "unknown": 0, "info": 0, **numbers}}


def applied(changed=True, error=None):
    return {"changed": changed, "error": error}


def head(report, rerun=RUN):
    return lines(write_head, report, rerun, width=110)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"critical": 0, "info": 0}, ""),
        ({"critical": 1, "warning": 1, "info": 2}, "1 critical, 1 warning, 2 info"),
        ({"critical": 2, "warning": 3, "unknown": 4}, "2 critical, 3 warnings, 4 unknown"),
    ],
)
def test_findings_in_words(numbers, words):
    assert findings_words(numbers) == words


def test_the_first_lines_say_who_is_affected_what_to_run_and_why():
    assert head(document(node(verdict="unsafe", spare=-7384), changes=3)) == [
        "UNSAFE: idle connections at risk on w1.",
        f"Run: {AUDIT}",
        "The limit is 900 s (IPVS tcp), keepalive comes 7384 s too late.",
    ]


def test_whom_the_verdict_is_not_about_is_told_with_it():
    report = document(node(verdict="safe"))
    report["left_out"] = {"sentence": "1 of 3 hosts was left out: w2. Their limits are not in this plan."}
    report["other_hosts"] = ["bastion"]
    assert head(report)[-3:] == [
        "1 of 3 hosts was left out: w2. Their limits are not in this plan.",
        "1 host is no node of a cluster (no kubelet, kube-proxy, container runtime, IPVS service or lvs_timeouts of",
        "keepalived) and not counted: bastion. keepalive_every_host: true counts them, too.",
    ]


def test_where_the_play_goes_on_nothing_is_to_be_run():
    assert head(document(node(), changes=3), None) == [
        "SAFE: idle connections are safe on w1, as far as the nodes show; no middlebox was declared.",
        "The limit is 900 s (IPVS tcp), keepalive comes 156 s before it.",
    ]


@pytest.mark.parametrize(
    ("report", "how"),
    [
        pytest.param(document(node(spare=156)), ", keepalive comes 156 s before it", id="before it"),
        pytest.param(document(node(spare=0)), ", keepalive comes 0 s before it", id="just before it"),
        pytest.param(document(node(), node(spare=150)), ", keepalive comes at least 150 s before it", id="several"),
        pytest.param(document(node(), node()), ", keepalive comes 156 s before it", id="several alike"),
        pytest.param(document(node(verdict="unsafe", spare=-1)), ", keepalive comes 1 s too late", id="too late"),
        pytest.param(
            document(node(verdict="unsafe", spare=-1), node(spare=5)),
            ", keepalive comes up to 1 s too late",
            id="one of several too late",
        ),
        pytest.param(
            document(node(verdict="unsafe", spare=199), margin=200),
            ", keepalive comes 199 s before it; keepalive_margin asks for 200 s",
            id="within the margin",
        ),
        pytest.param(
            document(node(spare=200), margin=200), ", keepalive comes 200 s before it", id="just the margin is left"
        ),
        pytest.param(
            document(node(), verdict="unsafe", pods={"seen": 2, "at_risk": 1}),
            ", keepalive of pods comes too late or not at all",
            id="only pods are at risk",
        ),
        pytest.param(
            document(node(), verdict="unsafe", pods={"seen": 2, "at_risk": 0}),
            ", keepalive of open connections comes too late or not at all",
            id="connections at risk that nobody named",
        ),
        pytest.param(
            document(with_own_program(node()), verdict="unsafe", pods={"seen": 2, "at_risk": 0}),
            ", keepalive of programs on the nodes themselves comes too late or not at all",
            id="only a program of the node itself",
        ),
        pytest.param(
            document(with_own_program(node()), verdict="unsafe", pods={"seen": 2, "at_risk": 1}),
            ", keepalive of pods and programs on the nodes themselves comes too late or not at all",
            id="pods and a program of the node itself",
        ),
        pytest.param(
            document(node(), verdict="unsafe", containers={"seen": 1, "at_risk": 1}),
            ", keepalive of containers comes too late or not at all",
            id="only containers are at risk",
        ),
        pytest.param(document(node(spare=None)), "", id="no keepalive was seen"),
    ],
)
def test_how_keepalive_stands_to_the_limit(report, how):
    assert lines(write_head, report, RUN, width=200)[-1] == f"The limit is 900 s (IPVS tcp){how}."


def test_without_a_limit_the_reason_is_that_of_the_plan():
    assert head(document(node(), limit=None))[-1] == "Limit: no idle limit was seen."


def test_what_is_not_known_and_where():
    several = [node(verdict="unknown", why="it was not observed"), node("w2", "unknown", why="x")]
    several += [node("w3", "unknown", why="it was not observed"), node("w4")]
    assert head(document(*several))[-1] == "w1, w3: it was not observed."


def test_an_unknown_verdict_of_pods_tells_the_limit():
    assert (
        head(document(node(), verdict="unknown"))[-1]
        == "The limit is 900 s (IPVS tcp), keepalive comes 156 s before it."
    )


@pytest.mark.parametrize(
    ("outcomes", "check_mode", "text"),
    [
        ([applied(), applied(False), None], False, "Apply changed 1 of 3 nodes."),
        ([applied(), applied()], True, "Check mode: apply would change 2 of 2 nodes; nothing was written."),
        ([applied(False, "x"), applied()], False, "Apply changed 1 of 2 nodes. It failed on w0."),
        ([applied()], False, "Apply changed 1 of 1 node."),
    ],
)
def test_after_an_apply_it_says_how_many_nodes_were_changed(outcomes, check_mode, text):
    several = [node(f"w{number}", applied=outcome) for number, outcome in enumerate(outcomes)]
    assert head(document(*several, kind="apply", check_mode=check_mode))[2] == text


@pytest.mark.parametrize(
    ("report", "command", "what"),
    [
        pytest.param(
            document(node(), changes=3),
            AUDIT,
            "shows the 3 changes and makes none; without --check --diff it makes them.",
            id="an audit",
        ),
        pytest.param(
            document(node(), changes=1, kind="verify"),
            AUDIT,
            "shows the 1 change and makes none; without --check --diff it makes them.",
            id="a verification",
        ),
        pytest.param(
            document(node(), changes=2, kind="apply", check_mode=True),
            APPLY,
            "makes the 2 changes, on one node first.",
            id="an apply in check mode",
        ),
        pytest.param(
            document(node(applied=applied()), kind="apply"),
            VERIFY,
            "checks that it holds, now and after a reboot.",
            id="an apply",
        ),
        pytest.param(
            document(node(applied=applied()), changes=1, kind="apply"),
            APPLY,
            "applies what is left.",
            id="a part of it",
        ),
        pytest.param(
            document(node(applied=applied(False, "x")), node(applied=None), kind="apply"),
            APPLY,
            "applies what is left. Remove the cause of the failure first.",
            id="an apply that failed",
        ),
    ],
)
def test_what_to_run_next_and_what_it_does(report, command, what):
    assert head(report)[1].removeprefix("Remove the cause, then run: ").removeprefix("Run: ") == command
    assert lines(write_next, report, RUN, width=110) == ["", "SAFE. Next:", f"  {command}", f"      {what}"]


@pytest.mark.parametrize(
    ("report", "text"),
    [
        pytest.param(document(node()), "nothing has to be done.", id="nothing"),
        pytest.param(document(node(), **findings(info=2)), "nothing has to be done.", id="only infos"),
        pytest.param(
            document(node(), **findings(critical=1, unknown=2, info=1)),
            "no setting of a node has to change; do what the findings say: 1 critical, 2 unknown.",
            id="findings",
        ),
        pytest.param(
            document(node(), kind="apply", check_mode=True),
            "nothing has to be done.",
            id="an apply that would change nothing",
        ),
    ],
)
def test_where_nothing_is_to_be_run(report, text):
    assert head(report)[1] == f"Next: {text}"
    assert lines(write_next, report, RUN, width=110) == ["", "SAFE. Next:", f"  {text[0].upper()}{text[1:]}"]


def test_the_cause_of_a_failure_comes_before_the_command():
    report = document(node(applied=applied(False, "x")), kind="apply")
    assert head(report)[1] == f"Remove the cause, then run: {APPLY}"


def test_an_apply_in_check_mode_with_nothing_but_connections_to_re_arm_is_to_be_run():
    report = document({**node(), "rearm": {"late": 2, "without_keepalive": 1}}, kind="apply", check_mode=True)
    assert head(report)[1] == f"Run: {APPLY}"
    assert lines(write_next, report, RUN, width=110)[2:] == [f"  {APPLY}", "      re-arms the 3 open connections."]


def test_where_an_apply_leaves_something_unsafe_the_findings_come_before_verify():
    report = document(node(applied=applied()), verdict="unsafe", kind="apply", **findings(warning=1, info=2))
    assert head(report)[1] == "Next: do what the findings say: 1 warning; then verify."
    assert lines(write_next, report, RUN, width=110)[1:] == [
        "UNSAFE. Next:",
        "  First do what the findings say (1 warning), then:",
        f"  {VERIFY}",
        "      checks that it holds, now and after a reboot.",
    ]


@pytest.mark.parametrize("rerun", [RUN, None])
def test_where_the_whole_report_is(rerun):
    more = [lines(write_more, rerun, written, width=110)[-1].strip() for written in (True, False)]
    assert more == [
        "All of it, with reasons: report.html, or the next audit with -e keepalive_report_detail=full.",
        "Next audit in full: -e keepalive_report_detail=full; as a page: -e keepalive_report_dir=reports.",
    ]


def test_the_findings_are_named_beside_the_command():
    report = document(node(), changes=1, **findings(warning=1, info=3))
    assert lines(write_next, report, RUN, width=110)[-1] == "  Do what the findings say: 1 warning."


def test_what_the_command_lacks_is_named_below_it():
    assert lines(write_next, document(node(), changes=1), Rerun(RUN.options, ("token", "@/gone.yml")))[2:] == [
        f"  {AUDIT}",
        "      shows the 1 change and makes none; without --check --diff it makes them.",
        "      without: token, @/gone.yml (given to this run). They may be secrets, or",
        "      cannot be shown here. Add them.",
    ]
    assert lines(write_next, document(node()), Rerun(RUN.options, ("token",)))[2:] == ["  Nothing has to be done."]


def test_the_last_lines_are_missing_where_the_play_goes_on():
    assert lines(write_next, document(node(), changes=1), None) == []


def test_the_verdict_has_its_colour_at_both_ends():
    report = document(node(verdict="unsafe", spare=-1))
    first = styled(write_head, report, RUN)[0][0]
    assert (first.text, first.style) == ("UNSAFE", "unsafe")
    assert [(span.text, span.style) for span in styled(write_next, report, RUN)[1]] == [
        ("UNSAFE", "unsafe"),
        (". Next:", None),
    ]


def unread(kind="apply", **more):
    missing = {"seen": [], "not_seen": [{"place": "connections", "do": "Run as root."}]}
    report = document(node(applied=applied()), verdict="unknown", kind=kind, **more)
    for each in report["nodes"]:
        each.update(observed=True, coverage=missing)
    return report


def test_where_something_could_not_be_read_nothing_is_verified_before_it_is_known():
    assert head(unread())[1] == "Next: make known what could not be read, see below; then verify."
    assert lines(write_next, unread(), RUN, width=110)[1:] == [
        "UNKNOWN. Next:",
        "  First do what the lines 'Not looked at' say, then:",
        f"  {VERIFY}",
        "      then checks whether it holds, now and after a reboot.",
    ]


@pytest.mark.parametrize("kind", ["audit", "verify"])
def test_an_audit_that_could_not_read_all_does_not_say_that_nothing_has_to_change(kind):
    assert head(unread(kind))[1] == "Next: make known what could not be read, see below; then audit."
    assert lines(write_next, unread(kind, **findings(unknown=2)), RUN, width=110)[2:] == [
        "  First do what the lines 'Not looked at' say, then:",
        "  ansible-playbook kubenode.connections.audit -i hosts",
        "      looks again.",
        "  Do what the findings say: 2 unknown.",
    ]
    assert next_command(unread(kind), RUN) == ""


@pytest.mark.parametrize(
    ("names", "check_mode", "first", "line"),
    [
        ([], False, True, "Now: no setting of a node has to change."),
        (["w1", "w2"], True, True, "Now: what would change on 2 nodes. Nothing is written."),
        (["w1", "w2"], False, True, "Now: 2 nodes are changed, w1 first and alone."),
        (["w1", "w2"], False, False, "Now: changes on 2 nodes."),
        (["w1"], False, True, "Now: changes on 1 node."),
    ],
)
def test_an_apply_begins_with_what_it_found_and_what_it_does(names, check_mode, first, line):
    report = document(node(verdict="unsafe", spare=-7384), check_mode=check_mode)
    reason = "The limit is 900 s (IPVS tcp), keepalive comes 7384 s too late."
    assert lines(write_opening, report, names, first, width=130) == [
        f"Before: UNSAFE: idle connections at risk on w1. {reason}",
        line,
    ]


@pytest.mark.parametrize(("report", "command"), [(document(node(), changes=1), AUDIT), (document(node()), "")])
def test_the_next_command_in_one_line(report, command):
    assert next_command(report, RUN) == command


def test_the_files_but_for_those_of_each_node():
    assert files_words(["/r/report.json", "/r/nodes/w1.prom"]) == "Report: /r/report.json"
