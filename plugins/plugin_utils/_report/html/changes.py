# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's before and after: what an apply did or would do, and what changed since an earlier report. Private."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .markup import Child, Markup, tag
from .parts import NOTHING, Cell, Row, badge, heading, name, prose, section, table

Node = Mapping[str, Any]


def part(document: Mapping[str, Any]) -> Markup | None:
    """What was changed, and what still is to be; None where there is neither."""
    nodes = document["nodes"]
    applied = [_applied(same) for same in _alike([node for node in nodes if node["applied"]], _outcome)]
    planned = [_planned(same) for same in _alike([node for node in nodes if node["changes"]], _wanted)]
    if not applied and not planned:
        return None
    done = [tag("h3", "Would have been changed" if document["check_mode"] else "Changed"), *applied] if applied else []
    wanted = [tag("h3", "To be changed by an apply"), *planned] if planned else []
    return section("changes", "Before and after", *done, *wanted)


def _alike(nodes: Sequence[Node], shown: Callable[[Node], object]) -> list[list[Node]]:
    """Nodes of which all that is shown is the same."""
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        groups.setdefault(json.dumps(shown(node), sort_keys=True), []).append(node)
    return list(groups.values())


def _outcome(node: Node) -> object:
    return [node["applied"], node["verdict"]]


def _wanted(node: Node) -> object:
    return [node["changes"], _owners(node)]


def _owners(node: Node) -> dict[str, str]:
    """Who sets the values that are to be changed."""
    changed = [change["key"] for change in node["changes"]]
    return {key: owner for key, owner in node["owners"].items() if key in changed}


def _who(nodes: Sequence[Node]) -> Markup:
    return heading("h4", [node["name"] for node in nodes])


def _applied(nodes: Sequence[Node]) -> Markup:
    node, applied = nodes[0], nodes[0]["applied"]
    verdicts = None
    if applied["verdict_before"]:
        verdicts = tag("p", badge(applied["verdict_before"]), " → ", badge(node["verdict"]), class_="badges")
    values = [each for each in applied["values"] if each["kind"] != "file" and each["changed"]]
    files = [each for each in applied["values"] if each["kind"] == "file" and each["changed"]]
    error = tag("p", badge("critical", "failed"), " ", prose(applied["error"])) if applied["error"] else None
    listed = table("Values before and after", ("Value", "Before", "After"), [_value(each) for each in values])
    notes = tag("ul", *(tag("li", prose(note)) for note in applied["notes"])) if applied["notes"] else None
    nothing = None if values or files or error else tag("p", "Nothing had to be changed.", class_="small")
    return tag(
        "article",
        _who(nodes),
        verdicts,
        error,
        listed if values else None,
        *(_file(each) for each in files),
        nothing,
        notes,
        class_="change",
    )


def _value(value: Mapping[str, Any]) -> Row:
    return Row([Cell(tag("code", value["what"])), Cell(_shown(value["before"])), Cell(_shown(value["after"]))])


def _shown(value: str | None) -> Child:
    return tag("code", value) if value is not None else "not there"


def _file(file: Mapping[str, Any]) -> Markup:
    """A file as a diff; its lines are a node's, so each is escaped for itself."""
    before, after = (file[when].splitlines() if file[when] is not None else [] for when in ("before", "after"))
    lines = list(_diff(before, after))
    state = " (new)" if file["before"] is None else " (removed)" if file["after"] is None else ""
    shown = tag("pre", *(tag("span", line, class_=kind) for kind, line in lines), tabindex=0)
    return tag("div", tag("p", tag("code", file["what"]), state), shown, class_="file")


def _diff(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    kinds = {"+": "added", "-": "removed"}
    for number, line in enumerate(difflib.unified_diff(before, after, lineterm="")):
        if number >= 2 and not line.startswith("@@"):
            yield kinds.get(line[:1], "kept"), line


def _planned(nodes: Sequence[Node]) -> Markup:
    owners = _owners(nodes[0])
    rows = [
        Row(
            [
                Cell(tag("code", change["what"])),
                Cell(tag("code", change["from"])),
                Cell(tag("code", change["to"])),
                Cell(prose(change["why"])),
                Cell(prose(owners[change["key"]]) if change["key"] in owners else NOTHING),
            ]
        )
        for change in nodes[0]["changes"]
    ]
    columns = ("Value", "Now", "Planned", "Why", "Who sets it now")
    return tag("article", _who(nodes), table("Values now and as planned", columns, rows), class_="change")


def drift(document: Mapping[str, Any]) -> Markup | None:
    """What is different from the earlier report that this one was compared with."""
    known = document["drift"]
    if not known:
        return None
    rows = [_drifted(change) for change in known["changes"]]
    parts = [
        table("Values then and now", ("Where", "What", "Then", "Now"), rows) if rows else None,
        _listed("New nodes", [name(each) for each in known["nodes_new"]]),
        _listed("Nodes gone", [name(each) for each in known["nodes_gone"]]),
        _listed("New findings", [_finding(each) for each in known["findings_new"]]),
        _listed("Findings gone", [_finding(each) for each in known["findings_gone"]]),
        _listed("Counters that grew", [_counter(each) for each in known["counters"]]),
    ]
    if not any(parts):
        parts = [tag("p", "Nothing.")]
    return section("drift", f"What changed since {known['since'].replace('T', ' ').replace('Z', ' UTC')}", *parts)


def _drifted(change: Mapping[str, Any]) -> Row:
    then, now = (Cell(_shown(change[which])) for which in ("from", "to"))
    return Row([Cell(name(change["scope"])), Cell(prose(change["what"])), then, now])


def _listed(title: str, items: Sequence[Child]) -> Markup | None:
    listed = tag("ul", *(tag("li", item) for item in items))
    return tag("div", tag("h3", title), listed, class_="note") if items else None


def _finding(finding: Mapping[str, Any]) -> Markup:
    return tag(
        "span",
        badge(finding["severity"]),
        " ",
        tag("code", finding["id"]),
        " ",
        name(finding["scope"]),
        ": ",
        prose(finding["observed"]),
    )


def _counter(counter: Mapping[str, Any]) -> Markup:
    grown = f"{counter['from']} → {counter['to']} (+{counter['grown']})"
    return tag("span", name(counter["node"]), ": ", tag("code", counter["counter"]), f" {grown}")
