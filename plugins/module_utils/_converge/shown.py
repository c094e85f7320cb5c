# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a file stands in results, diffs and messages: our own part, for others keep secrets in theirs. Private to
this collection.
"""

import hashlib
import os
from typing import Callable, Collection, Iterator, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._files.sysctl_editor import MODULES, SYSCTLS, only

from .originals import FileRecord

OUR_LINES = "# Not everybody on the node may read this file, so only our lines of it are shown.\n"
FOREIGN = "# Somebody else wrote this, {bytes} bytes, which are not shown.\n"

Shown = Callable[[bytes], str]
"""From bytes that a file has, had or gets to the text of them that people may see."""


def as_text(data: bytes) -> str:
    """Bytes as people read them; those that are not UTF-8 as \\xNN."""
    return data.decode("utf-8", "backslashreplace")


def of_lines(kind: str, path: str, record: Optional[FileRecord], wanted: Collection[str]) -> Shown:
    """For a file with lines of ours among others: whole where everybody may read it already, else our lines.

    kind is that of the record, sysctls or modules; wanted are the keys to write now.
    """
    if readable_by_all(path):
        return as_text
    keys = {*wanted, *(record.ours if record else ())}
    dialect = MODULES if kind == "modules" else SYSCTLS

    def shown(data: bytes) -> str:
        ours = only(data, keys, dialect)
        return as_text(ours) if ours == data else OUR_LINES + as_text(ours)

    return shown


def of_whole(record: Optional[FileRecord], wanted: Optional[bytes]) -> Shown:
    """For a file that is ours from end to end: its text where we wrote it or are about to, else how long it is."""
    known = {*(record.hashes if record else ()), hashlib.sha256(wanted or b"").hexdigest()}

    def shown(data: bytes) -> str:
        ours = hashlib.sha256(data).hexdigest() in known
        return as_text(data) if ours else FOREIGN.format(bytes=len(data))

    return shown


def readable_by_all(path: str) -> bool:
    """Whether every user of the node may read the file that path leads to; where there is none, no."""
    target = os.path.realpath(path)
    try:
        return bool(os.stat(target).st_mode & 0o004) and all(os.stat(each).st_mode & 0o001 for each in _above(target))
    except OSError:
        return False


def _above(path: str) -> Iterator[str]:
    while path != "/":
        path = os.path.dirname(path)
        yield path
