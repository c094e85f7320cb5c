# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Editing of sysctl.d and modules-load.d files as bytes: only our own lines move. Pure. Private to this collection."""

import re
from typing import Callable, Collection, Dict, List, Mapping, NamedTuple, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import fold

from .modules_load import parse_modules
from .sysctl_d import parse_lines

_BLANKS = b" \t\r\n"


class Place(NamedTuple):
    """Where a file names a key: the index of the line, with the value in its bytes from ``start`` to ``end``."""

    index: int
    key: str
    start: int
    end: int


class Dialect(NamedTuple):
    """One format of file: where its keys are, and how a new line of it reads."""

    places: Callable[[bytes], List[Place]]
    line: Callable[[str, str], str]


def _sysctl_places(data: bytes) -> List[Place]:
    found = []
    for line in parse_lines(data):
        if line.kind == "assignment":
            start = line.raw.index(b"=") + 1
            value = line.raw[start:]
            start += len(value) - len(value.lstrip(b" \t"))
            found.append(Place(line.number - 1, str(line.key), start, max(start, len(line.raw.rstrip(_BLANKS)))))
    return found


def _module_places(data: bytes) -> List[Place]:
    return [Place(number - 1, name, 0, 0) for number, name in parse_modules(data)[0]]


SYSCTLS = Dialect(_sysctl_places, "{0} = {1}".format)
"""``key = value`` lines of sysctl.d(5); keys are canonical dotted names."""

MODULES = Dialect(_module_places, "{0}".format)
"""One module's name a line, modules-load.d(5); keys are names with underscores, values are empty."""


def edit(data: bytes, wanted: Mapping[str, str], dialect: Dialect) -> bytes:
    """The file with each wanted key at its value: edited where it takes effect, appended where it is missing.

    Everything else keeps its bytes: other lines, comments, order, duplicates that have no effect, the spelling of the
    key, its ``-``, the blanks and the line end. White space alone is no difference between values.
    """
    lines = _split(data)
    effective = {place.key: place for place in dialect.places(data)}
    missing = []
    for key, value in wanted.items():
        place = effective.get(key)
        if place is None:
            missing.append(dialect.line(key, value).encode())
        elif _value(lines, place) != fold(value):
            lines[place.index] = _with_value(lines[place.index], place, value.encode())
    return _append(lines, missing)


def undo(data: bytes, original: bytes, ours: Mapping[str, Sequence[str]], dialect: Dialect) -> bytes:
    """The file without our edits: ``ours`` has the values we gave each key, ``original`` the file before us.

    Of each key the last line with a value of ours gets its original value back, or goes where the original had none.
    A key that someone else has changed or removed since is left as it is.
    """
    lines, original_lines = _split(data), _split(original)
    now, before = dialect.places(data), dialect.places(original)
    for key, known in ours.items():
        folded = {fold(value) for value in known}
        mine = [place for place in now if place.key == key and _value(lines, place) in folded]
        theirs = [place for place in before if place.key == key and _value(original_lines, place) in folded]
        if len(mine) > len(theirs):
            old = [place for place in before if place.key == key]
            lines[mine[-1].index] = _undone(lines, mine[-1], original_lines, old)
    return b"".join(lines)


def only(data: bytes, keys: Collection[str], dialect: Dialect) -> bytes:
    """The lines of the file that name one of the keys, each whole."""
    lines = _split(data)
    return b"".join(lines[place.index] for place in dialect.places(data) if place.key in keys)


def values(data: bytes, dialect: Dialect) -> Dict[str, str]:
    """What the file sets each key to, folded."""
    lines = _split(data)
    return {place.key: _value(lines, place) for place in dialect.places(data)}


def _undone(lines: List[bytes], place: Place, original: List[bytes], old: List[Place]) -> bytes:
    if not old:
        return b""
    return _with_value(lines[place.index], place, original[old[-1].index][old[-1].start : old[-1].end])


def _split(data: bytes) -> List[bytes]:
    """The lines with their ends. Only a line feed ends one, as for the readers of these files."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def _value(lines: List[bytes], place: Place) -> str:
    return fold(lines[place.index][place.start : place.end].decode("utf-8", "replace"))


def _with_value(line: bytes, place: Place, value: bytes) -> bytes:
    return line[: place.start] + value + line[place.end :]


def _append(lines: List[bytes], new: List[bytes]) -> bytes:
    """New lines at the end, with the line end of the last line that has one."""
    ended = [line for line in lines if line.endswith(b"\n")]
    end = b"\r\n" if ended and ended[-1].endswith(b"\r\n") else b"\n"
    data = b"".join(lines)
    if new and data and not data.endswith(b"\n"):
        data += end
    return data + b"".join(line + end for line in new)
