# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""keepalived of the node, and the IPVS timeouts that it sets. Reading only. Private to this collection."""

import os
import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS
from ansible_collections.kubenode.connections.plugins.module_utils._files.drop_ins import matches
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import (
    Problem,
    entries,
    is_there,
    read_conf,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Process

from .in_use import in_use, place_of
from .keepalived_program import option, version

CONFIG = "/etc/keepalived/keepalived.conf"

MAX_FILES = 200
"""More files are not read, so that files that include each other come to an end."""

MAX_BYTES = 4 << 20
"""Of all files together."""

_PID_FILES = ("/run/keepalived.pid", "/run/keepalived/keepalived.pid")
_MAX_SECONDS = 86400 * 31  # LVS_MAX_TIMEOUT in keepalived/include/global_data.h
_INCLUDE = re.compile(r"\s*include[rmwba]?\s+\"?([^\s\"]+)")
_DEFINITION = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]{0,63}=")
_CONDITION = re.compile(r"@(\^?)(\S+)\s*")
_WORD = re.compile(r'\$\{[^\s{}]*\}|"(?:[^"\\]|\\.)*"?|[{}]|[#!].*|[^\s{}"#!]+')
_BY_CHECKER_SINCE = (2, 1, 4)
_OTHER_TEXT = ("$", "~", "include")  # the last behind a condition only


class Keepalived(NamedTuple):
    """The last line that sets IPVS timeouts, and what all such lines come to: seconds by tcp, tcpfin, udp."""

    file: str
    line: int
    timeouts: Dict[str, int]


class Configuration(NamedTuple):
    """The timeouts of a configuration, whether it has a virtual server, and whether it synchronises connections."""

    timeouts: Optional[Keepalived]
    serves: bool
    syncs: bool


class _Line(NamedTuple):
    file: str
    number: int
    text: str


def read(root: str = "/", process: Optional[Process] = None) -> Tuple[Optional[Keepalived], List[Problem]]:
    """What keepalived sets the IPVS timeouts to at its start and reload, None where it sets none; lines not understood.

    It counts where it runs as ``process``, or its service runs or starts at boot (one in a container is not looked
    for). How a running one was started says which file it reads, and which conditions hold.
    """
    files = _Files(root)
    if process is None and not in_use("keepalived", _PID_FILES, root, files.problems):
        return None, files.problems
    program, arguments = _started(process, root, files.problems)
    config_id = option(arguments, "i", "config-id") or os.uname().nodename.split(".")[0]
    path = option(arguments, "f", "use-file") or CONFIG
    if not os.path.isabs(path):
        files.problems.append(Problem(CONFIG, 0, f"keepalived was started with {path[:80]!r}, which is no whole path"))
        return None, files.problems
    lines = _that_hold(files.lines(path), config_id)
    found = parse(lines, files.problems)
    applied = found.timeouts is not None and _applies(found, program, root, files.problems)
    return found.timeouts if applied else None, files.problems


def _started(process: Optional[Process], root: str, problems: List[Problem]) -> Tuple[Optional[str], List[str]]:
    """The program, and its arguments where it runs."""
    if process is None:
        return place_of("keepalived", root, problems), []
    try:
        return process.program(), process.arguments()
    except OSError as error:
        what = f"what keepalived was started with cannot be read: {error.strerror or error}"
        problems.append(Problem(f"/proc/{process.pid}", 0, what))
        return None, []


def _applies(found: Configuration, program: Optional[str], root: str, problems: List[Problem]) -> bool:
    """Whether this release sets the timeouts.

    From 2.1.4 on its LVS process does, which runs where there is a virtual server (running_checker in
    keepalived/core/main.c); before, its VRRP process, and only with lvs_sync_daemon (42e2f0f1 there).
    """
    if found.serves == found.syncs:
        return found.serves
    release = version(program, root, problems) if program is not None else None
    if release is None:
        what = "which keepalived it is cannot be told: before 2.1.4 lvs_timeouts count only with lvs_sync_daemon"
        problems.append(Problem(program or CONFIG, 0, what))
        return True
    return found.syncs if release < _BY_CHECKER_SINCE else found.serves


def parse(lines: Iterable[_Line], problems: List[Problem]) -> Configuration:
    """The lvs_timeouts of global_defs and what else decides whether they count. Never raises.

    What stands for other text (``$NAME``, ``~SEQ``) is not looked up: where that may set them, it is a problem.
    """
    blocks: List[str] = []
    timeouts: Dict[str, int] = {}
    last, keyword, serves, syncs = None, "", False, False
    for line in lines:
        words = words_of(line.text)
        if not words:
            continue
        keyword = keyword if words[0] == "{" else words[0]
        serves = serves or (keyword == "virtual_server" and not blocks)
        syncs = syncs or (keyword == "lvs_sync_daemon" and blocks == ["global_defs"])
        sets_timeouts = keyword == "lvs_timeouts" and blocks == ["global_defs"]
        unknown = [word for word in (words if sets_timeouts else words[:1]) if word.startswith(_OTHER_TEXT)]
        if unknown and blocks in ([], ["global_defs"]):
            what = f"{unknown[0][:80]!r} stands for text that is not looked up, which may set the IPVS timeouts"
            problems.append(Problem(line.file, line.number, what))
        if sets_timeouts:
            last = line
            timeouts.update(_timeouts(words[1:]))
        for word in words:
            if word == "{":
                blocks.append(keyword)
            elif word == "}":
                del blocks[-1:]
    found = Keepalived(last.file, last.number, timeouts) if last and timeouts else None
    return Configuration(found, serves, syncs)


def words_of(text: str) -> List[str]:
    """The words and braces of a line without its comment, which # or ! starts anywhere outside of quotes."""
    return [word for word in _WORD.findall(text) if word[0] not in "#!"]


def _timeouts(words: List[str]) -> Dict[str, int]:
    """Pairs such as tcp 900; what keepalived ignores (an impossible value) is left out, 0 leaves the timeout alone."""
    pairs = dict(zip(words[::2], words[1::2]))
    return {
        cell: int(pairs[cell])
        for cell in CELLS
        if re.fullmatch("[0-9]{1,9}", pairs.get(cell, "")) and 0 < int(pairs[cell]) <= _MAX_SECONDS
    }


def _that_hold(lines: Iterable[_Line], config_id: str) -> Iterator[_Line]:
    """The lines whose condition (``@main ...``, ``@^main ...``) holds, without it; definitions (``$NAME=``) left out.

    keepalived.conf(5), "Conditional configuration" and "Parameter substitution".
    """
    in_definition = False
    for line in lines:
        text, holds = line.text.strip(), True
        if not text:
            in_definition = False
            continue
        condition = _CONDITION.match(text)
        if condition and not in_definition:
            text, holds = text[condition.end() :], (condition.group(2) == config_id) != bool(condition.group(1))
        if in_definition or _DEFINITION.match(text):
            in_definition = text.endswith("\\")
        elif holds:
            yield line._replace(text=text)


def _may_be(pattern: str, name: str) -> bool:
    """As glob(3): a pattern stands for hidden files only where it begins with a dot itself."""
    return name.startswith(".") <= pattern.startswith(".") and matches(pattern, name)


class _Files:
    """The lines of a file with those of the files that it includes in their place, as far as the bounds allow."""

    def __init__(self, root: str) -> None:
        self.problems: List[Problem] = []
        self._root = root
        self._files_left = MAX_FILES
        self._bytes_left = MAX_BYTES

    def lines(self, path: str) -> Iterator[_Line]:
        """Follows includes, which keepalived looks for before anything else on a line (keepalived.conf(5))."""
        for number, text in enumerate(self._text(path).split("\n"), 1):
            include = _INCLUDE.match(text)
            if include:
                for included in self._included(path, number, include.group(1)):
                    yield from self.lines(included)
            else:
                yield _Line(path, number, text)

    def _text(self, path: str) -> str:
        if self._files_left == 0 or self._bytes_left == 0:
            what = f"the configuration has more than {MAX_FILES} files or {MAX_BYTES} bytes, the rest was not read"
            more = Problem(CONFIG, 0, what)
            if more not in self.problems and is_there(path, self._root, self.problems):
                self.problems.append(more)
            return ""
        data = read_conf(path, self._root, self.problems, self._bytes_left) or b""
        self._files_left -= 1
        self._bytes_left -= len(data)
        return data.decode("utf-8", "replace")

    def _included(self, path: str, number: int, pattern: str) -> List[str]:
        """The files that a pattern names, relative to the file that includes them, as the node names them."""
        whole = os.path.normpath(os.path.join(os.path.dirname(path), pattern))
        parts = whole.split("/")
        wild = [index for index, part in enumerate(parts) if any(letter in part for letter in "*?[")]
        if len(wild) > 1 or any(letter in pattern for letter in "{}$\0"):
            self.problems.append(Problem(path, number, f"the pattern {pattern[:80]!r} is not understood"))
            return []
        if not wild:
            return [whole]
        before, part, after = "/".join(parts[: wild[0]]), parts[wild[0]], parts[wild[0] + 1 :]
        names = sorted(name for name in entries(before or "/", self._root, self.problems) if _may_be(part, name))
        return ["/".join([before, name, *after]) for name in names[: self._files_left + 1]]
