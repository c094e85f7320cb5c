# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual services of IPVS in numbers and rows. Reading only. Private to this collection."""

import socket
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import Address, endpoint, keep_largest
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.ipvs_tables import Service, parse_services

MAX_ROWS = 100
"""More services are counted, not listed."""

MAX_DRAINING = 200
"""More real servers with weight 0 are counted, not listed."""

_SERVICES = "/proc/net/ip_vs"
_MAY_CARRY_TCP = ("TCP", "FWM")
_BY_ADDRESS = ("sh", "mh", "dh")


class Draining(NamedTuple):
    """A real server with weight 0 that still has connections."""

    protocol: str
    service: str
    real_server: str
    active: int
    inactive: int


class Totals(NamedTuple):
    """How many there are. ``tcp_services`` may carry TCP: by a firewall mark any protocol comes.

    ``persistent`` are the services with session affinity. ``scattering`` are those where a connection that was
    forgotten may get another real server. ``draining`` are real servers, ``draining_connections`` all of theirs.
    """

    services: int = 0
    real_servers: int = 0
    persistent: int = 0
    scattering: int = 0
    draining: int = 0
    draining_connections: int = 0
    tcp_services: int = 0


class Services(NamedTuple):
    """``rows`` are the first services as the kernel lists them, ``draining`` those with most connections first.

    ``addresses`` are the packed addresses and the ports of all TCP services, ``marks`` all firewall marks.
    """

    totals: Totals
    rows: List[Dict[str, Any]]
    draining: List[Draining]
    addresses: List[Address]
    marks: List[int]


def read() -> Tuple[Services, int]:
    """The services of this network namespace and the number of lines that make no sense. Raises OSError."""
    with open(_SERVICES, encoding="ascii", errors="replace") as handle:
        return sum_up(handle)


def sum_up(lines: Iterable[str]) -> Tuple[Services, int]:
    """The services in the lines of /proc/net/ip_vs, streamed, and the lines that make no sense. Never raises."""
    seen = Services(Totals(), [], [], [], [])
    totals = list(seen.totals)
    heap: List[Tuple[int, Draining]] = []
    strange = 0
    for service in parse_services(lines):
        if service is None:
            strange += 1
            continue
        draining = list(_draining(service))
        for each in draining:
            keep_largest(heap, (each.active + each.inactive, each), MAX_DRAINING)
        totals = [before + more for before, more in zip(totals, _count(service, draining))]
        _note(seen, service)
    listed = [each for _connections, each in sorted(heap, key=lambda entry: (-entry[0], entry[1]))]
    return seen._replace(totals=Totals(*totals), draining=listed), strange


def as_plain(seen: Services) -> Dict[str, Any]:
    """As plain data for JSON, without what only serves to match sockets."""
    return {
        "totals": dict(seen.totals._asdict()),
        "services": seen.rows,
        "services_omitted": seen.totals.services - len(seen.rows),
        "draining": [dict(each._asdict()) for each in seen.draining],
    }


def _note(seen: Services, service: Service) -> None:
    if len(seen.rows) < MAX_ROWS:
        seen.rows.append(dict(service._asdict(), real_servers=len(service.real_servers)))
    if service.fwmark is not None:
        seen.marks.append(service.fwmark)
    elif service.protocol == "TCP" and service.address is not None and service.port is not None:
        family = socket.AF_INET6 if ":" in service.address else socket.AF_INET
        seen.addresses.append((socket.inet_pton(family, service.address), service.port))


def _count(service: Service, draining: List[Draining]) -> Totals:
    return Totals(
        services=1,
        real_servers=len(service.real_servers),
        persistent=int(_is_persistent(service)),
        scattering=int(_is_scattering(service)),
        draining=len(draining),
        draining_connections=sum(each.active + each.inactive for each in draining),
        tcp_services=int(service.protocol in _MAY_CARRY_TCP),
    )


def _is_persistent(service: Service) -> bool:
    return "persistent" in service.flags.split()


def _is_scattering(service: Service) -> bool:
    """Whether TCP may go to several real servers, and neither affinity nor the scheduler leads it back to its own.

    sh and mh go by the source's address, dh by that of the service (net/netfilter/ipvs/ip_vs_{sh,mh,dh}.c).
    """
    by_address = service.scheduler in _BY_ADDRESS or _is_persistent(service)
    several = sum(server.weight > 0 for server in service.real_servers) > 1
    return service.protocol in _MAY_CARRY_TCP and several and not by_address


def _draining(service: Service) -> Iterator[Draining]:
    marked = f"fwmark {service.fwmark}"
    name = marked if service.address is None else endpoint(service.address, service.port or 0)
    for server in service.real_servers:
        if server.weight == 0 and server.active + server.inactive > 0:
            place = endpoint(server.address, server.port)
            yield Draining(service.protocol, name, place, server.active, server.inactive)
