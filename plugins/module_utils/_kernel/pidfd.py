# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Duplicates of descriptors that other processes have open. Private to this collection.

pidfd_open(2) came with Linux 5.3, pidfd_getfd(2) with 5.6. Both have one number on all architectures but alpha and
mips (include/uapi/asm-generic/unistd.h); Python's own library has the first since 3.9, and the second nowhere.
"""

import functools
import os
from typing import Any, Dict, List

from .procfs import read_sysctl

OPEN, GETFD = 434, 438

NO_ATTACH = "3"
"""kernel.yama.ptrace_scope at which nobody, not even root, may trace another process until the next boot."""

_TAGS = {"net_cls": "net_cls.classid", "net_prio": "net_prio.ifpriomap"}
"""The controllers of cgroup v1 that tag sockets, and the file with what a tag stands for."""


def open_process(pid: int) -> int:
    """A descriptor of a process, which stays that process's when its number goes to another. Raises OSError.

    ENOSYS: the kernel is too old; ESRCH: there is no such process.
    """
    return call(OPEN, pid, 0)


def duplicate(process: int, descriptor: int) -> int:
    """A duplicate, closed on exec, of what a process (of open_process) has open under that number. Raises OSError.

    ENOSYS: the kernel is too old; EPERM: no right to trace that process; EBADF, ESRCH: it has ended or closed it.
    """
    return call(GETFD, process, descriptor, 0)


def nobody_may() -> bool:
    """Whether Yama keeps root, too, from what other processes have."""
    return read_sysctl("kernel.yama.ptrace_scope").value == NO_ATTACH


def keeps_tags(pid: int, proc: str = "/proc") -> bool:
    """Whether the sockets of a process keep what they are tagged with when this process gets duplicates of them.

    The kernel tags a socket anew for whoever receives a descriptor of it (sock_update_netprioidx, sock_update_classid).
    With cgroup v1 each pod has control groups of its own, and mostly they stand for nothing. A process that has ended
    keeps all.
    """
    try:
        theirs = _tagging(f"{proc}/{pid}/cgroup")
    except OSError:
        return True
    try:
        ours = _tagging(f"{proc}/self/cgroup")
        return all(ours[name] == theirs[name] or _are_alike(name, ours[name], theirs[name], proc) for name in theirs)
    except (OSError, KeyError):
        return False


def _tagging(path: str) -> Dict[str, str]:
    """The control groups of a process by the controller, of those that tag sockets. Raises OSError."""
    rows = (line.split(":", 2) for line in _lines(path))
    return {name: group for _number, names, group in rows for name in names.split(",") if name in _TAGS}


def _are_alike(name: str, ours: str, theirs: str, proc: str) -> bool:
    """Whether the tags of two control groups stand for the same. Raises OSError where that cannot be read.

    A tag of net_prio that is not the root's takes the place of the socket's group of cgroup v2 (before Linux 5.15).
    """
    if ".." in ours + theirs or (name == "net_prio" and ours != "/"):
        return False
    for line in _lines(f"{proc}/self/mountinfo"):
        mount, _dash, source = line.partition(" - ")
        root, place = mount.split(" ")[3:5]
        if source.startswith("cgroup ") and root == "/" and name in source.split(" ")[2].split(","):
            return _lines(f"{place}{ours}/{_TAGS[name]}") == _lines(f"{place}{theirs}/{_TAGS[name]}")
    return False


def _lines(path: str) -> List[str]:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().splitlines()


def call(number: int, *arguments: int) -> int:
    """A system call. Raises OSError, and ImportError where Python has no ctypes."""
    import ctypes  # some minimal Pythons lack it

    answer: int = _syscall()(*(ctypes.c_long(value) for value in (number, *arguments)))
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return answer


@functools.lru_cache(maxsize=None)
def _syscall() -> Any:
    import ctypes

    function = ctypes.CDLL(None, use_errno=True).syscall
    function.restype = ctypes.c_long
    return function
