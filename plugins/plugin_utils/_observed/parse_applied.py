# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what node_settings returned to typed values; nothing about its shape is taken for granted. Private."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import items, mapping, number, text

from .pods import KINDS, OTHER

REWRITTEN, REFUSED, UNREAD = CAUSES = ("rewritten", "refused", "unread")
"""As in pod_keepalive.py of the node: something else sets it, it cannot be written, nobody could look."""


@dataclass(frozen=True)
class NotTaken:
    """A running pod that should have another keepalive (``time/intvl/probes``); ``found`` is None where unknown."""

    pod: str
    uid: str | None
    wanted: str
    found: str | None
    cause: str
    why: str


def pods_not_taken(outcome: object) -> tuple[NotTaken, ...]:
    """The pods that an apply has not brought to what they should have."""
    return tuple(_not_taken(mapping(each)) for each in items(mapping(outcome).get("pods_not_taken")))


def _not_taken(pod: Mapping[str, object]) -> NotTaken:
    cause = text(pod.get("cause"))
    return NotTaken(
        pod=text(pod.get("pod")) or "?",
        uid=text(pod.get("uid")),
        wanted=text(pod.get("wanted")) or "?",
        found=text(pod.get("found")),
        cause=cause if cause in CAUSES else UNREAD,
        why=text(pod.get("why")) or "no reason was given",
    )


@dataclass(frozen=True)
class LeftOpen:
    """So many connections that an apply could not re-arm, and why, in the node's words without a full stop."""

    reason_id: str
    reason: str
    connections: int


@dataclass(frozen=True)
class Rearmed:
    """What an apply did to the open connections of a process to a peer: how many it re-armed, and what is left."""

    kind: str
    label: str
    uid: str | None
    peer: str
    process: str | None
    rearmed: int
    not_rearmed: tuple[LeftOpen, ...]


@dataclass(frozen=True)
class OpenConnections:
    """The same of all of them; ``more_rows`` are not in ``rows``."""

    rearmed: int
    not_rearmed: int
    rows: tuple[Rearmed, ...]
    more_rows: int


def open_connections(outcome: object) -> OpenConnections | None:
    """What an apply did to open connections, None where it was not to touch any."""
    found = mapping(mapping(outcome).get("open_connections"))
    if not found:
        return None
    return OpenConnections(
        rearmed=number(found.get("rearmed")),
        not_rearmed=number(found.get("not_rearmed")),
        rows=tuple(_rearmed(mapping(each)) for each in items(found.get("rows"))),
        more_rows=number(found.get("more_rows")),
    )


def _rearmed(row: Mapping[str, object]) -> Rearmed:
    kind, left = text(row.get("kind")), [mapping(each) for each in items(row.get("not_rearmed"))]
    return Rearmed(
        kind=kind if kind in KINDS else OTHER,
        label=text(row.get("label")) or "?",
        uid=text(row.get("uid")),
        peer=text(row.get("peer")) or "?",
        process=_process(row.get("process")),
        rearmed=number(row.get("rearmed")),
        not_rearmed=tuple(_left_open(each) for each in left),
    )


def _process(process: object) -> str | None:
    """A name, or the name and number of a mapping."""
    name, pid = text(mapping(process).get("name")), whole_number(mapping(process).get("pid"))
    return text(process) or (f"{name} ({pid})" if name and pid is not None else name)


def _left_open(left: Mapping[str, object]) -> LeftOpen:
    reason = (text(left.get("reason")) or "").rstrip(". ")
    return LeftOpen(
        text(left.get("reason_id")) or "unknown", reason or "no reason was given", number(left.get("connections"))
    )
