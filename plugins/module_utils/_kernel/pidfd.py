# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Duplicates of descriptors that other processes have open. Private to this collection.

pidfd_open(2) came with Linux 5.3, pidfd_getfd(2) with 5.6. Both have one number on all architectures but alpha and
mips (include/uapi/asm-generic/unistd.h); Python's own library has the first since 3.9, and the second nowhere.
"""

import functools
import os
from typing import Any

from .procfs import read_sysctl

OPEN, GETFD = 434, 438

NO_ATTACH = "3"
"""kernel.yama.ptrace_scope at which nobody, not even root, may trace another process until the next boot."""


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
