# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single sysctls, read and written, "not there" told apart from "not readable". Private to this collection."""

import errno
import os
import re
from typing import NamedTuple, Optional, Union

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import remedy
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import sysctl_path

from .plain_files import read_plain


class Reading(NamedTuple):
    """What reading a file gave. state is present (with value), absent, or unreadable (with error, and what to do)."""

    state: str
    value: Optional[str]
    error: Optional[str]
    do: str = ""


class Fault(NamedTuple):
    """Why something could not be read, and what to do about it."""

    why: str
    do: str


HIDDEN = "/proc: processes of other users are hidden (mount option hidepid)"
"""What hides_processes() found."""

_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ESRCH)  # the last one of files of a process that has ended
_MAX_VALUE_BYTES = 1 << 20


def fold(text: str) -> str:
    """White space folded to single blanks and stripped: the kernel prints tabs where people write blanks."""
    return " ".join(text.split())


def whole_number(text: Optional[str]) -> Optional[int]:
    """The number that a kernel writes with digits alone; None for any other text, and for none."""
    return int(text) if text is not None and re.match(r"[0-9]{1,20}\Z", text) else None


def read_text(path: str) -> Reading:
    """The text of a small file (its first MiB), undecodable bytes replaced. Nothing but a plain file is opened."""
    try:
        data = read_plain(path, _MAX_VALUE_BYTES)[0]
    except OSError as error:
        if error.errno in _NOT_THERE:
            return Reading("absent", None, None)
        return Reading("unreadable", None, f"{path}: {error.strerror or error}", remedy(error))
    return Reading("present", data.decode("utf-8", "replace"), None)


def read_sysctl(name: str) -> Reading:
    """The live value of a sysctl in this network namespace, folded. Raises ValueError for an impossible name."""
    reading = read_text(sysctl_path(name))
    return reading if reading.value is None else reading._replace(value=fold(reading.value))


def write_sysctl(name: str, value: str) -> None:
    """Set a sysctl in this network namespace. Raises the kernel's own OSError, with the path as its filename.

    Unbuffered, because a buffered file reports the kernel's EINVAL at close, where it is easily lost.
    """
    path = sysctl_path(name)
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, (value + "\n").encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(descriptor)


def boot_id() -> str:
    """What no other boot of any machine has, see random(4). Raises OSError."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as handle:
        return handle.read().strip()


def namespace_of(pid: Union[int, str], kind: str, proc: str = "/proc") -> Optional[str]:
    """A process' namespace of a kind (such as net): None where it may not be read, empty once it has ended."""
    try:
        return os.readlink(f"{proc}/{pid}/ns/{kind}")
    except PermissionError:
        return None
    except OSError:
        return ""


def hides_processes(proc: str = "/proc") -> bool:
    """Whether the processes of other users are hidden from this one: the first one is."""
    return read_text(f"{proc}/1/comm").value is None
