# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not safe beside the nodes' own keepalive: pods and others, by node and by cause. Private."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, VERDICTS, count
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import CONTAINER, NODE, OTHER, POD

from .alike import alike
from .sentences import connections_not_safe

Document = Mapping[str, Any]
Node = Mapping[str, Any]
Row = Mapping[str, Any]

_TITLES = {POD: "Pods", CONTAINER: "Containers", NODE: "The node itself", OTHER: "Processes, not pods"}
"""In the order in which they stand on the page."""

_SEEN = 8
"""So many rows of a kind are seen at once."""

_OPEN = 24
"""Nodes are unfolded until so many rows are seen at once, the first one in any case."""


@dataclass(frozen=True)
class Kind:
    """Rows of one cause, all pods or all something else, the worst first."""

    title: str
    rows: list[Row]

    @property
    def seen(self) -> list[Row]:
        return self.rows[:_SEEN]

    @property
    def folded(self) -> list[Row]:
        return self.rows[_SEEN:]


@dataclass(frozen=True)
class Cause:
    """Rows of one node that are not safe for the same reason, which is a clause."""

    why: str
    kinds: list[Kind]

    @property
    def rows(self) -> list[Row]:
        return [row for kind in self.kinds for row in kind.rows]

    @property
    def verdict(self) -> str:
        """The worst."""
        return min((str(row["verdict"]) for row in self.rows), key=VERDICTS.index)

    @property
    def counts(self) -> bool:
        """Whether the verdict counts it: values of no pod do only where a connection is at risk with them."""
        return any(row["kind"] != OTHER or row["at_risk"] for row in self.rows)

    @property
    def connections(self) -> str:
        """Those of all rows that are at risk or not decided; empty where there are none."""
        return connections_not_safe(self.rows)


@dataclass(frozen=True)
class AtNode:
    """One node's causes; ``opened``: whether they are seen at once."""

    node: Node
    causes: list[Cause]
    opened: bool

    @property
    def rows(self) -> int:
        return sum(len(cause.rows) for cause in self.causes)

    @property
    def counts(self) -> str:
        """``6 of 7 pods, 20 of 28 connections to services at risk``"""
        pods, totals = self.node["pods"], self.node["pods"]["totals"]
        told = [_of(pods["at_risk"], count(pods["count"], "pod"))]
        if pods["containers"]:
            told.append(_of(pods["containers_at_risk"], count(pods["containers"], "container")))
        if totals["to_services"]:
            told.append(
                tell("{number} of {all} connections to services", number=totals["at_risk"], all=totals["to_services"])
            )
        if totals["to_outside"]:
            numbers = {"number": totals["outside_at_risk"], "all": totals["to_outside"]}
            told.append(tell("{number} of {all} connections to other addresses", **numbers))
        return tell("{things} at risk", things=joined(", ", told))


def risks_of(document: Document) -> list[AtNode]:
    """Each node with something that is not safe, in the report's order."""
    return list(_opened_first((node, causes) for node in document["nodes"] if (causes := _causes(node))))


def _opened_first(several: Iterable[tuple[Node, list[Cause]]]) -> Iterator[AtNode]:
    rows = 0
    for node, causes in several:
        here = sum(len(kind.seen) for cause in causes for kind in cause.kinds)
        opened = not rows or rows + here <= _OPEN
        rows += here if opened else _OPEN
        yield AtNode(node, causes, opened)


def _causes(node: Node) -> list[Cause]:
    rows = [row for row in (node["pods"] or {"rows": ()})["rows"] if row["verdict"] != SAFE]
    return [Cause(_why(same[0]), list(_kinds(same))) for same in alike(rows, _why)]


def _kinds(rows: list[Row]) -> Iterator[Kind]:
    for kind, title in _TITLES.items():
        some = [row for row in rows if row["kind"] == kind]
        if some:
            yield Kind(title, some)


def _why(row: Row) -> str:
    """Why its keepalive is as it is; what could not be read says each row for itself."""
    if row["keepalive"] is None and row["error"]:
        return "the keepalive could not be read"
    # Reports of earlier releases have the whole reason only, which counts the row's connections, too.
    told: str | None = row.get("keepalive_why")
    return str(row["why"]).partition("; ")[0] if told is None else told


def _of(number: int, all_of_them: Message) -> Message:
    return tell("{number} of {things}", number=number, things=all_of_them)
