# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.table import RULES
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.formats.junit import render_junit
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import MADE_AT, VERSION, document

# Elements, their attributes and their children, as the schema has them that Jenkins's xUnit plugin reads (junit-10.xsd)
# and pytest, Maven and Gradle write.
SHAPE = {
    "testsuites": ({"name", "time", "tests", "failures", "disabled", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "skipped": ({"message", "type"}, set()),
    "failure": ({"message", "type"}, set()),
    "system-out": (set(), set()),
}


def finding(identity, severity="critical", scope="worker1", **more):
    values = {"observed": "7200", "limit": "900 s", "why": "It is forgotten.", "remedy": "Apply.", "silenced": None}
    return {"id": identity, "severity": severity, "scope": scope, "scope_kind": "node", **values, **more}


def report(*findings, names=("worker1",), observed=True):
    node = {"observed": observed, "hostname": "w1.example.org", "kernel": "6.1.0", "mode": "ipvs", "verdict": "unsafe"}
    return {
        "collection": {"name": "kubenode.connections", "version": VERSION},
        "made_at": MADE_AT,
        "nodes": [{"name": name, **node, "why": "too late", "spare_seconds": -7384} for name in names],
        "findings": list(findings),
    }


def parsed(several):
    return ElementTree.fromstring(render_junit(several))


def case_of(root, identity):
    return ElementTree.tostring(root.find(f"testsuite/testcase[@name='{identity}']"), encoding="unicode").strip()


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        pytest.param(
            finding("keepalive-too-late"),
            '<testcase name="keepalive-too-late" classname="worker1" time="0">\n'
            '      <failure type="critical" message="7200">CRITICAL keepalive-too-late\n'
            "Seen: 7200\nAgainst: 900 s\nWhy: It is forgotten.\nDo: Apply.</failure>\n    </testcase>",
            id="critical fails",
        ),
        pytest.param(
            finding("keepalive-too-late", "unknown", limit=None),
            '<testcase name="keepalive-too-late" classname="worker1" time="0">\n'
            '      <failure type="unknown" message="7200">UNKNOWN keepalive-too-late\n'
            "Seen: 7200\nWhy: It is forgotten.\nDo: Apply.</failure>\n    </testcase>",
            id="unknown fails",
        ),
        pytest.param(
            finding("keepalive-too-late", "info"),
            '<testcase name="keepalive-too-late" classname="worker1" time="0">\n'
            "      <system-out>INFO keepalive-too-late\n"
            "Seen: 7200\nAgainst: 900 s\nWhy: It is forgotten.\nDo: Apply.</system-out>\n    </testcase>",
            id="info passes and says so",
        ),
        pytest.param(
            finding("keepalive-too-late", silenced="known"),
            '<testcase name="keepalive-too-late" classname="worker1" time="0">\n'
            '      <skipped message="silenced: known" />\n    </testcase>',
            id="silenced is skipped with its reason",
        ),
        pytest.param(
            finding("ip-vs-idle"),
            '<testcase name="keepalive-too-late" classname="worker1" time="0" />',
            id="no finding passes",
        ),
    ],
)
def test_a_case_of_a_rule(each, expected):
    assert case_of(parsed(report(each)), "keepalive-too-late") == expected


def test_several_findings_of_a_rule_are_one_case_with_the_severity_of_the_first():
    several = [finding("keepalive-too-late"), finding("keepalive-too-late", "warning", observed="75", limit=None)]
    case = parsed(report(*several)).find("testsuite/testcase[@name='keepalive-too-late']/failure")
    assert dict(case.attrib) == {"type": "critical", "message": "7200; 75"}
    assert case.text.split("\n\n")[1] == "WARNING keepalive-too-late\nSeen: 75\nWhy: It is forgotten.\nDo: Apply."


def test_the_properties_of_a_node_a_spare_of_nothing_too():
    several = report()
    several["nodes"][0].update(spare_seconds=0, kernel=None)
    properties = parsed(several).findall("testsuite/properties/property")
    assert {each.attrib["name"]: each.attrib["value"] for each in properties} == {
        "hostname": "w1.example.org",
        "mode": "ipvs",
        "verdict": "unsafe",
        "why": "too late",
        "spare_seconds": "0",
    }


def test_a_suite_a_node_with_a_case_a_rule_and_counts_that_agree():
    found = [finding("keepalive-too-late", scope="worker2"), finding("ip-vs-idle", scope="worker2", silenced="known")]
    root = parsed(report(*found, names=("worker1", "worker2")))
    assert dict(root.attrib) == {
        "name": "kubenode.connections",
        "tests": str(2 * len(RULES)),
        "failures": "1",
        "errors": "0",
    }
    assert dict(root[1].attrib) == {
        "name": "worker2",
        "id": "1",
        "timestamp": "2026-11-21T03:40:00",
        "hostname": "w1.example.org",
        "time": "0",
        "tests": str(len(RULES)),
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    assert [each.attrib["name"] for each in root[0].iter("testcase")] == [rule.id for rule in RULES]


def test_of_a_node_that_was_not_observed_no_rule_passes():
    root = parsed(report(finding("node-not-observed", "unknown"), observed=False))
    cases = list(root.iter("testcase"))
    assert [case.attrib["name"] for case in cases if case.find("failure") is not None] == ["node-not-observed"]
    skipped = [case.find("skipped").attrib["message"] for case in cases if case.find("skipped") is not None]
    assert skipped == ["the node was not observed"] * (len(RULES) - 1)


def test_what_is_wrong_with_the_plan_has_a_suite_of_its_own():
    root = parsed(report(finding("keepalive-few-probes", scope="plan", scope_kind="plan")))
    assert [suite.attrib["name"] for suite in root] == ["plan", "worker1"]
    assert root[0].attrib["failures"] == "1"
    assert "keepalive-few-probes" not in [case.attrib["name"] for case in root[1].iter("testcase")]


def test_a_host_named_plan_keeps_its_cases_beside_those_of_the_plan():
    undecided = finding("keepalive-undecided", "warning", scope="plan", scope_kind="plan")
    root = parsed(report(finding("keepalive-too-late", scope="plan"), undecided, names=("plan",)))
    failed = [[case.attrib["name"] for case in suite.iter("testcase") if len(case)] for suite in root]
    assert failed == [["keepalive-undecided"], ["keepalive-too-late"]]
    assert len(root[1].findall("testcase")) == len(RULES) - 1
    alone = parsed(report(finding("keepalive-too-late", scope="plan"), names=("plan",)))
    assert [suite.attrib["failures"] for suite in alone] == ["1"]
    assert len(alone[0].findall("testcase")) == len(RULES)


def test_the_report_of_a_cluster_has_the_shape_that_readers_know():
    root = parsed(document())
    for element in root.iter():
        attributes, children = SHAPE[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children


@given(name=st.text(st.characters(), min_size=1), observed=st.text(st.characters()))
def test_any_name_and_any_text_is_well_formed_and_still_readable(name, observed):
    several = report(finding("keepalive-too-late", scope=name, observed=observed), names=(name,))
    several["nodes"][0]["hostname"] = observed
    text = render_junit(several)
    assert text.isascii()
    suite = ElementTree.fromstring(text)[0]
    assert suite.attrib["name"].isprintable()
    if name.isprintable():
        assert suite.attrib["name"] == name
    failure = suite.find("testcase/failure")
    assert failure.attrib["message"].isprintable()
