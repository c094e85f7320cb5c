# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's time lines: groups of alike nodes, and the keepalives to draw of them. Private to this collection."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, plural, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNSAFE, count
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import CONTAINER, OTHER, POD

from ..node import keepalive_dict
from .alike import alike
from .lane import Lane, Mark
from .scale import Scale, scale_of
from .sentences import keepalive_words, whose
from .timeline import Head, Shape, axis_shapes, lane_shapes, legend_of

Node = Mapping[str, Any]

_KEEPALIVE_KEYS = {f"net.ipv4.tcp_keepalive_{name}": name for name in ("time", "intvl", "probes")}

_MOST_OTHERS = 3

_BOOT = "After a reboot"
_ANY = "any"

_TITLES = {
    POD: "Pods now",
    CONTAINER: "Containers now",
    OTHER: "Processes, not pods",
    _ANY: "Other namespaces now",
}
_COUNTED: Mapping[str, Callable[[int], Message]] = {
    POD: lambda number: count(number, "pod"),
    CONTAINER: lambda number: count(number, "container"),
    OTHER: lambda number: plural(
        "{number} network namespaces of no pod", "{number} network namespace of no pod", number
    ),
    _ANY: lambda number: count(number, "other network namespace"),
}

_Values = tuple[int, int, int]

_WORST = _LARGEST = 15
"""More groups than these are not drawn: each is some kilobytes, and the table of nodes has them all."""


@dataclass(frozen=True)
class Group:
    """Nodes that look alike in the picture, and what is drawn of them."""

    nodes: tuple[Node, ...]
    lanes: tuple[Lane, ...]

    @property
    def first(self) -> Node:
        return self.nodes[0]

    @property
    def names(self) -> list[str]:
        return [node["name"] for node in self.nodes]

    @property
    def limits(self) -> list[Mark]:
        """Those of all rows, the lowest first; one that decides in any of them decides."""
        marks: dict[tuple[int, str], Mark] = {}
        for mark in (mark for lane in self.lanes for mark in lane.limits):
            known = marks.get((mark.seconds, mark.name), mark)
            marks[mark.seconds, mark.name] = mark if mark.decides else known
        return sorted(marks.values(), key=lambda mark: mark.seconds)

    @property
    def exceptions(self) -> Iterator[str]:
        """Of a node that is safe: a sentence for each row that is not."""
        if self.first["verdict"] == SAFE:
            yield from (_exception(lane) for lane in self.lanes if lane.outcome[0] == UNSAFE)


@dataclass(frozen=True)
class Picture:
    """The groups that are drawn, on one scale so that they can be compared, and how many are not."""

    groups: list[Group]
    scale: Scale
    more_nodes: int
    more_groups: int

    @property
    def legend(self) -> list[str]:
        return legend_of(lane for group in self.groups for lane in group.lanes)

    def head(self, group: Group) -> Head:
        return Head(group.limits, self.scale)

    def row(self, lane: Lane) -> Iterator[Shape]:
        return lane_shapes(lane, self.scale)

    def axis(self) -> Iterator[Shape]:
        return axis_shapes(self.scale)


def picture_of(document: Mapping[str, Any]) -> Picture:
    """The worst groups and the largest of the others, in the report's order."""
    groups = groups_of(document)
    largest = sorted(groups[_WORST:], key=lambda group: -len(group.nodes))[:_LARGEST]
    drawn = [group for number, group in enumerate(groups) if number < _WORST or group in largest]
    more_nodes = len(document["nodes"]) - sum(len(group.nodes) for group in drawn)
    return Picture(drawn, scale_for(document, drawn), more_nodes, len(groups) - len(drawn))


def groups_of(document: Mapping[str, Any]) -> list[Group]:
    """All nodes, in the report's order: the worst first."""
    return [Group(tuple(nodes), tuple(_lanes(nodes, document))) for nodes in alike(document["nodes"], _looks)]


def scale_for(document: Mapping[str, Any], groups: Sequence[Group]) -> Scale:
    """On which all that is drawn has its place."""
    deciding = [limit["seconds"] for limit in (document["limit"], document["planned_limit"]) if limit]
    lanes = [lane for group in groups for lane in group.lanes]
    probes = [lane.keepalive["time"] for lane in lanes if lane.keepalive]
    return scale_of(deciding, [seconds for lane in lanes for seconds in lane.seconds()], probes)


def _looks(node: Node) -> str:
    """What decides how a node is drawn, as text."""
    limits = [(limit["seconds"], limit["name"]) for limit in node["limits"]]
    others = sorted(map(str, _others(node)))
    own = [node[name] for name in ("verdict", "verdict_after_boot", "mode", "observed")]
    drawn = [node["keepalive"][name] for name in ("live", "at_boot", "planned")]
    return json.dumps([own, drawn, limits, others, _before(node), bool(node["not_seen"])], sort_keys=True)


def _lanes(nodes: Sequence[Node], document: Mapping[str, Any]) -> Iterator[Lane]:
    """What is drawn of nodes that look alike; they may differ in how many namespaces they have."""
    node = nodes[0]
    keepalive, policy = node["keepalive"], document["policy"]
    now, later = _limits(node, document, node["limit"]), _limits(node, document, node["planned_limit"])
    live, planned = keepalive["live"], keepalive["planned"]

    def lane(title: str, whose: str, values: Mapping[str, Any] | None, limits: tuple[Mark, ...]) -> Lane:
        return Lane(title, whose, values, limits, policy["lost_probes"], policy["margin"], not node["not_seen"])

    before = _before(node)
    if before is not None and before != _three(live):
        values = keepalive_dict(Keepalive(**before), policy["lost_probes"])
        yield lane("Before", "the node's own, before the apply", values, now)
    others = _several(nodes)
    same = [number for (_kind, values), number in others.items() if values == _key(live)]
    yield lane("Now", _own(same), live, now)
    apart = [(kind, other, number) for (kind, other), number in others.items() if other != _key(live)]
    for kind, other, number in apart[:_MOST_OTHERS]:
        yield lane(_TITLES[kind], number, keepalive_dict(Keepalive(*other), policy["lost_probes"]), now)
    if keepalive["at_boot"] is not None and keepalive["at_boot"] != live:
        yield lane(_BOOT, "the node's own, as things stand", keepalive["at_boot"], now)
    if planned is not None and (planned != live or later != now):
        yield lane("Planned", "the node's own, once the plan is applied", planned, later)


def _exception(lane: Lane) -> str:
    values, outcome = keepalive_words(lane.keepalive), lane.outcome[1]
    told = {"keepalive": values, "outcome": outcome, "who": lane.whose}
    if lane.title == _BOOT:
        return tell("After a reboot the keepalive is {keepalive}: {outcome}.", **told)
    if lane.title == "Before":
        return tell("Before the apply the keepalive was {keepalive}: {outcome}.", **told)
    if lane.title == _TITLES[OTHER]:
        return tell(
            "The keepalive of {who} is {keepalive}, {outcome}. It counts only where such a namespace has a connection "
            "at risk.",
            **told,
        )
    return tell("The keepalive of {who} is {keepalive}, {outcome}. The verdict here is on the node's own.", **told)


def _own(same: Sequence[str]) -> str:
    if not same:
        return "the node's own"
    return tell("the node's own and that of {others}", others=joined(" and ", same))


def _key(keepalive: Mapping[str, Any] | None) -> _Values | None:
    return (keepalive["time"], keepalive["intvl"], keepalive["probes"]) if keepalive else None


def _several(nodes: Sequence[Node]) -> dict[tuple[str, _Values], Message]:
    """What besides the node itself has which keepalive, and how many they are: ``3 pods``, ``1 to 7 pods``."""
    each = [_others(node) for node in nodes]
    return {key: _how_many(key[0], [others.get(key, 0) for others in each]) for key in each[0]}


def _others(node: Node) -> dict[tuple[str, _Values], int]:
    """How many namespaces besides the node's own have which keepalive; of which kind, where all of them are listed.

    A group that is ``own`` holds the node's own namespace, and all others with the same values.
    """
    pods = node["pods"]
    listed = [(row["kind"], _key(row["keepalive"])) for row in pods["rows"]] if pods and not pods["omitted"] else None
    found: dict[tuple[str, _Values], int] = {}
    for group in node["namespaces"]["groups"] if node["namespaces"] else ():
        values, number = _key(group["keepalive"]), group["namespaces"] - group["own"]
        if values is None:
            continue
        kinds = {kind: listed.count((kind, values)) for kind in (POD, CONTAINER)} if listed is not None else {}
        kinds[OTHER if listed is not None else _ANY] = number - sum(kinds.values())
        found.update({(kind, values): there for kind, there in kinds.items() if there > 0})
    return found


def _how_many(kind: str, numbers: Sequence[int]) -> Message:
    most = _COUNTED[kind](max(numbers))
    return most if min(numbers) == max(numbers) else tell("{fewest} to {most}", fewest=min(numbers), most=most)


def _limits(node: Node, document: Mapping[str, Any], lowest: Mapping[str, Any] | None) -> tuple[Mark, ...]:
    """What forgets a connection of this node, lowest first; the lowest may be another node's, which it crosses.

    ``lowest`` is the node's limit or planned_limit: what is below the planned one will have been raised.
    """
    if lowest is None:
        return ()
    there = [*node["limits"], *(limit for limit in document["limits"] if limit["node"] is None)]
    names: dict[int, list[str]] = {lowest["seconds"]: []}
    own = {(limit["seconds"], limit["name"]) for limit in there}
    if (lowest["seconds"], lowest["name"]) not in own and lowest["node"] not in (None, node["name"]):
        names[lowest["seconds"]].append(whose(lowest))
    else:
        names[lowest["seconds"]].append(lowest["name"])
    for limit in there:
        if limit["seconds"] >= lowest["seconds"] and limit["name"] not in names.setdefault(limit["seconds"], []):
            names[limit["seconds"]].append(limit["name"])
    return tuple(Mark(seconds, joined(", ", names[seconds]), seconds == lowest["seconds"]) for seconds in sorted(names))


def _before(node: Node) -> dict[str, int] | None:
    """The node's own keepalive before an apply, where that wrote all three values."""
    values = (node["applied"] or {"values": []})["values"]
    old = {_KEEPALIVE_KEYS.get(each["what"]): whole_number(each["before"]) for each in values}
    three = {name: number for name in _KEEPALIVE_KEYS.values() if (number := old.get(name)) is not None}
    return three if len(three) == len(_KEEPALIVE_KEYS) else None


def _three(keepalive: Mapping[str, Any] | None) -> dict[str, int] | None:
    return {name: keepalive[name] for name in _KEEPALIVE_KEYS.values()} if keepalive else None
