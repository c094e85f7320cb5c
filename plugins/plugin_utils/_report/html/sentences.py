# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's sentences that depend on what there is; all other words stand in the templates. Private."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE, count

from .. import coverage, verdict

Document = Mapping[str, Any]

# A sysctl, a variable or another name with an underscore, a file; what is split off is kept.
_CODE = re.compile(r"(net\.[\w.-]*\w|kubenode\.connections\.\w+|\b[A-Za-z]+_\w+|(?<!\S)/[\w./-]*\w)")

_AT_RISK = {"without_keepalive": "without keepalive", "late": "with a timer beyond the limit"}
_NOT_AT_RISK = {"undecided": "not decided", "kept_by_server": "kept by the server's probes"}


def facts(document: Document) -> Iterator[str]:
    """What the verdict rests on, a sentence each."""
    limit = document["limit"]
    if limit:
        whose = f"{limit['name']} on {limit['node']}" if limit["node"] else limit["name"]
        yield f"{whose} forgets a connection after {limit['seconds']} s without a packet and tells neither end."
    else:
        yield sentence(document["limit_reason"])
    spare = [node["spare_seconds"] for node in document["nodes"] if node["spare_seconds"] is not None]
    late = min(spare, default=0) < 0
    if late:
        yield f"Keepalive speaks up to {-min(spare)} s too late."
    soon = sum(((node["ipvs"] or {}).get("cut_within") or {}).get("300", 0) for node in document["nodes"])
    if soon and late:
        yield f"{count(soon, 'connection')} will be forgotten within 5 minutes if nothing is sent."
    if document["counts"]["nodes"][SAFE] == len(document["nodes"]) and spare and document["verdict"] != UNSAFE:
        yield f"Keepalive speaks at least {min(spare)} s before that."
    boots = document["counts"]["safe_until_reboot"]
    # Any other headline says so itself.
    if boots and verdict.kind(document) == UNKNOWN:
        yield f"{count(boots, 'node')} safe now will be at risk after a reboot."
    if document["not_seen"]:
        yield f"{count(len(document['not_seen']), 'limit')} not known."
    yield from verdict.beside(document)
    yield from coverage.sentences(document)


def pods_lead(document: Document) -> str:
    """How many pods and connections are at risk, and what the table below leaves out."""
    pods, containers, sockets = (document["counts"][what] for what in ("pods", "containers", "sockets"))
    seen = [node["pods"] for node in document["nodes"] if node["pods"]]
    boxes = f" and {containers['at_risk']} of {count(containers['seen'], 'container')}" if containers["seen"] else ""
    said = [f"{pods['at_risk']} of {count(pods['seen'], 'pod')}{boxes} seen are at risk."]
    if sockets["to_services"]:
        words = {**_AT_RISK, **_NOT_AT_RISK} if sockets["at_risk"] else _NOT_AT_RISK
        said.append(
            f"Of {count(sockets['connections'], 'connection')}, {sockets['to_services']} go to services; "
            f"of these {_counted(sockets, words) or 'none is at risk'}."
        )
    if sockets["to_outside"]:
        at_risk = sockets["outside_at_risk"] or "none"
        by_server = sockets["outside_kept_by_server"]
        kept = f", {by_server} kept by the server's probes" if by_server else ""
        said.append(f"{sockets['to_outside']} go to other addresses; of these {at_risk} at risk{kept}.")
    safe = sum(row["verdict"] == SAFE for each in seen for row in each["rows"])
    if safe:
        said.append(f"Not listed: {count(safe, 'network namespace')} without a risk.")
    omitted = sum(each["omitted"] for each in seen)
    if omitted:
        said.append(f"{omitted} more are not in the report; the worst are.")
    return " ".join(said)


def at_risk_words(row: Mapping[str, Any]) -> str:
    """Of a pod's connections: ``6 without keepalive, 2 not decided, 3 to other addresses``, or ``0``."""
    others = sum(each["at_risk"] for each in row["outside"])
    told = [_counted(row, {**_AT_RISK, **_NOT_AT_RISK}), f"{others} to other addresses" if others else ""]
    return ", ".join(filter(None, told)) or "0"


def _counted(counts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return ", ".join(f"{counts[name]} {said}" for name, said in words.items() if counts[name])


def spare_words(seconds: int | None, margin: int) -> str:
    """How far from the limit: ``156 s to spare``, ``too late by 7384 s``."""
    if seconds is None:
        return "not known"
    if seconds < 0:
        return f"too late by {-seconds} s"
    if seconds < margin:
        return f"{margin - seconds} s less than the margin of {margin} s"
    return f"{seconds} s to spare"


def keepalive_words(keepalive: Mapping[str, int] | None) -> str:
    """``600/30/9``, or that it was not read."""
    return keepalive_math.words(keepalive) or "not read"


def pod_keepalive_words(row: Mapping[str, Any]) -> str:
    """``7200/75/9``, and what its new connections get where that is enforced."""
    enforced = row.get("enforced")
    return keepalive_words(row["keepalive"]) + (f", {keepalive_words(enforced)} enforced" if enforced else "")


def sentence(clause: str) -> str:
    """With a capital letter and a full stop."""
    return f"{clause[:1].upper()}{clause[1:]}."


def split_at_code(text: str) -> list[str]:
    """Words and code in turn, words first and last; code is the settings, variables and files in a sentence."""
    return _CODE.split(text)


def utc(moment: str) -> str:
    """``2026-11-21 03:40:00 UTC``"""
    return moment.replace("T", " ").replace("Z", " UTC")
