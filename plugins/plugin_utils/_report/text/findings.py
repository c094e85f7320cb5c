# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings in a terminal, each rule once. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import INFO

from ..document import APPLY
from .page import STYLES, Page, Span
from .summary import findings_words

Document = Mapping[str, Any]
Finding = Mapping[str, Any]

_MOST_TEXTS = 3
_MOST_SILENCED = 5

_SAID = (("seen", "observed"), ("why", "why"), ("do", "remedy"))


def write(page: Page, document: Document) -> None:
    """By severity and rule, each with its nodes; after an apply all of severity info in one line."""
    counts, findings = document["counts"], document["findings"]
    if not findings:
        return
    silenced = f"{counts['silenced']} silenced" if counts["silenced"] else ""
    words = ", ".join(each for each in (findings_words(counts["findings"]), silenced) if each)
    page.heading(f"Findings: {words}")
    told = [each for each in findings if each["silenced"] is None]
    brief = document["kind"] == APPLY
    for same in _by(told, "severity", "id"):
        if not brief or same[0]["severity"] != INFO:
            _write_rule(page, same)
    if brief:
        _write_infos(page, [each for each in told if each["severity"] == INFO])
    _write_silenced(page, [each for each in findings if each["silenced"] is not None])


def _by(findings: Sequence[Finding], *keys: str) -> list[list[Finding]]:
    return list(grouped((tuple(finding[key] for key in keys), finding) for finding in findings).values())


def _where(findings: Sequence[Finding]) -> str:
    return named([each["scope"] for each in findings])


def _write_rule(page: Page, same: Sequence[Finding]) -> None:
    severity, identity = same[0]["severity"], same[0]["id"]
    page.blank()
    style = severity if severity in STYLES else None
    page.line([Span(severity.upper(), style), f" {identity}: {_where(same)}"], indent=2, hanging=2)
    for label, key in _SAID:
        texts = _by(same, key)
        for each in texts[:_MOST_TEXTS]:
            page.field(label, f"{_where(each)}: {each[0][key]}" if len(texts) > 1 else each[0][key], 6, indent=4)
            label = ""
        if len(texts) > _MOST_TEXTS:
            rest = [finding for each in texts[_MOST_TEXTS:] for finding in each]
            page.field(label, f"and {len(rest)} more with other details", 6, indent=4)


def _write_infos(page: Page, infos: Sequence[Finding]) -> None:
    rules = ", ".join(f"{same[0]['id']} ({_where(same)})" for same in _by(infos, "id"))
    if rules:
        page.blank()
        page.line(f"INFO {rules}", indent=2, hanging=2)


def _write_silenced(page: Page, silenced: Sequence[Finding]) -> None:
    if not silenced:
        return
    page.blank()
    groups = _by(silenced, "severity", "id", "silenced")
    for same in groups[:_MOST_SILENCED]:
        first = same[0]
        page.line(f"silenced: {first['severity']} {first['id']} on {_where(same)} ({first['silenced']})", 2, 2)
    if len(groups) > _MOST_SILENCED:
        page.line(f"and {len(groups) - _MOST_SILENCED} more silenced", 2)
