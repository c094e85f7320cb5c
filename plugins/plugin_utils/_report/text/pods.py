# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods and sockets at risk by name, in a terminal. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, plural, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

from ..verdict import pods_unknown
from .nodes import keepalive_words
from .page import UNSAFE, Page, Span

Document = Mapping[str, Any]
Row = Mapping[str, Any]

_MOST = 10
_MOST_IN_BRIEF = 3
_MOST_SERVICES = 3
_MOST_IDLE = 3

_SOON = ("300", "60")
"""Seconds of the document's cut_within that a person can still do something in."""


def write(page: Page, document: Document, brief: bool = False) -> None:
    """Those with most connections at risk first; nothing where there are none. ``brief``: a line for each of a few."""
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
    if brief:
        alike = list(grouped(((row["label"], row["kind"], _in_brief(row)), node) for node, row in rows).items())
        for (label, _kind, words), names in alike[:_MOST_IN_BRIEF]:
            page.line([*_whose_row(label, names, document), tell(": {text}", text=words)], indent=2, hanging=2)
        _write_hidden(
            page, counts, [kind for (_label, kind, _words), names in alike[:_MOST_IN_BRIEF] for _name in names]
        )
        return
    for node, row in rows[:_MOST]:
        _write_row(page, row, _whose_row(row["label"], [node], document))
    _write_hidden(page, counts, [row["kind"] for _node, row in rows[:_MOST]])
    for node in looked:
        error = node["pods"]["error"]
        if error and not _found(document, node["name"], error):
            page.line(tell("{node}: not all could be read: {why}", node=node["name"], why=error), indent=2, hanging=2)


def _found(document: Document, name: str, error: str) -> bool:
    """Whether a finding on the node says that already."""
    return any(each["scope"] == name and error in each["observed"] for each in document["findings"])


def _write_hidden(page: Page, counts: Mapping[str, Any], shown: Sequence[str]) -> None:
    """Those at risk that are not listed one by one."""
    more = [
        (counts["pods"]["at_risk"] - shown.count("pod"), "pod"),
        (counts["containers"]["at_risk"] - shown.count("container"), "container"),
        (counts["namespaces"]["of_no_pod"] - shown.count("other"), "network namespace"),
    ]
    told = [count(number, noun) for number, noun in more if number > 0]
    if told:
        page.line(tell("and {what} more", what=joined(" and ", told)), indent=2)


def _counts(document: Document) -> Message:
    pods, containers, sockets = (document["counts"][what] for what in ("pods", "containers", "sockets"))
    to_services, outside = sockets["to_services"], sockets["to_outside"]
    undecided = [tell("{number} undecided", number=sockets["undecided"])] if sockets["undecided"] else []
    by_server = sockets["kept_by_server"] + sockets["outside_kept_by_server"]
    kept = [tell("{number} kept by the server's probes", number=by_server)] if by_server else []
    if not pods["at_risk"] and not containers["at_risk"] and not sockets["at_risk"] and not sockets["outside_at_risk"]:
        seen = [count(pods["seen"], "pod")]
        seen += [count(containers["seen"], "container")] if containers["seen"] else []
        told = [
            tell("none of {seen} at risk", seen=joined(" and ", seen)),
            plural("none of {number} connections to services", "none of {number} connection to services", to_services),
            *undecided,
            *([tell("none of {number} to other addresses", number=outside)] if outside else []),
            *kept,
            *(["of those that could be read"] if pods_unknown(document) else []),
        ]
        return tell("Pods and sockets: {counts}", counts=joined(", ", told))
    boxes = [_of(containers["at_risk"], count(containers["seen"], "container"))] if containers["seen"] else []
    others = tell("{at_risk} of {number} to other addresses", at_risk=sockets["outside_at_risk"], number=outside)
    told = [
        _of(pods["at_risk"], count(pods["seen"], "pod")),
        *boxes,
        _to_services(sockets["at_risk"], to_services),
        *undecided,
        *([others] if outside else []),
        *kept,
    ]
    return tell("Pods and sockets at risk: {counts}", counts=joined(", ", told))


def _of(number: int, all_of_them: str) -> Message:
    return tell("{number} of {all}", number=number, all=all_of_them)


def _to_services(at_risk: int, number: int) -> Message:
    return plural(
        "{at_risk} of {number} connections to services",
        "{at_risk} of {number} connection to services",
        number,
        at_risk=at_risk,
    )


def _write_soon(page: Page, document: Document) -> None:
    tables = [cut for node in document["nodes"] if (cut := (node["ipvs"] or {}).get("cut_within"))]
    soon = [(seconds, sum(cut.get(seconds, 0) for cut in tables)) for seconds in _SOON]
    told = [tell("{number} within {seconds} s", number=number, seconds=seconds) for seconds, number in soon if number]
    if told:
        idle = tell("IPVS forgets established connections if nothing is sent: {numbers}", numbers=joined(", ", told))
        first = _next(document["nodes"])
        text = joined("; ", [idle, tell("first {connections}", connections=joined(", ", first))]) if first else idle
        page.line(text, indent=2, hanging=2)


def _next(nodes: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Which ones are first, where there is one node only: ``10.1.0.2:39002 to 10.96.0.10:80 in 40 s``"""
    idlest = nodes[0]["ipvs"]["idlest"][:_MOST_IDLE] if len(nodes) == 1 else []
    return [
        tell(
            "{client} to {service} in {seconds} s",
            client=each["client"],
            service=each["service"],
            seconds=each["seconds_left"],
        )
        for each in idlest
    ]


def _late(row: Row) -> int:
    return int(row["without_keepalive"] + row["late"] + sum(each["at_risk"] for each in row["outside"]))


def _in_brief(row: Row) -> Message:
    """``keepalive 7200/75/9; 6 with a timer beyond the limit, 2 without SO_KEEPALIVE``"""
    outside = sum(each["at_risk"] for each in row["outside"])
    late, without = row["late"], row["without_keepalive"]
    told = [tell("{number} with a timer beyond the limit", number=late)] if late else []
    told += [tell("{number} without SO_KEEPALIVE", number=without)] if without else []
    told += [tell("{number} to other addresses", number=outside)] if outside else []
    connections = joined(", ", told) if told else "too late for new connections"
    return joined("; ", [_keepalive(row), connections])


def _whose_row(label: str, nodes: Sequence[str], document: Document) -> list[str | Span]:
    name = Span(label, UNSAFE)
    return [name] if len(document["nodes"]) == 1 else [name, tell(" on {nodes}", nodes=named(nodes))]


def _keepalive(row: Row) -> Message:
    keepalive = tell("keepalive {keepalive}", keepalive=keepalive_words(row["keepalive"]))
    if not row.get("enforced"):
        return keepalive
    enforced = tell("{keepalive} enforced for new connections", keepalive=keepalive_words(row["enforced"]))
    return joined(", ", [keepalive, enforced])


def _write_row(page: Page, row: Row, whose: Sequence[str | Span]) -> None:
    to_come = [] if _late(row) else ["too late for new connections"]
    head = tell(": {keepalive}", keepalive=joined(", ", [_keepalive(row), *to_come]))
    page.line([*whose, head], indent=2, hanging=2)
    at_risk = [each for each in row["services"] if not each["kept_by_server"]]
    if row["without_keepalive"]:
        services = [each for each in at_risk if each["without_keepalive"]]
        of = _to_services(row["without_keepalive"], row["to_services"])
        page.line(_with(tell("{connections} without SO_KEEPALIVE", connections=of), services), indent=6, hanging=2)
    if row["late"]:
        services = sorted((each for each in at_risk if each["gaps"]), key=_longest, reverse=True)
        of = _to_services(row["late"], row["to_services"])
        text = tell("{connections} with a timer beyond the limit", connections=of)
        page.line(_with(text, services), indent=6, hanging=2)
    _write_outside(page, [each for each in row["outside"] if each["at_risk"]])


def _write_outside(page: Page, outside: Sequence[Mapping[str, Any]]) -> None:
    """``3 connections to 192.0.2.2:5432 without SO_KEEPALIVE: python3; AWS NAT gateway 350 s``"""
    for each in outside[:_MOST_SERVICES]:
        page.line(_to_outside(each), indent=6, hanging=2)
    if outside[_MOST_SERVICES:]:
        rest = sum(each["at_risk"] for each in outside[_MOST_SERVICES:])
        page.line(tell("and {number} to others", number=rest), indent=6, hanging=2)


def _to_outside(each: Mapping[str, Any]) -> Message:
    without, late = each["at_risk"] - each["late"], each["late"]
    values = {"connections": count(each["at_risk"], "connection"), "to": each["destination"]}
    if without and late:
        what = tell(
            "{connections} to {to}: {without} without SO_KEEPALIVE and {late} with a timer beyond the limit",
            without=without,
            late=late,
            **values,
        )
    elif late:
        what = tell("{connections} to {to} with a timer beyond the limit", **values)
    else:
        what = tell("{connections} to {to} without SO_KEEPALIVE", **values)
    names = list(dict.fromkeys(_process(process) for process in each["processes"]))
    whose = tell("{what}: {programs}", what=what, programs=joined(" and ", names)) if names else what
    limit = tell("{name} {seconds} s", name=each["limit"]["name"], seconds=each["limit"]["seconds"])
    return joined("; ", [whose, limit])


def _longest(service: Mapping[str, Any]) -> int:
    return max(int(gap["seconds"]) for gap in service["gaps"])


def _with(what: Message, services: Sequence[Mapping[str, Any]]) -> Message:
    """``...: python3 (grpcio) to 10.96.12.7:50051``"""
    told = [_to(each) for each in services[:_MOST_SERVICES]]
    if not told:
        return what
    return tell("{what}: {programs}", what=what, programs=joined(", ", [*told, *["..."][: len(services) - len(told)]]))


def _to(service: Mapping[str, Any]) -> Message:
    names = list(dict.fromkeys(_process(each) for each in service["processes"]))
    if not names:
        return tell("to {service}", service=service["service"])
    return tell("{programs} to {service}", programs=joined(" and ", names), service=service["service"])


def _process(process: Mapping[str, Any]) -> str:
    name, runtime = process["name"], process["runtime"]
    known = f"{name} ({runtime})" if runtime and runtime != name else str(name)
    return tell("{program} of {pod}", program=known, pod=process["pod"]) if process["pod"] else known
