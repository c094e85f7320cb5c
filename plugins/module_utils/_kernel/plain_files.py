# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain files read without waiting: no FIFO, device or socket is ever opened. Private to this collection."""

import os
import stat
from typing import Tuple

_KINDS = (
    (stat.S_ISREG, "a plain file"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)
_READ_PLAIN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_SHORT_BYTES = 1 << 16


def kind_of(mode: int) -> str:
    """What lies somewhere, by its st_mode, for people."""
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), "something unknown")


class NotPlainError(OSError):
    """What lies there is no plain file. kind says what it is; there is no errno."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"is {kind}, not a plain file")
        self.kind = kind


def read_plain(path: str, limit_bytes: int) -> Tuple[bytes, bool]:
    """The first limit_bytes of a plain file, and whether there are more. Raises OSError, as open_plain."""
    return read_descriptor(open_plain(path), limit_bytes)


def open_plain(path: str) -> int:
    """A descriptor to read a plain file by. Raises OSError; NotPlainError for anything that is not a plain file."""
    return reopen_plain(os.open(path, os.O_PATH | os.O_CLOEXEC), path)


def reopen_plain(place: int, path: str) -> int:
    """A descriptor to read what ``place`` (O_PATH, closed here) points to; path is for the error. Raises as open_plain.

    That very inode is opened, so between the look at it and the opening nothing can take its place.
    """
    try:
        mode = os.fstat(place).st_mode
        if not stat.S_ISREG(mode):
            raise NotPlainError(kind_of(mode))
        return os.open(f"/proc/self/fd/{place}", _READ_PLAIN)
    except OSError as error:
        if error.errno is not None:
            raise OSError(error.errno, error.strerror, path) from None
        raise
    finally:
        os.close(place)


def read_descriptor(descriptor: int, limit_bytes: int) -> Tuple[bytes, bool]:
    """The first limit_bytes, and whether there are more. Closes the descriptor. Raises OSError.

    Room for the few long files takes longer to get than a short one to read, so they are read anew: some of /proc/sys
    give nothing more to a second read.
    """
    with open(descriptor, "rb") as handle:
        data = handle.read(min(_SHORT_BYTES, limit_bytes + 1)) or b""
        if len(data) == _SHORT_BYTES:
            handle.seek(0)
            data = handle.read(limit_bytes + 1) or b""
    return data[:limit_bytes], len(data) > limit_bytes
