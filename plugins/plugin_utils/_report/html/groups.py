# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's time lines: groups of alike nodes, and the keepalives to draw of them. Private to this collection."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

from ..node import keepalive_dict
from .alike import alike
from .lane import Lane, Mark
from .scale import Scale, scale_of
from .timeline import NARROW, WIDE, Drawing

Node = Mapping[str, Any]

_KEEPALIVE_KEYS = {f"net.ipv4.tcp_keepalive_{name}": name for name in ("time", "intvl", "probes")}

_MOST_OTHERS = 3

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


@dataclass(frozen=True)
class Picture:
    """The groups that are drawn, on one scale so that they can be compared, and how many are not."""

    groups: list[Group]
    scale: Scale
    more_nodes: int
    more_groups: int

    def drawings(self, lane: Lane) -> list[Drawing]:
        """For wide and for narrow screens."""
        return [Drawing(lane, self.scale, size) for size in (WIDE, NARROW)]


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
    others = [keepalive for keepalive, _number in _others(node)]
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
    others = [values for values, _number in _others(node)]
    same = f" and that of {_how_many(nodes, live, 'other network namespace')}" if live in others else ""
    yield lane("Now", f"the node's own{same}", live, now)
    for other in [values for values in others if values != live][:_MOST_OTHERS]:
        yield lane("Pods now", _how_many(nodes, other, "network namespace"), other, now)
    if keepalive["at_boot"] is not None and keepalive["at_boot"] != live:
        yield lane("After a reboot", "the node's own, as things stand", keepalive["at_boot"], now)
    if planned is not None and (planned != live or later != now):
        yield lane("Planned", "the node's own, once the plan is applied", planned, later)


def _others(node: Node) -> list[tuple[Mapping[str, Any], int]]:
    """Each keepalive of network namespaces besides the node's own, most of which are pods, and in how many it is.

    A group that is ``own`` holds the node's own namespace, and all others with the same values.
    """
    groups = [(group["keepalive"], group["namespaces"] - group["own"]) for group in _groups(node)]
    return [(keepalive, number) for keepalive, number in groups if number > 0]


def _groups(node: Node) -> Sequence[Mapping[str, Any]]:
    return node["namespaces"]["groups"] if node["namespaces"] else ()


def _how_many(nodes: Sequence[Node], keepalive: Mapping[str, Any] | None, noun: str) -> str:
    """In how many namespaces of each node a keepalive is: ``3 network namespaces``, ``1 to 7`` where nodes differ."""
    numbers = [sum(number for values, number in _others(node) if values == keepalive) for node in nodes]
    most = count(max(numbers), noun)
    return most if min(numbers) == max(numbers) else f"{min(numbers)} to {most}"


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
        names[lowest["seconds"]].append(f"{lowest['name']} on {lowest['node']}")
    else:
        names[lowest["seconds"]].append(lowest["name"])
    for limit in there:
        if limit["seconds"] >= lowest["seconds"] and limit["name"] not in names.setdefault(limit["seconds"], []):
            names[limit["seconds"]].append(limit["name"])
    return tuple(Mark(seconds, ", ".join(names[seconds]), seconds == lowest["seconds"]) for seconds in sorted(names))


def _before(node: Node) -> dict[str, int] | None:
    """The node's own keepalive before an apply, where that wrote all three values."""
    values = (node["applied"] or {"values": []})["values"]
    old = {_KEEPALIVE_KEYS.get(each["what"]): whole_number(each["before"]) for each in values}
    three = {name: number for name in _KEEPALIVE_KEYS.values() if (number := old.get(name)) is not None}
    return three if len(three) == len(_KEEPALIVE_KEYS) else None


def _three(keepalive: Mapping[str, Any] | None) -> dict[str, int] | None:
    return {name: keepalive[name] for name in _KEEPALIVE_KEYS.values()} if keepalive else None
