# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Places that root alone decides about: what root runs, believes and writes lies in one. Private to this collection."""

import errno
import os
import stat
from typing import Callable, Iterator, List, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused

from .plain_files import kind_of

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH  # the bits of the group are also the mask of an access control list
_MAX_LINKS = 40
"""As many as the kernel follows (MAXSYMLINKS in include/linux/namei.h)."""


class _Place(NamedTuple):
    """A folder, link or file on the way of a path; nothing is there yet where status is None."""

    path: str
    status: Optional[os.stat_result]


def doubt(path: str) -> Optional[str]:
    """Who else can change what an absolute path leads to, or a folder or link on the way there; None for nobody.

    Else than root, that is, or than us where we are not root. Raises OSError where the path leads nowhere.
    """
    folder_is_shared = False
    for place, status in _way(path):
        if status is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place)
        why = _weakness(place, status, folder_is_shared)
        if why:
            return why
        folder_is_shared = bool(status.st_mode & _OTHERS_WRITE)
    return None


def real_path(path: str) -> str:
    """Where an absolute path leads, links followed. Raises NodeError when others than root can write on the way.

    Then nobody else can put a link or another file there, neither now nor while root writes. Folders that are not there
    yet are made by us.
    """
    *way, last = _known_way(path)
    for each in way:
        _refuse_foreign_folder(each, path)
    return last.path


def real_folder(path: str) -> str:
    """The same for a folder in which something is to be written: others than root may not write in itself either."""
    where = real_path(path)
    for each in _known_way(where):
        _refuse_foreign_folder(each, path)
    return where


def _known_way(path: str) -> List[_Place]:
    """Every place on the way of a path. Raises NodeError where one cannot be looked at."""
    try:
        return list(_way(path))
    except OSError as error:
        raise refused(f"{path}: {error.filename} cannot be looked at", error) from error


def refuse_foreign_file(path: str, found: os.stat_result) -> None:
    """Raise NodeError unless this is a plain file of root's with one name, in which nobody else may write."""
    mode = stat.S_IMODE(found.st_mode)
    refuse_other_kind(path, found, stat.S_ISREG, "a plain file")
    if found.st_uid != 0 or found.st_nlink > 1 or mode & _OTHERS_WRITE:
        raise NodeError(
            f"{path}: it belongs to user {found.st_uid}, has mode {mode:04o} and {_names(found.st_nlink)}. Expected is "
            "a file of user 0 (root) with one name, in which nobody else may write. Find out who made it, and move it "
            "away."
        )


def refuse_other_kind(path: str, found: os.stat_result, is_kind: Callable[[int], bool], expected: str) -> None:
    """Raise NodeError, which says what lies there, unless it is of the kind that is expected."""
    if not is_kind(found.st_mode):
        there = kind_of(found.st_mode)
        raise NodeError(f"{path}: it is {there}, expected {expected}. Find out who made it, and move it away.")


def _way(path: str) -> Iterator[_Place]:
    """Every place on the way of an absolute path, from the root on; the last one is where it leads. Raises OSError."""
    place = "/"
    yield _look(place)
    parts, links = _parts(path), 0
    while parts:
        part = parts.pop()
        place = os.path.dirname(place) if part == ".." else os.path.join(place, part)
        found = _look(place)
        yield found
        if found.status is not None and stat.S_ISLNK(found.status.st_mode):
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = os.readlink(place)
            parts += _parts(target)
            place = "/" if os.path.isabs(target) else os.path.dirname(place)
            yield _look(place)


def _look(place: str) -> _Place:
    try:
        return _Place(place, os.lstat(place))
    except (FileNotFoundError, NotADirectoryError):
        return _Place(place, None)


def _weakness(place: str, found: os.stat_result, folder_is_shared: bool) -> Optional[str]:
    mode = stat.S_IMODE(found.st_mode)
    folder, link = stat.S_ISDIR(found.st_mode), stat.S_ISLNK(found.st_mode)
    if found.st_uid not in (0, os.geteuid()):
        return f"{place} belongs to user {found.st_uid} (mode {mode:04o}), root is expected"
    # What lies in a folder with the sticky bit (/tmp, the store of NixOS) only its owner can replace. But others can
    # put there a second name of a file of root's, which they cannot for a folder.
    if mode & _OTHERS_WRITE and not link and not (folder and mode & stat.S_ISVTX):
        return f"others can write {place} (mode {mode:04o}, user {found.st_uid}), root alone is expected"
    if folder_is_shared and not folder:
        return f"{place} lies in a folder that others can write, root alone is expected"
    return None


def _refuse_foreign_folder(each: _Place, path: str) -> None:
    """Unlike what root runs, what root writes lies in no shared folder at all, not even in one with the sticky bit."""
    if each.status is None or not stat.S_ISDIR(each.status.st_mode):
        return
    mode = stat.S_IMODE(each.status.st_mode)
    if each.status.st_uid != 0 or mode & _OTHERS_WRITE:
        raise NodeError(
            f"{path}: the folder {each.path} belongs to user {each.status.st_uid} and has mode {mode:04o}. Expected is "
            "a folder of user 0 (root) in which nobody else may write, for whoever can write there decides what root "
            f"reads and writes. Run chown root {each.path} and chmod go-w {each.path}, or choose another place."
        )


def _parts(path: str) -> List[str]:
    """The names in a path, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _names(number: int) -> str:
    return "1 name" if number == 1 else f"{number} names"
