# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would change, what an apply changed, and what changed since an earlier report, in a terminal. Private."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import PLAN

from .. import rearming
from .page import CRITICAL, Page, Span, Text

Document = Mapping[str, Any]
Node = Mapping[str, Any]

_MOST = 12
_MOST_GROUPS = 10


def write_changes(page: Page, document: Document) -> None:
    """Each value that an apply would change, once, with the nodes that it is true of and its reason.

    Then the open connections that it would give a sooner timer.
    """
    _write_values(page, document)
    _write_rearm(page, document)


def _write_values(page: Page, document: Document) -> None:
    changes = grouped(
        ((each["what"], each["from"], each["to"], each["why"]), node["name"])
        for node in document["nodes"]
        for each in node["changes"]
    )
    if not changes:
        return
    number, nodes = document["counts"]["changes"], sum(bool(node["changes"]) for node in document["nodes"])
    page.heading(f"To change: {count(number, 'value')} on {count(nodes, 'node')}")
    ordered = sorted(changes.items(), key=lambda each: -len(each[1]))
    lines = [f"{what}: {old} -> {new}{_on(names, document)}; {why}" for (what, old, new, why), names in ordered]
    _write_some(page, lines)


def _write_rearm(page: Page, document: Document) -> None:
    """``worker1: 3 with a late timer, 2 without SO_KEEPALIVE (keepalive_open_connections all)``"""
    nodes = rearming.to_rearm(document)
    if not nodes:
        return
    total = count(rearming.number(document), "open connection")
    page.heading(f"To re-arm in place: {total} on {count(len(nodes), 'node')}")
    _write_some(page, [f"{name}: {rearming.rearm_words(each)}" for name, each in nodes.items()])


def _on(names: Sequence[str], document: Document) -> str:
    return "" if len(document["nodes"]) == 1 else f" on {named(names)}"


def write_applied(page: Page, document: Document) -> None:
    """Before and after of the nodes that were changed or failed; alike nodes in one."""
    told = [node for node in document["nodes"] if (done := node["applied"]) and (done["changed"] or done["error"])]
    groups = list(grouped((json.dumps(_outcome(node)), node) for node in told).values())
    if not groups:
        return
    page.heading("Would change" if document["check_mode"] else "Changed")
    for nodes in groups[:_MOST_GROUPS]:
        _write_outcome(page, nodes, document["check_mode"])
    if len(groups) > _MOST_GROUPS:
        rest = sum(map(len, groups[_MOST_GROUPS:]))
        page.line(f"and {count(rest, 'node')} more", indent=2)


_RUNNING = ("pod", "container")


def _outcome(node: Node) -> list[Any]:
    """What alike nodes have in common: all but how many pods and containers they have."""
    applied = node["applied"]
    values = [_value(each) for each in _changed(node) if each["kind"] not in _RUNNING]
    return [node["verdict"], applied["verdict_before"], applied["error"], values, applied["notes"]]


def _changed(node: Node) -> list[Mapping[str, Any]]:
    return [each for each in node["applied"]["values"] if each["changed"]]


def _write_outcome(page: Page, nodes: Sequence[Node], check_mode: bool) -> None:
    applied, verdict = nodes[0]["applied"], nodes[0]["verdict"]
    names = named([node["name"] for node in nodes])
    if applied["error"]:
        page.line([f"{names}: ", Span("FAILED", CRITICAL), f": {applied['error']}"], indent=2, hanging=2)
        return
    page.line([f"{names}: ", *_verdicts(applied["verdict_before"], verdict, check_mode)], indent=2, hanging=2)
    values = [_value(each) for each in _changed(nodes[0]) if each["kind"] not in _RUNNING]
    _write_some(page, [*values, *_pods(nodes), *_rearmed(nodes, check_mode), *applied["notes"]], indent=4)


def _verdicts(before: str | None, verdict: str, check_mode: bool) -> Text:
    now = Span(verdict.upper(), verdict)
    if before is None or check_mode:
        return [now, " now"]
    return [Span(before.upper(), before), " before, ", now, " now"]


def _value(value: Mapping[str, Any]) -> str:
    if value["kind"] == "file":
        what = "removed" if value["after"] is None else "written" if value["before"] is None else "edited"
        return f"{value['what']}: {what}"
    return f"{value['what']}: {_shown(value['before'])} -> {_shown(value['after'])}"


def _shown(value: str | None) -> str:
    return "not there" if value is None else value


def _pods(nodes: Iterable[Node]) -> list[str]:
    """Running pods and containers whose keepalive was changed, by what it was and is."""
    running = [each for node in nodes for each in _changed(node) if each["kind"] in _RUNNING]
    alike = grouped(((each["kind"], _shown(each["before"]), _shown(each["after"])), each["what"]) for each in running)
    return [
        f"keepalive of {names[0] if len(names) == 1 else count(len(names), kind)}: {before} -> {after}"
        for (kind, before, after), names in alike.items()
    ]


def _rearmed(nodes: Iterable[Node], check_mode: bool) -> list[str]:
    """Open connections that were given a sooner timer, of all of the nodes."""
    done = [found for node in nodes if (found := node["applied"].get("open_connections"))]
    rearmed, left = (sum(each[name] for each in done) for name in ("rearmed", "not_rearmed"))
    told = rearming.rearmed_words(rearmed, left, check_mode)
    return [told] if told else []


def write_drift(page: Page, document: Document) -> None:
    """What changed since the earlier report, the verdicts first."""
    drift = document["drift"]
    if not drift:
        return
    page.heading(f"Since the report of {drift['since']}")
    begin = len(page.lines)
    for what, names in (("new", drift["nodes_new"]), ("not in this run", drift["nodes_gone"])):
        if names:
            page.line(f"{named(names)}: {what}", indent=2, hanging=2)
    _write_alike(page, sorted(drift["changes"], key=lambda each: each["what"] != "verdict"), "scope", _change)
    _write_alike(page, drift["findings_new"], "scope", lambda each: f"{each['severity']} {each['id']} is new")
    _write_alike(page, drift["findings_gone"], "scope", lambda each: f"{each['severity']} {each['id']} is gone")
    _write_alike(
        page, drift["counters"], "node", lambda each: f"conntrack's counter {each['counter']} grew by {each['grown']}"
    )
    if len(page.lines) == begin:
        page.line("nothing changed", indent=2)


def _change(change: Mapping[str, Any]) -> str:
    before, after = (each if each is not None else "none" for each in (change["from"], change["to"]))
    return f"{change['what']} {before} -> {after}"


def _write_alike(
    page: Page, entries: Iterable[Mapping[str, Any]], whose: str, words: Callable[[Mapping[str, Any]], str]
) -> None:
    """The same of several nodes in one line; what is the plan's has its own."""
    alike = grouped(((each.get("scope_kind") == PLAN, words(each)), each[whose]) for each in entries)
    _write_some(page, [f"{named(names)}: {text}" for (_plan, text), names in alike.items()])


def _write_some(page: Page, lines: Sequence[Text], indent: int = 2) -> None:
    for line in lines[:_MOST]:
        page.line(line, indent, hanging=2)
    if len(lines) > _MOST:
        page.line(f"and {len(lines) - _MOST} more", indent)
