# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods and sockets at risk by name, in a terminal. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

from ..verdict import pods_unknown
from .nodes import keepalive_words
from .page import UNSAFE, Page, Span

Document = Mapping[str, Any]
Row = Mapping[str, Any]

_MOST = 10
_MOST_SERVICES = 3
_MOST_IDLE = 3

_SOON = ("300", "60")
"""Seconds of the document's cut_within that a person can still do something in."""


def write(page: Page, document: Document) -> None:
    """Those with most connections at risk first; nothing where there are none."""
    looked = [node for node in document["nodes"] if node["pods"]]
    counts, sockets = document["counts"], document["counts"]["sockets"]
    namespaces = counts["pods"]["seen"] or counts["containers"]["seen"]
    if not namespaces and not sockets["to_services"] and not sockets["to_outside"]:
        return
    page.heading(_counts(document))
    if counts["nodes"][UNSAFE]:
        _write_soon(page, document)
    rows = [(node["name"], row) for node in looked for row in node["pods"]["rows"] if row["at_risk"]]
    rows.sort(key=lambda each: -_late(each[1]))
    for node, row in rows[:_MOST]:
        _write_row(page, row, "" if len(document["nodes"]) == 1 else f" on {node}")
    _write_hidden(page, counts, [row["kind"] for _node, row in rows[:_MOST]])
    for node in looked:
        if node["pods"]["error"]:
            page.line(f"{node['name']}: not all could be read: {node['pods']['error']}", indent=2, hanging=2)


def _write_hidden(page: Page, counts: Mapping[str, Any], shown: Sequence[str]) -> None:
    """Those at risk that are not listed one by one."""
    more = [
        (counts["pods"]["at_risk"] - shown.count("pod"), "pod"),
        (counts["containers"]["at_risk"] - shown.count("container"), "container"),
        (counts["namespaces"]["of_no_pod"] - shown.count("other"), "network namespace"),
    ]
    told = " and ".join(count(number, noun) for number, noun in more if number > 0)
    if told:
        page.line(f"and {told} more", indent=2)


def _counts(document: Document) -> str:
    pods, containers, sockets = (document["counts"][what] for what in ("pods", "containers", "sockets"))
    late = sockets["at_risk"]
    to_services = f"{count(sockets['to_services'], 'connection')} to services"
    to_services += f", {sockets['undecided']} undecided" if sockets["undecided"] else ""
    by_server = sockets["kept_by_server"] + sockets["outside_kept_by_server"]
    kept = f", {by_server} kept by the server's probes" if by_server else ""
    if not pods["at_risk"] and not containers["at_risk"] and not late and not sockets["outside_at_risk"]:
        readable = ", of those that could be read" if pods_unknown(document) else ""
        others = f", none of {sockets['to_outside']} to other addresses" if sockets["to_outside"] else ""
        of_containers = f" and {count(containers['seen'], 'container')}" if containers["seen"] else ""
        seen = f"{count(pods['seen'], 'pod')}{of_containers}"
        return f"Pods and sockets: none of {seen} at risk, none of {to_services}{others}{kept}{readable}"
    others = f", {sockets['outside_at_risk']} of {sockets['to_outside']} to other addresses"
    boxes = f", {containers['at_risk']} of {count(containers['seen'], 'container')}" if containers["seen"] else ""
    at_risk = f"{pods['at_risk']} of {count(pods['seen'], 'pod')}{boxes}, {late} of {to_services}"
    return f"Pods and sockets at risk: {at_risk}{others if sockets['to_outside'] else ''}{kept}"


def _write_soon(page: Page, document: Document) -> None:
    tables = [cut for node in document["nodes"] if (cut := (node["ipvs"] or {}).get("cut_within"))]
    soon = [(seconds, sum(cut.get(seconds, 0) for cut in tables)) for seconds in _SOON]
    told = ", ".join(f"{number} within {seconds} s" for seconds, number in soon if number)
    if told:
        text = f"IPVS forgets established connections if nothing is sent: {told}{_next(document['nodes'])}"
        page.line(text, indent=2, hanging=2)


def _next(nodes: Sequence[Mapping[str, Any]]) -> str:
    """Which ones are first, where there is one node only: ``; first 10.1.0.2:39002 to 10.96.0.10:80 in 40 s``"""
    idlest = nodes[0]["ipvs"]["idlest"][:_MOST_IDLE] if len(nodes) == 1 else []
    told = [f"{each['client']} to {each['service']} in {each['seconds_left']} s" for each in idlest]
    return f"; first {', '.join(told)}" if told else ""


def _late(row: Row) -> int:
    return int(row["without_keepalive"] + row["late"] + sum(each["at_risk"] for each in row["outside"]))


def _write_row(page: Page, row: Row, where: str) -> None:
    enforced = f", {keepalive_words(row['enforced'])} enforced for new connections" if row.get("enforced") else ""
    keepalive = f"keepalive {keepalive_words(row['keepalive'])}{enforced}"
    to_come = "" if _late(row) else ", too late for new connections"
    page.line([Span(row["label"], UNSAFE), f"{where}: {keepalive}{to_come}"], indent=2, hanging=2)
    of = f"of {count(row['to_services'], 'connection')} to services"
    at_risk = [each for each in row["services"] if not each["kept_by_server"]]
    if row["without_keepalive"]:
        services = [each for each in at_risk if each["without_keepalive"]]
        page.line(f"{row['without_keepalive']} {of} without SO_KEEPALIVE{_whose(services)}", indent=6, hanging=2)
    if row["late"]:
        services = sorted((each for each in at_risk if each["gaps"]), key=_longest, reverse=True)
        page.line(f"{row['late']} {of} with a timer beyond the limit{_whose(services)}", indent=6, hanging=2)
    _write_outside(page, [each for each in row["outside"] if each["at_risk"]])


def _write_outside(page: Page, outside: Sequence[Mapping[str, Any]]) -> None:
    """``3 connections to 192.0.2.2:5432 without SO_KEEPALIVE: python3; AWS NAT gateway 350 s``"""
    for each in outside[:_MOST_SERVICES]:
        without, to = each["at_risk"] - each["late"], each["destination"]
        both = bool(without and each["late"])
        told = [(without, "without SO_KEEPALIVE"), (each["late"], "with a timer beyond the limit")]
        how = " and ".join(f"{number} {words}" if both else words for number, words in told if number)
        what = f"{count(each['at_risk'], 'connection')} to {to}{':' if both else ''} {how}"
        names = dict.fromkeys(_process(process) for process in each["processes"])
        whose = f": {' and '.join(names)}" if names else ""
        page.line(f"{what}{whose}; {each['limit']['name']} {each['limit']['seconds']} s", indent=6, hanging=2)
    if outside[_MOST_SERVICES:]:
        page.line(f"and {sum(each['at_risk'] for each in outside[_MOST_SERVICES:])} to others", indent=6, hanging=2)


def _longest(service: Mapping[str, Any]) -> int:
    return max(int(gap["seconds"]) for gap in service["gaps"])


def _whose(services: Sequence[Mapping[str, Any]]) -> str:
    """``: python3 (grpcio) to 10.96.12.7:50051``"""
    told = [f"{_processes(each)}{each['service']}" for each in services[:_MOST_SERVICES]]
    more = ", ..." if len(services) > _MOST_SERVICES else ""
    return f": {', '.join(told)}{more}" if told else ""


def _processes(service: Mapping[str, Any]) -> str:
    names = dict.fromkeys(_process(each) for each in service["processes"])
    return f"{' and '.join(names)} to " if names else "to "


def _process(process: Mapping[str, Any]) -> str:
    name, runtime = process["name"], process["runtime"]
    known = f"{name} ({runtime})" if runtime and runtime != name else str(name)
    return f"{known} of {process['pod']}" if process["pod"] else known
