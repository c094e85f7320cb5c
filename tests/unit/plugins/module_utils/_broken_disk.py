# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kernel that refuses, for one process, by seccomp(2): a disk that breaks answers fsync(2) with a real EIO."""

import ctypes
import errno
import platform
import struct

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2  # include/uapi/linux/{prctl,seccomp}.h
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # include/uapi/linux/bpf_common.h: BPF_LD+W+ABS, BPF_JMP+JEQ+K, BPF_RET+K
_ERRNO, _ALLOW = 0x00050000, 0x7FFF0000
_FSYNC = {"x86_64": 74, "aarch64": 82}


def fail_every_sync():
    """Have fsync(2) fail with EIO in this process until it ends."""
    refuse(_FSYNC[platform.machine()], errno.EIO)


def refuse(number, error):
    """Have the system call of that number fail with an error in this process until it ends."""
    program = [
        (_LOAD, 0, 0, 0),  # the number of the call
        (_EQUAL, 0, 1, number),
        (_RETURN, 0, 0, _ERRNO | error),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    header = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header) == 0
