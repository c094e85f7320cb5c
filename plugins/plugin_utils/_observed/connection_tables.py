# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPVS and connection tracking of a node, as typed values. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import (
    flag,
    items,
    mapping,
    number,
    numbers,
    text,
)

_LONGEST_SAMPLE_SECONDS = 86400
"""node_info takes none of more than a minute, but may be held up."""


@dataclass(frozen=True)
class Draining:
    """A real server with weight 0 that still has connections; ``protocol`` is that of its service.

    ``seconds_left``: what the last of them has left if nothing is sent, None where it was not seen.
    """

    protocol: str
    service: str
    server: str
    active: int
    inactive: int
    seconds_left: int | None = None


_MAY_CARRY_TCP = ("TCP", "FWM")

CUT_WITHIN = ("60", "300", "900")
"""Seconds, as node_info returns them."""


@dataclass(frozen=True)
class Idle:
    """An established connection that is idle; ``idle_seconds`` None: since when is not known."""

    client: str
    service: str
    real_server: str
    idle_seconds: int | None
    seconds_left: int


@dataclass(frozen=True)
class Ipvs:
    """IPVS of the node; ``timeouts`` in seconds by tcp, tcpfin, udp, None where they could not be read.

    ``timeouts_at_boot``: those of them that our own unit sets again after a reboot, None where no unit can.
    ``tcp_services`` of the ``services`` may carry TCP, ``services_by_mark`` are by firewall mark. ``persistent``: the
    services with session affinity; ``scattering``: those where a connection that was forgotten may get another real
    server. ``draining`` lists those with most connections of ``draining_servers``. ``cut_within``: how many established
    connections expire within so many seconds if they stay idle; ``idlest``: those that do first. ``real_servers``:
    those that have the connections of a service, by its name, where all of them are known.
    """

    loaded: bool | None
    timeouts: Mapping[str, int] | None
    timeouts_at_boot: Mapping[str, int] | None
    services: int
    tcp_services: int
    connections: Mapping[str, Mapping[str, int]]
    draining: tuple[Draining, ...]
    draining_servers: int
    draining_connections: int
    persistent: int
    scattering: int
    cut_within: Mapping[str, int]
    idlest: tuple[Idle, ...]
    services_by_mark: int = 0
    real_servers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Conntrack:
    """Connection tracking of the node; timeouts in seconds, ``statistics`` the counters of each CPU.

    ``cut_within`` as that of IPVS. ``policy_established``: the shortest of the timeout policies in use.
    """

    loaded: bool | None
    established: int | None
    close_wait: int | None
    count: int | None
    max: int | None
    statistics: tuple[Mapping[str, int], ...]
    cut_within: Mapping[str, int]
    policy_established: int | None = None

    def counted(self, counter: str) -> int:
        """A counter over all CPUs, since the module was loaded. A kernel without it counts nothing."""
        return sum(row.get(counter, 0) for row in self.statistics)


@dataclass(frozen=True)
class Growth:
    """By how much counters grew in ``seconds``, all CPUs together; a table that was not there has none."""

    seconds: float
    conntrack: Mapping[str, int]
    softnet: Mapping[str, int]


def parse_ipvs(ipvs: Mapping[str, object]) -> Ipvs:
    timeouts = numbers(ipvs.get("timeouts"))
    connections = {protocol: numbers(states) for protocol, states in mapping(ipvs.get("connections")).items()}
    at_boot, totals = ipvs.get("timeouts_at_boot"), numbers(ipvs.get("totals"))
    return Ipvs(
        loaded=flag(ipvs.get("loaded")),
        timeouts=timeouts if set(CELLS) <= set(timeouts) else None,
        timeouts_at_boot=None if at_boot is None else numbers(at_boot),
        services=totals.get("services", 0),
        tcp_services=_tcp_services(ipvs, totals),
        connections=connections,
        draining=tuple(_draining(mapping(each)) for each in items(ipvs.get("draining"))),
        draining_servers=totals.get("draining", 0),
        draining_connections=totals.get("draining_connections", 0),
        persistent=totals.get("persistent", 0),
        scattering=totals.get("scattering", 0),
        cut_within=_cut_within(ipvs.get("cut_within")),
        idlest=tuple(_idle(mapping(each)) for each in items(ipvs.get("idlest"))),
        services_by_mark=number(ipvs.get("services_by_mark")),
        real_servers=dict(_real_servers(items(ipvs.get("real_servers")))),
    )


def _real_servers(rows: list[object]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for row in map(mapping, rows):
        addresses = [text(each) for each in items(row.get("addresses"))]
        if row.get("whole") is True and addresses and None not in addresses:
            yield text(row.get("service")) or "?", tuple(each for each in addresses if each)


def _tcp_services(ipvs: Mapping[str, object], totals: Mapping[str, int]) -> int:
    """How many services may carry TCP. An older node_info lists the first services, and does not count these."""
    services = totals.get("services", 0)
    rows = items(ipvs.get("services"))
    listed = sum(mapping(row).get("protocol") in _MAY_CARRY_TCP for row in rows)
    return min(services, totals.get("tcp_services", listed + max(0, services - len(rows))))


def _cut_within(cut: object) -> dict[str, int]:
    return {seconds: connections for seconds, connections in numbers(cut).items() if seconds in CUT_WITHIN}


def _idle(connection: dict[str, object]) -> Idle:
    client, service, real_server = (text(connection.get(name)) or "?" for name in ("client", "service", "real_server"))
    idle_seconds = whole_number(connection.get("idle_seconds"))
    return Idle(client, service, real_server, idle_seconds, number(connection.get("seconds_left")))


def _draining(server: dict[str, object]) -> Draining:
    protocol, service, real_server = (text(server.get(name)) or "?" for name in ("protocol", "service", "real_server"))
    connections = numbers(server)
    left = whole_number(server.get("seconds_left"))
    return Draining(protocol, service, real_server, connections.get("active", 0), connections.get("inactive", 0), left)


def parse_conntrack(conntrack: Mapping[str, object]) -> Conntrack:
    return Conntrack(
        loaded=flag(conntrack.get("loaded")),
        established=numbers(conntrack.get("timeouts")).get("established"),
        close_wait=numbers(conntrack.get("timeouts")).get("close_wait"),
        count=whole_number(conntrack.get("count")),
        max=whole_number(conntrack.get("max")),
        statistics=tuple(numbers(row) for row in items(conntrack.get("statistics")) if isinstance(row, dict)),
        cut_within=_cut_within(conntrack.get("cut_within")),
        policy_established=numbers(conntrack.get("policies")).get("established"),
    )


def parse_growth(growth: Mapping[str, object]) -> Growth | None:
    seconds = growth.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < _LONGEST_SAMPLE_SECONDS:
        return None
    return Growth(float(seconds), numbers(growth.get("conntrack")), numbers(growth.get("softnet")))
