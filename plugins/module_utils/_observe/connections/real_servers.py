# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which real servers have the connections of some IPVS services. Reading only. Private to this collection."""

from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Set

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import endpoint
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.ipvs_tables import (
    Service,
    as_written,
    parse_services,
)

MAX_ADDRESSES = 5000
"""Of all services. Beyond them no service is listed: half of its servers tell nothing."""

_SERVICES = "/proc/net/ip_vs"
_MASQUERADED = "Masq"
"""The only way of forwarding by which the real server gets the connection at its own address."""


class RealServers(NamedTuple):
    """The real servers of a TCP service that have connections; ``whole``: all of them, each at its own address."""

    service: str
    addresses: List[str]
    whole: bool


def read(names: Iterable[str]) -> List[Dict[str, Any]]:
    """Those of the services with these names, such as 10.96.0.10:80, as node_info documents them. Never raises."""
    try:
        with open(_SERVICES, "rb") as handle:
            return [dict(each._asdict()) for each in find(handle, names)]
    except OSError:
        return []  # a problem says it, with the other readings of this table


def find(lines: Iterable[bytes], names: Iterable[str]) -> List[RealServers]:
    """The same out of the lines of /proc/net/ip_vs, streamed.

    Where any service goes by a firewall mark, it may get the packets of all others, so that none is whole.
    """
    found: List[RealServers] = []
    left, marked = MAX_ADDRESSES, False
    for service in parse_services(_lines_of(lines, {_written(name) for name in names})):
        if service is None or service.fwmark is not None:
            marked = True
        elif service.protocol == "TCP" and len(service.real_servers) <= left:
            found.append(_of(service))
            left -= len(service.real_servers)
    return [each._replace(whole=False) for each in found] if marked else found


def _of(service: Service) -> RealServers:
    busy = [server for server in service.real_servers if server.active or server.inactive]
    whole = all(server.forward == _MASQUERADED for server in busy)
    name = endpoint(service.address or "", service.port or 0)
    return RealServers(name, [endpoint(server.address, server.port) for server in busy], whole)


def _lines_of(lines: Iterable[bytes], wanted: Set[bytes]) -> Iterator[str]:
    """Those of the wanted services and of all firewall marks: others are not worth parsing."""
    inside = False
    for line in lines:
        if not line.startswith(b"  ->"):
            words = line.split(None, 2)
            inside = len(words) > 1 and (words[1] in wanted or words[0] == b"FWM")
        if inside:
            yield line.decode("ascii", "replace")


def _written(name: str) -> bytes:
    address, port = as_written(name)
    return (b"[%s]:%s" if b":" in address else b"%s:%s") % (address, port)
