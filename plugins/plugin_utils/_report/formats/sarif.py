# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as SARIF 2.1.0 (OASIS), for tools that collect findings. Private to this collection.

The numbers in brackets are sections of that standard. A finding has no file, so its place is a logical location.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import (
    CRITICAL,
    INFO,
    UNKNOWN,
    WARNING,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.table import RULES

from ..document import rule_dict

_LEVELS = {CRITICAL: "error", WARNING: "warning", UNKNOWN: "warning", INFO: "note"}
"""3.27.10. Not known is a warning: with the kind ``open``, which says it better, most readers show nothing."""

_INFORMATION = "https://github.com/kubenode/connections"

_INDEX = {rule.id: index for index, rule in enumerate(RULES)}


def render_sarif(document: Mapping[str, Any]) -> str:
    """The document as SARIF, in ASCII."""
    version = document["collection"]["version"]
    driver = {
        "name": document["collection"]["name"],
        "version": version,
        "semanticVersion": version,
        "informationUri": _INFORMATION,
        "rules": [_rule(rule_dict(rule.id, rule.severity, rule.description)) for rule in RULES],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": document["made_at"]}],
        "results": [_result(finding) for finding in document["findings"]],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1) + "\n"


def _rule(rule: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": rule["id"],
        "shortDescription": {"text": rule["when"]},
        "help": {"text": f"{rule['when']} More: {rule['help']}"},
        "helpUri": rule["help"],
        "defaultConfiguration": {"level": _LEVELS[rule["severity"]]},
    }


def _result(finding: Mapping[str, Any]) -> dict[str, Any]:
    against = f" Against: {finding['limit']}." if finding["limit"] else ""
    text = f"{finding['scope']}: {finding['observed']}.{against} {finding['why']} {finding['remedy']}"
    result = {
        "ruleId": finding["id"],
        "ruleIndex": _INDEX[finding["id"]],
        "level": _LEVELS[finding["severity"]],
        "message": {"text": text},
        "locations": [{"logicalLocations": [{"name": finding["scope"], "kind": "resource"}]}],
        "partialFingerprints": {"findingAndNode/v1": _fingerprint(finding)},
        "properties": {"severity": finding["severity"]},
    }
    if finding["silenced"] is not None:
        result["suppressions"] = [{"kind": "external", "justification": finding["silenced"]}]
    return result


def _fingerprint(finding: Mapping[str, Any]) -> str:
    """The same for the same rule on the same node, so that a reader knows it again (3.27.17)."""
    place = json.dumps([finding["id"], finding["scope"]])
    return hashlib.sha256(place.encode()).hexdigest()
