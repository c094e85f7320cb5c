# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would change, what an apply changed, and what changed since an earlier report, in a terminal. Private."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import PLAN

from .. import rearming
from ..applied import CHANGED, UNCLEAR, untouched
from .findings import WORDS
from .page import CRITICAL, Page, Span, Text
from .table import NOTHING

Document = Mapping[str, Any]
Node = Mapping[str, Any]
Applied = Mapping[str, Any]

_MOST = 12
_MOST_GROUPS = 10

_CLAUSE = re.compile("; |\N{FULLWIDTH SEMICOLON}")


def write_changes(page: Page, document: Document, brief: bool) -> None:
    """Each value that an apply would change, once, with the nodes that it is true of and its reason.

    Then the open connections that it would give a sooner timer.
    """
    _write_values(page, document, brief)
    _write_rearm(page, document, brief)


def _write_values(page: Page, document: Document, brief: bool) -> None:
    several = [node["name"] for node in document["nodes"] if node["changes"]]
    changes = grouped(
        ((each["what"], each["from"], each["to"], each["why"]), node["name"])
        for node in document["nodes"]
        for each in node["changes"]
    )
    if not changes:
        return
    number, ordered = document["counts"]["changes"], sorted(changes.items(), key=lambda each: -len(each[1]))
    alike = all(names == several for names in changes.values())
    where = named(several) if alike else count(len(several), "node")
    page.heading(tell("To change: {values} on {nodes}", values=count(number, "value"), nodes=where))
    lines = []
    for (what, old, new, why), names in ordered:
        values = {"what": what, "old": old, "new": new, "why": why}
        lines.append(
            tell("{what}: {old} -> {new}; {why}", **values)
            if alike
            else tell("{what}: {old} -> {new} on {nodes}; {why}", nodes=named(names), **values)
        )
    _write_some(page, lines)
    _write_also(page, document, brief)


def _write_also(page: Page, document: Document, brief: bool) -> None:
    """What goes into the files beside that, so that nobody wonders at it there; in brief the first clause of why."""
    several = grouped(
        (each["why"], each["key"] if each["value"] is None else f"{each['key']} {each['value']}")
        for node in document["nodes"]
        for each in node.get("also_written", ())
    )
    if not several:
        return
    told = [
        tell(
            "{settings} ({why})",
            settings=joined(", ", dict.fromkeys(settings)),
            why=_CLAUSE.split(page.said(why))[0] if brief else why,
        )
        for why, settings in several.items()
    ]
    page.line(tell("written with it, as it is now: {settings}", settings=joined("; ", told)), indent=2, hanging=2)


def _write_rearm(page: Page, document: Document, brief: bool) -> None:
    """``worker1: 3 with a late timer, 2 without SO_KEEPALIVE (keepalive_open_connections all)``"""
    nodes = rearming.to_rearm(document)
    if not nodes:
        return
    alike = grouped((rearming.rearm_words(each), name) for name, each in nodes.items())
    lines = [_of_nodes(names, words) for words, names in alike.items()]
    if brief and document["counts"]["changes"]:
        _write_some(page, [tell("re-armed on {nodes_with_words}", nodes_with_words=line) for line in lines])
        return
    total, where = count(rearming.number(document), "open connection"), count(len(nodes), "node")
    page.heading(tell("To re-arm in place: {connections} on {nodes}", connections=total, nodes=where))
    _write_some(page, lines)


def _of_nodes(names: Sequence[str], text: str) -> Message:
    return tell("{names}: {text}", names=named(names), text=text)


def write_applied(page: Page, document: Document) -> None:
    """Before and after of the nodes that were changed or failed, alike nodes in one, and who was not come to."""
    told = [node for node in document["nodes"] if (done := node["applied"]) and (done["changed"] or done["error"])]
    groups = list(grouped((json.dumps(_outcome(node)), node) for node in told).values())
    missing = untouched(document)
    if not groups and not missing:
        return
    page.heading("Would change" if document["check_mode"] else "Before and after")
    for nodes in groups[:_MOST_GROUPS]:
        _write_outcome(page, nodes, document["check_mode"])
    if len(groups) > _MOST_GROUPS:
        rest = sum(map(len, groups[_MOST_GROUPS:]))
        page.line(tell("and {nodes} more", nodes=count(rest, "node")), indent=2)
    if missing:
        page.line(tell("{names}: not touched, the apply ended before", names=named(missing)), indent=2, hanging=2)


_RUNNING = ("pod", "container")

_AFTER_FAILURE = {
    CHANGED: "Its settings were written and stay; restore gives them back.",
    UNCLEAR: "Nobody knows how far it came; the table shows the node as it was before.",
}
"""What became of a node that failed, where the failure does not say it itself."""


def _outcome(node: Node) -> list[Any]:
    """What alike nodes have in common: all but how many pods and containers they have."""
    applied = node["applied"]
    values = [_value(each) for each in _changed(applied) if each["kind"] not in _RUNNING]
    ending = applied.get("outcome")
    return [node["verdict"], applied["verdict_before"], applied["error"], ending, values, applied["notes"]]


def _changed(applied: Applied) -> list[Mapping[str, Any]]:
    return [each for each in applied["values"] if each["changed"]]


def _write_outcome(page: Page, nodes: Sequence[Node], check_mode: bool) -> None:
    applied, verdict = nodes[0]["applied"], nodes[0]["verdict"]
    names = named([node["name"] for node in nodes])
    if applied["error"]:
        page.line(
            [tell("{names}: ", names=names), Span("FAILED", CRITICAL), tell(": {text}", text=applied["error"])],
            indent=2,
            hanging=2,
        )
        ending = applied.get("outcome")
        if ending in _AFTER_FAILURE:
            page.line(_AFTER_FAILURE[ending], indent=4, hanging=2)
        if ending != CHANGED:
            return
    else:
        page.line(
            [tell("{names}: ", names=names), *_verdicts(applied["verdict_before"], verdict, check_mode)],
            indent=2,
            hanging=2,
        )
    write_values(page, [node["applied"] for node in nodes], check_mode)


def write_values(page: Page, alike: Sequence[Applied], check_mode: bool) -> None:
    """Each value and file with what it was and is, of nodes on which they are the same, and pods in counts."""
    values = [_value(each) for each in _changed(alike[0]) if each["kind"] not in _RUNNING]
    _write_some(page, [*values, *_pods(alike), *_rearmed(alike, check_mode), *alike[0]["notes"]], indent=4)


def _verdicts(before: str | None, verdict: str, check_mode: bool) -> Text:
    now = Span(verdict.upper(), verdict)
    if before is None or check_mode:
        return [now, " now"]
    return [Span(before.upper(), before), " before, ", now, " now"]


def _value(value: Mapping[str, Any]) -> Message:
    if value["kind"] == "file":
        if value["after"] is None:
            return tell("{what}: removed", what=value["what"])
        return tell("{what}: written" if value["before"] is None else "{what}: edited", what=value["what"])
    before, after = _shown(value["before"]), _shown(value["after"])
    return tell("{what}: {before} -> {after}", what=value["what"], before=before, after=after)


def _shown(value: str | None) -> str:
    return "not there" if value is None else value


def _pods(several: Iterable[Applied]) -> list[Message]:
    """Running pods and containers whose keepalive was changed, by what it was and is."""
    running = [each for applied in several for each in _changed(applied) if each["kind"] in _RUNNING]
    alike = grouped(((each["kind"], _shown(each["before"]), _shown(each["after"])), each["what"]) for each in running)
    return [
        tell(
            "keepalive of {which}: {before} -> {after}",
            which=names[0] if len(names) == 1 else count(len(names), kind),
            before=before,
            after=after,
        )
        for (kind, before, after), names in alike.items()
    ]


def _rearmed(several: Iterable[Applied], check_mode: bool) -> list[str]:
    """Open connections that were given a sooner timer, of all of the nodes."""
    done = [found for applied in several if (found := applied.get("open_connections"))]
    rearmed, left = (sum(each[name] for each in done) for name in ("rearmed", "not_rearmed"))
    told = rearming.rearmed_words(rearmed, left, check_mode)
    return [told] if told else []


def write_drift(page: Page, document: Document) -> None:
    """What changed since the earlier report, the verdicts first."""
    drift = document["drift"]
    if not drift:
        return
    page.heading(tell("Since the report of {moment}", moment=drift["since"]))
    begin = len(page.lines)
    for what, names in (("new", drift["nodes_new"]), ("not in this run", drift["nodes_gone"])):
        if names:
            page.line(_of_nodes(names, what), indent=2, hanging=2)
    _write_alike(page, sorted(drift["changes"], key=lambda each: each["what"] != "verdict"), "scope", _change)
    _write_alike(page, drift["findings_new"], "scope", _new)
    _write_alike(page, drift["findings_gone"], "scope", _gone)
    _write_alike(page, drift["counters"], "node", _grown)
    if len(page.lines) == begin:
        page.line("nothing changed", indent=2)


def _change(change: Mapping[str, Any]) -> Message:
    sides = [each if each is not None else NOTHING for each in (change["from"], change["to"])]
    before, after = map(str.upper, sides) if change["what"].startswith("verdict") else sides
    return tell("{what} {before} -> {after}", what=change["what"], before=before, after=after)


def _new(finding: Mapping[str, Any]) -> Message:
    return tell("{severity} {id} is new", severity=WORDS[finding["severity"]], id=finding["id"])


def _gone(finding: Mapping[str, Any]) -> Message:
    return tell("{severity} {id} is gone", severity=WORDS[finding["severity"]], id=finding["id"])


def _grown(grown: Mapping[str, Any]) -> Message:
    return tell("conntrack's counter {name} grew by {number}", name=grown["counter"], number=grown["grown"])


def _write_alike(
    page: Page, entries: Iterable[Mapping[str, Any]], whose: str, words: Callable[[Mapping[str, Any]], str]
) -> None:
    """The same of several nodes in one line; what is the plan's has its own."""
    alike = grouped(((each.get("scope_kind") == PLAN, words(each)), each[whose]) for each in entries)
    _write_some(page, [_of_nodes(names, text) for (_plan, text), names in alike.items()])


def _write_some(page: Page, lines: Sequence[Text], indent: int = 2) -> None:
    for line in lines[:_MOST]:
        page.line(line, indent, hanging=2)
    if len(lines) > _MOST:
        page.line(tell("and {number} more", number=len(lines) - _MOST), indent)
