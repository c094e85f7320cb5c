# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that a program makes on the files of a node, and the same program with one of them made to fail."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
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
    *("fsetxattr", "ftruncate", "bpf"),
)
READING = (
    *("read", "close", "getdents64", "readlink", "stat", "lstat", "fstat", "newfstatat", "statx", "access", "statfs"),
    *("flock", "getxattr", "listxattr"),
)
OPENING = ("open", "openat")
"""One or the other, as the flags say."""

_NODE = re.compile(
    r"/etc/(sysctl|modules|systemd|kubenode|udev|crio|cni|kubernetes|exclude)|/var/lib/|/run/kubenode|/run/systemd"
    r"|/proc/sys/net|/sys/(class/net|devices|fs/cgroup)|^bpf\("
)
_LINE = re.compile(r"^(\w+)\((.*)$")
_WRITES = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC)")


class Call(NamedTuple):
    """One call: its name, the how many-th of that name its process made, and what it was made on."""

    name: str
    number: int
    place: str
    changes: bool


class Fault(NamedTuple):
    """What is done to a call: an error in its place (once, or from then on), or a signal when it is entered."""

    call: Call
    what: str
    stays: bool = False

    @property
    def option(self) -> str:
        kind = "signal" if self.what.startswith("SIG") else "error"
        return f"inject={self.call.name}:{kind}={self.what}:when={self.call.number}{'+' if self.stays else ''}"


def tracer(log: Path, fault: Fault | None = None) -> list[str]:
    """The command that writes the calls of a process into a log, and has a fault happen in one of them."""
    names = ",".join(("?" + name) for name in (*CHANGING, *READING, *OPENING))
    options = ["-y", "-qq", "-s", "200", "-o", str(log), "-e", f"trace={names}"]
    if fault is not None:
        options += ["-e", fault.option]
    return ["strace", *options]


def calls(log: Path) -> Iterator[Call]:
    """The calls of a process that are about the node, in order."""
    counts: Counter[str] = Counter()
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        name, rest = found.groups()
        counts[name] += 1
        if _NODE.search(f"{name}({rest}"):
            changes = name in CHANGING or (name in OPENING and bool(_WRITES.search(rest)))
            yield Call(name, counts[name], place_of(rest), changes)


def place_of(arguments: str) -> str:
    """The path that a call is about: the last one of those that it names."""
    paths = [path for pair in re.findall(r'"(/[^"]*)"|<(/[^>]*)>', arguments) for path in pair if path]
    node = [path for path in paths if _NODE.search(path)]
    return (node or paths or [os.curdir])[-1]
