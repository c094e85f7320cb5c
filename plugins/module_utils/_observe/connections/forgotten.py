# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that IPVS of this node has forgotten already: they are lost, not at risk. Reading only. Private to this
collection.

A socket is read before the table, and was silent for a while then: the packet that opened it came before, so a table
without its entry has dropped it. The kernel walks the table by position, and what expires meanwhile shifts it by one,
so only what two walks miss is lost. What cannot be told is no loss: it stays at risk.

No entry tells nothing where the table does not see the connection as its socket does: where the namespace tracks
connections (they may be translated in it), where it is not the main one of a pod or container (there may be another
translation on the way), and where any namespace has services of its own.
"""

from typing import Any, Dict, FrozenSet, Iterable, List, Set

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import Address
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space

from .attribution import attribute, kind_of, main_namespaces
from .pod_names import LOG_DIRECTORY

LEAST_IDLE_MS = 60000
"""Whoever sent something a short while ago was not forgotten then, or is answered with a reset just now."""

MAX_IDLE = 20000
"""More sockets of one namespace are not looked for in the table."""

_MAX_ALL = 100000
"""Nor are more of all of them: about 10 MB."""

_WALKS = 2


def is_silent(found: Socket) -> bool:
    """Whether it has been idle for so long that it may have been forgotten. Only netlink tells that."""
    return found.idle_ms is not None and found.idle_ms >= LEAST_IDLE_MS


def flow_of(found: Socket) -> str:
    """Client and service as /proc/net/ip_vs_conn has them: 0A010002 E052 0A60000A 0050."""
    return f"{_written(found.local, found.local_port)} {_written(found.remote, found.remote_port)}"


def read(
    spaces: List[Space],
    addresses: Iterable[Address],
    proc: str = "/proc",
    table: str = "/proc/net/ip_vs_conn",
) -> FrozenSet[str]:
    """The flows of lost connections to these services of IPVS, given all namespaces as sockets.read() saw them.

    Never raises: a table that cannot be read has a problem of its own.
    """
    wanted = _candidates(spaces, addresses, proc)
    if not wanted:
        return frozenset()
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel.ipvs_tables import walk  # few have IPVS

    try:
        for _walk in range(_WALKS):
            _discard(wanted, walk(table))
    except OSError:
        return frozenset()
    return frozenset(flow.decode() for flow in wanted)


def _candidates(spaces: List[Space], addresses: Iterable[Address], proc: str) -> Set[bytes]:
    silent = [space for space in spaces if (space.inside or {}).get("silent")]
    if not silent or any(_has_services(space.inside or {}) for space in spaces):
        return set()
    attributed, _names = attribute(spaces, proc, LOG_DIRECTORY)
    main = main_namespaces(attributed)
    seen = {each.space.inode for each in attributed if kind_of(each, each.space.inode in main) != "other"}
    services = {_written(*address) for address in addresses}
    wanted: Set[bytes] = set()
    for space in silent:
        for flow in _of_namespace(space.inside or {}) if space.inode in seen else ():
            if len(wanted) < _MAX_ALL and flow.split(" ", 2)[2] in services:
                wanted.add(flow.encode())
    return wanted


def _of_namespace(inside: Dict[str, Any]) -> List[str]:
    return [] if inside.get("tracked") else inside["silent"]


def _has_services(inside: Dict[str, Any]) -> bool:
    """Whether a namespace has IPVS of its own, or may have."""
    tables = inside.get("tables") or {}
    return bool(tables.get("ipvs") or tables.get("errors"))


def _discard(wanted: Set[bytes], lines: Iterable[bytes]) -> None:
    """Take out what the table has, whatever its state. The lines are streamed, never held."""
    for line in lines:
        columns = line.split(None, 5)
        if columns and columns[0] == b"TCP":
            wanted.discard(b" ".join(columns[1:5]))
            if not wanted:
                return


def _written(address: bytes, port: int) -> str:
    written = address.hex()
    if len(address) == 4:
        return f"{written.upper()} {port:04X}"
    return f"{':'.join(written[at : at + 4] for at in range(0, 32, 4))} {port:04X}"
