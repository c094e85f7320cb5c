# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node_info saw of a node's pods and of their connections, as typed values. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.sandboxes import KINDS as SANDBOXES
from ansible_collections.kubenode.connections.plugins.module_utils._common.sandboxes import sandbox_of_name
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import (
    KERNEL_DEFAULT,
    Keepalive,
    of_values,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import (
    fields,
    items,
    number,
    shared_text,
    text,
)

NODE, POD, CONTAINER, OTHER = KINDS = ("node", "pod", "container", "other")
"""The node's own network namespace, that of a pod, of a container outside of pods, and any other."""

_SOCK_DIAG = "sock_diag"
"""The only one of ``sockets_from`` (SOCK_DIAG of the node's sockets.py) that tells how long a connection is idle."""


class Process(NamedTuple):
    """A process with connections to a peer; ``without_keepalive`` of them have no SO_KEEPALIVE.

    ``gap``: the longest of its others. ``pod`` names a hostNetwork pod, or a container on the host's network;
    None where the namespace does.
    """

    name: str
    pid: int | None
    runtime: str | None
    without_keepalive: int
    gap: int | None
    pod: str | None

    def __str__(self) -> str:
        if not self.pod:
            return f"{self.name} ({self.pid})"
        return tell("{name} ({pid}) of {pod}", name=self.name, pid=self.pid, pod=self.pod)


class Peer(NamedTuple):
    """The connections of a namespace to one virtual service, or to another address.

    ``gaps``: (seconds from the last packet to the end of the armed keepalive timer, connections). ``in_flight``: data
    is under way, so that their keepalive timer cannot be seen.
    """

    name: str
    connections: int
    without_keepalive: int
    in_flight: int
    gaps: tuple[tuple[int, int], ...]
    processes: tuple[Process, ...]


class Accepted(NamedTuple):
    """The sockets that were accepted at an address and port of a namespace; ``direct`` of them came from elsewhere.

    ``longest_gap``: as those of a Peer, of all of them.
    """

    name: str
    connections: int
    direct: int
    without_keepalive: int
    in_flight: int
    longest_gap: int


class Space(NamedTuple):
    """A network namespace; ``label`` names its pod or container, ``uid`` tells it from others.

    ``keepalive`` is None where it could not be read, see ``error``. ``netns`` is its inode, ``process`` the one with
    most connections at risk, else the oldest. ``to_services`` and ``without_keepalive`` count all connections to
    services, those to services that are not listed too. ``sandbox``: the kind of one with TCP of its own.
    ``accepted_omitted`` sockets were accepted at addresses that are not in ``accepted``. ``lost`` connections to
    services have been forgotten by IPVS already; no other number but ``connections`` has them.
    """

    kind: str
    label: str
    uid: str | None
    namespace: str | None
    name: str | None
    netns: int | None
    keepalive: Keepalive | None
    retries2: int | None
    error: str | None
    process: Process | None
    connections: int
    to_services: int
    without_keepalive: int
    in_flight: int
    services: tuple[Peer, ...]
    services_omitted: int
    sandbox: str | None = None
    to_outside: int = 0
    outside_without_keepalive: int = 0
    outside: tuple[Peer, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    accepted_omitted: int = 0
    lost: int = 0

    @property
    def all_listed(self) -> bool:
        """Whether it is known where each of its connections goes."""
        listed = sum([peer.connections for peer in (*self.services, *self.outside)])
        return self.sandbox is None and self.to_services + self.to_outside <= listed

    @property
    def has_own_values(self) -> bool:
        """Whether somebody gave it other values than every new namespace starts with."""
        return self.keepalive is not None and self.keepalive != KERNEL_DEFAULT

    def at_risk(self) -> Iterator[tuple[Peer, Process]]:
        """Each process with connections without SO_KEEPALIVE, and their service."""
        for service in self.services:
            for process in service.processes:
                if process.without_keepalive:
                    yield service, process


class Rto(NamedTuple):
    """The retransmission time-outs of the node's own connections, in milliseconds: of 95 of 100, and the longest."""

    sockets: int
    p95_ms: int
    max_ms: int


class Totals(NamedTuple):
    """The connections of all namespaces, of those that are not listed too."""

    connections: int
    to_services: int
    without_keepalive: int
    to_outside: int = 0
    outside_without_keepalive: int = 0


@dataclass(frozen=True)
class Pods:
    """The namespaces, the worst first; ``omitted`` are not in ``spaces``.

    ``count`` of all belong to pods, ``containers`` to containers outside of pods.

    ``sockets_from``: how sockets were read, None where they were not. ``idle_unseen``: how long a connection is idle
    was not seen, so that a gap is only what is left of its timer.
    """

    count: int
    spaces: tuple[Space, ...]
    omitted: int
    totals: Totals
    sockets_from: str | None
    error: str | None
    idle_unseen: bool
    rto: Rto | None = None
    containers: int = 0

    @property
    def unlisted(self) -> int:
        """Pods and containers that are not listed."""
        return max(0, self.count + self.containers - len(self.of_kind(POD)) - len(self.of_kind(CONTAINER)))

    @property
    def unlisted_without_keepalive(self) -> int:
        """Connections without SO_KEEPALIVE in namespaces that are not listed."""
        return max(0, self.totals.without_keepalive - sum(space.without_keepalive for space in self.spaces))

    @property
    def unlisted_outside_without_keepalive(self) -> int:
        """The same of those to other addresses."""
        listed = sum(space.outside_without_keepalive for space in self.spaces)
        return max(0, self.totals.outside_without_keepalive - listed)

    @property
    def own(self) -> Space | None:
        """The node's own namespace, None where it is not listed."""
        return next(iter(self.of_kind(NODE)), None)

    def of_kind(self, kind: str) -> tuple[Space, ...]:
        return tuple(space for space in self.spaces if space.kind == kind)


def parse_pods(pods: object) -> Pods | None:
    """The ``pods`` of a node, None where there is no such data."""
    if not isinstance(pods, dict) or not pods:
        return None
    totals = fields(pods.get("totals"))
    return Pods(
        count=number(pods.get("count")),
        spaces=tuple([_space(fields(row)) for row in items(pods.get("rows"))]),
        omitted=number(pods.get("omitted")),
        totals=Totals(*(number(totals.get(name)) for name in Totals._fields)),
        sockets_from=text(pods.get("sockets_from")),
        error=text(pods.get("error")),
        idle_unseen=pods.get("sockets_from") != _SOCK_DIAG,
        rto=_rto(fields(pods.get("rto"))),
        containers=number(pods.get("containers")),
    )


def _rto(rto: Mapping[str, object]) -> Rto | None:
    """None where no socket told; the kernel's own bounds hold whatever a node says (TCP_RTO_MAX)."""
    seen = Rto(*(number(rto.get(name)) for name in Rto._fields))
    return seen._replace(p95_ms=min(seen.p95_ms, 120_000), max_ms=min(seen.max_ms, 120_000)) if all(seen) else None


def _space(row: Mapping[str, object]) -> Space:
    get = row.get
    services = tuple([_peer(fields(each), "service") for each in items(get("services"))])
    outside = tuple([_peer(fields(each), "destination") for each in items(get("outside"))])
    kind, process = shared_text(get("kind")), get("process")
    return Space(
        kind=kind if kind in KINDS else OTHER,
        label=text(get("label")) or "?",
        uid=text(get("uid")),
        namespace=shared_text(get("namespace")),
        name=text(get("name")),
        netns=whole_number(get("netns")),
        keepalive=of_values(*map(fields(get("keepalive")).get, Keepalive._fields)),
        retries2=whole_number(get("retries2")),
        error=shared_text(get("error")),
        process=_process(fields(process)) if process else None,
        connections=number(get("connections")),
        # Never less than what is listed, whatever the node says.
        to_services=max(number(get("to_services")), sum([service.connections for service in services])),
        without_keepalive=max(
            number(get("without_keepalive")), sum([service.without_keepalive for service in services])
        ),
        in_flight=number(get("in_flight")),
        services=services,
        services_omitted=number(get("services_omitted")),
        sandbox=_sandbox(row) if kind != NODE else None,
        to_outside=max(number(get("to_outside")), sum([each.connections for each in outside])),
        outside_without_keepalive=max(
            number(get("outside_without_keepalive")), sum([each.without_keepalive for each in outside])
        ),
        outside=outside,
        accepted=tuple([_accepted(fields(each)) for each in items(get("accepted_at"))]),
        accepted_omitted=number(get("accepted_omitted" if "accepted_at" in row else "accepted")),
        lost=number(get("lost")),
    )


def _accepted(each: Mapping[str, object]) -> Accepted:
    counts = [number(each.get(name)) for name in Accepted._fields[1:]]
    return Accepted(shared_text(each.get("endpoint")) or "?", *counts)


def _sandbox(row: Mapping[str, object]) -> str | None:
    """The kind; a node_info that did not look for one tells the name of a process all the same."""
    if "sandbox" not in row:
        return sandbox_of_name(text(fields(row.get("process")).get("name")) or "")
    return str(row["sandbox"]) if row["sandbox"] in SANDBOXES else None


def _peer(peer: Mapping[str, object], name: str) -> Peer:
    get = peer.get
    return Peer(
        name=shared_text(get(name)) or "?",
        connections=number(get("connections")),
        without_keepalive=number(get("without_keepalive")),
        in_flight=number(get("in_flight")),
        gaps=tuple(_gaps(get("gaps"))),
        processes=tuple([_process(fields(each)) for each in items(get("processes"))]),
    )


def _gaps(gaps: object) -> Iterator[tuple[int, int]]:
    for pair in items(gaps):
        if isinstance(pair, list) and len(pair) > 1:
            seconds, connections = whole_number(pair[0]), number(pair[1])
            if seconds is not None and connections:
                yield max(seconds, 0), connections


def _process(process: Mapping[str, object]) -> Process:
    get = process.get
    return Process(
        name=shared_text(get("name")) or "?",
        pid=whole_number(get("pid")),
        runtime=shared_text(get("runtime")),
        without_keepalive=number(get("without_keepalive")),
        gap=whole_number(get("gap")),
        pod=text(get("pod")),
    )
