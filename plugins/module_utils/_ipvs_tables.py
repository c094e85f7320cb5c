# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPVS virtual services and connections of this network namespace. Reading only. Private to this collection."""

import re
import socket
import sys
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils import _cut


class RealServer(NamedTuple):
    address: str
    port: int
    forward: str
    weight: int
    active: int
    inactive: int


class Service(NamedTuple):
    protocol: str
    address: Optional[str]
    port: Optional[int]
    fwmark: Optional[int]
    scheduler: str
    flags: str
    real_servers: List[RealServer]


class Connections(NamedTuple):
    """Connections by protocol and state, and how many established TCP ones expire within so many seconds if idle."""

    counts: Dict[str, Dict[str, int]]
    cut_within: Dict[str, int]


_SERVICES = "/proc/net/ip_vs"
_CONNECTIONS = "/proc/net/ip_vs_conn"
_STATE_COLUMN = 7  # of /proc/net/ip_vs_conn: Pro FromIP FPrt ToIP TPrt DestIP DPrt State ...
_ESTABLISHED = (b"TCP", b"ESTABLISHED")
_FOR_EVER = sys.maxsize
_MAX_DIGITS = 18
_SHORT_BYTES = 4  # 999 and the end of the line
_NAME = re.compile(rb"[A-Z0-9_]{1,32}")
_SERVICE = re.compile(r"(TCP|UDP|SCTP)\s+(\S+):([0-9A-F]{4})\s+(\S+)\s*(.*)$|FWM\s+([0-9A-F]{8})\s+(\S+)\s*(.*)$")
_REAL_SERVER = re.compile(r"\s*->\s+(\S+):([0-9A-F]{4})\s+(\S+)\s+(-?\d+)\s+(\d+)\s+(\d+)\s*$")
_ADDRESS = re.compile(r"[0-9A-F]{8}|\[[0-9a-f:.]{2,45}\]")


def read_services() -> Tuple[List[Service], int]:
    """The virtual services of this network namespace and the number of lines that make no sense. Raises OSError."""
    with open(_SERVICES, encoding="ascii", errors="replace") as handle:
        return parse_services(handle)


def parse_services(lines: Iterable[str]) -> Tuple[List[Service], int]:
    """The virtual services in the lines of /proc/net/ip_vs and the number of lines that make no sense. Never raises.

    The header lines are skipped; flags are as the kernel prints them (``persistent`` with its time in jiffies).
    """
    services: List[Service] = []
    strange = 0
    for line in lines:
        if not line.strip() or line.startswith(("IP Virtual Server", "Prot ", "  -> RemoteAddress:")):
            continue
        real_server = _parse_real_server(line)
        service = None if real_server else _parse_service(line)
        if service:
            services.append(service)
        elif real_server and services:
            services[-1].real_servers.append(real_server)
        else:
            strange += 1
    return services, strange


def read_connections() -> Tuple[Connections, int]:
    """The connections, counted, and the number of lines that make no sense. Raises OSError.

    The file may have millions of lines: it is streamed, never held.
    """
    with open(_CONNECTIONS, "rb") as handle:
        return count_connections(handle)


def count_connections(lines: Iterable[bytes]) -> Tuple[Connections, int]:
    """The lines of /proc/net/ip_vs_conn (or ip_vs_conn_sync), counted, and those that make no sense. Never raises."""
    counts: Dict[Tuple[bytes, bytes], int] = {}
    short: Dict[bytes, int] = {}  # what follows an established state, where that is so short that few are different
    seconds_left = _cut.Counter()
    strange = 0
    for line in lines:
        columns = line.split(None, _STATE_COLUMN + 1)
        if len(columns) < _STATE_COLUMN + 1:
            strange += 1
        elif columns[0] != b"Pro":
            kind = (columns[0], columns[_STATE_COLUMN])
            counts[kind] = counts.get(kind, 0) + 1
            if kind == _ESTABLISHED:
                rest = columns[-1]
                if len(rest) <= _SHORT_BYTES:
                    short[rest] = short.get(rest, 0) + 1
                else:
                    seconds_left.add(_seconds(rest))
    for rest, count in short.items():
        seconds_left.add(_seconds(rest), count)
    by_protocol, unnamed = _by_protocol(counts)
    return Connections(by_protocol, seconds_left.within()), strange + unnamed


def _seconds(rest: bytes) -> int:
    """The column Expires, whole seconds: first after the state, or after Origin; for ever when it makes no sense."""
    try:
        return max(int(rest), 0)
    except ValueError:
        numbers = (word for word in rest.split()[:2] if word.isdigit() and len(word) <= _MAX_DIGITS)
        return next((int(word) for word in numbers), _FOR_EVER)


def _by_protocol(counts: Dict[Tuple[bytes, bytes], int]) -> Tuple[Dict[str, Dict[str, int]], int]:
    result: Dict[str, Dict[str, int]] = {}
    strange = 0
    for (protocol, state), count in sorted(counts.items()):
        if _NAME.fullmatch(protocol) and _NAME.fullmatch(state):
            result.setdefault(protocol.decode(), {})[state.decode()] = count
        else:
            strange += count
    return result, strange


def _parse_service(line: str) -> Optional[Service]:
    found = _SERVICE.match(line.rstrip())
    if found is None:
        return None
    protocol, address, port, scheduler, flags, fwmark, fwm_scheduler, fwm_flags = found.groups()
    if fwmark is not None:
        return Service("FWM", None, None, int(fwmark, 16), fwm_scheduler, " ".join(fwm_flags.split()), [])
    text = _address(address)
    if text is None:
        return None
    return Service(protocol, text, int(port, 16), None, scheduler, " ".join(flags.split()), [])


def _parse_real_server(line: str) -> Optional[RealServer]:
    found = _REAL_SERVER.match(line)
    if found is None:
        return None
    address, port, forward, weight, active, inactive = found.groups()
    text = _address(address)
    if text is None:
        return None
    return RealServer(text, int(port, 16), forward, int(weight), int(active), int(inactive))


def _address(text: str) -> Optional[str]:
    """0A60000A to 10.96.0.10, [fd00:0096:0000:...:0010] to fd00:96::10, anything else to None."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        if text.startswith("["):
            return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text[1:-1]))
        return socket.inet_ntop(socket.AF_INET, bytes(bytearray.fromhex(text)))
    except OSError:
        return None
