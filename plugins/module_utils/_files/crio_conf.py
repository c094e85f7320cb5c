# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""default_sysctls in CRI-O's configuration: pure, nothing is opened. Private to this collection.

Python has a parser of TOML since 3.11 only, so this reads the one key that matters here, and refuses what it does not
understand rather than guess.
"""

import json
import re
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError

KEY = "crio.runtime.default_sysctls"

_NAME = "default_sysctls"
_TABLE = re.compile(r"[ \t]*\[([^\[\]#]+)\][ \t]*(?:#.*)?\Z")
_OTHER_TABLE = re.compile(r"[ \t]*\[")
_ASSIGNMENT = re.compile(r"([A-Za-z0-9_\"'. \t-]+)=[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*(?:\n|\Z))*")
_STRING = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'([^'\n]*)'")


class Source(NamedTuple):
    """The entries of a file that sets default_sysctls, as written: key=value."""

    path: str
    entries: Tuple[str, ...]


def read_entries(data: bytes, path: str) -> Optional[Source]:
    """What a file of CRI-O's sets default_sysctls to, None where it does not. Raises NodeError."""
    text = data.decode("utf-8", "replace")
    table, position, found = "", 0, None
    while position < len(text):
        end = text.find("\n", position)
        line = text[position : end if end >= 0 else len(text)]
        name, length = _key(table, line)
        if name == KEY:
            entries, position = _strings(text, position + length, path)
            found = Source(path, tuple(entries))
        elif _NAME in line.split("#")[0] and not name.endswith(_NAME):
            raise _odd(path, text, position)
        else:
            table = _table(table, line)
        end = text.find("\n", position)
        position = end + 1 if end >= 0 else len(text)
    return found


def drop_in(entries: Sequence[str], kept: Optional[Source]) -> bytes:
    """A drop-in that sets default_sysctls to these entries; kept says where the first of them come from."""
    lines = ["# Written by the Ansible module kubenode.connections.pod_sysctls."]
    if kept is not None:
        lines.append(f"# This list stands for the one of {kept.path}, whose other entries it repeats.")
    lines += [
        "[crio.runtime]",
        f"{_NAME} = [",
        *(f"    {json.dumps(entry, ensure_ascii=False)}," for entry in entries),
        "]",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def merged(sources: Sequence[Source], sysctls: Mapping[str, str]) -> Tuple[List[str], Optional[Source]]:
    """The entries to write, and the source they were taken over from (None: none had any).

    Of several files CRI-O takes the list of the last one, whole (pkg/config/config.go decodes each over the former).
    """
    last = sources[-1] if sources else None
    kept = [] if last is None else [entry for entry in last.entries if entry.partition("=")[0] not in sysctls]
    return [*kept, *(f"{name}={value}" for name, value in sysctls.items())], last if kept else None


def _key(table: str, line: str) -> Tuple[str, int]:
    """The full name that a line assigns to, and where the value starts; "" where it assigns nothing."""
    found = _ASSIGNMENT.match(line)
    name = _plain(found.group(1)) if found else ""
    if found is None or not name:
        return "", 0
    return ".".join(part for part in (table, name) if part), found.end()


def _table(table: str, line: str) -> str:
    found = _TABLE.match(line.rstrip("\r"))
    if found:
        return _plain(found.group(1))
    return "[[]]" if _OTHER_TABLE.match(line) and "=" not in line and line.rstrip().endswith("]]") else table


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _strings(text: str, position: int, path: str) -> Tuple[List[str], int]:
    """The strings of the array at position, and where it ends."""
    strings: List[str] = []
    start = position
    if text[position : position + 1] != "[":
        raise _odd(path, text, start)
    position = _behind(text, position + 1)
    while text[position : position + 1] != "]":
        found = _STRING.match(text, position)
        if found is None:
            raise _odd(path, text, start)
        strings.append(found.group(2) if found.group(1) is None else _basic(found.group(1), path, text, start))
        position = _behind(text, found.end())
        if text[position : position + 1] == ",":
            position = _behind(text, position + 1)
        elif text[position : position + 1] != "]":
            raise _odd(path, text, start)
    return strings, position + 1


def _basic(inner: str, path: str, text: str, start: int) -> str:
    try:
        entry = str(json.loads(f'"{inner}"'))  # TOML's escapes are those of JSON, except a rare few
        entry.encode("utf-8")
        return entry
    except ValueError as error:  # also a half of a surrogate pair, which TOML has not
        raise _odd(path, text, start) from error


def _behind(text: str, position: int) -> int:
    """Behind the white space, line ends and comments at position."""
    found = _BETWEEN.match(text, position)
    return found.end() if found else position


def _odd(path: str, text: str, position: int) -> NodeError:
    """It names the line and does not quote it: environments may stand beside."""
    line = text.count("\n", 0, position) + 1
    return NodeError(
        f"{path}:{line}: {_NAME} is not a list of strings below [crio.runtime], which is expected (crio.conf(5)). "
        "Write it that way, so that it can be kept."
    )
