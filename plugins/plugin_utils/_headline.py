# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict in a word and a sentence, the same in a terminal and on the page. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._model import SAFE, UNKNOWN, UNSAFE
from ansible_collections.kubenode.connections.plugins.plugin_utils._names import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._page import columns, count, printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._text_nodes import (
    pods_at_risk,
    safe_until_reboot,
    sockets_at_risk,
)

Document = Mapping[str, Any]

_LONG_NAME = 24


def word(document: Document) -> str:
    """UNSAFE, UNKNOWN, UNSAFE AFTER A REBOOT or SAFE: of the nodes, their pods and open connections together."""
    if at_risk(document):
        return "UNSAFE"
    if document["verdict"] == UNKNOWN or pods_unknown(document):
        return "UNKNOWN"
    return "UNSAFE AFTER A REBOOT" if _boots(document) else "SAFE"


def kind(document: Document) -> str:
    """The verdict whose colour the word has."""
    return word(document).partition(" ")[0].lower()


def sentence(document: Document) -> str:
    """Who is affected, to follow the word: it begins small and has no full stop."""
    said, counts = word(document), document["counts"]["nodes"]
    if said == "UNSAFE":
        return f"idle connections at risk {_where(document)}{_others(document)}"
    if said == "UNKNOWN" and counts[UNKNOWN]:
        return f"whether idle connections are safe is not known on {_nodes(document, UNKNOWN)}"
    if said == "UNKNOWN":
        hidden = named(pods_unknown(document))
        return f"not all pods and connections could be read on {hidden}; the nodes themselves are safe"
    if said == "SAFE":
        return f"idle connections are safe on {_nodes(document, SAFE)}"
    return f"idle connections are safe, until a reboot of {_of(len(_boots(document)), document)}"


def at_risk(document: Document) -> bool:
    """Whether any node, pod or open connection is."""
    nodes = document["nodes"]
    return bool(document["verdict"] == UNSAFE or sum(map(pods_at_risk, nodes)) or sockets_at_risk(document, nodes))


def pods_unknown(document: Document) -> list[str]:
    """Where pods or their connections could not be read, or not all."""
    hidden = {each["scope"] for each in document["findings"] if each["id"] == "namespaces-not-read"}
    hidden.update(node["name"] for node in document["nodes"] if node["pods"] and node["pods"]["error"])
    return [node["name"] for node in document["nodes"] if node["name"] in hidden]


def _boots(document: Document) -> list[str]:
    return [node["name"] for node in document["nodes"] if safe_until_reboot(node)]


def _where(document: Document) -> str:
    """``on 1 of 3 nodes (1 unknown), in 2 of 2 pods``"""
    nodes, counts, seen = document["nodes"], document["counts"]["nodes"], document["counts"]["pods"]
    spaces = sum(pods_at_risk(node) for node in nodes if not node["pods"])
    unknown = f" ({counts[UNKNOWN]} unknown)" if counts[UNKNOWN] else ""
    places = [f"on {_nodes(document, UNSAFE)}{unknown}"] if counts[UNSAFE] else []
    if seen["at_risk"]:
        places.append(f"in {seen['at_risk']} of {count(seen['seen'], 'pod')}")
    if spaces:
        places.append(f"in {count(spaces, 'network namespace')} (pods)")
    if not places:
        places.append(f"on {count(sockets_at_risk(document, nodes), 'socket')} to services")
    return ", ".join(places)


def _others(document: Document) -> str:
    """What the part that is at risk must not hide."""
    counts, boots = document["counts"]["nodes"], _boots(document)
    told = []
    if not counts[UNSAFE]:
        told.append(f"{_nodes(document, UNKNOWN)} unknown" if counts[UNKNOWN] else "the nodes themselves are safe")
    if boots:
        told.append(f"{count(len(boots), 'node')} more after a reboot")
    return "".join(f"; {each}" for each in told)


def _nodes(document: Document, verdict: str) -> str:
    return _of(document["counts"]["nodes"][verdict], document)


def _of(number: int, document: Document) -> str:
    """``worker1``, ``all 3 nodes``, ``1 of 3 nodes``; no name that makes the line long."""
    nodes = document["nodes"]
    if len(nodes) == 1:
        name = str(nodes[0]["name"])
        return name if columns(printable(name)) <= _LONG_NAME else "the node"
    return f"all {len(nodes)} nodes" if number == len(nodes) else f"{number} of {len(nodes)} nodes"
