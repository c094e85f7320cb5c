# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that the kernel runs for the TCP connections of a cgroup: loaded, attached, listed. Private to this
collection.

bpf(2) by its number, for neither Python nor libc has a function for it. Every function raises the kernel's own OSError.
"""

import contextlib
import ctypes
import errno
import os
import resource
import struct
from typing import Iterator, List, NamedTuple, Optional, Tuple

NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "loongarch64": 280, "ppc64le": 361, "s390x": 351}
"""The number of bpf(2) by uname -m, for programs of 64 bits (arch/*/kernel/syscalls/*.tbl, asm-generic/unistd.h)."""

# include/uapi/linux/bpf.h: enum bpf_cmd, bpf_prog_type, bpf_attach_type, and the parts of union bpf_attr.
_PROG_LOAD, _PROG_ATTACH, _PROG_DETACH, _PROG_GET_FD_BY_ID, _OBJ_GET_INFO_BY_FD, _PROG_QUERY = 5, 8, 9, 13, 15, 16
_SOCK_OPS, _CGROUP_SOCK_OPS = 13, 3
ALLOW_MULTI = 2
"""BPF_F_ALLOW_MULTI: other programs on the same cgroup, and on those below it, stay and run, too."""

_LOAD = struct.Struct("=IIQQIIQII16s")
_ATTACH = struct.Struct("=IIII")
_QUERY = struct.Struct("=IIIIQI36x")  # later kernels write further on, some whatever the size that they are told
_ID = struct.Struct("=III")
_INFO = struct.Struct("=IIQ")
_PROG_INFO = struct.Struct("=II8s48x16s")
"""struct bpf_prog_info: type, id, tag; then, after what is of no use here, name."""

_MAX_PROGRAMS = 128
"""A cgroup takes 64 of one kind (BPF_CGROUP_MAX_PROGS in include/linux/bpf-cgroup-defs.h)."""

_NO_DESCRIPTOR = (1 << 32) - 1  # -1 as the kernel takes it

_LICENSE = b"GPL\0"
_INSTRUCTION_BYTES = 8
_LOG_BYTES = 1 << 20


class Program(NamedTuple):
    """A program that is loaded. tag: the kernel's hash of its instructions, in hex."""

    id: int
    name: str
    tag: str


def number() -> int:
    """The number of bpf(2) here. Raises OSError (ENOSYS) for a machine that is not in the list.

    A Python of 32 bits counts as none: the kernel's other table of numbers would hold for it.
    """
    machine = os.uname().machine
    if machine not in NUMBERS or struct.calcsize("P") != 8:
        raise OSError(errno.ENOSYS, f"no number of bpf(2) is known for {machine} and a Python of this width")
    return NUMBERS[machine]


def load(instructions: bytes, name: str) -> int:
    """Have the kernel check a program of type SOCK_OPS and keep it: its descriptor, which whoever calls closes."""
    with _much_locked_memory():
        try:
            return _load(instructions, name, None)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EACCES):
                raise
        log = ctypes.create_string_buffer(_LOG_BYTES)
        try:
            return _load(instructions, name, log)
        except OSError as error:
            said = log.value.decode("ascii", "replace").strip().splitlines()[-3:]
            raise OSError(error.errno, "; ".join([os.strerror(error.errno or 0), *said])) from error


def attach(cgroup: int, program: int) -> None:
    """Have a program run for the connections of a cgroup and of all below it, beside those that are there already."""
    _bpf(_PROG_ATTACH, _ATTACH.pack(cgroup, program, _CGROUP_SOCK_OPS, ALLOW_MULTI))


def detach(cgroup: int, program: int) -> None:
    """Have a program not run any more. Others stay."""
    _bpf(_PROG_DETACH, _ATTACH.pack(cgroup, program, _CGROUP_SOCK_OPS, 0))


def attached(cgroup: int) -> Tuple[List[Program], int]:
    """The programs on that very cgroup in the order in which they run, and the flags that they were attached with."""
    ids = (ctypes.c_uint32 * _MAX_PROGRAMS)()
    query = ctypes.create_string_buffer(
        _QUERY.pack(cgroup, _CGROUP_SOCK_OPS, 0, 0, ctypes.addressof(ids), _MAX_PROGRAMS), _QUERY.size
    )
    _bpf_inout(_PROG_QUERY, query)
    _cgroup, _type, _flags, flags, _ids, count = _QUERY.unpack(query.raw)
    return [found for each in ids[:count] for found in _described(each)], flags


def ask() -> None:
    """Have a kernel that lists no programs of cgroups refuse: it is asked about a cgroup that there cannot be."""
    try:
        attached(_NO_DESCRIPTOR)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise


def opened(identity: int) -> int:
    """A descriptor of a loaded program, which keeps it loaded; whoever calls closes it."""
    return _bpf(_PROG_GET_FD_BY_ID, _ID.pack(identity, 0, 0))


def described(program: int) -> Program:
    """What the kernel says of a program by its descriptor."""
    info = ctypes.create_string_buffer(_PROG_INFO.size)
    _bpf(_OBJ_GET_INFO_BY_FD, _INFO.pack(program, _PROG_INFO.size, ctypes.addressof(info)))
    _type, identity, tag, name = _PROG_INFO.unpack(info.raw)
    return Program(identity, name.split(b"\0")[0].decode("ascii", "replace"), tag.hex())


def _described(identity: int) -> List[Program]:
    """Nothing for a program that has gone since it was listed."""
    try:
        descriptor = opened(identity)
    except FileNotFoundError:
        return []
    try:
        return [described(descriptor)]
    finally:
        os.close(descriptor)


def _load(instructions: bytes, name: str, log: Optional["ctypes.Array[ctypes.c_char]"]) -> int:
    code, gpl = ctypes.create_string_buffer(instructions, len(instructions)), ctypes.create_string_buffer(_LICENSE)
    attributes = _LOAD.pack(
        _SOCK_OPS,
        len(instructions) // _INSTRUCTION_BYTES,
        ctypes.addressof(code),
        ctypes.addressof(gpl),
        1 if log else 0,
        _LOG_BYTES if log else 0,
        ctypes.addressof(log) if log else 0,
        0,  # kern_version: of no meaning for this type
        0,  # prog_flags
        name.encode("ascii"),
    )
    return _bpf(_PROG_LOAD, attributes)


def _bpf(command: int, attributes: bytes) -> int:
    return _bpf_inout(command, ctypes.create_string_buffer(attributes, len(attributes)))


def _bpf_inout(command: int, attributes: "ctypes.Array[ctypes.c_char]") -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    result = call(ctypes.c_long(number()), ctypes.c_long(command), attributes, ctypes.c_long(ctypes.sizeof(attributes)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(result)


@contextlib.contextmanager
def _much_locked_memory() -> Iterator[None]:
    """Before Linux 5.11 programs count as locked memory of their user, root too, and RLIMIT_MEMLOCK is 64 KiB."""
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_MEMLOCK, before)
