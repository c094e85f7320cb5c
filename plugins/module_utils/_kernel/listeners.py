# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose socket listens at an address of this network namespace, as the kernel says. Private to this collection.

/proc/net/tcp and tcp6 are read: everybody may, nothing is loaded for it, and it is there on every kernel.
"""

import os
import socket
import time
from typing import FrozenSet, Iterable, Iterator, List, NamedTuple, Optional

from . import proc_tcp
from .inet_diag import V4_MAPPED
from .processes import HOST_NETWORK, Process
from .procfs import namespace_of

SEARCH_SECONDS = 10
"""A pod in the node's network may have thousands of processes, each with thousands of open files."""

_ANY = (b"\0" * 4, b"\0" * 16)


class Listener(NamedTuple):
    """A listening socket: its inode, which no other socket has while it is open, and the user that made it."""

    inode: int
    uid: int


def at(host: str, port: int) -> FrozenSet[Listener]:
    """The sockets to which the kernel gives a connection to that IP address and port. Raises OSError.

    It prefers the exact address to a wildcard, and for IPv4 a socket of IPv4 (compute_score in
    net/ipv4/inet_hashtables.c). Whether IPv6's wildcard takes IPv4, too (IPV6_V6ONLY), is not told: it counts.
    """
    address = _packed(host)
    found = [
        ((each.local != address, len(each.local) == 16, each.family), Listener(each.inode, each.uid))
        for each in proc_tcp.read(proc_tcp.LISTEN)
        if each.local_port == port and (each.local == address or each.local in _ANY[len(address) == 16 :])
    ]
    best = min((rank for rank, _listener in found), default=None)
    return frozenset(listener for rank, listener in found if rank == best)


def is_own_address(host: str) -> bool:
    """Whether an IP address is one of this network namespace, loopback included. Raises OSError for other trouble.

    With net.ipv4.ip_nonlocal_bind the kernel says yes to any: see ends_here().
    """
    with socket.socket(_family(host), socket.SOCK_STREAM) as sock:
        try:
            sock.bind((host, 0))
        except OSError:
            return False
    return True


def ends_here(sock: socket.socket) -> bool:
    """Whether the other end of a connection is in this network namespace, whatever translates addresses on the way.

    A Service may have an address of the node, and then leads to a pod. Raises OSError.
    """
    own, peer = sock.getsockname(), sock.getpeername()
    wanted = (_packed(peer[0]), peer[1], _packed(own[0]), own[1])
    return any(
        (each.local, each.local_port, each.remote, each.remote_port) == wanted
        for each in proc_tcp.read(None, having=b":%04X " % own[1])
    )


def roots_process(
    inodes: Iterable[int], first: Optional[Process], proc: str = "/proc", seconds: float = SEARCH_SECONDS
) -> Optional[Process]:
    """The process that has all these sockets open, root's in the node's user and network namespace, with CAP_NET_ADMIN.

    None where there is none, or none that is found in so many seconds. ``first`` is looked at first.
    """
    own = {kind: namespace_of("self", kind, proc) for kind in HOST_NETWORK}
    deadline = time.monotonic() + seconds
    for process in _processes(first, proc):
        if time.monotonic() > deadline:
            return None
        try:
            foreign = any(process.namespace(kind) != own[kind] for kind in HOST_NETWORK)
            if foreign or process.users() != {0} or not process.may_change_network():
                continue
            if set(inodes) <= process.socket_inodes():
                return process
        except OSError:
            continue  # it has ended, or not even this root may look at it
    return None


def name_holder(inode: int, proc: str = "/proc") -> str:
    """``, process 4711 (python3)``, the first that has the socket open, or nothing where that cannot be told."""
    from . import socket_holders  # only of a listener that is not believed

    holder = socket_holders.find([inode], _pids(proc), proc).get(inode)
    return f", process {holder.pid} ({holder.name})" if holder else ""


def _processes(first: Optional[Process], proc: str) -> Iterator[Process]:
    if first is not None:
        yield first
    for pid in _pids(proc):
        try:
            yield Process(pid, proc)
        except OSError:
            continue


def _pids(proc: str) -> List[int]:
    return sorted(int(name) for name in os.listdir(proc) if name.isdigit())


def _packed(host: str) -> bytes:
    packed = socket.inet_pton(_family(host), host)
    return packed[12:] if packed.startswith(V4_MAPPED) else packed


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
