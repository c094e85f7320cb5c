# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a report fails the play. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, printable, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import SEVERITIES

NEVER = "never"

FAIL_ON = (NEVER, *SEVERITIES)


def failure(document: Mapping[str, Any], fail_on: str) -> str | None:
    """Why the play fails, None where it does not: a finding of that severity or worse that is not silenced."""
    if fail_on == NEVER:
        return None
    severe = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    findings = [each for each in document["findings"] if each["severity"] in severe and each["silenced"] is None]
    if not findings:
        return None
    by_rule = grouped(((each["severity"], each["id"]), printable(each["scope"])) for each in findings)
    named = [
        tell("{severity} {rule} on {where}", severity=severity, rule=rule, where=some(scopes))
        for (severity, rule), scopes in by_rule.items()
    ]
    return tell(
        "{findings} of severity {severities}: {named} ({setting}). Do what the findings say, "
        "or silence one with its reason in keepalive_silence.",
        findings=count(len(findings), "finding"),
        severities=joined(" or ", severe),
        named=joined("; ", named),
        setting=f"keepalive_audit_fail_on: {fail_on}",
    )
