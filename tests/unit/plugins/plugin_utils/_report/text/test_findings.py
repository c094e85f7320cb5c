# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.findings import write
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._lines import lines, styled


def finding(identity="a", severity="warning", scope="w1", silenced=None, **more):
    words = {"observed": "x is 1", "why": "It hurts.", "remedy": "Set 2."}
    return {"id": identity, "severity": severity, "scope": scope, "silenced": silenced, **words, **more}


def document(*findings, kind="audit"):
    counting = [each["severity"] for each in findings if each["silenced"] is None]
    return {
        "kind": kind,
        "findings": list(findings),
        "counts": {
            "findings": {name: counting.count(name) for name in ("critical", "warning", "unknown", "info")},
            "silenced": len(findings) - len(counting),
        },
    }


def test_without_findings_there_is_nothing():
    assert lines(write, document()) == []


def test_a_rule_is_told_once_with_all_its_nodes():
    assert lines(write, document(finding(), finding(scope="w2"), finding("b", "info"))) == [
        "",
        "Findings: 2 warnings, 1 info",
        "",
        "  WARNING a: w1, w2",
        "    seen  x is 1",
        "    why   It hurts.",
        "    do    Set 2.",
        "",
        "  INFO b: w1",
        "    seen  x is 1",
        "    why   It hurts.",
        "    do    Set 2.",
    ]


def test_the_same_rule_of_another_severity_stands_apart():
    shown = lines(write, document(finding(severity="critical"), finding(scope="w2")))
    assert [line for line in shown if line.startswith("  ") and line[2] != " "] == [
        "  CRITICAL a: w1",
        "  WARNING a: w2",
    ]


@pytest.mark.parametrize(
    ("number", "seen"),
    [
        pytest.param(2, ["    seen  w1: x is 1", "          w2: x is 2"], id="two"),
        pytest.param(
            3, ["    seen  w1: x is 1", "          w2: x is 2", "          w3: x is 3"], id="as many as are shown"
        ),
        pytest.param(
            5,
            [
                "    seen  w1: x is 1",
                "          w2: x is 2",
                "          w3: x is 3",
                "          and 2 more with other details",
            ],
            id="more",
        ),
    ],
)
def test_what_nodes_saw_stands_apart_where_it_differs(number, seen):
    several = [finding(scope=f"w{each}", observed=f"x is {each}") for each in range(1, number + 1)]
    shown = lines(write, document(*several))
    assert shown[4 : shown.index("    why   It hurts.")] == seen


def test_after_an_apply_infos_take_one_line_and_the_rest_is_told():
    several = [finding(), finding("b", "info"), finding("c", "info"), finding("b", "info", "w2")]
    assert lines(write, document(*several, kind="apply"))[3:] == [
        "  WARNING a: w1",
        "    seen  x is 1",
        "    why   It hurts.",
        "    do    Set 2.",
        "",
        "  INFO b (w1, w2), c (w1)",
    ]


def test_what_is_silenced_stands_last_with_its_reason():
    several = [finding(scope="w1", silenced="known"), finding(scope="w2", silenced="known"), finding("b", "info")]
    shown = lines(write, document(*several))
    assert shown[1] == "Findings: 1 info, 2 silenced"
    assert shown[-2:] == ["", "  silenced: WARNING a on w1, w2 (known)"]


@pytest.mark.parametrize(("number", "more"), [(5, []), (6, ["  and 1 more silenced"])])
def test_of_many_that_are_silenced_some_are_counted(number, more):
    several = [finding(f"rule{each}", silenced="known") for each in range(number)]
    shown = lines(write, document(*several))
    assert shown[1] == f"Findings: {number} silenced"
    assert shown[-1 - len(more) :] == ["  silenced: WARNING rule4 on w1 (known)", *more]


@pytest.mark.parametrize(("severity", "style"), [("critical", "critical"), ("unknown", "unknown"), ("info", None)])
def test_the_colour_of_a_severity(severity, style):
    heading = styled(write, document(finding(severity=severity)))[3]
    assert {span.text.strip(): span.style for span in heading}.get(severity.upper()) == style
    assert "".join(span.text for span in heading) == f"  {severity.upper()} a: w1"


def briefly(*findings, nodes=()):
    return lines(
        lambda page, told: write(page, told, brief=True), {**document(*findings), "nodes": list(nodes)}, width=100
    )


def test_in_brief_remedies_that_differ_are_counted_and_the_first_names_its_nodes():
    several = [finding(remedy="Set one."), finding(scope="w2", remedy="Set one. And more."), finding(scope="w3")]
    assert briefly(*several)[2:] == [
        "  WARNING a: w[1-3]",
        "    do  w1, w2: Set one.",
        "        and 1 more with other details",
    ]


@pytest.mark.parametrize(
    ("remedy", "seen"),
    [
        ("Restart these.", True),
        ("Set it in that namespace.", True),
        ("Set 2 in the pod.", False),
        ("Set two. These need no more.", False),
    ],
)
def test_in_brief_what_a_remedy_points_at_is_told_with_it(remedy, seen):
    assert ("    seen  x is 1" in briefly(finding(remedy=remedy))) is seen


_RUN = "Run the playbook kubenode.connections.apply."
_BRING = "  Set variables in the inventory or with -e. The next apply brings them to the nodes."


@pytest.mark.parametrize(
    ("remedy", "told"),
    [
        ("Set one. Or two.", ["    do  Set one."]),
        (f"Set keepalive_x: one. {_RUN} See docs/x.md.", [f"    do  Set keepalive_x: one. {_RUN}"]),
        ("Set keepalive_x: one. See docs/x.md.", ["    do  Set keepalive_x: one.", _BRING]),
        ("Set grpc.keepalive_x, net.tcp_keepalive_x.", ["    do  Set grpc.keepalive_x, net.tcp_keepalive_x."]),
    ],
)
def test_in_brief_a_remedy_goes_as_far_as_the_apply_that_brings_it(remedy, told):
    assert briefly(finding(remedy=remedy))[3:] == told


def test_to_make_something_known_needs_no_apply():
    assert _BRING not in briefly(finding(severity="unknown", remedy="Give it in keepalive_x."))


def test_in_brief_the_heading_says_how_many_are_listed():
    unseen = {"place": "ipvs", "do": "Set 2."}
    node = {"name": "w1", "observed": True, "coverage": {"not_seen": [unseen]}}
    several = [finding(scope=f"w{number}", severity="critical") for number in range(4)]
    unknown = [finding("b", "unknown"), finding("c", "unknown", remedy="Set 3.")]
    infos = [finding(identity, "info", scope) for identity, scope in (("d", "w1"), ("d", "w2"), ("e", "w1"))]
    shown = briefly(*several, finding("f"), *unknown, *infos, nodes=[node])
    assert shown[1] == "Findings: 4 critical (1 rule), 1 warning, 2 unknown (1 above), 3 info (2 rules)"
    assert "  UNKNOWN b: w1" not in shown
