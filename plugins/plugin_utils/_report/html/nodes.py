# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's table of nodes, and what could not be read on them. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .markup import Child, Markup, join, tag
from .parts import NOTHING, Cell, Row, badge, keepalive_words, name, prose, section, spare_words, table

Node = Mapping[str, Any]

_COLUMNS = (
    "Node",
    "Verdict",
    "To the limit",
    "After a reboot",
    "Mode",
    "Limits",
    "Keepalive",
    "Planned",
    "Pods at risk",
)

_ORDER = {"unsafe": 0, "unknown": 1, "safe": 2}


def part(document: Mapping[str, Any]) -> Markup:
    rows = [_row(node, document["policy"]["margin"]) for node in document["nodes"]]
    return section("nodes", "Nodes", table("Every node", _COLUMNS, rows, "node"), _unread(document))


def _row(node: Node, margin: int) -> Row:
    keepalive, pods, spare = node["keepalive"], node["pods"], node["spare_seconds"]
    lowest = node["limits"][0]["seconds"] if node["limits"] else -1
    return Row(
        [
            Cell(_named(node), node["name"]),
            Cell(badge(node["verdict"]), _ORDER[node["verdict"]]),
            Cell(spare_words(spare, margin), -(10**18) if spare is None else spare),
            Cell(badge(node["verdict_after_boot"]), _ORDER[node["verdict_after_boot"]]),
            Cell(node["mode"]),
            Cell(_limits(node), lowest),
            Cell(keepalive_words(keepalive["live"]), _time(keepalive["live"])),
            Cell(keepalive_words(keepalive["planned"]), _time(keepalive["planned"])),
            Cell(f"{pods['at_risk']} of {pods['count']}" if pods else NOTHING, pods["at_risk"] if pods else -1),
        ],
        node["verdict"],
    )


def _named(node: Node) -> Markup:
    about = [each for each in (node["kernel"], node["container"] and f"in a container ({node['container']})") if each]
    return tag("div", name(node["name"]), tag("span", ", ".join(about), class_="small") if about else None)


def _limits(node: Node) -> Child:
    limits = [tag("li", f"{limit['seconds']} s {limit['name']}") for limit in node["limits"]]
    unread = [tag("li", f"{each['name']} not known") for each in node["not_seen"]]
    return tag("ul", *limits, *unread) if limits or unread else "none"


def _time(keepalive: Mapping[str, Any] | None) -> int:
    return keepalive["time"] if keepalive else -1


def _unread(document: Mapping[str, Any]) -> Markup | None:
    """What was noted or could not be read, the same on several nodes as one."""
    said: dict[tuple[str, str], list[str]] = {}
    for node in document["nodes"]:
        texts = [(f"{each['what']}: {each['why']}", each["do"]) for each in node["problems"]]
        texts += [(f"{each['name']}: {each['why']}", "") for each in node["not_seen"]]
        for text in [*texts, *((note, "") for note in node["notes"])]:
            said.setdefault(text, []).append(node["name"])
    if not said:
        return None
    lines = [tag("li", _who(nodes), ": ", prose(f"{what} {do}".strip())) for (what, do), nodes in said.items()]
    return tag("div", tag("h3", "Notes, and what could not be read"), tag("ul", *lines), class_="note")


def _who(nodes: list[str]) -> Markup:
    few = join([name(each) for each in nodes[:3]], ", ")
    return few if len(nodes) <= 3 else join([few, f" and {len(nodes) - 3} more"])
