# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Places that root alone decides about: whatever root believes or writes lies in one. Private to this collection."""

import errno
import os
import stat
from typing import Callable, List

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH  # the bits of the group are also the mask of an access control list
_MAX_LINKS = 40  # MAXSYMLINKS in include/linux/namei.h
_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)


def real_path(path: str) -> str:
    """Where an absolute path leads, links followed. Raises NodeError when others than root can write on the way.

    Then nobody else can put a link or another file there, neither now nor while root writes. Folders that are not there
    yet are made by us.
    """
    where, parts, links = "/", _parts(path), 0
    while parts:
        _refuse_foreign_folder(where, path)
        part = parts.pop()
        target = "" if part == ".." else _target(os.path.join(where, part), path)
        if target:
            links += 1
            parts += _parts(target)
        if links > _MAX_LINKS:
            raise refused(f"{path}: not found", OSError(errno.ELOOP, os.strerror(errno.ELOOP)))
        if part == "..":
            where = os.path.dirname(where)
        elif not target:
            where = os.path.join(where, part)
        elif os.path.isabs(target):
            where = "/"
    return where


def real_folder(path: str) -> str:
    """The same for a folder in which something is to be written: others than root may not write in itself either."""
    where = real_path(path)
    _refuse_foreign_folder(where, path)
    return where


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
        there = next((name for is_there, name in _KINDS if is_there(found.st_mode)), "no plain file")
        raise NodeError(f"{path}: it is {there}, expected {expected}. Find out who made it, and move it away.")


def _refuse_foreign_folder(folder: str, path: str) -> None:
    try:
        found = os.lstat(folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return
        raise refused(f"{path}: its folder {folder} cannot be looked at", error) from error
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode) and (found.st_uid != 0 or mode & _OTHERS_WRITE):
        raise NodeError(
            f"{path}: the folder {folder} belongs to user {found.st_uid} and has mode {mode:04o}. Expected is a folder "
            "of user 0 (root) in which nobody else may write, for whoever can write there decides what root reads and "
            f"writes. Run chown root {folder} and chmod go-w {folder}, or choose another place."
        )


def _target(path: str, asked: str) -> str:
    """Where a link leads, "" for what is no link."""
    try:
        return os.readlink(path)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
            return ""
        raise refused(f"{asked}: {path} cannot be looked at", error) from error


def _parts(path: str) -> List[str]:
    """The names in a path, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _names(number: int) -> str:
    return "1 name" if number == 1 else f"{number} names"
