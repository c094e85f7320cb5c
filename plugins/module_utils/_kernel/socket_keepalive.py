# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keepalive of one open TCP socket, read and armed again in place. Private to this collection.

The descriptor is a duplicate of somebody else's: what is set here is set for the owner's connection.
"""

import errno
import os
import socket
import struct
from typing import NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive

_SO_COOKIE = 57  # include/uapi/asm-generic/socket.h, since 4.12; the number that inet_diag tells of a socket
_COOKIE = struct.Struct("=Q")
_TCP_ESTABLISHED = 1  # include/net/tcp_states.h; the first byte of struct tcp_info
_OPTIONS = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
"""As in Keepalive."""


class Armed(NamedTuple):
    """Whether a socket has SO_KEEPALIVE, and what its timer is armed with next: its own values or its namespace's."""

    asked: bool
    keepalive: Keepalive


def of_descriptor(descriptor: int) -> socket.socket:
    """The socket of a duplicate, which is closed with it. Nothing is asked of the kernel, nor is anything changed."""
    socket.setdefaulttimeout(None)  # with one, Python makes the socket non-blocking, for its owner, too
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, descriptor)


def identity(connection: socket.socket) -> Tuple[int, Optional[int]]:
    """The inode and the cookie, which is None on kernels that have none. Raises OSError: ENOTSOCK for no socket.

    The cookie is asked for first: of a file on a file system that never answers, not even the inode may be asked.
    """
    connection.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
    try:
        cookie: Optional[int] = _COOKIE.unpack(connection.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, _COOKIE.size))[0]
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            raise
        cookie = None
    return os.fstat(connection.fileno()).st_ino, cookie


def is_established(connection: socket.socket) -> bool:
    """Whether a TCP socket is connected and neither end has closed it. Raises OSError."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _TCP_ESTABLISHED


def read(connection: socket.socket) -> Armed:
    """What a TCP socket has. Raises OSError."""
    values = [connection.getsockopt(socket.IPPROTO_TCP, option) for option in _OPTIONS]
    return Armed(bool(connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)), Keepalive(*values))


def user_timeout_ms(connection: socket.socket) -> int:
    """After so long without an answer, even if probes are left, a probe ends the connection; 0: it has none.

    tcp_keepalive_timer in net/ipv4/tcp_timer.c. Raises OSError.
    """
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def arm(connection: socket.socket, wanted: Keepalive) -> None:
    """Arm the timer with other values in place, the time that the connection is idle counted. Raises OSError.

    SO_KEEPALIVE arms a full time from now, TCP_KEEPIDLE then what is left of its own (tcp_sock_set_keepidle_locked in
    net/ipv4/tcp.c), so it comes last. Where an option is refused, those before it are what they were.
    """
    before = read(connection)
    orders = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1, int(before.asked))]
    values = list(zip(_OPTIONS, wanted, before.keepalive))
    orders += [(socket.IPPROTO_TCP, *each) for each in reversed(values)]
    done = []
    try:
        for level, option, value, old in orders:
            connection.setsockopt(level, option, value)
            done.append((level, option, old))
    except OSError:
        for undo in reversed(done):
            connection.setsockopt(*undo)
        raise
