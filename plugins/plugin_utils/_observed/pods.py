# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node_info saw of a node's pods and of their connections, as typed values. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT, Keepalive

NODE, POD, OTHER = KINDS = ("node", "pod", "other")
"""The node's own network namespace, that of a pod, and any other."""


@dataclass(frozen=True)
class Process:
    """A process with connections to a service; ``without_keepalive`` of them have no SO_KEEPALIVE.

    ``gap``: the longest of its others. ``pod`` names a hostNetwork pod; None where the namespace does.
    """

    name: str
    pid: int | None
    runtime: str | None
    without_keepalive: int
    gap: int | None
    pod: str | None

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})" + (f" of {self.pod}" if self.pod else "")


@dataclass(frozen=True)
class Service:
    """The connections of a namespace to one virtual service.

    ``gaps``: (seconds from the last packet to the end of the armed keepalive timer, connections). ``in_flight``: data
    is under way, so that their keepalive timer cannot be seen.
    """

    name: str
    connections: int
    without_keepalive: int
    in_flight: int
    gaps: tuple[tuple[int, int], ...]
    processes: tuple[Process, ...]


@dataclass(frozen=True)
class Space:
    """A network namespace; ``label`` names its pod. ``keepalive`` is None where it could not be read, see ``error``.

    ``netns`` is its inode, ``process`` the one with most connections at risk, else the oldest.
    ``to_services`` and ``without_keepalive`` count all connections to services, those to services that are not listed
    too.
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
    services: tuple[Service, ...]
    services_omitted: int

    @property
    def has_own_values(self) -> bool:
        """Whether somebody gave it other values than every new namespace starts with."""
        return self.keepalive is not None and self.keepalive != KERNEL_DEFAULT

    def at_risk(self) -> Iterator[tuple[Service, Process]]:
        """Each process with connections without SO_KEEPALIVE, and their service."""
        for service in self.services:
            for process in service.processes:
                if process.without_keepalive:
                    yield service, process


@dataclass(frozen=True)
class Totals:
    """The connections of all namespaces, of those that are not listed too."""

    connections: int
    to_services: int
    without_keepalive: int


@dataclass(frozen=True)
class Pods:
    """The namespaces, the worst first; ``count`` of all belong to pods, ``omitted`` are not in ``spaces``.

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

    @property
    def unlisted_without_keepalive(self) -> int:
        """Connections without SO_KEEPALIVE in namespaces that are not listed."""
        return max(0, self.totals.without_keepalive - sum(space.without_keepalive for space in self.spaces))

    def of_kind(self, kind: str) -> tuple[Space, ...]:
        return tuple(space for space in self.spaces if space.kind == kind)
