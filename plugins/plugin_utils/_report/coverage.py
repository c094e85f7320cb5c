# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which places the verdict rests on, and which it does not, in a line each. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import PLACES
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.cloud import NAMES as CLOUDS

Document = Mapping[str, Any]

_MOST = 3


def as_far(document: Document) -> str:
    """How far a verdict that all is safe reaches, a clause."""
    declared = [box["name"] for box in document["policy"]["middleboxes"]]
    clouds = sorted({CLOUDS[node["cloud"]["provider"]] for node in document["nodes"] if node["cloud"]})
    if declared:
        return tell("as far as the nodes show; declared: {middleboxes}", middleboxes=some(declared))
    if clouds:
        return tell("as far as the nodes show; no middlebox was declared on {clouds}", clouds=some(clouds))
    return "as far as the nodes show; no middlebox was declared"


def sentences(document: Document) -> Iterator[str]:
    """What was looked at on how many nodes, then what was not, where, and what would make it known."""
    yield from seen(document)
    yield from unseen(document)


def seen(document: Document) -> Iterator[str]:
    """What was looked at on how many nodes, in one sentence."""
    looked = grouped((place["place"], node["name"]) for node in document["nodes"] for place in node["coverage"]["seen"])
    alike = grouped((tuple(dict.fromkeys(looked[place])), words) for place, words in PLACES.items() if place in looked)
    if alike:
        told = [
            tell("{places} {on_nodes}", places=joined(", ", words), on_nodes=_on(names, document))
            for names, words in alike.items()
        ]
        yield tell("Looked at: {places}.", places=joined("; ", told))


def unseen(document: Document) -> Iterator[str]:
    """What was not looked at, where, and what would make it known."""
    several = not_looked_at(document)
    for places, names, do in several[:_MOST]:
        what = joined(", ", [PLACES[place] for place in places])
        yield tell("Not looked at: {places} on {nodes}. {do}", places=what, nodes=named(names), do=do)
    if len(several) > _MOST:
        yield tell("And {places}: see the findings.", places=count(len(several) - _MOST, "more such place"))


def not_looked_at(document: Document) -> list[tuple[tuple[str, ...], list[str], str]]:
    """Places, the nodes on which they were not looked at, and what would make them known; each of these once."""
    missing = grouped(
        ((each["place"], each["do"]), node["name"]) for node in document["nodes"] for each in _not_seen(node)
    )
    alike = grouped(((tuple(dict.fromkeys(names)), do), place) for (place, do), names in missing.items())
    return [(tuple(dict.fromkeys(places)), list(names), do) for (names, do), places in alike.items()]


def _not_seen(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return node["coverage"]["not_seen"] if node["observed"] else []


def _on(names: tuple[str, ...], document: Document) -> str:
    nodes = document["nodes"]
    if len(names) < len(nodes):
        return tell("on {number} of {all} nodes", number=len(names), all=len(nodes))
    return "on the node" if len(nodes) == 1 else tell("on all {number} nodes", number=len(nodes))
