# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dumps of kernel tables through netlink, streamed. Reading only. Private to this collection."""

import errno
import os
import socket
import struct
from typing import Dict, Iterator, Optional, Tuple


class NetlinkError(Exception):
    """The kernel refused a dump, or what it sent makes no sense. The text says which; ``number`` is its own errno."""

    number: Optional[int] = None


class InterruptedDumpError(NetlinkError):
    """The table changed while it was read, so that entries may be missing or there twice. Read it again."""


NLMSG_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port: include/uapi/linux/netlink.h
NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_DUMP_INTR = 0x10
_NLM_F_REQUEST_DUMP = 0x301
_NUMBER = struct.Struct("=i")
_ATTRIBUTE = struct.Struct("=HH")  # length with this header, type
_ATTRIBUTE_TYPE = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

_MAX_ERRNO = 4095  # include/linux/err.h
_BUFFER_BYTES = 1 << 16  # the kernel's messages of a dump take 32 KiB at most (netlink_dump, net/netlink/af_netlink.c)
_SECONDS = 10


def dump(protocol: int, kind: int, request: bytes) -> Iterator[Tuple[bytearray, int, int]]:
    """Every message that answers a dump request, as buffer, begin and end of its payload; then the buffer is reused.

    protocol is NETLINK_..., kind the type of the request. Raises NetlinkError or OSError, at the end
    InterruptedDumpError. Asking may make the kernel load a module: the caller has to know that it does not.
    """
    interrupted = False
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as channel:
        channel.settimeout(_SECONDS)
        header = NLMSG_HEADER.pack(NLMSG_HEADER.size + len(request), kind, _NLM_F_REQUEST_DUMP, 1, 0)
        channel.sendto(header + request, (0, 0))
        buffer = bytearray(_BUFFER_BYTES)
        done = False
        while not done:
            length = channel.recv_into(buffer, 0, socket.MSG_TRUNC)
            for flags, begin, end in messages(buffer, length):
                interrupted = interrupted or bool(flags & NLM_F_DUMP_INTR)
                if begin == end == 0:
                    done = True
                    break
                yield buffer, begin, end
    if interrupted:
        raise InterruptedDumpError("the table kept changing while it was read")


def messages(buffer: bytearray, length: int) -> Iterator[Tuple[int, int, int]]:
    """The flags, begin and end of each message in the first length bytes; 0 and 0 stand for the end of the dump.

    Raises NetlinkError with the kernel's own error, or when the lengths make no sense.
    """
    if length > len(buffer):
        raise NetlinkError(f"the kernel sent {length} bytes at once, {len(buffer)} were expected at most")
    at = 0
    while at < length:
        if length - at < NLMSG_HEADER.size:
            raise NetlinkError(f"{length - at} bytes are too short for a message")
        size, kind, flags, _sequence, _port = NLMSG_HEADER.unpack_from(buffer, at)
        if not NLMSG_HEADER.size <= size <= length - at:
            raise NetlinkError(f"a message of {size} bytes does not fit the {length - at} that are left")
        if kind in (NLMSG_DONE, NLMSG_ERROR):
            _raise_error(buffer, at + NLMSG_HEADER.size, at + size, kind)
            yield flags, 0, 0
        elif kind > NLMSG_DONE:
            yield flags, at + NLMSG_HEADER.size, at + size
        at += (size + 3) & ~3


def attributes(buffer: bytearray, begin: int, end: int) -> Dict[int, Tuple[int, int]]:
    """Where the content of each attribute between two places begins and ends, by type.

    Raises NetlinkError when the lengths make no sense.
    """
    found = {}
    unpack, header = _ATTRIBUTE.unpack_from, _ATTRIBUTE.size
    while end - begin >= header:
        size, kind = unpack(buffer, begin)
        if not header <= size <= end - begin:
            raise NetlinkError(f"an attribute of {size} bytes does not fit the {end - begin} that are left")
        found[kind & _ATTRIBUTE_TYPE] = (begin + header, begin + size)
        begin += (size + 3) & ~3
    return found


def _raise_error(buffer: bytearray, begin: int, end: int, kind: int) -> None:
    """Raise the error in an NLMSG_ERROR, or in the NLMSG_DONE of a dump that failed half-way; 0 is none."""
    if end - begin < _NUMBER.size:
        number = 0 if kind == NLMSG_DONE else -errno.EPROTO
    else:
        number = _NUMBER.unpack_from(buffer, begin)[0]
    if number < 0:
        error = NetlinkError(os.strerror(-number) if -number <= _MAX_ERRNO else f"error {number}")
        error.number = -number
        raise error
