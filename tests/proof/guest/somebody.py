# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of BPF at the root of cgroups: which there are, and one of somebody else. Runs in the guest, as root.

attach    have somebody's run for each new connection: it sets SO_PRIORITY, and nothing else
detach    take it away again
list      the names of all that are there, as JSON

Every instruction is 8 bytes: what to do, registers (source, destination), offset, number.
"""

import ctypes
import json
import os
import resource
import struct
import sys

CGROUPS = "/sys/fs/cgroup"
NAME = "somebody"
PRIORITY = 5
SYSCALL_BPF = 321
LOAD, ATTACH, DETACH, GET_BY_ID, GET_INFO, QUERY = 5, 8, 9, 13, 15, 16
SOCK_OPS, CGROUP_SOCK_OPS, ALLOW_MULTI = 13, 3, 2
ACTIVE_ESTABLISHED, PASSIVE_ESTABLISHED = 4, 5
SOL_SOCKET, SO_PRIORITY = 1, 12
LOAD_WORD, STORE_NUMBER, MOVE, MOVE_NUMBER, ADD_NUMBER = 0x61, 0x62, 0xBF, 0xB7, 0x07
IF_EQUAL, IF_OTHER, CALL, EXIT = 0x15, 0x55, 0x85, 0x95
SETSOCKOPT = 49

PROGRAM = (
    (MOVE, 0x16, 0, 0),  # r6: the connection
    (LOAD_WORD, 0x61, 0, 0),  # r1: what happens to it
    (IF_EQUAL, 0x01, 1, ACTIVE_ESTABLISHED),
    (IF_OTHER, 0x01, 8, PASSIVE_ESTABLISHED),
    (STORE_NUMBER, 0x0A, -4, PRIORITY),
    (MOVE, 0x61, 0, 0),
    (MOVE_NUMBER, 0x02, 0, SOL_SOCKET),
    (MOVE_NUMBER, 0x03, 0, SO_PRIORITY),
    (MOVE, 0xA4, 0, 0),
    (ADD_NUMBER, 0x04, 0, -4),
    (MOVE_NUMBER, 0x05, 0, 4),
    (CALL, 0x00, 0, SETSOCKOPT),
    (MOVE_NUMBER, 0x00, 0, 1),
    (EXIT, 0x00, 0, 0),
)


MOST = 64
"""Programs on one cgroup (BPF_CGROUP_MAX_PROGS)."""
INFO_BYTES, NAME_AT = 80, 64
"""The name in struct bpf_prog_info."""


def bpf(command, layout, *values):
    """The answer of the system call, and its attributes afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    given = ctypes.create_string_buffer(struct.pack(layout, *values), struct.calcsize(layout))
    answer = libc.syscall(SYSCALL_BPF, command, given, ctypes.sizeof(given))
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"bpf command {command}")
    return answer, struct.unpack(layout, given.raw)


def attach():
    """Load it and attach it beside others; it stays when this process ends."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)
    code = ctypes.create_string_buffer(b"".join(struct.pack("<BBhi", *each) for each in PROGRAM))
    licence = ctypes.create_string_buffer(b"GPL")
    addresses = ctypes.addressof(code), ctypes.addressof(licence)
    size = SOCK_OPS, len(PROGRAM)
    program, _attributes = bpf(LOAD, "=IIQQIIQII16s", *size, *addresses, 0, 0, 0, 0, 0, NAME.encode())
    bpf(ATTACH, "=IIII", opened(CGROUPS), program, CGROUP_SOCK_OPS, ALLOW_MULTI)


def detach():
    """Take away what attach() attached."""
    for name, program in attached():
        if name == NAME:
            bpf(DETACH, "=IIII", opened(CGROUPS), program, CGROUP_SOCK_OPS, 0)


def attached(cgroup=CGROUPS):
    """The name and a descriptor of each program on a cgroup that the kernel runs for connections."""
    numbers = (ctypes.c_uint32 * MOST)()
    query = opened(cgroup), CGROUP_SOCK_OPS, 0, 0, ctypes.addressof(numbers), MOST
    _answer, attributes = bpf(QUERY, "=IIIIQI", *query)
    found = []
    for number in numbers[: attributes[-1]]:
        program, _attributes = bpf(GET_BY_ID, "=III", number, 0, 0)
        info = ctypes.create_string_buffer(INFO_BYTES)  # a new one each: what stands in it counts
        bpf(GET_INFO, "=IIQ", program, INFO_BYTES, ctypes.addressof(info))
        found.append((info.raw[NAME_AT:].split(b"\0")[0].decode(), program))
    return found


def names(cgroup=CGROUPS):
    """The names of the programs on a cgroup, sorted."""
    return sorted(name for name, _program in attached(cgroup))


def opened(cgroup):
    """A descriptor of a cgroup."""
    return os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)


if __name__ == "__main__":
    verbs = {"attach": attach, "detach": detach, "list": lambda *cgroup: print(json.dumps(names(*cgroup)))}
    verbs[sys.argv[1]](*sys.argv[2:])
