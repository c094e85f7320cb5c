# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is at risk, counted once, and the verdict in a word and a sentence; every format takes it from here. Private."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, plural, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import (
    SAFE,
    UNKNOWN,
    UNSAFE,
    VERDICTS,
    columns,
    count,
    printable,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import SEVERITIES
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import NODE

from . import coverage

Document = Mapping[str, Any]
Node = Mapping[str, Any]

OUTSIDE = ("to_outside", "outside_without_keepalive", "outside_at_risk", "outside_undecided", "outside_kept_by_server")
_TO_SERVICES = ("to_services", "without_keepalive", "in_flight", "late", "undecided", "kept_by_server", "at_risk")
SOCKETS = ("connections", *_TO_SERVICES, *OUTSIDE)
"""What is counted of connections, of a node and of all of them."""

_LONG_NAME = 24


def counts_of(nodes: Sequence[Node], findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The ``counts`` of a document, of its nodes and its findings. What was not looked at counts nothing."""
    counting = [finding["severity"] for finding in findings if finding["silenced"] is None]
    verdicts = [node["verdict"] for node in nodes]
    looked = [node["pods"] for node in nodes if node["pods"]]
    unnamed = [node["namespaces"] for node in nodes if node["namespaces"] and not node["pods"]]
    return {
        "nodes": {verdict: verdicts.count(verdict) for verdict in VERDICTS},
        "safe_until_reboot": sum(map(safe_until_reboot, nodes)),
        "findings": {severity: counting.count(severity) for severity in SEVERITIES},
        "silenced": len(findings) - len(counting),
        "changes": sum(len(node["changes"]) for node in nodes),
        "pods": {
            "seen": sum(pods["count"] for pods in looked),
            "at_risk": sum(pods["at_risk"] for pods in looked),
        },
        "containers": {
            "seen": sum(pods["containers"] for pods in looked),
            "at_risk": sum(pods["containers_at_risk"] for pods in looked),
        },
        "namespaces": {
            "of_no_pod": sum(pods["others_at_risk"] for pods in looked),
            "unnamed": sum(each["unsafe"] for each in unnamed),
        },
        "sockets": {name: sum(pods["totals"][name] for pods in looked) for name in SOCKETS},
    }


def verdict_of(nodes: Sequence[Node], counts: Mapping[str, Any]) -> str:
    """The verdict on the nodes, their pods and open connections together, as of now."""
    if counts["nodes"][UNSAFE] or _besides_nodes(counts):
        return UNSAFE
    return UNKNOWN if counts["nodes"][UNKNOWN] or _pods_unknown(nodes) else SAFE


def sockets_at_risk(totals: Mapping[str, int], limit: object) -> int:
    """Of a node's connections to services those that nothing probes, or too late; none where nothing forgets them."""
    return totals["without_keepalive"] + totals["late"] if limit else 0


def safe_until_reboot(node: Node) -> bool:
    return bool(node["verdict"] == SAFE and node["verdict_after_boot"] == UNSAFE)


def anything_at_risk(node: Node) -> bool:
    """Whether a pod or another network namespace of the node is at risk; its own does not count."""
    pods, spaces = node["pods"], node["namespaces"]
    if pods:
        return bool(pods["at_risk"] or pods["containers_at_risk"] or pods["others_at_risk"])
    return bool(spaces and spaces["unsafe"])


def word(document: Document) -> str:
    """UNSAFE, UNKNOWN, UNSAFE AFTER A REBOOT or SAFE."""
    if document["verdict"] == SAFE and document["counts"]["safe_until_reboot"]:
        return "UNSAFE AFTER A REBOOT"
    return str(document["verdict"]).upper()


def kind(document: Document) -> str:
    """The verdict whose colour the word has."""
    return word(document).partition(" ")[0].lower()


def sentence(document: Document) -> str:
    """Who is affected, to follow the word: it begins small and has no full stop."""
    said, counts = word(document), document["counts"]["nodes"]
    if said == "UNSAFE":
        return joined("; ", [tell("idle connections at risk {where}", where=_where(document)), *_others(document)])
    if said == "UNKNOWN" and counts[UNKNOWN]:
        return tell("whether idle connections are safe is not known on {nodes}", nodes=_nodes(document, UNKNOWN))
    if said == "UNKNOWN":
        hidden = named(pods_unknown(document))
        return tell(
            "not all pods and connections could be read on {nodes}; the nodes themselves are safe", nodes=hidden
        )
    if said == "SAFE":
        nodes = _nodes(document, SAFE)
        return tell("idle connections are safe on {nodes}, {as_far}", nodes=nodes, as_far=coverage.as_far(document))
    nodes = _of(document["counts"]["safe_until_reboot"], document)
    return tell("idle connections are safe, until a reboot of {nodes}", nodes=nodes)


def beside(document: Document) -> list[str]:
    """Whom the verdict is not about, in sentences."""
    others = document["other_hosts"]
    told = [document["left_out"]["sentence"]] if document["left_out"]["sentence"] else []
    if others:
        told.append(
            plural(
                "{number} hosts are no nodes of a cluster (no kubelet, kube-proxy, container runtime, IPVS service or "
                "lvs_timeouts of keepalived) and not counted: {names}. keepalive_every_host: true counts them, too.",
                "{number} host is no node of a cluster (no kubelet, kube-proxy, container runtime, IPVS service or "
                "lvs_timeouts of keepalived) and not counted: {names}. keepalive_every_host: true counts them, too.",
                len(others),
                names=named(others),
            )
        )
    return told


def whose_keepalive(document: Document) -> Message:
    """Who is at risk besides the nodes' settings: ``pods and programs on the nodes themselves``."""
    counts = document["counts"]
    spaces = counts["namespaces"]
    told = [
        (counts["pods"]["at_risk"] or spaces["unnamed"], tell("pods")),
        (counts["containers"]["at_risk"], tell("containers")),
        (spaces["of_no_pod"], tell("network namespaces of no pod")),
        (_own_programs(document), tell("programs on the nodes themselves")),
    ]
    return joined(" and ", [words for at_risk, words in told if at_risk] or [tell("open connections")])


def _own_programs(document: Document) -> bool:
    """Whether a connection of a node's own network namespace is at risk: of a daemon, or of a hostNetwork pod."""
    rows = (row for node in document["nodes"] if node["pods"] for row in node["pods"]["rows"])
    return any(row["at_risk"] and row["kind"] == NODE for row in rows)


def pods_unknown(document: Document) -> list[str]:
    """Where pods or their connections could not be read, or not all."""
    return _pods_unknown(document["nodes"])


def _pods_unknown(nodes: Sequence[Node]) -> list[str]:
    return [
        node["name"]
        for node in nodes
        if (node["namespaces"] and not _complete(node["namespaces"])) or (node["pods"] and node["pods"]["error"])
    ]


def _complete(namespaces: Mapping[str, Any]) -> bool:
    return bool(namespaces["groups"]) and not namespaces["unreadable"] and namespaces["error"] is None


def _besides_nodes(counts: Mapping[str, Any]) -> bool:
    """Whether pods, containers, other namespaces or open connections are at risk."""
    inside = counts["pods"]["at_risk"] or counts["containers"]["at_risk"] or any(counts["namespaces"].values())
    return bool(inside or counts["sockets"]["at_risk"] or counts["sockets"]["outside_at_risk"])


def _where(document: Document) -> str:
    """``on 1 of 3 nodes (1 unknown), in 2 of 2 pods``"""
    counts = document["counts"]
    nodes, spaces = counts["nodes"], counts["namespaces"]
    places: list[str] = []
    if nodes[UNSAFE]:
        at_risk, unknown = _nodes(document, UNSAFE), nodes[UNKNOWN]
        on = tell("on {nodes} ({unknown} unknown)" if unknown else "on {nodes}", nodes=at_risk, unknown=unknown)
        places.append(on)
    for kind, noun in (("pods", "pod"), ("containers", "container")):
        if counts[kind]["at_risk"]:
            seen = count(counts[kind]["seen"], noun)
            places.append(tell("in {number} of {seen}", number=counts[kind]["at_risk"], seen=seen))
    if spaces["of_no_pod"]:
        places.append(tell("in {namespaces} of no pod", namespaces=count(spaces["of_no_pod"], "network namespace")))
    if spaces["unnamed"]:
        places.append(tell("in {namespaces} (pods)", namespaces=count(spaces["unnamed"], "network namespace")))
    return joined(", ", places or _sockets(counts["sockets"]))


def _sockets(sockets: Mapping[str, int]) -> list[str]:
    to_services, outside = count(sockets["at_risk"], "socket"), count(sockets["outside_at_risk"], "socket")
    told = [tell("on {sockets} to services", sockets=to_services)] if sockets["at_risk"] else []
    more = [tell("on {sockets} to other addresses", sockets=outside)] if sockets["outside_at_risk"] else []
    return [*told, *more]


def _others(document: Document) -> list[str]:
    """What is not at risk now, so that the rest of the sentence does not hide it."""
    nodes, boots = document["counts"]["nodes"], document["counts"]["safe_until_reboot"]
    told: list[str] = []
    if not nodes[UNSAFE] and nodes[UNKNOWN]:
        told.append(tell("{nodes} unknown", nodes=_nodes(document, UNKNOWN)))
    elif not nodes[UNSAFE]:
        own = _own_programs(document)
        told.append("the keepalive of the nodes themselves is safe" if own else "the nodes themselves are safe")
    if boots:
        told.append(tell("{nodes} more after a reboot", nodes=count(boots, "node")))
    return told


def _nodes(document: Document, verdict: str) -> str:
    return _of(document["counts"]["nodes"][verdict], document)


def _of(number: int, document: Document) -> str:
    """``worker1``, ``all 3 nodes``, ``1 of 3 nodes``; no name that makes the line long."""
    nodes = document["nodes"]
    if len(nodes) == 1:
        name = str(nodes[0]["name"])
        return name if columns(printable(name)) <= _LONG_NAME else "the node"
    if number == len(nodes):
        return tell("all {number} nodes", number=number)
    return tell("{number} of {all} nodes", number=number, all=len(nodes))
