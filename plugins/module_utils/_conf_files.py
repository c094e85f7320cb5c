# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drop-in directories such as sysctl.d: which files count, and in which order. Private to this collection."""

import os
from typing import Dict, List, NamedTuple, Tuple


class Problem(NamedTuple):
    """A place in a file that no reader can use; line 0 means the file as a whole."""

    file: str
    line: int
    what: str


MAX_FILE_BYTES = 16 << 20
"""More of a configuration file is never read."""

_PARENTS = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")  # the last is often a link to the one before


def below(root: str, path: str) -> str:
    """Where an absolute path of the node lies below root."""
    return os.path.join(root, path.lstrip("/"))


def conf_files(name: str, root: str = "/") -> List[str]:
    """The ``*.conf`` files of a drop-in directory in the order in which they are read, as the node names them.

    Of files with one name only that in the first directory counts (so an empty file or a link to /dev/null masks
    the others), and they are sorted by name whatever their directory: sysctl.d(5), modules-load.d(5), systemd's
    src/basic/conf-files.c, procps' src/sysctl.c.
    """
    found: Dict[str, str] = {}
    for parent in _PARENTS:
        for entry in _names(below(root, f"{parent}/{name}")):
            found.setdefault(entry, f"{parent}/{name}/{entry}")
    return [found[entry] for entry in sorted(found, key=os.fsencode)]


def read_bounded(path: str) -> Tuple[bytes, str]:
    """The bytes of a file and what is wrong with it ("" when nothing): a file that is not there is simply empty."""
    try:
        with open(path, "rb") as handle:
            data = handle.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return b"", ""
    except OSError as error:
        return b"", f"the file cannot be read: {error.strerror or error}"
    if len(data) > MAX_FILE_BYTES:
        return data[:MAX_FILE_BYTES], f"the file is longer than {MAX_FILE_BYTES} bytes, the rest was not read"
    return data, ""


def _names(directory: str) -> List[str]:
    try:
        return [entry for entry in os.listdir(directory) if entry.endswith(".conf") and not entry.startswith(".")]
    except OSError:
        return []
