# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP sockets of this network namespace from /proc/net. Reading only. Private to this collection.

Its tcp and tcp6 are the way where the kernel would have to load a module to be asked through netlink. How long a
socket is idle is not there. The columns are those of get_tcp4_sock and get_tcp6_sock in the kernel's
net/ipv4/tcp_ipv4.c and net/ipv6/tcp_ipv6.c.
"""

import itertools
import os
import sys
from socket import AF_INET, AF_INET6
from typing import Iterable, Iterator, Optional, Tuple

from .inet_diag import V4_MAPPED, Socket

_FILES = ((int(AF_INET), "/proc/net/tcp"), (int(AF_INET6), "/proc/net/tcp6"))
ESTABLISHED, LISTEN = (b"01",), (b"0A",)
OPEN = ESTABLISHED + LISTEN
_AMONG_LISTENING = (b"st", b"0A", b"03")  # the header; Linux before 4.4 lists TCP_SYN_RECV with the listener
_COLUMNS = 10  # sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode


def read(states: Optional[Tuple[bytes, ...]] = ESTABLISHED, having: bytes = b"") -> Iterator[Socket]:
    """The sockets in these states (None: in any), streamed; a line that makes no sense is left out. Raises OSError.

    Only lines that have these bytes are looked at. Without IPv6 in the kernel there is no tcp6. The listening sockets
    stand before all others (tcp_get_idx in net/ipv4/tcp_ipv4.c), which may be many and are not read for them.
    """
    for family, path in _FILES:
        try:
            with open(path, "rb") as handle:
                lines = itertools.takewhile(_is_among_listening, handle) if states == LISTEN else handle
                yield from parse((line for line in lines if having in line), family, states=states)
        except FileNotFoundError:
            if family == AF_INET:
                raise


def parse(
    lines: Iterable[bytes],
    family: int,
    ticks: Optional[int] = None,
    states: Optional[Tuple[bytes, ...]] = ESTABLISHED,
) -> Iterator[Socket]:
    """The sockets in the lines that are in these states. Never raises.

    Times there are in ``ticks`` of a second (USER_HZ).
    """
    ticks = ticks or os.sysconf("SC_CLK_TCK")
    for line in lines:
        columns = line.split(None, _COLUMNS)
        if len(columns) < _COLUMNS or (states is not None and columns[3] not in states):
            continue
        try:
            local, _colon, local_port = columns[1].partition(b":")
            remote, _colon, remote_port = columns[2].partition(b":")
            timer, _colon, when = columns[5].partition(b":")
            yield Socket(
                family,
                _address(local),
                int(local_port, 16),
                _address(remote),
                int(remote_port, 16),
                int(timer, 16),
                int(when, 16) * 1000 // ticks,
                int(columns[7]),
                int(columns[9]),
                None,
            )
        except ValueError:
            continue


def _is_among_listening(line: bytes) -> bool:
    columns = line.split(None, 4)
    return len(columns) > 3 and columns[3] in _AMONG_LISTENING


def _address(digits: bytes) -> bytes:
    """0100007F to the packed 127.0.0.1: words of four bytes, each a number in this machine's byte order."""
    raw = bytes.fromhex(digits.decode("ascii"))
    if len(raw) not in (4, 16):
        raise ValueError(digits)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return raw[12:] if raw.startswith(V4_MAPPED) else raw
