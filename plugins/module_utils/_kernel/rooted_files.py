# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that a process names, looked up inside its own root as it would itself. Private to this collection."""

import errno
import os
import stat
import struct
from typing import List, Optional, Tuple

from .plain_files import read_descriptor, reopen_plain

# include/uapi/linux/openat2.h (Linux 5.6); the number is the same on every architecture of Kubernetes.
_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_IN_ROOT = 0x10

_PLACE = os.O_PATH | os.O_CLOEXEC
_MAX_LINKS = 40
"""As many as the kernel follows (include/linux/namei.h)."""
_MAX_PATH_BYTES = 4096
_ATTEMPTS = 4
"""The kernel answers EAGAIN where something was renamed or mounted while it looked at a ``..``."""


def read_in_root(root: int, path: str, limit_bytes: int) -> Tuple[bytes, bool]:
    """The first bytes of the plain file that ``path`` is for a process whose root the descriptor is, and whether cut.

    Links lead to where they lead for that process, never out of its root. Raises OSError, as open_plain does.
    """
    return read_descriptor(reopen_plain(find_in_root(root, path), path), limit_bytes)


def find_in_root(root: int, path: str) -> int:
    """An O_PATH descriptor of what path is below root; relative paths begin at the root. Raises OSError."""
    if "\0" in path:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    place = _by_kernel(root, path)
    return _by_walk(root, path) if place is None else place


def _by_kernel(root: int, path: str) -> Optional[int]:
    """The descriptor by openat2(2); None where it cannot be asked (an old kernel, a seccomp filter, no ctypes)."""
    try:
        import ctypes  # some minimal Pythons lack it
    except ImportError:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    how = struct.pack("=QQQ", _PLACE, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    arguments = (ctypes.c_long(_OPENAT2), ctypes.c_int(root), os.fsencode(path), how, ctypes.c_size_t(len(how)))
    for _attempt in range(_ATTEMPTS):
        place = libc.syscall(*arguments)
        if place >= 0:
            return int(place)
        number = ctypes.get_errno()
        if number in (errno.ENOSYS, errno.EPERM):
            return None
        if number != errno.EAGAIN:
            raise OSError(number, os.strerror(number), path)
    return None


def _by_walk(root: int, path: str) -> int:
    """The same, name by name: the kernel follows no link and no ``..`` here, so nothing leads out of root."""
    if not path or len(os.fsencode(path)) >= _MAX_PATH_BYTES:
        number = errno.ENAMETOOLONG if path else errno.ENOENT
        raise OSError(number, os.strerror(number), path)
    places = [os.open(".", _PLACE | os.O_DIRECTORY, dir_fd=root)]
    try:
        _walk(places, path)
        return places.pop()
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        for place in places:
            os.close(place)


def _walk(places: List[int], path: str) -> None:
    """Go from the last of the places to path, the first being the root. Raises OSError."""
    names, links = _names(path), 0
    while names:
        name = names.pop()
        if name == "..":
            _leave(places, 1 if len(places) > 1 else 0)
            continue
        place = os.open(name, _PLACE | os.O_NOFOLLOW, dir_fd=places[-1])
        places.append(place)
        if not stat.S_ISLNK(os.fstat(place).st_mode):
            continue
        links += 1
        target = _target(place)
        if links > _MAX_LINKS or target is None:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        _leave(places, len(places) - 1 if target.startswith("/") else 1)
        names += _names(target)


def _names(path: str) -> List[str]:
    """The names of a path, the first of them at the end."""
    names = [name for name in path.split("/") if name not in ("", ".")]
    return names[::-1]


def _leave(places: List[int], count: int) -> None:
    for _each in range(count):
        os.close(places.pop())


def _target(link: int) -> Optional[str]:
    """Where a link leads; None for one that the kernel makes up (/proc/PID/root): its size is not that of its text."""
    target = os.readlink("", dir_fd=link)
    return target if len(os.fsencode(target)) == os.fstat(link).st_size else None
