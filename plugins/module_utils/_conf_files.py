# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configuration files: which of a drop-in directory count, and what is in them. Private to this collection.

What is not there is no problem. What is there and cannot be read, or is no file, is one: it is never taken for nothing.
"""

import os
import re
from typing import Dict, List, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._errors import remedy
from ansible_collections.kubenode.connections.plugins.module_utils._plain_files import NotPlainError, read_plain


class Problem(NamedTuple):
    """A place in a file that no reader can use; line 0 means the file as a whole.

    do is what to do so that we can read it, empty where nobody can: what it sets is not known to us then.
    """

    file: str
    line: int
    what: str
    do: str = ""


MAX_FILE_BYTES = 16 << 20
"""More of a configuration file is never read."""

_PARENTS = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")  # the last is often a link to the one before
_NOT_THERE = (FileNotFoundError, NotADirectoryError)
_GLOB_PART = re.compile(r"\[(?:!(?:\][^\]]*|[^\]]+)|\][^\]]*|[^!\]][^\]]*)\]|.", re.DOTALL)


def below(root: str, path: str) -> str:
    """Where an absolute path of the node lies below root."""
    return os.path.join(root, path.lstrip("/"))


def conf_files(name: str, root: str, problems: List[Problem]) -> List[str]:
    """The ``*.conf`` files of a drop-in directory in the order in which they are read, as the node names them.

    Of files with one name only that in the first directory counts (so an empty file or a link to /dev/null masks
    the others), and they are sorted by name whatever their directory: sysctl.d(5), modules-load.d(5), systemd's
    src/basic/conf-files.c, procps' src/sysctl.c.
    """
    found: Dict[str, str] = {}
    for folder in (f"{parent}/{name}" for parent in _PARENTS):
        for entry in entries(folder, root, problems):
            if entry.endswith(".conf") and not entry.startswith("."):
                found.setdefault(entry, f"{folder}/{entry}")
    return [found[entry] for entry in sorted(found, key=os.fsencode)]


def entries(folder: str, root: str, problems: List[Problem]) -> List[str]:
    """The names in a folder, none where it is not there."""
    try:
        return os.listdir(below(root, folder))
    except _NOT_THERE:
        return []
    except (OSError, ValueError) as error:
        problems.append(_unread(folder, "the folder", error))
        return []


def is_there(path: str, root: str, problems: List[Problem]) -> bool:
    """Whether the path leads to anything."""
    try:
        os.stat(below(root, path))
    except _NOT_THERE:
        return False
    except (OSError, ValueError) as error:
        problems.append(_unread(path, "the file", error))
        return False
    return True


def read_conf(path: str, root: str, problems: List[Problem], limit_bytes: int = MAX_FILE_BYTES) -> Optional[bytes]:
    """The bytes of a file, None where there is none or it cannot be read."""
    whole = below(root, path)
    try:
        data, more = read_plain(whole, limit_bytes)
    except _NOT_THERE:
        return None
    except NotPlainError as error:
        if os.path.realpath(whole) == os.devnull:
            return b""
        problems.append(Problem(path, 0, f"it is {error.kind}, not a plain file"))
        return None
    except (OSError, ValueError) as error:
        problems.append(_unread(path, "the file", error))
        return None
    if more:
        what = f"the file is longer than {limit_bytes} bytes, the rest was not read"
        problems.append(Problem(path, 0, what, "Look at what fills it, and shorten it."))
    return data


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern of ``*``, ``?`` and ``[...]`` matches a name.

    Python's own (fnmatch) takes for ever where there are many stars, before 3.9, and raises for [b-a], before 3.12.
    """
    parts = _glob_parts(pattern)
    at, position, star, retry = 0, 0, -1, 0
    while position < len(name):
        if at < len(parts) and parts[at] == "*":
            star, retry = at, position
            at += 1
        elif at < len(parts) and _matches_one(parts[at], name[position]):
            at, position = at + 1, position + 1
        elif star >= 0:
            retry += 1
            at, position = star + 1, retry
        else:
            return False
    return all(part == "*" for part in parts[at:])


def _glob_parts(pattern: str) -> List[str]:
    """The letters of a pattern, its brackets whole."""
    brackets, closing, rest = pattern.rpartition("]")
    return [*_GLOB_PART.findall(brackets + closing), *rest]  # [ of the rest are letters: no ] comes after them


def _matches_one(part: str, letter: str) -> bool:
    if len(part) == 1:
        return part in ("?", letter)
    negated = part[1] == "!"
    inner, at, found = part[1 + negated : -1], 0, False
    while at < len(inner) and not found:
        is_range = inner[at + 1 : at + 2] == "-" and at + 2 < len(inner)
        found = inner[at] <= letter <= inner[at + 2] if is_range else inner[at] == letter
        at += 3 if is_range else 1
    return found != negated


def _unread(path: str, what: str, error: Exception) -> Problem:
    if not isinstance(error, OSError):  # a name that this Python cannot give to the kernel
        return Problem(path, 0, f"{what} has a name that is not of this locale", "Run with LC_ALL=C.UTF-8.")
    return Problem(path, 0, f"{what} cannot be read: {error.strerror or error}", remedy(error))
