# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two programs that the kernel runs for each new TCP connection, an instruction a line. Pure. Private to this
collection.

One gives a connection its keepalive; the other, on an excluded cgroup, tells it to leave a connection alone. Both end
with 1 whatever comes of it: no connection is ever held up or refused.
"""

import hashlib
import re
import sys
from typing import List, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive

from .bpf_instructions import (
    Line,
    add,
    as_big_endian,
    assemble,
    call,
    jump,
    jump_if,
    leave,
    load,
    move,
    number,
    place,
    shift_right,
    store,
    store_number,
)

MARKER = "ka_exclude"
"""The name of the program on an excluded cgroup."""

_NAME = "ka_{:04x}_{:04x}_{:02x}"  # of the 15 letters that the kernel keeps (BPF_OBJ_NAME_LEN)
NAMES = "ka_([0-9a-f]{4})_([0-9a-f]{4})_([0-9a-f]{2})"
"""What the whole name of a program that gives keepalive matches."""

# struct bpf_sock_ops in include/uapi/linux/bpf.h: bytes from its start.
_OP, _REPLY, _FAMILY, _REMOTE_IP4, _REMOTE_IP6, _REMOTE_PORT, _LOCAL_PORT = 0, 4, 20, 24, 32, 64, 68
_ACTIVE_ESTABLISHED, _PASSIVE_ESTABLISHED = 4, 5
_GETSOCKOPT, _SETSOCKOPT = 57, 49  # helpers

# include/uapi/asm-generic/socket.h, include/uapi/linux/tcp.h, include/linux/socket.h
_SOL_SOCKET, _SO_KEEPALIVE, _SOL_TCP, _KEEPIDLE, _KEEPINTVL, _KEEPCNT = 1, 9, 6, 4, 5, 6
_AF_INET, _AF_INET6, _LOOPBACK = 2, 10, 127

_LEAVE_ALONE = 0x6B616578
"""What the one program tells the other by the field reply, which nothing reads when a connection has come up."""


def program(values: Keepalive, ports: Sequence[int] = (), byteorder: str = sys.byteorder) -> List[Tuple[bytes, str]]:
    """The program that gives connections this keepalive, by its instructions with their meanings.

    Loopback, and connections from or to one of the ports, are left alone. Where the kernel lets a program read what a
    connection has, so are those with a keepalive whose time and intvl are no later; and none of these is made later.
    """
    established = [
        move(6, 1, "r6: the connection, as TCP tells of it"),
        load(1, 6, _OP, "what happens to it"),
        jump_if(1, "==", _ACTIVE_ESTABLISHED, "established", "it was opened here and is up"),
        jump_if(1, "!=", _PASSIVE_ESTABLISHED, "end", "anything but that it was accepted here and is up"),
        place("established"),
        load(1, 6, _REPLY, "what a program on an excluded cgroup has left"),
        jump_if(1, "==", _LEAVE_ALONE, "end", "it is excluded"),
    ]
    lines = [*established, *_unless_loopback(), *_unless_port(ports), *_unless_sooner(values), *_set(values), *_END]
    return assemble(lines, byteorder)


def marker(byteorder: str = sys.byteorder) -> List[Tuple[bytes, str]]:
    """The program on an excluded cgroup: those of a cgroup run before those of the cgroups above it."""
    lines = [
        load(2, 1, _OP, "what happens to the connection"),
        jump_if(2, "==", _ACTIVE_ESTABLISHED, "established", "it was opened here and is up"),
        jump_if(2, "!=", _PASSIVE_ESTABLISHED, "end", "anything else: reply would mean something to TCP"),
        place("established"),
        number(2, _LEAVE_ALONE, "leave it alone"),
        store(1, _REPLY, 2, "tell the program above"),
        *_END,
    ]
    return assemble(lines, byteorder)


def name_of(values: Keepalive) -> str:
    """The name of the program that gives connections this keepalive: it can be read back from a running kernel."""
    return _NAME.format(*values)


def values_of(name: str) -> Optional[Keepalive]:
    """The keepalive that a program of ours gives, by its name; None for another program."""
    found = re.fullmatch(NAMES, name)
    return Keepalive(*(int(text, 16) for text in found.groups())) if found else None


def code_of(instructions: Sequence[Tuple[bytes, str]]) -> bytes:
    """The bytes that the kernel takes."""
    return b"".join(code for code, _meaning in instructions)


def tags(code: bytes) -> Tuple[str, str]:
    """The hashes by which kernels name a program without maps: SHA-1 of its instructions, since 6.18 SHA-256.

    The first 8 bytes in hex (bpf_prog_calc_tag in kernel/bpf/core.c).
    """
    return hashlib.sha1(code).hexdigest()[:16], hashlib.sha256(code).hexdigest()[:16]  # noqa: S324


def _unless_loopback() -> List[Line]:
    """To the end for a connection with 127.0.0.0/8, ::1 or ::ffff:127.0.0.0/104; addresses are in network order."""
    return [
        load(1, 6, _FAMILY, "the family of the socket"),
        jump_if(1, "==", _AF_INET6, "ipv6", "IPv6"),
        jump_if(1, "!=", _AF_INET, "end", "neither IPv6 nor IPv4"),
        load(1, 6, _REMOTE_IP4, "the peer's IPv4 address"),
        jump("ipv4", "compare it"),
        place("ipv6"),
        load(1, 6, _REMOTE_IP6, "the peer's IPv6 address, its first 32 bits"),
        jump_if(1, "!=", 0, "elsewhere", "not loopback"),
        load(1, 6, _REMOTE_IP6 + 4, "its second 32 bits"),
        jump_if(1, "!=", 0, "elsewhere", "not loopback"),
        load(2, 6, _REMOTE_IP6 + 8, "its third 32 bits"),
        as_big_endian(2),
        load(1, 6, _REMOTE_IP6 + 12, "its last 32 bits"),
        jump_if(2, "==", 0xFFFF, "ipv4", "IPv4 on a socket of IPv6: compare its IPv4 address"),
        jump_if(2, "!=", 0, "elsewhere", "not loopback"),
        as_big_endian(1),
        jump_if(1, "==", 1, "end", "::1"),
        jump("elsewhere", "not loopback"),
        place("ipv4"),
        as_big_endian(1),
        shift_right(1, 24, "its first byte"),
        jump_if(1, "==", _LOOPBACK, "end", "127.0.0.0/8"),
        place("elsewhere"),
    ]


def _unless_port(ports: Sequence[int]) -> List[Line]:
    """To the end for a connection from or to one of the ports. The peer's is in network order, ours is not."""
    if not ports:
        return []
    lines = [
        load(7, 6, _LOCAL_PORT, "r7: the port here"),
        load(8, 6, _REMOTE_PORT, "r8: the port of the peer"),
        as_big_endian(8),
    ]
    for port in ports:
        lines += [
            jump_if(7, "==", port, "end", f"port {port} is excluded"),
            jump_if(8, "==", port, "end", f"port {port} is excluded"),
        ]
    return lines


def _unless_sooner(values: Keepalive) -> List[Line]:
    """r7 and r8: the time and intvl to set, the connection's own where these are sooner.

    To the end where it has SO_KEEPALIVE and both are no later. An own value below 1 s breaks idle connections (a sysctl
    may be so), so it counts as later: one less than it is then a very large number.
    """
    return [
        number(7, values.time, f"r7: time {values.time} s"),
        number(8, values.intvl, f"r8: intvl {values.intvl} s"),
        number(9, 0, "r9: how many of its own two are no later"),
        *_ask(_SOL_TCP, _KEEPIDLE, "TCP_KEEPIDLE"),
        *_sooner(7, values.time, "time"),
        *_ask(_SOL_TCP, _KEEPINTVL, "TCP_KEEPINTVL"),
        *_sooner(8, values.intvl, "intvl"),
        jump_if(9, "!=", 2, "set", "one of its own is later"),
        *_ask(_SOL_SOCKET, _SO_KEEPALIVE, "SO_KEEPALIVE"),
        load(1, 10, -4, "whether it is on"),
        jump_if(1, "!=", 0, "end", "it has a keepalive that is no later"),
        place("set"),
    ]


def _ask(level: int, option: int, name: str) -> List[Line]:
    """Read one of the connection's options to the top of the stack, or set all where the kernel does not tell."""
    return [
        *_arguments(level, option, name),
        call(_GETSOCKOPT, f"read {name}"),
        jump_if(0, "!=", 0, "set", "this kernel does not tell (before 6.1)"),
    ]


def _sooner(register: int, seconds: int, name: str) -> List[Line]:
    later = f"its own {name} is later"
    return [
        load(1, 10, -4, f"its own {name}"),
        move(2, 1, "the same"),
        add(2, -1, "less one, so that 0 is the largest"),
        jump_if(2, ">=", seconds, later, later),
        move(register, 1, "sooner, or the same: stay with it"),
        add(9, 1, "one more that is no later"),
        place(later),
    ]


def _set(values: Keepalive) -> List[Line]:
    """SO_KEEPALIVE comes last, for it arms the timer."""
    return [
        store(10, -4, 7, "time"),
        *_give(_SOL_TCP, _KEEPIDLE, "TCP_KEEPIDLE"),
        store(10, -4, 8, "intvl"),
        *_give(_SOL_TCP, _KEEPINTVL, "TCP_KEEPINTVL"),
        store_number(10, -4, values.probes, f"probes {values.probes}"),
        *_give(_SOL_TCP, _KEEPCNT, "TCP_KEEPCNT"),
        store_number(10, -4, 1, "on"),
        *_give(_SOL_SOCKET, _SO_KEEPALIVE, "SO_KEEPALIVE"),
    ]


def _give(level: int, option: int, name: str) -> List[Line]:
    return [*_arguments(level, option, name), call(_SETSOCKOPT, f"set {name}")]


def _arguments(level: int, option: int, name: str) -> List[Line]:
    return [
        move(1, 6, "of this connection"),
        number(2, level, "SOL_TCP" if level == _SOL_TCP else "SOL_SOCKET"),
        number(3, option, name),
        move(4, 10, "the stack"),
        add(4, -4, "its top 4 bytes"),
        number(5, 4, "4 bytes"),
    ]


_END = (place("end"), number(0, 1, "1: TCP goes on as ever"), leave("end"))
