# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctl files of a node: their lines, and which line decides a key at boot. Private to this collection."""

import os
from collections import OrderedDict
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Set

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import canonical, components
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem, below, read_conf
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import fold

from .drop_ins import conf_files, matches
from .sysctl_values import as_written, taken


class Line(NamedTuple):
    """One line of a sysctl file: its number from 1, its bytes with the line end, and what it is.

    kind is blank, comment, assignment, exclude (``-key`` without ``=``: patterns leave that key alone) or problem. key
    is dotted (a pattern keeps its ``*``), value is stripped; what tells what is wrong with the line (a problem, or an
    assignment of nothing).
    """

    number: int
    raw: bytes
    kind: str
    key: Optional[str]
    value: Optional[str]
    what: Optional[str]


class BootValue(NamedTuple):
    """What a key is set to at boot, by which line, and what ``sysctl --system`` sets where that differs.

    written is the text of that line where the kernel takes something else for it; with value None it refuses it.
    """

    value: Optional[str]
    file: Optional[str]
    line: Optional[int]
    procps_value: Optional[str]
    written: Optional[str] = None


class Boot(NamedTuple):
    values: Dict[str, BootValue]
    problems: List[Problem]


MAX_ASSIGNMENT_BYTES = 65536
"""No sysctl takes a longer value, so a longer assignment is a problem and its text is not kept."""

_SYSTEMD_MAX_LINE_BYTES = 1 << 20  # LONG_LINE_MAX in systemd's src/basic/def.h
_SYSTEMD_SYSCTL = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
_BLANKS = b" \t\r\n"


class _File(NamedTuple):
    path: str
    data: bytes


class _Entry(NamedTuple):
    key: str
    value: Optional[str]
    file: str
    line: int


def parse_lines(data: bytes) -> Iterator[Line]:
    """The lines of a sysctl file; joined raw bytes give the data back. Never raises."""
    start, number = 0, 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        number += 1
        yield _parse_line(number, data[start:end])
        start = end


def read_boot(keys: Iterable[str], root: str = "/") -> Boot:
    """What the files of the node set each key to at boot; the lines and files that nobody, or not this reader, can use.

    systemd-sysctl and procps read the same drop-in files in the same order; procps then reads /etc/sysctl.conf, which
    systemd-sysctl reads only where a drop-in is a link to it. procps decides where systemd-sysctl is not installed.
    """
    problems: List[Problem] = []
    drop_ins = [_read(file, root, problems) for file in conf_files("sysctl.d", root, problems)]
    systemd = has_systemd_sysctl(root)
    all_files = [*drop_ins, _read("/etc/sysctl.conf", root, [] if systemd else problems)]
    wanted = set(keys)
    table = _systemd_table(drop_ins, wanted) if systemd else {}
    entries = list(_entries(all_files, wanted))
    values = {}
    for key in wanted:
        by_procps = _procps_decides(entries, key)
        values[key] = _boot_value(key, _systemd_decides(table, key) if systemd else by_procps, by_procps)
    return Boot(values, problems + _useless_lines(drop_ins if systemd else all_files, values))


def has_systemd_sysctl(root: str = "/") -> bool:
    """Whether systemd-sysctl sets the keys at boot; where it is not installed, procps does."""
    return any(os.path.exists(below(root, path)) for path in _SYSTEMD_SYSCTL)


def _read(path: str, root: str, problems: List[Problem]) -> _File:
    return _File(path, read_conf(path, root, problems) or b"")


def _parse_line(number: int, raw: bytes) -> Line:
    text = raw.strip(_BLANKS)
    if not text:
        return Line(number, raw, "blank", None, None, None)
    if text[:1] in (b"#", b";"):
        return Line(number, raw, "comment", None, None, None)
    what = _what_is_wrong(text)
    if what:
        return Line(number, raw, "problem", None, None, what)
    name, equals, value = text.decode("utf-8").partition("=")
    key = canonical(_strip(name[1:] if name.startswith("-") else name))
    if not equals:
        return Line(number, raw, "exclude", key, None, None)
    value = _strip(value)
    return Line(number, raw, "assignment", key, value, None if value else "the line has no value after =")


def _strip(text: str) -> str:
    return text.strip(_BLANKS.decode())


def _what_is_wrong(text: bytes) -> Optional[str]:
    """Why no reader can use a line that is neither blank nor comment, or None."""
    if len(text) > MAX_ASSIGNMENT_BYTES:
        return f"the line has {len(text)} bytes, a setting at most {MAX_ASSIGNMENT_BYTES}"
    if b"\0" in text:
        return "the line has a NUL byte"
    try:
        name, equals, _value = text.decode("utf-8").partition("=")
    except UnicodeDecodeError as error:
        return f"the line is not UTF-8 (byte {error.start + 1})"
    if not equals and not name.startswith("-"):
        return "the line has no ="
    if not canonical(_strip(name[1:] if name.startswith("-") else name)):
        return "the line has no name" + (" before =" if equals else "")
    return None


def _entries(files: Iterable[_File], wanted: Set[str], max_line_bytes: Optional[int] = None) -> Iterator[_Entry]:
    """The assignments and exclusions of wanted keys and by patterns, in order; a line over the limit ends its file."""
    for file in files:
        for line in parse_lines(file.data):
            if max_line_bytes is not None and len(line.raw.rstrip(b"\r\n")) >= max_line_bytes:
                break
            if line.key is not None and (line.key in wanted or _is_pattern(line.key)):
                yield _Entry(line.key, line.value, file.path, line.number)


def _systemd_table(files: List[_File], wanted: Set[str]) -> Dict[str, _Entry]:
    """What systemd-sysctl keeps of the files, by key, in the order in which it applies it (its src/sysctl/sysctl.c).

    A later line for a key replaces the earlier one and goes to the end; with the same value it stays in its place. An
    exclusion replaces an assignment, too. systemd-sysctl gives up the rest of a file after a line of 1 MiB.
    """
    table: Dict[str, _Entry] = OrderedDict()
    for entry in _entries(files, wanted, _SYSTEMD_MAX_LINE_BYTES):
        if entry.key in table and table[entry.key].value != entry.value:
            del table[entry.key]
        table[entry.key] = entry
    return table


def _systemd_decides(table: Dict[str, _Entry], key: str) -> Optional[_Entry]:
    """The key's own line (None when that is an exclusion or sets nothing), else the last pattern that matches."""
    if key in table:
        return table[key] if table[key].value else None
    return _last_taken(key, [entry for entry in table.values() if entry.value and _matches(entry.key, key)])


def _procps_decides(entries: List[_Entry], key: str) -> Optional[_Entry]:
    """The last assignment of the key itself, else the last pattern that matches unless another line names the key.

    procps' src/sysctl.c since 4.0: unlike with systemd-sysctl, an exclusion does not cancel an assignment. (The newest
    procps takes patterns as exclusions, too, which is left out here: those in use do not.) It writes every line, so
    that one which the kernel refuses leaves what the line before it set.
    """
    own = [entry for entry in entries if entry.key == key]
    if own:
        return _last_taken(key, [entry for entry in own if entry.value])
    return _last_taken(key, [entry for entry in entries if entry.value and _matches(entry.key, key)])


def _last_taken(key: str, entries: List[_Entry]) -> Optional[_Entry]:
    """The last that the kernel takes, else the last."""
    last = next((entry for entry in reversed(entries) if taken(key, entry.value or "") is not None), None)
    return last or (entries[-1] if entries else None)


def _is_pattern(key: str) -> bool:
    return any(letter in key for letter in "*?[")


def _matches(pattern: str, key: str) -> bool:
    """Whether a glob(7) pattern matches a key; a star does not reach across a separator."""
    if not _is_pattern(pattern):
        return False
    parts, names = components(pattern), components(key)
    return len(parts) == len(names) and all(matches(part.replace("[^", "[!"), name) for part, name in zip(parts, names))


def _boot_value(key: str, decides: Optional[_Entry], by_procps: Optional[_Entry]) -> BootValue:
    value, procps_value = [taken(key, entry.value) if entry and entry.value else None for entry in (decides, by_procps)]
    if procps_value == value:
        procps_value = None
    if decides is None or decides.value is None:
        return BootValue(None, None, None, procps_value)
    written = None if as_written(key, decides.value) else fold(decides.value)
    return BootValue(value, decides.file, decides.line, procps_value, written)


def _useless_lines(files: List[_File], values: Mapping[str, BootValue]) -> List[Problem]:
    """Lines that nobody can parse, and those whose value the kernel refuses; not the one that decides a key."""
    return [
        Problem(file.path, line.number, what)
        for file in files
        for line in parse_lines(file.data)
        for what in [line.what or _refused(file.path, line, values)]
        if what
    ]


def _refused(path: str, line: Line, values: Mapping[str, BootValue]) -> Optional[str]:
    boot = values.get(line.key or "")
    if boot is None or not line.value or (boot.file, boot.line) == (path, line.number):
        return None
    refused = taken(str(line.key), line.value) is None
    return f"the kernel refuses the value {line.value[:80]!r} of {line.key}" if refused else None
