# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings in a terminal, each rule once. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count
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

_SENTENCE = re.compile(r".*?(?:[^ .]{2}[.)](?= [A-Z])|。|$) *", re.DOTALL)
_APPLY = "kubenode.connections.apply"
_VARIABLE = re.compile(r"(?<![\w.])keepalive_\w")
_VARIABLES_REACH = "Set variables in the inventory or with -e. The next apply brings them to the nodes."
_POINTS = re.compile(r"\b(?:[Tt]hese|[Tt]hat namespace)\b")
"""In a remedy that says what to do with something, and not with what."""

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
    told = [each for each in findings if each["silenced"] is None]
    in_full = [findings_words(counts["findings"])] if told else []
    words = list(_listed(document, told)) if brief else in_full
    words += [tell("{number} silenced", number=counts["silenced"])] if counts["silenced"] else []
    page.heading(tell("Findings: {counts}", counts=joined(", ", words)))
    infos = [each for each in told if each["severity"] == INFO] if brief or document["kind"] == APPLY else []
    by_rule = _by([each for each in told if each not in infos], "severity", "id")
    if brief:
        _write_all_in_brief(page, [same for same in by_rule if not _told_above(document, same)])
    else:
        for same in by_rule:
            _write_rule(page, same)
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


def _listed(document: Document, told: Sequence[Finding]) -> Iterator[Message]:
    """``200 critical (2 rules)``, ``3 unknown (2 above)``: how many there are, and where fewer lines follow, why."""
    for severity, rules in grouped((same[0]["severity"], same) for same in _by(told, "severity", "id")).items():
        number = sum(map(len, rules))
        above = sum(len(same) for same in rules if severity != INFO and _told_above(document, same))
        below = [same for same in rules if severity == INFO or not _told_above(document, same)]
        notes = [tell("{number} above", number=above)] if above else []
        notes += [count(len(below), "rule")] if 0 < len(below) < number - above else []
        counted = findings_words({severity: number})
        yield tell("{counted} ({notes})", counted=counted, notes=joined(", ", notes)) if notes else counted


def _write_all_in_brief(page: Page, rules: Sequence[Sequence[Finding]]) -> None:
    to_set = [_write_in_brief(page, same) for same in rules]
    if any(to_set):
        page.line(_VARIABLES_REACH, indent=2)


def _write_in_brief(page: Page, same: Sequence[Finding]) -> bool:
    """Return whether it has said to set a variable, and not to apply it."""
    page.line(_head(same), indent=2, hanging=2)
    remedies = grouped((_first_steps(page.said(each["remedy"])), each) for each in same)
    text, of = next(iter(remedies.items()))
    width = 4
    if _POINTS.search(_first_steps(of[0]["remedy"])):
        width = 6
        page.field("seen", of[0]["observed"], width, indent=4)
    several = len(remedies) > 1
    page.field("do", tell("{nodes}: {text}", nodes=_where(of), text=text) if several else text, width, indent=4)
    if several:
        page.field("", tell("and {number} more with other details", number=len(same) - len(of)), width, indent=4)
    return same[0]["severity"] != UNKNOWN and bool(_VARIABLE.search(text)) and _APPLY not in text


def _first_steps(text: str) -> str:
    """The first sentence, and where a later one runs the playbook apply, all up to it."""
    sentences = _SENTENCE.findall(text)
    last = next((number for number, each in enumerate(sentences) if _APPLY in each), 0)
    return "".join(sentences[: last + 1]).strip()


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
    alike = grouped((_where(same), same[0]["id"]) for same in _by(infos, "id"))
    rules = [tell("{id} ({nodes})", id=joined(", ", ids), nodes=where) for where, ids in alike.items()]
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
