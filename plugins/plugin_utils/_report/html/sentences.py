# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's sentences that depend on what there is; all other words stand in the templates. Private."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE, count

from .. import applied, coverage, verdict

Document = Mapping[str, Any]

# A sysctl, a command, a variable with what to set it to, another name with an underscore, a file; what is split off is
# kept. A sentence may end in Chinese.
_CODE = re.compile(
    r"(net\.[\w.-]*\w"
    r"|\bkubectl [\w -]*\w(?=[.;,)\u3002\uff1b\uff0c]|$)"
    r"|kubenode\.connections\.\w+"
    r"|\bkeepalive_\w+: (?:true|false|auto|all|\d+|[a-z]+_\w+)\b"
    r"|\b[A-Za-z][\w.]*_\w+(?:=\w+)?"
    r"|(?<![\w/])_[a-z]\w+"
    r"|(?<!\S)/[\w./-]*\w)"
)

_WAYS: Mapping[str, Callable[[int], Message]] = {
    "without_keepalive": lambda number: tell("{number} without keepalive", number=number),
    "late": lambda number: tell("{number} with a late timer", number=number),
    "undecided": lambda number: tell("{number} not decided", number=number),
    "kept_by_server": lambda number: tell("{number} kept by the server's probes", number=number),
}
"""How connections stand; the first two are at risk."""


def facts(document: Document) -> Iterator[str]:
    """What the verdict rests on, a sentence each; where nothing forgets, ``limit_reason`` of the document says why."""
    limit = document["limit"]
    if applied.failed(document):
        yield applied.sentence(document)
    if limit:
        yield tell(
            "{limit} forgets a connection after {seconds} s without a packet and tells neither end.",
            limit=_on_all(document) or whose(limit),
            seconds=limit["seconds"],
        )
    spare = [node["spare_seconds"] for node in document["nodes"] if node["spare_seconds"] is not None]
    late = min(spare, default=0) < 0
    if late:
        yield tell("Keepalive speaks up to {seconds} s too late.", seconds=-min(spare))
    soon = sum(((node["ipvs"] or {}).get("cut_within") or {}).get("300", 0) for node in document["nodes"])
    if soon and late:
        yield tell(
            "{connections} will be forgotten within 5 minutes if nothing is sent.",
            connections=count(soon, "connection"),
        )
    if document["counts"]["nodes"][SAFE] == len(document["nodes"]) and spare and document["verdict"] != UNSAFE:
        yield tell("Keepalive speaks at least {seconds} s before that.", seconds=min(spare))
    boots = document["counts"]["safe_until_reboot"]
    # Any other headline says so itself.
    if boots and verdict.kind(document) == UNKNOWN:
        yield tell("{nodes} safe now will be at risk after a reboot.", nodes=count(boots, "node"))
    if document["not_seen"]:
        yield tell("{limits} not known.", limits=count(len(document["not_seen"]), "limit"))
    yield from verdict.beside(document)
    yield from coverage.sentences(document)


def whose(limit: Mapping[str, Any]) -> str:
    """``IPVS tcp on worker1``, or the name of a middlebox."""
    if limit["node"] is None:
        return str(limit["name"])
    return tell("{limit} on {node}", limit=limit["name"], node=limit["node"])


def _on_all(document: Document) -> Message | None:
    """The lowest limit, where all of several nodes have the same."""
    limit, nodes = document["limit"], document["nodes"]
    if limit["node"] is None or len(nodes) < 2:
        return None
    same = all((limit["seconds"], limit["name"]) in _named(node["limits"]) for node in nodes)
    return tell("{limit} on all nodes", limit=limit["name"]) if same else None


def _named(limits: Iterable[Mapping[str, Any]]) -> set[tuple[int, str]]:
    return {(limit["seconds"], limit["name"]) for limit in limits}


def where(thing: Mapping[str, Any]) -> str:
    """Of a finding or a change: the node, or the plan."""
    return tell("the plan") if thing.get("scope_kind") == "plan" else str(thing["scope"])


def pods_lead(document: Document) -> list[str]:
    """How many pods and connections are at risk, and what the groups below leave out; a sentence each."""
    pods, containers, sockets = (document["counts"][what] for what in ("pods", "containers", "sockets"))
    seen = [node["pods"] for node in document["nodes"] if node["pods"]]
    said: list[str] = [
        tell("{n} of {pods} seen are at risk.", n=pods["at_risk"], pods=count(pods["seen"], "pod"))
        if not containers["seen"]
        else tell(
            "{n} of {pods} and {m} of {containers} seen are at risk.",
            n=pods["at_risk"],
            pods=count(pods["seen"], "pod"),
            m=containers["at_risk"],
            containers=count(containers["seen"], "container"),
        )
    ]
    if sockets["to_services"]:
        ways = _ways(sockets, _WAYS if sockets["at_risk"] else list(_WAYS)[2:])
        said.append(
            tell(
                "Of {connections}, {number} go to services; of these {at_risk}.",
                connections=count(sockets["connections"], "connection"),
                number=sockets["to_services"],
                at_risk=joined(", ", ways) if ways else "none is at risk",
            )
        )
    if sockets["to_outside"]:
        at_risk, by_server = sockets["outside_at_risk"] or "none", sockets["outside_kept_by_server"]
        outside = {"number": sockets["to_outside"], "at_risk": at_risk}
        said.append(
            tell(
                "{number} go to other addresses; of these {at_risk} at risk, {kept} kept by the server's probes.",
                kept=by_server,
                **outside,
            )
            if by_server
            else tell("{number} go to other addresses; of these {at_risk} at risk.", **outside)
        )
    safe = sum(row["verdict"] == SAFE for each in seen for row in each["rows"])
    if safe:
        said.append(tell("Not listed: {spaces} without a risk.", spaces=count(safe, "network namespace")))
    omitted = sum(each["omitted"] for each in seen)
    if omitted:
        said.append(tell("{number} more are not in the report; the worst are.", number=omitted))
    return said


def connections_words(row: Mapping[str, Any]) -> str:
    """Of a pod: ``7 connections, 6 without keepalive, 3 to other addresses at risk``."""
    not_safe = connections_not_safe([row])
    all_of_them = count(row["connections"], "connection")
    return joined(", ", [all_of_them, not_safe]) if not_safe else all_of_them


def connections_not_safe(rows: Sequence[Mapping[str, Any]]) -> str:
    """Of these pods together: ``6 without keepalive, 2 not decided, 3 to other addresses at risk``, or nothing."""
    ways = _ways({name: sum(row[name] for row in rows) for name in _WAYS}, _WAYS)
    others = sum(each["at_risk"] for row in rows for each in row["outside"])
    told = [*ways, tell("{number} to other addresses at risk", number=others)] if others else ways
    return joined(", ", told) if told else ""


def _ways(counts: Mapping[str, Any], ways: Iterable[str]) -> list[Message]:
    return [_WAYS[name](counts[name]) for name in ways if counts[name]]


def of_kind(number: int, kind: str) -> Message:
    """``1 critical``, ``2 warnings``, ``3 unsafe``"""
    if kind == "critical":
        return tell("{number} critical", number=number)
    if kind == "info":
        return tell("{number} info", number=number)
    return count(number, kind) if kind == "warning" else tell("{number} {kind}", number=number, kind=kind)


def urgent(document: Document) -> str:
    """What the findings ask for: ``1 critical, 2 warnings``, or nothing."""
    counts = document["counts"]["findings"]
    told = [of_kind(number, kind) for kind, number in counts.items() if number and kind != "info"]
    return joined(", ", told) if told else ""


def spare_words(seconds: int | None, margin: int) -> str:
    """How far from the limit: ``156 s to spare``, ``too late by 7384 s``."""
    if seconds is None:
        return "not known"
    if seconds < 0:
        return tell("too late by {seconds} s", seconds=-seconds)
    if seconds < margin:
        return tell("{seconds} s less than the margin of {margin} s", seconds=margin - seconds, margin=margin)
    return tell("{seconds} s to spare", seconds=seconds)


def keepalive_words(keepalive: Mapping[str, int] | None) -> str:
    """``600/30/9``, or that it was not read."""
    return keepalive_math.words(keepalive) or "not read"


def split_at_code(text: str) -> list[str]:
    """Words and code in turn, words first and last; code is the settings, variables and files in a sentence."""
    return _CODE.split(text)


def utc(moment: str) -> str:
    """``2026-11-21 03:40:00 UTC``"""
    return moment.replace("T", " ").replace("Z", " UTC")
