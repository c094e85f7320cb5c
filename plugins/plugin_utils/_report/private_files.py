# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that only this user may read unless told otherwise, each replaced as a whole. Private to this collection.

A folder is opened once and everything in it is reached from there, so that nobody else who may write to it can lead us
elsewhere with a link.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError

PRIVATE = 0o600

_LONGEST_NAME = 100
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def parse_mode(what: str, given: object) -> int | None:
    """A file's mode as Ansible's own modules take it, None for none. Raises PlanError, which begins with ``what``."""
    if given is None:
        return None
    octal = isinstance(given, str) and re.fullmatch("0?[0-7]{3}", given)
    number = int(str(given), 8) if octal else given
    if isinstance(number, bool) or not isinstance(number, int) or not 0o400 <= number <= 0o777:
        raise PlanError(
            f"{what}: {given!r} is not the mode of a file that its owner may read. Write three octal digits after a 0, "
            'in quotes, for example "0644".'
        )
    return number


@contextlib.contextmanager
def opened_folder(path: Path, mode: int | None) -> Iterator[int]:
    """The descriptor of a folder. Missing folders are made, for those who may read a file of ``mode``.

    Raises OSError.
    """
    for each in reversed([folder for folder in (path, *path.parents) if not os.path.lexists(folder)]):
        with contextlib.suppress(FileExistsError):  # another run was quicker
            _make(str(each), mode)
    with _closing(os.open(path, _FOLDER)) as folder:
        yield folder


@contextlib.contextmanager
def opened_below(folder: int, name: str, mode: int | None) -> Iterator[int]:
    """The same for a folder in a folder, where a link is not followed."""
    with contextlib.suppress(FileExistsError):
        _make(name, mode, folder)
    with _closing(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)) as below:
        yield below


def write_file(folder: int, name: str, data: bytes, mode: int | None) -> None:
    """Write a file in a new one beside it that is then renamed, so that a reader never sees half of it.

    ``mode`` None leaves mode and owner of the file that is there, and is PRIVATE for a new one. Raises OSError.
    """
    temporary = f".{name[:_LONGEST_NAME]}.{secrets.token_hex(8)}"
    handle = os.open(temporary, _NEW, PRIVATE, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            _dress(handle, _existing(folder, name), mode)
            os.fsync(handle)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise


def _make(path: str, mode: int | None, above: int | None = None) -> None:
    """Make a folder, whatever the umask: who may read a file of that mode may enter it and see the names in it."""
    os.mkdir(path, 0o700, dir_fd=above)
    if mode is not None:
        with _closing(os.open(path, _FOLDER | os.O_NOFOLLOW, dir_fd=above)) as folder:
            os.fchmod(folder, 0o700 | mode & 0o044 | (mode & 0o044) >> 2)


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _existing(folder: int, name: str) -> os.stat_result | None:
    """The file that is there, if its mode counts: where others may write to the folder, it may be anybody's."""
    owner = os.fstat(folder)
    if owner.st_uid not in (0, os.geteuid()) or owner.st_mode & 0o022:
        return None
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _dress(handle: int, before: os.stat_result | None, mode: int | None) -> None:
    wanted = PRIVATE if before is None else before.st_mode & 0o777
    if before is not None:
        try:
            os.fchown(handle, before.st_uid, before.st_gid)
        except OSError:
            wanted &= 0o700  # it would be another group that reads it
    os.fchmod(handle, wanted if mode is None else mode)
