# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that attaches ours to the root cgroup at boot, as text: it needs Python's standard library alone. Private
to this collection.
"""

import json
import os
import re
import sys
from typing import List, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import sock_ops

_WANTED = r"(?m)^WANTED = json\.loads\(r'(\{.*\})'\)$"

_TEXT = """\
# Written by kubenode.connections, which removes it again (node_settings with state=absent).
\"""Gives every new TCP connection of this node a keepalive of @VALUES@ (time/intvl/probes), which a boot takes away.

By hand: python3 enforce.py [CGROUP]. Without a CGROUP it is the root of cgroup v2, which is the whole node.
What is attached already stays as it is. See it with bpftool cgroup tree.
\"""

import ctypes
import hashlib
import json
import os
import re
import struct
import sys

WANTED = json.loads(r'@WANTED@')

NAME, MARKER = "@NAME@", "@MARKER@"

NAMES = "@NAMES@"  # of those for the root cgroup

BPF = @NUMBER@  # the number of bpf(2) on @MACHINE@

# For the root cgroup: an instruction of the kernel's BPF machine a line.
PROGRAM = bytes.fromhex(
@PROGRAM@
)

# For each excluded cgroup.
EXCLUDE = bytes.fromhex(
@EXCLUDE@
)


def call(number, *arguments):
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    result = syscall(*[ctypes.c_long(each) if isinstance(each, int) else each for each in (number, *arguments)])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def bpf(command, layout, *values):
    \"""The result of bpf(2), and its argument afterwards.\"""
    argument = ctypes.create_string_buffer(struct.pack(layout, *values), struct.calcsize(layout))
    return call(BPF, command, argument, ctypes.sizeof(argument)), struct.unpack(layout, argument.raw)


def load(name, code):
    text, licence = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(b"GPL")
    addresses = ctypes.addressof(text), ctypes.addressof(licence)
    # BPF_PROG_LOAD of the type SOCK_OPS
    return bpf(5, "=IIQQIIQII16s", 13, len(code) // 8, *addresses, 0, 0, 0, 0, 0, name.encode())[0]


def named(cgroup, names):
    \"""The name, tag and descriptor of each program on a cgroup that is named so.\"""
    ids = (ctypes.c_uint32 * 128)()
    count = bpf(16, "=IIIIQI36x", cgroup, 3, 0, 0, ctypes.addressof(ids), 128)[1][5]  # BPF_PROG_QUERY
    for identity in ids[:count]:
        try:
            program = bpf(13, "=III", identity, 0, 0)[0]  # BPF_PROG_GET_FD_BY_ID
        except FileNotFoundError:  # it has gone since it was listed
            continue
        info = ctypes.create_string_buffer(80)  # a new one each: the kernel reads it, too
        bpf(15, "=IIQ", program, 80, ctypes.addressof(info))  # BPF_OBJ_GET_INFO_BY_FD
        name = info.raw[64:].split(b"\\0")[0].decode()
        if re.fullmatch(names, name):
            yield name, info.raw[8:16], program


def attach(cgroup, name, code, names):
    \"""Have this very program on a cgroup, and no other of ours; those of others stay.\"""
    tags = hashlib.sha1(code).digest()[:8], hashlib.sha256(code).digest()[:8]
    there, others = False, []
    for found, tag, program in named(cgroup, names):
        if found == name and tag in tags and not there:
            there = True
        else:
            others.append(program)
    if not there:
        bpf(8, "=IIII", cgroup, load(name, code), 3, 2)  # BPF_PROG_ATTACH, BPF_F_ALLOW_MULTI
    for program in others:
        bpf(9, "=IIII", cgroup, program, 3, 0)  # BPF_PROG_DETACH


def root():
    \"""The root of cgroup v2, where it is mounted, or else by a mount of its own: the kernel has it all the same.\"""
    with open("/proc/self/mountinfo", errors="surrogateescape") as handle:
        rows = {line.split()[4]: line for line in handle}  # of those at the same place the last one covers the others
    for path in sorted(path for path, line in rows.items() if " - cgroup2 " in line and line.split()[3] == "/"):
        if os.path.exists(path + "/cgroup.controllers"):
            return os.open(path, os.O_RDONLY)
    context = call(430, b"cgroup2", 0)  # fsopen, fsconfig with FSCONFIG_CMD_CREATE, fsmount
    call(431, context, 6, None, None, 0)
    return os.open(".", os.O_RDONLY, dir_fd=call(432, context, 0, 0))


def below(cgroup, path):
    for name in path.strip("/").encode("utf-8", "surrogateescape").split(b"/"):
        cgroup = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=cgroup)
    return cgroup


def main():
    \"""Whether all could be done; a cgroup that is not there needs nothing.\"""
    top = os.open(sys.argv[1], os.O_RDONLY) if sys.argv[1:] else root()
    done = True
    for path in WANTED["exclude_cgroups"]:
        try:
            attach(below(top, path), MARKER, EXCLUDE, MARKER)
        except (OSError, ValueError) as error:
            print(f"the cgroup {path!a} is not excluded: {getattr(error, 'strerror', error)}")
            done = done and isinstance(error, (FileNotFoundError, NotADirectoryError))
    attach(top, NAME, PROGRAM, NAMES)
    return done


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except OSError as error:
        sys.exit(f"New TCP connections get no keepalive of @VALUES@: {error}. Look at dmesg and bpftool feature.")
"""


def script_text(wanted: Enforcement, number: int) -> bytes:
    """The program for this machine, whose bpf(2) has that number."""
    filled = {
        "VALUES": str(wanted.keepalive),
        "WANTED": json.dumps(_plain(wanted), sort_keys=True).replace("'", "\\u0027"),
        "NAME": sock_ops.name_of(wanted.keepalive),
        "MARKER": sock_ops.MARKER,
        "NAMES": sock_ops.NAMES,
        "NUMBER": str(number),
        "MACHINE": os.uname().machine,
        "PROGRAM": _listing(sock_ops.program(wanted.keepalive, wanted.exclude_ports, sys.byteorder)),
        "EXCLUDE": _listing(sock_ops.marker(sys.byteorder)),
    }
    return re.sub("@([A-Z]+)@", lambda found: filled[found.group(1)], _TEXT).encode("ascii")


def script_values(data: Optional[bytes]) -> Optional[Enforcement]:
    """What a program of ours enforces at boot; None for no program or another one."""
    found = re.search(_WANTED, (data or b"").decode("utf-8", "replace"))
    try:
        if found is None:
            return None
        values = parse_json(found.group(1).encode())
        return Enforcement(
            Keepalive(*(int(values[name]) for name in Keepalive._fields)),
            tuple(int(port) for port in values["exclude_ports"]),
            tuple(str(path) for path in values["exclude_cgroups"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _plain(wanted: Enforcement) -> dict:
    lists = {"exclude_ports": list(wanted.exclude_ports), "exclude_cgroups": list(wanted.exclude_cgroups)}
    return dict(wanted.keepalive._asdict(), **lists)


def _listing(instructions: List[Tuple[bytes, str]]) -> str:
    return "\n".join(f'    "{code.hex()}"  # {meaning}' for code, meaning in instructions)
