# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which places the verdict rests on, and which it does not, in a line each. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
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
        return f"as far as the nodes show; declared: {some(declared)}"
    return f"as far as the nodes show; no middlebox was declared{f' on {some(clouds)}' if clouds else ''}"


def sentences(document: Document) -> Iterator[str]:
    """What was looked at on how many nodes, then what was not, where, and what would make it known."""
    seen = grouped((place["place"], node["name"]) for node in document["nodes"] for place in node["coverage"]["seen"])
    alike = grouped((tuple(dict.fromkeys(seen[place])), words) for place, words in PLACES.items() if place in seen)
    if alike:
        told = [f"{', '.join(words)} {_on(names, document)}" for names, words in alike.items()]
        yield f"Looked at: {'; '.join(told)}."
    unseen = grouped(
        ((each["place"], each["do"]), node["name"]) for node in document["nodes"] for each in _not_seen(node)
    )
    for (place, do), names in list(unseen.items())[:_MOST]:
        yield f"Not looked at: {PLACES[place]} on {named(list(dict.fromkeys(names)))}. {do}"
    if len(unseen) > _MOST:
        yield f"And {count(len(unseen) - _MOST, 'more such place')}: see the findings."


def _not_seen(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return node["coverage"]["not_seen"] if node["observed"] else []


def _on(names: tuple[str, ...], document: Document) -> str:
    nodes = document["nodes"]
    if len(names) < len(nodes):
        return f"on {len(names)} of {count(len(nodes), 'node')}"
    return "on the node" if len(nodes) == 1 else f"on all {len(nodes)} nodes"
