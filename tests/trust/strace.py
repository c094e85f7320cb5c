# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that a program makes on the files of a node, and the same program with one of them made to fail.

The processes that it forks count, too, each with calls of its own: the program itself is 0, its first child 1.
"""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

CHANGING = (
    *(
        "write",
        "fsync",
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "unlinkat",
        "rmdir",
        "mkdir",
        "mkdirat",
        "symlink",
    ),
    *("symlinkat", "link", "linkat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "setxattr"),
    *("fsetxattr", "ftruncate", "bpf", "setns", "clone", "fork", "vfork", "setsockopt"),
)
READING = (
    *("read", "close", "getdents64", "readlink", "stat", "lstat", "fstat", "newfstatat", "statx", "access", "statfs"),
    *("flock", "getxattr", "listxattr"),
)
ON_SOCKETS = ("setsockopt", "getsockopt", "pidfd_open", "pidfd_getfd", "sendto", "recvfrom")
"""What re-arms connections, and asks the kernel for them."""
OPENING = ("open", "openat")
"""One or the other, as the flags say."""

_NODE = re.compile(
    r"/etc/(sysctl|modules|systemd|kubenode|udev|crio|cni|kubernetes|exclude)|/var/lib/|/run/kubenode|/run/systemd"
    r"|/proc/sys/net|/sys/(class/net|devices|fs/cgroup)|^(bpf|setns|clone|fork|vfork)\("
    r"|/proc/\d+/(ns|cgroup|exe|comm|cmdline|status)"
)
_LINE = re.compile(r"^(\w+)\((.*)$")
_WRITES = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC)")


class Call(NamedTuple):
    """One call: its name, the how many-th of that name its process made, what it was made on, and which process."""

    name: str
    number: int
    place: str
    changes: bool
    process: int = 0


class Fault(NamedTuple):
    """What is done to a call: an error in its place (once, or from then on), or a signal when it is entered."""

    call: Call
    what: str
    stays: bool = False

    @property
    def option(self) -> str:
        kind = "signal" if self.what.startswith("SIG") else "error"
        return f"inject={self.call.name}:{kind}={self.what}:when={self.call.number}{'+' if self.stays else ''}"

    def __str__(self) -> str:
        return f"{self.option} of process {self.call.process} ({self.call.place})"


Tracer = Callable[[int], Sequence[str]]
"""The command that traces the program (0) or the how many-th process that it forks; none for one that is let be."""


def logger(folder: Path) -> Tracer:
    """Writes the calls of each process into a log of its own."""
    return lambda process: _strace(folder / f"calls-{process}")


def injector(fault: Fault) -> Tracer:
    """Has a fault happen in the process that it is meant for."""
    return lambda process: _strace(Path(os.devnull), "-e", fault.option) if process == fault.call.process else ()


def _strace(log: Path, *more: str) -> list[str]:
    names = ",".join(("?" + name) for name in (*CHANGING, *READING, *ON_SOCKETS, *OPENING))
    return ["strace", "-y", "-qq", "-s", "200", "-o", str(log), "-e", f"trace={names}", *more]


def calls(folder: Path, names: Collection[str] = ()) -> Iterator[Call]:
    """The calls of the program and its children that are about the node, in order; or those of these names."""
    for process in itertools.count():
        log = folder / f"calls-{process}"
        if not log.exists():
            return
        yield from _calls(log.read_text(encoding="utf-8", errors="replace"), process, names)
        log.unlink()


def named_paths(folder: Path) -> set[str]:
    """The absolute paths that the calls of a program name, and no log of them any more."""
    found: set[str] = set()
    for log in folder.glob("calls-*"):
        found.update(re.findall(r'"(/[^"\\]+)"', log.read_text(encoding="utf-8", errors="replace")))
        log.unlink()
    return found


def _calls(text: str, process: int, names: Collection[str]) -> Iterator[Call]:
    counts: Counter[str] = Counter()
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        name, rest = found.groups()
        counts[name] += 1
        if name in names if names else _NODE.search(f"{name}({rest}"):
            changes = name in CHANGING or (name in OPENING and bool(_WRITES.search(rest)))
            yield Call(name, counts[name], place_of(rest), changes, process)


def place_of(arguments: str) -> str:
    """The path that a call is about: the last one of those that it names."""
    paths = [path for pair in re.findall(r'"(/[^"]*)"|<(/[^>]*)>', arguments) for path in pair if path]
    node = [path for path in paths if _NODE.search(path)]
    return (node or paths or [os.curdir])[-1]
