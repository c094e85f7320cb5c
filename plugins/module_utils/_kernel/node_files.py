# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the node, read within bounds below a root that tests choose. Private to this collection.

What is not there is no problem. What is there and cannot be read, or is no file, is one: it is never taken for nothing.
"""

import os
from typing import List, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import remedy

from .plain_files import NotPlainError, read_plain


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

_NOT_THERE = (FileNotFoundError, NotADirectoryError)


def below(root: str, path: str) -> str:
    """Where an absolute path of the node lies below root."""
    return os.path.join(root, path.lstrip("/"))


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


def _unread(path: str, what: str, error: Exception) -> Problem:
    if not isinstance(error, OSError):  # a name that this Python cannot give to the kernel
        return Problem(path, 0, f"{what} has a name that is not of this locale", "Run with LC_ALL=C.UTF-8.")
    return Problem(path, 0, f"{what} cannot be read: {error.strerror or error}", remedy(error))
