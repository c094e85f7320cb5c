# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes in a terminal: a table with one line for alike nodes. Private to this collection."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive, losses_text
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import UNKNOWN, UNSAFE, VERDICTS, count

from .. import coverage
from ..verdict import anything_at_risk, safe_until_reboot
from . import table
from .page import Page, Span, Text, plain, spans
from .table import NOTHING, Column, Row

Node = Mapping[str, Any]
Document = Mapping[str, Any]

_MOST_GROUPS = 20
_MOST_GROUPS_IN_BRIEF = 8
_WIDE_NAME = 20

_NO_FILE = "no file sets it: the kernel's default"


def write(page: Page, document: Document, brief: bool = False) -> None:
    """A line for each group of alike nodes, the worst first, and which places were looked at.

    ``brief``: where the verdict is bad enough without it, what was looked at is left out.
    """
    groups = _groups(document)
    domain = shared_domain([node["name"] for node in document["nodes"]])
    of_pods = any(node["pods"] for node in document["nodes"])
    header = (
        Column("NODE", least=12),
        Column("MODE"),
        Column("LIMIT", least=12),
        Column("KEEPALIVE"),
        Column("SPARE", right=True),
        Column("PODS" if of_pods else "NETNS", right=True),
        Column("SOCKETS", right=True),
        Column("VERDICT"),
    )
    page.blank()
    most = _MOST_GROUPS_IN_BRIEF if brief else _MOST_GROUPS
    table.write(page, header, [_row(nodes, document, domain, of_pods) for nodes in groups[:most]])
    if len(groups) > most:
        page.line(_more(groups[most:]))
    if legend := _legend(document, domain, of_pods):
        page.line(legend)
    looked = [] if brief and document["verdict"] == UNSAFE else coverage.seen(document)
    told = [*looked, *coverage.unseen(document)]
    if told:
        page.blank()
    for sentence in told:
        page.line(sentence)


def shared_domain(names: Sequence[str]) -> str:
    """``.example.org`` where all names end in it and it makes the table too wide, else nothing. Addresses have none."""
    domains = {name.partition(".")[2] for name in names}
    shared = domains.pop() if len(domains) == 1 else ""
    too_wide = max(map(len, names), default=0) > _WIDE_NAME
    return f".{shared}" if too_wide and shared and not shared.rpartition(".")[2].isdigit() else ""


def keepalive_words(keepalive: Mapping[str, Any] | None) -> str:
    """``600/30/9``, or that it was not read."""
    return keepalive_math.words(keepalive) or "not read"


def sources_words(sources: Sequence[str]) -> str:
    """``/etc/sysctl.d/k8s.conf:3,4,5`` of sources like ``FILE:LINE``."""
    lines = grouped((file, number) for file, _colon, number in (source.rpartition(":") for source in sources))
    return joined(", ", [f"{file}:{','.join(each)}" for file, each in lines.items()] or [_NO_FILE])


def _groups(document: Document) -> list[list[Node]]:
    alike = grouped((_looks(node, document), node) for node in document["nodes"])
    return sorted(alike.values(), key=lambda nodes: _badness(nodes[0]))


def _looks(node: Node, document: Document) -> str:
    """What is the same of alike nodes."""
    same = [node[key] for key in ("verdict", "mode", "observed", "spare_seconds")]
    notes = [plain(spans(note)) for note in _notes(node, document)]
    return json.dumps([same, notes, node["keepalive"]["live"], _limit(node, document), anything_at_risk(node)])


def _badness(node: Node) -> tuple[int, bool, bool]:
    return VERDICTS.index(node["verdict"]), not anything_at_risk(node), not safe_until_reboot(node)


def _row(nodes: Sequence[Node], document: Document, domain: str, of_pods: bool) -> Row:
    node = nodes[0]
    spare, verdict = node["spare_seconds"], node["verdict"]
    cells = (
        Span(named([each["name"].removesuffix(domain) for each in nodes])),
        Span(node["mode"] if node["observed"] else NOTHING),
        Span(_limit(node, document, domain)),
        Span(keepalive_words(node["keepalive"]["live"]) if node["observed"] else NOTHING),
        Span(tell("{seconds} s", seconds=spare) if spare is not None else NOTHING),
        _pods(nodes) if of_pods else _namespaces(nodes),
        _sockets(nodes),
        Span(verdict.upper(), verdict),
    )
    return Row(cells, list(_notes(node, document)))


def _limit(node: Node, document: Document, domain: str = "") -> str:
    """The limit that decides over the node, and whose it is: one of its own, another node's, or a middlebox's."""
    limit = document["limit"]
    if limit is None or not node["observed"]:
        return NOTHING
    own = {(each["seconds"], each["name"]) for each in node["limits"]}
    if limit["node"] and (limit["seconds"], limit["name"]) not in own:
        where = limit["node"].removesuffix(domain)
        return tell("{seconds} s {name} on {node}", seconds=limit["seconds"], name=limit["name"], node=where)
    return tell("{seconds} s {name}", seconds=limit["seconds"], name=limit["name"])


def _pods(nodes: Sequence[Node]) -> Span:
    looked = [node["pods"] for node in nodes if node["pods"]]
    return _of(sum(pods["at_risk"] for pods in looked), sum(pods["count"] for pods in looked))


def _namespaces(nodes: Sequence[Node]) -> Span:
    spaces = [node["namespaces"] for node in nodes if node["namespaces"] and node["namespaces"]["groups"]]
    others = [group["namespaces"] - group["own"] for each in spaces for group in each["groups"]]
    return _of(sum(each["unsafe"] for each in spaces), sum(others))


def _sockets(nodes: Sequence[Node]) -> Span:
    looked = [node["pods"]["totals"] for node in nodes if node["pods"]]
    return _of(sum(each["at_risk"] for each in looked), sum(each["to_services"] for each in looked))


def _of(at_risk: int, number: int) -> Span:
    return Span(f"{at_risk}/{number}", UNSAFE if at_risk else None) if number else Span(NOTHING)


def _short(node: Node, document: Document) -> str:
    """That the keepalive is in time, but not with as many lost probes as the policy wants."""
    live, limit = node["keepalive"]["live"], document["limit"]["seconds"]
    if node["spare_seconds"] is None or node["spare_seconds"] < 0 or live["latest_seconds"] <= limit:
        return ""
    keepalive = Keepalive(live["time"], live["intvl"], live["probes"])
    lost = document["policy"]["lost_probes"]
    return tell("kept {losses}; keepalive_lost_probes asks for {lost}", losses=losses_text(keepalive, limit), lost=lost)


def _notes(node: Node, document: Document) -> Iterator[Text]:
    """What the cells do not say."""
    spare, margin = node["spare_seconds"], document["policy"]["margin"]
    if node["verdict"] == UNKNOWN or (node["verdict"] == UNSAFE and spare is None):
        yield node["why"]
    elif node["keepalive"]["live"] and document["limit"] and (short := _short(node, document)):
        yield short
    elif spare is not None and 0 <= spare < margin:
        yield tell("{short} s less than keepalive_margin {margin}", short=margin - spare, margin=margin)
    if safe_until_reboot(node):
        boot, sources = node["keepalive"]["at_boot"], node["keepalive"]["boot_sources"]
        words = {"keepalive": keepalive_words(boot), "sources": sources_words(sources)}
        yield [Span("UNSAFE", UNSAFE), tell(" after a reboot: {keepalive} ({sources})", **words)]


def _more(groups: Sequence[Sequence[Node]]) -> str:
    nodes = [node["verdict"] for group in groups for node in group]
    counts = [
        tell("{number} {word}", number=nodes.count(verdict), word=verdict.upper())
        for verdict in VERDICTS
        if verdict in nodes
    ]
    return tell(
        "and {nodes} more in {groups} ({counts})",
        nodes=count(len(nodes), "node"),
        groups=count(len(groups), "group"),
        counts=joined(", ", counts),
    )


def _legend(document: Document, domain: str, of_pods: bool) -> str:
    """What the columns that are there mean."""
    told: list[str] = [] if document["limit"] is None else ["SPARE: to the limit, negative is too late."]
    seen = document["counts"]["pods"]["seen"] + document["counts"]["sockets"]["to_services"]
    if of_pods and seen:
        told.append("PODS, SOCKETS: at risk/seen.")
    elif not of_pods and _namespaces(document["nodes"]).text != NOTHING:
        told.append("NETNS (pods): too late/seen, not counted in VERDICT.")
    if any(node["observed"] and node["mode"] == "none" for node in document["nodes"]):
        told.append("MODE none: no kube-proxy.")
    if domain:
        told.append(tell("NODE: without {domain}.", domain=domain))
    return functools.reduce(lambda text, more: tell("{text} {more}", text=text, more=more), told) if told else ""
