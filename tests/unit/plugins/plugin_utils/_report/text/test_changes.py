# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.changes import (
    write_applied,
    write_changes,
    write_drift,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._lines import lines, styled

TIME = {"what": "time", "from": "7200", "to": "600", "why": "two thirds of 900 s"}


def to_change(*nodes):
    """A document of nodes with these changes."""
    named = [{"name": f"w{number}", "changes": changes} for number, changes in enumerate(nodes, 1)]
    return {"nodes": named, "counts": {"changes": sum(map(len, nodes))}}


def test_where_nothing_would_change_there_is_nothing():
    assert lines(write_changes, to_change([], []), False) == []


def test_of_one_node_its_name_is_left_out():
    assert lines(write_changes, to_change([TIME]), False) == [
        "",
        "To change: 1 value on w1",
        "  time: 7200 -> 600; two thirds of 900 s",
    ]


def test_the_same_change_of_several_nodes_is_one_line_and_what_most_need_comes_first():
    other = {**TIME, "what": "intvl"}
    assert lines(write_changes, to_change([other, TIME], [TIME], []), False) == [
        "",
        "To change: 3 values on 2 nodes",
        "  time: 7200 -> 600 on w1, w2; two thirds of 900 s",
        "  intvl: 7200 -> 600 on w1; two thirds of 900 s",
    ]


@pytest.mark.parametrize(("number", "more"), [(12, []), (13, ["  and 1 more"])])
def test_many_changes_are_bounded_and_counted(number, more):
    shown = lines(write_changes, to_change([{**TIME, "what": f"x{each}"} for each in range(number)]), False)
    assert shown[13:] == ["  x11: 7200 -> 600; two thirds of 900 s", *more]


def value(what="time", before="7200", after="600", kind="sysctl", changed=True):
    return {"kind": kind, "what": what, "before": before, "after": after, "changed": changed}


def outcome(name="w1", *values, verdict="safe", before="unsafe", changed=True, error=None, notes=()):
    applied = {
        "changed": changed,
        "error": error,
        "verdict_before": before,
        "values": list(values),
        "notes": list(notes),
    }
    return {"name": name, "verdict": verdict, "applied": applied}


def applied(*nodes, check_mode=False):
    return {"nodes": list(nodes), "check_mode": check_mode}


def test_before_and_after_of_a_node():
    several = [
        value(),
        value("same", changed=False),
        value("new.key", None, "1"),
        value("/a", None, "x", "file"),
        value("/b", "x", "y", "file"),
        value("/c", "x", None, "file"),
        value("ns/pod", "7200/75/9", "600/30/9", "pod"),
        value("container web (docker)", "7200/75/9", "600/30/9", "container"),
    ]
    assert lines(write_applied, applied(outcome("w1", *several, notes=["Reboot it."]))) == [
        "",
        "Before and after",
        "  w1: UNSAFE before, SAFE now",
        "    time: 7200 -> 600",
        "    new.key: not there -> 1",
        "    /a: written",
        "    /b: edited",
        "    /c: removed",
        "    keepalive of ns/pod: 7200/75/9 -> 600/30/9",
        "    keepalive of container web (docker): 7200/75/9 -> 600/30/9",
        "    Reboot it.",
    ]


def test_in_check_mode_it_would_change_and_the_verdict_is_the_one_of_now():
    assert lines(write_applied, applied(outcome("w1", value(), verdict="unsafe"), check_mode=True)) == [
        "",
        "Would change",
        "  w1: UNSAFE now",
        "    time: 7200 -> 600",
    ]


def test_nodes_that_did_not_change_and_did_not_fail_are_left_out():
    idle, absent = outcome("w1", changed=False), {"name": "w2", "verdict": "unknown", "applied": None}
    assert lines(write_applied, applied(idle, absent)) == []


def test_a_failure_is_told_with_its_reason_only():
    shown = styled(write_applied, applied(outcome("w1", value(), changed=False, error="read-only", notes=["x"])))
    assert ["".join(span.text for span in line) for line in shown] == [
        "",
        "Before and after",
        "  w1: FAILED: read-only",
    ]
    assert [span.style for span in shown[2] if span.text == "FAILED"] == ["critical"]


def ended(node, outcome):
    return {**node, "applied": {**node["applied"], "outcome": outcome}}


def test_a_node_that_was_written_and_failed_keeps_what_is_told():
    node = ended(outcome("w1", value(), error="w1 is not safe", notes=["x"]), "changed")
    assert lines(write_applied, applied(node))[2:] == [
        "  w1: FAILED: w1 is not safe",
        "    Its settings were written and stay; restore gives them back.",
        "    time: 7200 -> 600",
        "    x",
    ]


def test_of_a_node_that_went_away_nobody_knows_how_far_it_came():
    node = ended(outcome("w1", changed=False, error="timed out"), "unclear")
    assert lines(write_applied, applied(node))[2:] == [
        "  w1: FAILED: timed out",
        "    Nobody knows how far it came; the table shows the node as it was before.",
    ]


def test_alike_nodes_are_one_and_their_pods_are_counted_together():
    pods = [value(f"a/{number}", "7200/75/9", "600/30/9", "pod") for number in range(3)]
    assert lines(write_applied, applied(outcome("w1", value(), *pods[:1]), outcome("w2", value(), *pods[1:])))[2:] == [
        "  w1, w2: UNSAFE before, SAFE now",
        "    time: 7200 -> 600",
        "    keepalive of 3 pods: 7200/75/9 -> 600/30/9",
    ]


@pytest.mark.parametrize(
    "other",
    [{"verdict": "unknown"}, {"before": None}, {"notes": ["x"]}, {"error": "x"}],
    ids=["verdict", "verdict before", "note", "error"],
)
def test_nodes_that_differ_stand_apart(other):
    shown = lines(write_applied, applied(outcome("w1", value()), outcome("w2", value(), **other)))
    assert len([line for line in shown if line.startswith("  w")]) == 2


@pytest.mark.parametrize(("number", "last"), [(10, "    x9: 7200 -> 600"), (12, "  and 2 nodes more")])
def test_many_outcomes_are_bounded_and_their_nodes_counted(number, last):
    several = [outcome(f"host{each}-a", value(f"x{each}")) for each in range(number)]
    shown = lines(write_applied, applied(*several))
    assert shown[-1] == last
    assert len([line for line in shown if line.startswith("  host")]) == 10


NOTHING = {"since": "2026-11-20T03:40:00Z", "nodes_new": [], "nodes_gone": []}
NOTHING.update(changes=[], findings_new=[], findings_gone=[], counters=[])


def drift(**more):
    return {"drift": {**NOTHING, **more}}


def change(what, scope="w1", before="a", after="b", kind="node"):
    return {"what": what, "scope": scope, "scope_kind": kind, "from": before, "to": after}


def found(identity="x", scope="w1", severity="info"):
    return {"id": identity, "scope": scope, "scope_kind": "node", "severity": severity}


def test_without_an_earlier_report_there_is_nothing():
    assert lines(write_drift, {"drift": None}) == []


def test_nothing_changed():
    assert lines(write_drift, drift()) == ["", "Since the report of 2026-11-20T03:40:00Z", "  nothing changed"]


def test_what_changed_the_verdicts_first():
    counter = {"node": "w1", "counter": "drop", "from": 1, "to": 3, "grown": 2}
    changed = drift(
        nodes_new=["w7", "w8"],
        nodes_gone=["w9"],
        changes=[change("kernel", before=None), change("verdict", "plan", kind="plan"), change("limit", after=None)],
        findings_new=[found("late", severity="critical")],
        findings_gone=[found("slow")],
        counters=[counter],
    )
    assert lines(write_drift, changed)[2:] == [
        "  w7, w8: new",
        "  w9: not in this run",
        "  plan: verdict A -> B",
        "  w1: kernel - -> b",
        "  w1: limit a -> -",
        "  w1: CRITICAL late is new",
        "  w1: INFO slow is gone",
        "  w1: conntrack's counter drop grew by 2",
    ]


def test_the_same_of_several_nodes_is_one_line_but_a_host_named_plan_is_not_the_plan():
    several = [change("limit", name) for name in ("w1", "w2", "plan")]
    assert lines(write_drift, drift(changes=[change("limit", "plan", kind="plan"), *several]))[2:] == [
        "  plan: limit a -> b",
        "  w1, w2, plan: limit a -> b",
    ]
