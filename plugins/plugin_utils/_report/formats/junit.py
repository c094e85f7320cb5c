# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as JUnit XML, which every CI system reads. Private to this collection.

Each node is a suite, and so is the plan; each rule is a case. A critical finding, a warning and an unknown fail their
case, an info passes and is told in the output, a silenced finding skips its case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import INFO
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.table import RULES
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import NODE, PLAN

Finding = Mapping[str, Any]

_PROPERTIES = ("hostname", "kernel", "mode", "verdict", "why", "spare_seconds")


def render_junit(document: Mapping[str, Any]) -> str:
    """The document as JUnit XML, in ASCII."""
    found = grouped(((each["scope_kind"], each["scope"], each["id"]), each) for each in document["findings"])
    root = ElementTree.Element("testsuites", {"name": document["collection"]["name"]})
    rules_of_plan = [rule for kind, _scope, rule in found if kind == PLAN]
    if rules_of_plan:
        _suite(root, document, (PLAN, PLAN), found, {}, rules_of_plan)
    rules = [rule.id for rule in RULES if rule.id not in rules_of_plan]
    for node in document["nodes"]:
        _suite(root, document, (NODE, node["name"]), found, node, rules)
    _count(root, list(root))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="us-ascii", xml_declaration=True)
    return text.decode() + "\n"


def _suite(
    root: ElementTree.Element,
    document: Mapping[str, Any],
    scope: tuple[str, str],
    found: Mapping[tuple[str, str, str], list[Finding]],
    node: Mapping[str, Any],
    rules: Sequence[str],
) -> None:
    _kind, name = scope
    suite = ElementTree.SubElement(root, "testsuite", {"name": printable(name), "id": str(len(root))})
    suite.set("timestamp", document["made_at"].removesuffix("Z"))
    suite.set("hostname", printable(node.get("hostname") or name))
    suite.set("time", "0")
    properties = ElementTree.SubElement(suite, "properties")
    for key in _PROPERTIES:
        if node.get(key) is not None:
            ElementTree.SubElement(properties, "property", {"name": key, "value": printable(node[key])})
    for rule in rules:
        case = ElementTree.SubElement(suite, "testcase", {"name": rule, "classname": printable(name), "time": "0"})
        if (*scope, rule) in found:
            _result(case, found[(*scope, rule)])
        elif not node["observed"]:
            ElementTree.SubElement(case, "skipped", {"message": "the node was not observed"})
    _count(suite, [suite])
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))


def _result(case: ElementTree.Element, findings: list[Finding]) -> None:
    counting = [finding for finding in findings if finding["silenced"] is None]
    failed = [finding for finding in counting if finding["severity"] != INFO]
    if failed:
        message = printable("; ".join(finding["observed"] for finding in failed))
        failure = ElementTree.SubElement(case, "failure", {"type": failed[0]["severity"], "message": message})
        failure.text = "\n\n".join(_text(finding) for finding in failed)
    elif counting:
        ElementTree.SubElement(case, "system-out").text = "\n\n".join(_text(finding) for finding in counting)
    else:
        reason = printable(findings[0]["silenced"])
        ElementTree.SubElement(case, "skipped", {"message": f"silenced: {reason}"})


def _text(finding: Finding) -> str:
    labels = {"observed": "Seen", "limit": "Against", "why": "Why", "remedy": "Do"}
    lines = [f"{label}: {printable(finding[key])}" for key, label in labels.items() if finding[key]]
    return "\n".join([f"{finding['severity'].upper()} {finding['id']}", *lines])


def _count(element: ElementTree.Element, suites: list[ElementTree.Element]) -> None:
    """Set the counts of an element to what the suites hold."""
    cases = [case for suite in suites for case in suite.iter("testcase")]
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", "0")
