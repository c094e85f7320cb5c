# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.table import RULES
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.formats.sarif import render_sarif
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import cluster, document

# The parts of SARIF 2.1.0 (OASIS standard) that are used, with what it requires of each; the numbers are its sections.
TEXT = {"type": "object", "required": ["text"], "additionalProperties": False, "properties": {"text": {"minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT,
        "help": TEXT,
        "helpUri": {"type": "string", "format": "uri"},
        "defaultConfiguration": {"type": "object", "additionalProperties": False, "properties": {"level": LEVEL}},
    },
}  # 3.49
LOGICAL = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "kind": {"type": "string"}},
}  # 3.33
RESULT = {
    "type": "object",
    "required": ["message"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": LEVEL,
        "message": TEXT,
        "locations": {
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"logicalLocations": {"type": "array", "uniqueItems": True, "items": LOGICAL}},
            }
        },
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "suppressions": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object",
                "required": ["kind"],
                "additionalProperties": False,
                "properties": {"kind": {"enum": ["inSource", "external"]}, "justification": {"type": "string"}},
            },
        },
        "properties": {"type": "object"},
    },
}  # 3.27
DRIVER = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "version": {"type": "string"},
        "semanticVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "informationUri": {"type": "string", "format": "uri"},
        "rules": {"type": "array", "uniqueItems": True, "items": RULE},
    },
}  # 3.19
RUN = {
    "type": "object",
    "required": ["tool"],
    "additionalProperties": False,
    "properties": {
        "tool": {
            "type": "object",
            "required": ["driver"],
            "additionalProperties": False,
            "properties": {"driver": DRIVER},
        },
        "invocations": {
            "items": {
                "type": "object",
                "required": ["executionSuccessful"],
                "additionalProperties": False,
                "properties": {
                    "executionSuccessful": {"type": "boolean"},
                    "endTimeUtc": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                },
            }
        },
        "results": {"type": "array", "items": RESULT},
    },
}  # 3.14
LOG = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": RUN},
    },
}  # 3.13


def rendered(report):
    text = render_sarif(report)
    assert text.isascii()
    log = json.loads(text)
    jsonschema.validate(log, LOG)
    return log["runs"][0]


def test_a_finding_is_a_result_at_its_node():
    run = rendered(document())
    result = run["results"][0]
    assert result.pop("message")["text"].startswith("worker1: keepalive 7200/75/9: 7200 + 2 x 75 = 7350 s, ")
    assert result == {
        "ruleId": "keepalive-too-late",
        "ruleIndex": [rule.id for rule in RULES].index("keepalive-too-late"),
        "level": "error",
        "locations": [{"logicalLocations": [{"name": "worker1", "kind": "resource"}]}],
        "partialFingerprints": {
            "findingAndNode/v1": "526d9c454074f3bab0a8faba03036b291ea84067da90c62b9f082d23432087e4"
        },
        "properties": {"severity": "critical"},
    }


def test_every_finding_has_the_level_of_its_severity():
    levels = {result["properties"]["severity"]: result["level"] for result in rendered(document())["results"]}
    assert levels == {"critical": "error", "warning": "warning", "unknown": "warning", "info": "note"}


def test_every_rule_is_described_and_every_result_points_to_its_own():
    run = rendered(document())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        result["ruleId"] for result in run["results"]
    ]


def test_what_is_silenced_is_suppressed_with_its_reason():
    silences = parse_silences([{"id": "keepalive-too-late", "reason": "known"}])
    suppressed = [result for result in rendered(document(silences=silences))["results"] if "suppressions" in result]
    assert [each["suppressions"] for each in suppressed] == [[{"kind": "external", "justification": "known"}]]


def test_the_same_finding_on_the_same_node_has_the_same_fingerprint_and_no_other_has_it():
    runs = [rendered(document(several)) for several in (cluster(), {**cluster(), "worker4": cluster()["worker1"]})]
    prints = [
        {
            (r["ruleId"], r["locations"][0]["logicalLocations"][0]["name"]): r["partialFingerprints"]
            for r in run["results"]
        }
        for run in runs
    ]
    assert prints[0].items() <= prints[1].items()
    assert len({json.dumps(each) for each in prints[1].values()}) == len(runs[1]["results"])


@given(name=st.text(st.characters(), min_size=1))
def test_any_name_gives_a_valid_log(name):
    rendered(document({name: cluster()["worker1"]}))
