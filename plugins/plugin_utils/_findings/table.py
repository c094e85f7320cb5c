# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every finding of a plan, and of what an apply did. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import NODE, PLAN, Finding, Plan

from . import (
    applied,
    boot,
    boot_lines,
    connections,
    conntrack,
    conntrack_timeouts,
    containers,
    daemons,
    dead_peers,
    enforcement,
    growth,
    ipvs,
    keepalive,
    middleboxes,
    outside,
    pods,
    proxy_modes,
    rps,
    unseen,
    writers,
)
from .rule import SEVERITIES, Found, Remedy, Rule

RULES = (
    *keepalive.RULES,
    *pods.RULES,
    *containers.RULES,
    *connections.RULES,
    *outside.RULES,
    *enforcement.RULES,
    *applied.RULES,
    *boot.RULES,
    *boot_lines.RULES,
    *writers.RULES,
    *daemons.RULES,
    *growth.RULES,
    *rps.RULES,
    *conntrack.RULES,
    *conntrack_timeouts.RULES,
    *ipvs.RULES,
    *proxy_modes.RULES,
    *middleboxes.RULES,
    *dead_peers.RULES,
    *unseen.RULES,
)
"""The table: every rule there is."""


def findings_of(plan: Plan) -> tuple[Finding, ...]:
    """What is wrong or not known, the most severe first, then in the order of the table and of the nodes."""
    found = [_finding(rule, scope, each) for rule in RULES for scope, each in rule.check(plan)]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def findings_of_apply(outcomes: Mapping[str, object]) -> Iterator[Finding]:
    """What is wrong with what node_settings returned on each node."""
    for rule in RULES:
        for name, outcome in outcomes.items():
            found = rule.check_applied(outcome) if rule.check_applied else None
            if found is not None:
                yield _finding(rule, name, found)


def _finding(rule: Rule, node: str | None, found: Found) -> Finding:
    remedy = found.remedy if isinstance(found.remedy, Remedy) else Remedy(found.remedy)
    return Finding(
        id=rule.id,
        severity=found.severity or rule.severity,
        scope=PLAN if node is None else node,
        scope_kind=PLAN if node is None else NODE,
        observed=found.observed,
        limit=found.limit,
        why=found.why,
        remedy=remedy.text,
        steps=tuple({"kind": step.kind, "what": step.what} for step in remedy.steps),
    )
