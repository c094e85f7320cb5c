# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real connections that show which keepalive the kernel gives new ones, in a network namespace of their own. Private to
this collection.

An option that a kernel does not take from a program is refused when the program runs, not when it is loaded.
"""

import ctypes
import fcntl
import os
import socket
import struct
import time
from typing import Any, Collection, Dict, Iterator, List, NamedTuple, Optional, Tuple

from . import cgroups
from .child import collect

_CLONE_NEWNET = 0x40000000
_SIOCSIFADDR, _SIOCSIFFLAGS, _IFF_UP = 0x8916, 0x8914, 1  # include/uapi/linux/sockios.h, if.h
_LIMIT_SECONDS = 10
_ADDRESS_SECONDS = 2

_IPV4, _IPV6 = "169.254.77.77", "fd00::6b61"
"""No loopback addresses, and of no meaning outside of the namespace, which has no other way than itself."""


class End(NamedTuple):
    """One end of a connection: its name for people, and what the kernel says of its keepalive."""

    name: str
    on: bool
    time: int
    intvl: int
    probes: int

    def __str__(self) -> str:
        return f"{'on' if self.on else 'off'}, {self.time}/{self.intvl}/{self.probes}"


class Trial(NamedTuple):
    """Both ends of each connection, why there are no more of them, and whether they are those of the very cgroup."""

    ends: List[End]
    error: Optional[str]
    entered: bool


def try_connections(cgroup: int, avoid_ports: Collection[int] = ()) -> Trial:
    """Open a connection over IPv4, and one over IPv6 where the kernel has it, in that cgroup: what both ends then have.

    The child that does it takes itself there first, for what runs us may be in an excluded one. Where it cannot
    (cgroups may be read-only), it stays where we are. Takes milliseconds.
    """
    rows, error = collect(lambda: _ends(cgroup, avoid_ports), _LIMIT_SECONDS)
    return Trial([End(**row) for row in rows[1:]], error, rows[:1] == [True])


def _ends(cgroup: int, avoid_ports: Collection[int]) -> Iterator[Any]:
    """Whether the cgroup was entered, then each end."""
    yield cgroups.enter(cgroup)
    _own_namespace()
    _raise_loopback()
    yield from _connection(socket.AF_INET, "IPv4", _IPV4, avoid_ports)
    if _has_ipv6():
        yield from _connection(socket.AF_INET6, "IPv6", _IPV6, avoid_ports)


def _connection(kind: int, name: str, address: str, avoid_ports: Collection[int]) -> Iterator[Dict[str, Any]]:
    here, there = _two_ports(avoid_ports)
    with socket.socket(kind, socket.SOCK_STREAM) as listener, socket.socket(kind, socket.SOCK_STREAM) as client:
        listener.bind((address, there))
        listener.listen(1)
        client.bind((address, here))
        client.settimeout(_LIMIT_SECONDS)
        client.connect((address, there))
        with listener.accept()[0] as server:
            yield dict(_end(f"{name}, the end that opened it", client)._asdict())
            yield dict(_end(f"{name}, the end that accepted it", server)._asdict())


def _end(name: str, sock: socket.socket) -> End:
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    values = [sock.getsockopt(socket.IPPROTO_TCP, option) for option in options]
    return End(name, bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)), *values)


def _two_ports(avoid: Collection[int]) -> Tuple[int, int]:
    """All ports of a new namespace are free."""
    free = (port for port in range(65535, 1023, -1) if port not in avoid)
    return next(free), next(free)


def _own_namespace() -> None:
    """unshare(2); in Python's own library only since 3.12. Raises OSError."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace for a trial connection: {os.strerror(number)}")


def _raise_loopback() -> None:
    """Have lo up, with addresses that are not loopback ones (struct ifreq, struct in6_ifreq)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        address = struct.pack("=16sH2x4s8x", b"lo", socket.AF_INET, socket.inet_aton(_IPV4))
        fcntl.ioctl(control, _SIOCSIFADDR, address)
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("=16sH14x", b"lo", _IFF_UP))


def _has_ipv6() -> bool:
    """Whether lo takes an IPv6 address; not where a kernel or its settings have none."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
            address = struct.pack("=16sIi", socket.inet_pton(socket.AF_INET6, _IPV6), 128, socket.if_nametoindex("lo"))
            fcntl.ioctl(control, _SIOCSIFADDR, address)
            return _binds(control, time.monotonic() + _ADDRESS_SECONDS)
    except OSError:
        return False


def _binds(sock: socket.socket, deadline: float) -> bool:
    """The kernel takes an IPv6 address at once and has it in use a moment later (addrconf_dad_work)."""
    while True:
        try:
            sock.bind((_IPV6, 0))
            return True
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
