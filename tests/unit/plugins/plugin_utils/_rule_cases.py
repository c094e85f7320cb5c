# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of every room of rules have in common: a rule, a node (or several), a policy, and the finding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import nodes

PLAYBOOK = re.compile(r"\bkubenode\.connections\.(audit|apply|verify|restore)\b")
# What stands in a remedy as NAME: VALUE and is no list of alternatives.
VARIABLE = re.compile(r"\bkeepalive_\w+: (?:\{[^}]*\}|[\w-]+\b(?!, calico_ebpf))")


def finding_of(identity: str, node: Any, policy: dict[str, Any]) -> dict[str, Any] | None:
    """The finding on one node, or on a plan for several."""
    several = node if isinstance(node, tuple) else (node,)
    findings = [each for each in make_plan(nodes(*several), policy)["findings"] if each["id"] == identity]
    assert len(findings) <= 1
    return findings[0] if findings else None


def raised(identity: str, node: Any, policy: dict[str, Any], expected: dict[str, Any]) -> None:
    """The finding says what is expected of it, and what of its remedy can be pasted is among its steps."""
    finding = finding_of(identity, node, policy)
    assert finding is not None
    assert {key: finding[key] for key in expected} == expected
    playbooks = list(dict.fromkeys(PLAYBOOK.findall(finding["remedy"])))
    variables = VARIABLE.findall(finding["remedy"])
    steps = [("playbook", each) for each in playbooks] + [("variable", each) for each in variables]
    assert sorted((step["kind"], step["what"]) for step in finding["steps"]) == sorted(steps)


def of_room(room: Any, rows: Iterable[Any]) -> list[Any]:
    """Those of the rows that are of a room's rules."""
    ids = {rule.id for rule in room.RULES}
    return [row for row in rows if row.values[0] in ids]
