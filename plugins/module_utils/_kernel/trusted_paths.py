# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Places that nobody but root can change, which is where root runs programs and writes. Private to this collection."""

import errno
import os
import stat
from typing import Optional

_MAX_LINKS = 40
"""As many as the kernel follows (include/linux/namei.h)."""


def doubt(path: str) -> Optional[str]:
    """Who else can change what an absolute path leads to, or a folder or link on the way there; None for nobody.

    Else than root, that is, or than us where we are not root. Raises OSError where the path leads nowhere.
    """
    place, found, links = "/", os.lstat("/"), 0
    why = _weakness(place, found, False)
    names = path.split("/")[::-1]
    while names and not why:
        name = names.pop()
        if name in ("", "."):
            continue
        shared = bool(found.st_mode & 0o022)
        place = os.path.dirname(place) if name == ".." else os.path.join(place, name)
        found = os.lstat(place)
        why = _weakness(place, found, shared and name != "..")
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = os.readlink(place)
            names += target.split("/")[::-1]
            place = "/" if target.startswith("/") else os.path.dirname(place)
            found = os.lstat(place)
    return why


def _weakness(place: str, found: os.stat_result, shared: bool) -> Optional[str]:
    """shared: others can write the folder that it lies in."""
    mode = stat.S_IMODE(found.st_mode)
    folder, link = stat.S_ISDIR(found.st_mode), stat.S_ISLNK(found.st_mode)
    if found.st_uid not in (0, os.geteuid()):
        return f"{place} belongs to user {found.st_uid} (mode {mode:04o}), root is expected"
    # What lies in a folder with the sticky bit (/tmp, the store of NixOS) only its owner can replace. But others can
    # put there a second name of a file of root's, which they cannot for a folder.
    if mode & 0o022 and not link and not (folder and mode & stat.S_ISVTX):
        return f"others can write {place} (mode {mode:04o}, user {found.st_uid}), root alone is expected"
    if shared and not folder:
        return f"{place} lies in a folder that others can write, root alone is expected"
    return None
