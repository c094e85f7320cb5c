# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings in a terminal, each rule once. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import INFO, UNKNOWN

from ..coverage import not_looked_at
from ..document import APPLY
from .page import STYLES, Page, Span
from .summary import findings_words

Document = Mapping[str, Any]
Finding = Mapping[str, Any]

_MOST_TEXTS = 3
_MOST_SILENCED = 5
_MOST_SILENCED_IN_BRIEF = 2

_SAID = (("seen", "observed"), ("why", "why"), ("do", "remedy"))

_SENTENCE = re.compile(r".*?(?:[^ .]{2}[.)](?= [A-Z])|。|$)", re.DOTALL)

_OF_NAMESPACES = "namespaces-not-read"

WORDS = {"critical": "CRITICAL", "warning": "WARNING", "unknown": "UNKNOWN", "info": "INFO"}
"""How the severities are told."""


def write(page: Page, document: Document, brief: bool = False) -> None:
    """By severity and rule, each with its nodes; after an apply all of severity info in one line.

    ``brief``: so they are in any report, and of the others it says what to do first and no more.
    """
    counts, findings = document["counts"], document["findings"]
    if not findings:
        return
    silenced = [tell("{number} silenced", number=counts["silenced"])] if counts["silenced"] else []
    words = [each for each in (findings_words(counts["findings"]), *silenced) if each]
    page.heading(tell("Findings: {counts}", counts=joined(", ", words)))
    told = [each for each in findings if each["silenced"] is None]
    infos = [each for each in told if each["severity"] == INFO] if brief or document["kind"] == APPLY else []
    for same in _by([each for each in told if each not in infos], "severity", "id"):
        if not brief:
            _write_rule(page, same)
        elif not _told_above(document, same):
            _write_in_brief(page, same)
    _write_infos(page, infos, brief)
    _write_silenced(page, [each for each in findings if each["silenced"] is not None], brief)


def _by(findings: Sequence[Finding], *keys: str) -> list[list[Finding]]:
    return list(grouped((tuple(finding[key] for key in keys), finding) for finding in findings).values())


def _where(findings: Sequence[Finding]) -> str:
    return named([each["scope"] for each in findings])


def _told_above(document: Document, same: Sequence[Finding]) -> bool:
    """Whether the lines on what was not looked at say the same, and what to do."""
    unseen = [(place, name, do) for places, names, do in not_looked_at(document) for place in places for name in names]
    if same[0]["id"] == _OF_NAMESPACES:
        return {each["scope"] for each in same} <= {name for place, name, _do in unseen if place == "namespaces"}
    done = {(name, do) for _place, name, do in unseen}
    return same[0]["severity"] == UNKNOWN and all((each["scope"], each["remedy"]) in done for each in same)


def _write_in_brief(page: Page, same: Sequence[Finding]) -> None:
    page.line(_head(same), indent=2, hanging=2)
    remedies = _by(same, "remedy")
    text = page.said(remedies[0][0]["remedy"])
    first = _SENTENCE.match(text)
    page.field("do", first.group() if first else text, 4, indent=4)


def _head(same: Sequence[Finding]) -> list[str | Span]:
    severity = same[0]["severity"]
    style = severity if severity in STYLES else None
    return [Span(WORDS[severity], style), tell(" {id}: {nodes}", id=same[0]["id"], nodes=_where(same))]


def _write_rule(page: Page, same: Sequence[Finding]) -> None:
    page.blank()
    page.line(_head(same), indent=2, hanging=2)
    for label, key in _SAID:
        texts = _by(same, key)
        for each in texts[:_MOST_TEXTS]:
            text = each[0][key]
            page.field(label, tell("{nodes}: {text}", nodes=_where(each), text=text) if len(texts) > 1 else text, 6, 4)
            label = ""
        if len(texts) > _MOST_TEXTS:
            rest = sum(map(len, texts[_MOST_TEXTS:]))
            page.field(label, tell("and {number} more with other details", number=rest), 6, indent=4)


def _write_infos(page: Page, infos: Sequence[Finding], brief: bool) -> None:
    rules = [tell("{id} ({nodes})", id=same[0]["id"], nodes=_where(same)) for same in _by(infos, "id")]
    if rules:
        if not brief:
            page.blank()
        page.line([WORDS[INFO], tell(" {rules}", rules=joined(", ", rules))], indent=2, hanging=2)


def _write_silenced(page: Page, silenced: Sequence[Finding], brief: bool) -> None:
    if not silenced:
        return
    if not brief:
        page.blank()
    groups, most = _by(silenced, "severity", "id", "silenced"), _MOST_SILENCED_IN_BRIEF if brief else _MOST_SILENCED
    for same in groups[:most]:
        page.line(_silenced(same), 2, 2)
    if len(groups) > most:
        page.line(tell("and {number} more silenced", number=len(groups) - most), 2)


def _silenced(same: Sequence[Finding]) -> Message:
    first = same[0]
    values = {"severity": WORDS[first["severity"]], "id": first["id"], "reason": first["silenced"]}
    return tell("silenced: {severity} {id} on {nodes} ({reason})", nodes=_where(same), **values)
