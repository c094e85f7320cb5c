# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One TCP packet with a sequence number out of window, as reordering and overload produce them. Runs in the guest."""

import socket
import struct

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
RECEIVE_QUEUE, SEND_QUEUE = 1, 2
REPAIR_ON, REPAIR_OFF_WITHOUT_PROBE = 1, -1
OFFSETS = {"ahead": 1 << 28, "late": -(1 << 28)}
"""How far beside the window, in bytes; any window is smaller."""
PSH_ACK = 0x18


def send(connection, kind):
    """Send ten bytes to the other end of a connection, out of window by OFFSETS[kind], past the socket itself."""
    (source, sport), (target, dport) = connection.getsockname(), connection.getpeername()
    sequence, acknowledged = sequence_numbers(connection)
    header = struct.pack(
        "!HHIIBBHHH", sport, dport, (sequence + OFFSETS[kind]) % (1 << 32), acknowledged, 5 << 4, PSH_ACK, 512, 0, 0
    )
    body = b"misplaced\n"
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!BBH", 0, 6, len(header) + len(body))
    header = header[:16] + struct.pack("!H", checksum(pseudo + header + body)) + header[18:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.sendto(header + body, (target, 0))


def sequence_numbers(connection):
    """The next sequence number to send and the next one expected, from the kernel (TCP_REPAIR, tcp(7))."""
    numbers = []
    connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_ON)
    for queue in (SEND_QUEUE, RECEIVE_QUEUE):
        connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        numbers.append(connection.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) % (1 << 32))
    connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_WITHOUT_PROBE)
    return numbers


def checksum(data):
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
