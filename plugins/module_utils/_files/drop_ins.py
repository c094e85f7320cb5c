# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drop-in directories such as sysctl.d: which files count, and in which order. Private to this collection."""

import os
import re
from typing import Dict, List

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem, entries

_PARENTS = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")  # the last is often a link to the one before
_GLOB_PART = r"(?s)\[(?:!(?:\][^\]]*|[^\]]+)|\][^\]]*|[^!\]][^\]]*)\]|."


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
    return [*re.findall(_GLOB_PART, brackets + closing), *rest]  # [ of the rest are letters: no ] comes after them


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
