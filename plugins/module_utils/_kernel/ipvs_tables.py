# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPVS virtual services and connections of this network namespace. Reading only. Private to this collection."""

import errno
import re
import socket
import sys
import time
from itertools import islice
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from .flows import SecondsLeft, endpoint, keep_largest


class RealServer(NamedTuple):
    """``forward`` is how packets come to it, as the kernel prints it: Masq, Local, Tunnel or Route."""

    address: str
    port: int
    weight: int
    active: int
    inactive: int
    forward: str = "Masq"


class Service(NamedTuple):
    protocol: str
    address: Optional[str]
    port: Optional[int]
    fwmark: Optional[int]
    scheduler: str
    flags: str
    real_servers: List[RealServer]


class Expiring(NamedTuple):
    """An established TCP connection, and in how many seconds it expires if it stays idle; places as ADDRESS:PORT."""

    client: str
    service: str
    real_server: str
    seconds_left: int


class Connections(NamedTuple):
    """Connections by protocol and state, and how many established TCP ones expire within so many seconds if idle.

    ``idlest`` are those of them with the least seconds left, ascending. All have the same timeout, unless it was
    changed since their last packet, so they are the longest idle. ``longest_left``: the most seconds that a
    connection to each of the real servers that were asked for has left, by protocol and server.
    """

    counts: Dict[str, Dict[str, int]]
    cut_within: Dict[str, int]
    idlest: List[Expiring]
    longest_left: Dict[Tuple[str, str], int]


MAX_IDLEST = 20
"""More connections are not listed."""

_WALK_SECONDS = 30
"""Whoever reaches a virtual service fills the table, and the kernel walks it by position, from its beginning for each
piece that it gives (ip_vs_conn_array in net/netfilter/ipvs/ip_vs_conn.c)."""

_LINES_AT_ONCE = 256

_CONNECTIONS = "/proc/net/ip_vs_conn"
_STATE_COLUMN = 7  # of /proc/net/ip_vs_conn: Pro FromIP FPrt ToIP TPrt DestIP DPrt State ...
_ESTABLISHED = (b"TCP", b"ESTABLISHED")
_FOR_EVER = sys.maxsize
_MAX_DIGITS = 18
_SHORT_BYTES = 4  # 999 and the end of the line
_PORT = re.compile(rb"[0-9A-F]{4}")
_NAME = re.compile(rb"[A-Z0-9_]{1,32}")
_SERVICE = re.compile(r"(TCP|UDP|SCTP)\s+(\S+):([0-9A-F]{4})\s+(\S+)\s*(.*)$|FWM\s+([0-9A-F]{8})\s+(\S+)\s*(.*)$")
_REAL_SERVER = re.compile(r"\s*->\s+(\S+):([0-9A-F]{4})\s+(\S+)\s+(-?\d+)\s+(\d+)\s+(\d+)\s*$")
_ADDRESS = re.compile(r"[0-9A-F]{8}|\[[0-9a-f:.]{2,45}\]")


def parse_services(lines: Iterable[str]) -> Iterator[Optional[Service]]:
    """The virtual services in the lines of /proc/net/ip_vs, and None for a line that makes no sense. Never raises.

    One at a time: there may be ten thousand with ten real servers each. The header lines are skipped; flags are as the
    kernel prints them (``persistent`` with its time in jiffies).
    """
    service = None
    for line in lines:
        if not line.strip() or line.startswith(("IP Virtual Server", "Prot ", "  -> RemoteAddress:")):
            continue
        real_server = _parse_real_server(line)
        if real_server and service:
            service.real_servers.append(real_server)
            continue
        begun = None if real_server else _parse_service(line)
        if begun is None:
            yield None
            continue
        if service:
            yield service
        service = begun
    if service:
        yield service


def read_connections(servers: Iterable[str] = ()) -> Tuple[Connections, int]:
    """The connections, counted, and the number of lines that make no sense. Raises OSError.

    Of those to the servers, such as 10.3.0.2:8080, what they have left.

    The file may have millions of lines: it is streamed, never held.
    """
    return count_connections(walk(_CONNECTIONS), servers)


def walk(table: str) -> Iterator[bytes]:
    """The lines of a table of connections, streamed. Raises OSError, also where they are not all read in time."""
    deadline = time.monotonic() + _WALK_SECONDS
    with open(table, "rb") as handle:
        while True:
            lines = list(islice(handle, _LINES_AT_ONCE))
            if not lines:
                return
            if time.monotonic() > deadline:
                raise OSError(errno.ETIME, f"not all of it was read within {_WALK_SECONDS} s")
            yield from lines


def count_connections(lines: Iterable[bytes], servers: Iterable[str] = ()) -> Tuple[Connections, int]:
    """The lines of /proc/net/ip_vs_conn (or ip_vs_conn_sync), counted, and those that make no sense. Never raises."""
    counts: Dict[Tuple[bytes, bytes], int] = {}
    short: Dict[bytes, int] = {}  # seconds by what follows the state, where that is so short that few are different
    seconds_left = SecondsLeft()
    idlest: List[Tuple[int, List[bytes]]] = []
    longest_left = _FOR_EVER
    strange = 0
    asked = {as_written(server): server for server in servers}
    left: Dict[Tuple[str, str], int] = {}
    for line in lines:
        columns = line.split(None, _STATE_COLUMN + 1)
        if len(columns) < _STATE_COLUMN + 1:
            strange += 1
        elif columns[0] != b"Pro":
            kind = (columns[0], columns[_STATE_COLUMN])
            counts[kind] = counts.get(kind, 0) + 1
            if asked and (columns[5], columns[6]) in asked:
                server = (columns[0].decode("ascii", "replace"), asked[columns[5], columns[6]])
                expires = _seconds(columns[-1])
                if expires != _FOR_EVER:
                    left[server] = max(left.get(server, 0), expires)
            if kind == _ESTABLISHED:
                rest = columns[-1]
                seconds = short.get(rest)
                if seconds is None:
                    seconds = _seconds(rest)
                    if len(rest) <= _SHORT_BYTES:
                        short[rest] = seconds
                seconds_left.add(seconds)
                if seconds < longest_left:
                    keep_largest(idlest, (-seconds, columns[1:_STATE_COLUMN]), MAX_IDLEST)
                    longest_left = -idlest[0][0] if len(idlest) == MAX_IDLEST else _FOR_EVER
    by_protocol, unnamed = _by_protocol(counts)
    return Connections(by_protocol, seconds_left.within(), _expiring(idlest), left), strange + unnamed


def _expiring(idlest: List[Tuple[int, List[bytes]]]) -> List[Expiring]:
    """Those of the heap, the longest idle first, without the ones whose columns are no addresses and ports."""
    result = []
    for left, columns in sorted(idlest, reverse=True):
        client, service, real_server = (_place(*pair) for pair in zip(columns[::2], columns[1::2]))
        if client and service and real_server:
            result.append(Expiring(client, service, real_server, -left))
    return result


def as_written(server: str) -> Tuple[bytes, bytes]:
    """The columns DestIP and DPrt of 10.3.0.2:8080 or [fd00::2]:8080."""
    address, _colon, port = server.rpartition(":")
    if address.startswith("["):
        packed = socket.inet_pton(socket.AF_INET6, address[1:-1]).hex()
        written = ":".join(packed[at : at + 4] for at in range(0, len(packed), 4))
    else:
        written = socket.inet_pton(socket.AF_INET, address).hex().upper()
    return written.encode(), b"%04X" % int(port)


def _place(address: bytes, port: bytes) -> Optional[str]:
    written = address.decode("ascii", "replace")
    text = _address(f"[{written}]" if ":" in written else written)
    return endpoint(text, int(port, 16)) if text and _PORT.fullmatch(port) else None


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
    return RealServer(text, int(port, 16), int(weight), int(active), int(inactive), forward)


def _address(text: str) -> Optional[str]:
    """0A60000A to 10.96.0.10, [fd00:0096:0000:...:0010] to fd00:96::10, anything else to None."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        if text.startswith("["):
            return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text[1:-1]))
        return socket.inet_ntop(socket.AF_INET, bytes.fromhex(text))
    except OSError:
        return None
