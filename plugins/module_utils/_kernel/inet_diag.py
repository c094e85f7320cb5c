# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Established TCP sockets of this network namespace through netlink. Reading only. Private to this collection.

What NETLINK_SOCK_DIAG sends is in inet_diag.h and sock_diag.h of include/uapi/linux, struct tcp_info in tcp.h there.
"""

import struct
from socket import AF_INET, AF_INET6, ntohs
from typing import Dict, Iterator, NamedTuple, Optional, Tuple

from .modules import use_loads_nothing
from .netlink import NetlinkError, attributes, dump


class Socket(NamedTuple):
    """An established or listening TCP socket.

    Addresses are packed, of 4 or 16 bytes; an IPv4 one in an IPv6 socket has 4.
    timer is what it waits for (TIMER_..., or another where data is under way), expires_ms what is left of that, idle_ms
    the time since the last packet, rto_ms the time-out after which it repeats data; both None where unseen.
    ipv6_only: it is known to listen for IPv6 alone.
    """

    family: int
    local: bytes
    local_port: int
    remote: bytes
    remote_port: int
    timer: int
    expires_ms: int
    uid: int
    inode: int
    idle_ms: Optional[int]
    rto_ms: Optional[int] = None
    ipv6_only: bool = False


TIMER_NONE = 0
TIMER_KEEPALIVE = 2
TCP_ESTABLISHED, TCP_LISTEN = 1, 10  # include/net/tcp_states.h
V4_MAPPED = b"\0" * 10 + b"\xff\xff"

_NETLINK_SOCK_DIAG = 4
# The old request, which ss uses too: it alone asks for IPv4 and IPv6 in one walk of the kernel's table, and the table
# holds the sockets of all namespaces, so walking it is what costs most.
_TCPDIAG_GETSOCK = 18
_REQUEST = struct.Struct("=4B48xII")  # struct inet_diag_req: family, two lengths, extensions; id; states; dbs
_MESSAGE = struct.Struct("=BBBxHH16s16s12xI8xII")  # struct inet_diag_msg
_COOKIE = struct.Struct("=II")  # its low and its high half (sock_diag_save_cookie in net/core/sock_diag.c)
_COOKIE_AT = 44  # idiag_cookie in struct inet_diag_msg
_INET_DIAG_INFO = 2
_INET_DIAG_SKV6ONLY = 11  # one byte, of listening sockets of IPv6 whatever is asked for
# The attribute's header; tcpi_rto in microseconds, tcpi_last_data_sent, tcpi_last_data_recv and tcpi_last_ack_recv.
_INFO = struct.Struct("=HH8xI32xI4xII")
_ATTRIBUTE_HEADER_BYTES = 4


def loads_nothing() -> bool:
    """Whether the kernel can be asked without loading a module for it (net/core/sock_diag.c, net/ipv4/inet_diag.c)."""
    return use_loads_nothing("inet_diag") and use_loads_nothing("tcp_diag")


def read(listening: bool = False) -> Iterator[Socket]:
    """The established sockets, streamed. Loads tcp_diag where it is not there: ask loads_nothing() first.

    ``listening``: before them those that listen, whose remote port is 0 (inet_diag_dump_icsk in net/ipv4/inet_diag.c).
    Raises NetlinkError or OSError, at the end InterruptedDumpError. Needs no rights.
    """
    places: Dict[int, int] = {}
    for buffer, begin, end in _dump(listening):
        found = parse(buffer, begin, end, places)
        if found is not None:
            yield found


def read_with_cookies() -> Iterator[Tuple[Socket, int]]:
    """As read() with those that listen, each with the number that no other socket of this boot has (SO_COOKIE)."""
    places: Dict[int, int] = {}
    for buffer, begin, end in _dump(True):
        found = parse(buffer, begin, end, places)
        if found is not None:
            low, high = _COOKIE.unpack_from(buffer, begin + _COOKIE_AT)
            yield found, high << 32 | low


def _dump(listening: bool) -> Iterator[Tuple[bytearray, int, int]]:
    states = 1 << TCP_ESTABLISHED | listening << TCP_LISTEN
    return dump(_NETLINK_SOCK_DIAG, _TCPDIAG_GETSOCK, _REQUEST.pack(0, 0, 0, 1 << (_INET_DIAG_INFO - 1), states, 0))


def parse(buffer: bytearray, begin: int, end: int, places: Dict[int, int]) -> Optional[Socket]:
    """The socket in a message's payload, None for one in another state. Raises NetlinkError when it is too short.

    places remembers, by length of the payload, where tcp_info was last time.
    """
    if end - begin < _MESSAGE.size:
        raise NetlinkError(f"{end - begin} bytes are too short for a socket")
    family, state, timer, local_port, remote_port, local, remote, expires_ms, uid, inode = _MESSAGE.unpack_from(
        buffer, begin
    )
    if state not in (TCP_ESTABLISHED, TCP_LISTEN):
        return None
    if family == AF_INET:
        local, remote = local[:4], remote[:4]
    elif family != AF_INET6:
        return None
    elif remote.startswith(V4_MAPPED):
        local, remote = local[12:], remote[12:]
    times = _idle_and_rto_ms(buffer, begin, end, places)
    only = state == TCP_LISTEN and family == AF_INET6 and _is_ipv6_only(buffer, begin, end)
    ports = ntohs(local_port), ntohs(remote_port)
    return Socket(family, local, ports[0], remote, ports[1], timer, expires_ms, uid, inode, *times, only)


def _is_ipv6_only(buffer: bytearray, begin: int, end: int) -> bool:
    first, last = attributes(buffer, begin + _MESSAGE.size, end).get(_INET_DIAG_SKV6ONLY, (0, 0))
    return last > first and bool(buffer[first])


def _idle_and_rto_ms(
    buffer: bytearray, begin: int, end: int, places: Dict[int, int]
) -> Tuple[Optional[int], Optional[int]]:
    """The time since data was sent or data or an acknowledgement came, and the time-out; None without tcp_info.

    tcpi_last_ack_sent is always 0: the kernel does not remember it.
    """
    at = begin + places.get(end - begin, 0)
    if at == begin or at + _INFO.size > end:
        at = _find_info(buffer, begin, end)
    if not at:
        return None, None
    size, kind, rto_us, sent, received, acknowledged = _INFO.unpack_from(buffer, at)
    if kind != _INET_DIAG_INFO or size < _INFO.size or at + size > end:
        at = _find_info(buffer, begin, end)
        if not at:
            return None, None
        _size, _kind, rto_us, sent, received, acknowledged = _INFO.unpack_from(buffer, at)
    places[end - begin] = at - begin
    return min(sent, received, acknowledged), -(-rto_us // 1000)


def _find_info(buffer: bytearray, begin: int, end: int) -> int:
    """Where the attribute with tcp_info begins, 0 when there is none or an old kernel's is too short."""
    first, last = attributes(buffer, begin + _MESSAGE.size, end).get(_INET_DIAG_INFO, (0, 0))
    at = first - _ATTRIBUTE_HEADER_BYTES
    return at if last - at >= _INFO.size else 0
