# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as one document of plain data, of which every format is made. Private to this collection.

A pure function of a plan, its nodes and the moment: same input, same document. Its published shape is
docs/schema/report-1.json; a change that breaks readers needs another number there and in SCHEMA_VERSION.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.collector import paused
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import VERDICTS
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import SEVERITIES, Rule
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import NO_SILENCES, Silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.table import RULES, findings_of_apply
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node

from . import verdict
from .node import describe_node, keepalive_dict, rows_for_each

SCHEMA_VERSION = 1
SCHEMA = "https://raw.githubusercontent.com/kubenode/connections/main/docs/schema/report-1.json"

AUDIT, APPLY = "audit", "apply"
KINDS = (AUDIT, APPLY, "verify")

DETAILS = BRIEF, FULL = ("brief", "full")
"""How much of it is told in a terminal."""

_HELP = "https://github.com/kubenode/connections/blob/main/docs/findings.md"

_HOW = "Give the result of the filter kubenode.connections.plan and the nodes that it was made from."


@paused()
def make_document(
    plan: object,
    nodes: object,
    *,
    made_at: str,
    collection_version: str,
    kind: str = AUDIT,
    check_mode: bool = False,
    applied: Mapping[str, Any] | None = None,
    verdicts_before: Mapping[str, Any] | None = None,
    silences: Silences = NO_SILENCES,
) -> dict[str, Any]:
    """The document, without ``drift`` (None).

    ``plan`` is make_plan's of ``nodes``, both plain; the nodes may be what parse_nodes made of them. ``made_at`` is a
    moment in UTC, ``2026-11-21T03:40:00Z``. ``applied`` maps nodes to what node_settings returned, ``verdicts_before``
    to the verdict of before that.
    Raises PlanError.
    """
    if not isinstance(plan, dict) or not isinstance(nodes, dict):
        raise PlanError(f"report: plan and nodes must be mappings, not {_kind(plan)} and {_kind(nodes)}. {_HOW}")
    head = {
        "$schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "collection": {"name": "kubenode.connections", "version": collection_version},
        "made_at": made_at,
        "kind": kind,
        "check_mode": check_mode,
    }
    try:
        return head | _document(plan, nodes, applied or {}, verdicts_before or {}, silences)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        message = f"report: this is not a plan with its nodes ({type(error).__name__}: {error}). {_HOW}"
        raise PlanError(message) from None


def _document(
    plan: Mapping[str, Any],
    nodes: Mapping[str, Any],
    applied: Mapping[str, Any],
    verdicts_before: Mapping[str, Any],
    silences: Silences,
) -> dict[str, Any]:
    rows = rows_for_each(len(plan["nodes"]))
    described = [
        describe_node(name, parse_node(nodes[name]), plan, applied.get(name), verdicts_before, rows)
        for name in plan["nodes"]
    ]
    described.sort(key=_worst_first)
    order = {node["name"]: number for number, node in enumerate(described)}
    findings = [{**finding, "silenced": silences.reason(finding)} for finding in _findings(plan, applied, order)]
    counts = verdict.counts_of(described, findings)
    return {
        "verdict": verdict.verdict_of(described, counts),
        "limit": plan["limit"],
        "planned_limit": plan["planned_limit"],
        "limit_reason": plan["reasons"]["limit"],
        "limits": sorted(plan["limits"], key=lambda limit: (limit["seconds"], order.get(limit["node"], -1))),
        "left_out": plan["left_out"],
        "other_hosts": plan["other_hosts"],
        "not_seen": sorted(plan["not_seen"], key=lambda each: order.get(each["node"], -1)),
        "keepalive": _planned(plan),
        "policy": plan["policy"],
        "nodes": described,
        "findings": findings,
        "rules": _rules_of(findings),
        "counts": counts,
        "drift": None,
    }


def _findings(plan: Mapping[str, Any], applied: Mapping[str, Any], order: Mapping[str, int]) -> list[dict[str, Any]]:
    """Those of the plan and those of what an apply did, the most severe first; of a rule the worst node first."""
    every = list(plan["findings"])
    every += [each.as_dict() for each in findings_of_apply({name: applied.get(name) for name in plan["nodes"]})]
    rules = {rule: number for number, rule in enumerate(dict.fromkeys(each["id"] for each in every))}

    def place(finding: Mapping[str, Any]) -> tuple[int, int, int]:
        return SEVERITIES.index(finding["severity"]), rules[finding["id"]], order.get(finding["scope"], -1)

    return sorted(every, key=place)


def _kind(value: object) -> str:
    return type(value).__name__


def _worst_first(node: Mapping[str, Any]) -> tuple[int, bool, bool, bool, int, str]:
    spare, calm = node["spare_seconds"], not verdict.anything_at_risk(node)
    lasts = not verdict.safe_until_reboot(node)
    return VERDICTS.index(node["verdict"]), calm, lasts, spare is None, spare or 0, node["name"]


def _planned(plan: Mapping[str, Any]) -> dict[str, Any] | None:
    """The keepalive of the plan, with the sum that shows how it stands to the planned limit."""
    if not plan["keepalive"]:
        return None
    keepalive, policy, limit = Keepalive(**plan["keepalive"]), plan["policy"], plan["planned_limit"]
    sum_text = None
    if limit:
        whose = Limit(**limit).whose
        sum_text = keepalive_math.sum_text(keepalive, limit["seconds"], whose, policy["lost_probes"], policy["margin"])
    return {
        **keepalive_dict(keepalive, policy["lost_probes"]),
        "stays": policy["strategy"] == "raise_ipvs" and not _own(policy),
        "safe": plan["safe"],
        "decided_in_time": plan["decided_in_time"],
        "sum": sum_text,
        "reasons": {name: plan["reasons"][name] for name in ("time", "intvl", "probes")},
    }


def _own(policy: Mapping[str, Any]) -> bool:
    return policy["profile"] == "article" or any(policy[name] for name in ("time", "intvl", "probes"))


def _rules_of(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The rules that found something, in the order of the table."""
    found = {finding["id"] for finding in findings}
    return [_rule_dict(rule) for rule in RULES if rule.id in found]


def _rule_dict(rule: Rule) -> dict[str, str]:
    """A rule of the table: its usual severity, when it finds something, and the page that says more."""
    when = " ".join(rule.description.replace("``", "").split())
    return {"id": rule.id, "severity": rule.severity, "when": when, "help": f"{_HELP}#{rule.id}"}
