# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which process has a socket open. Reading only. Private to this collection."""

import itertools
import os
import time
from typing import Dict, Iterable, NamedTuple, Optional

MAX_DESCRIPTORS = 32768
"""After so many open files of one network namespace the search ends: the rest stays without a name."""


class Holder(NamedTuple):
    pid: int
    name: str


class Open(NamedTuple):
    """A socket as its first process has it open."""

    holder: Holder
    descriptor: int


class Opened(NamedTuple):
    """By the inode of each socket that was found.

    denied: there are processes whose files may not be seen. cut: the search ended before all files were looked at.
    """

    sockets: Dict[int, Open]
    denied: bool
    cut: bool


def find(inodes: Iterable[int], pids: Iterable[int], proc: str = "/proc") -> Dict[int, Holder]:
    """The first of the processes that has each socket open, by the socket's inode.

    Missing are sockets of processes that have ended or whose files may not be seen (not root), and those beyond
    MAX_DESCRIPTORS. Never raises.
    """
    return {inode: each.holder for inode, each in find_open(inodes, pids, MAX_DESCRIPTORS, proc).sockets.items()}


def find_open(
    inodes: Iterable[int], pids: Iterable[int], most: int, proc: str = "/proc", deadline: Optional[float] = None
) -> Opened:
    """The same with the number of the descriptor. Never raises.

    The search ends after ``most`` open files at the latest, of which every process has its share: what some leave goes
    to those that have more. It ends at the deadline, too (by time.monotonic()).
    """
    search = _Search(inodes, proc, deadline)
    waiting, left = sorted(pids), most
    while search.wanted and waiting:
        more = []
        for number, pid in enumerate(waiting):
            share = left // (len(waiting) - number)
            looked = search.look(pid, share)
            left -= looked
            if looked == share:
                more.append(pid)
        if more == waiting or search.late:
            break
        waiting = more
    return Opened(search.found, search.denied, bool(search.wanted and (waiting or search.late)))


class _Search:
    """What is still wanted, and what was found. late: there are files that there was no time to look at."""

    def __init__(self, inodes: Iterable[int], proc: str, deadline: Optional[float]) -> None:
        self.wanted = {f"socket:[{inode}]": inode for inode in inodes}
        self.found: Dict[int, Open] = {}
        self.denied = self.late = False
        self._proc = proc
        self._deadline = deadline

    def _is_over(self) -> bool:
        self.late = self.late or (self._deadline is not None and time.monotonic() > self._deadline)
        return self.late

    def look(self, pid: int, limit: int) -> int:
        """Move what that process has open from wanted to found; how many files were looked at, at most the limit."""
        if not self.wanted or self._is_over():
            return 0
        try:
            process = os.open(f"{self._proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return 0
        try:
            return self._look(process, pid, limit)
        except OSError as error:
            self.denied = self.denied or isinstance(error, PermissionError)
            return 0
        finally:
            os.close(process)

    def _look(self, process: int, pid: int, limit: int) -> int:
        descriptors = os.open("fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
        holder, looked = None, 0
        try:
            # By a path, for Python 3.6 takes no descriptor; one by one, for there may be a million.
            with os.scandir(f"/proc/self/fd/{descriptors}") as entries:
                for entry in itertools.islice(entries, limit):
                    if self._is_over():
                        break
                    looked += 1
                    inode = self.wanted.pop(_target(entry.name, descriptors), None)
                    if inode is not None:
                        holder = holder or Holder(pid, _name(process))
                        self.found[inode] = Open(holder, int(entry.name))
        finally:
            os.close(descriptors)
        return looked


def _target(name: str, directory: int) -> str:
    """Where a descriptor leads, "" when it was closed. Raises PermissionError: it is then so for the whole process."""
    try:
        return os.readlink(name, dir_fd=directory)
    except PermissionError:
        raise
    except OSError:
        return ""


def _name(process: int) -> str:
    """The process' name for itself, which it may set to anything."""
    descriptor = os.open("comm", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
    try:
        return os.read(descriptor, 64).decode("utf-8", "replace").rstrip("\n")
    finally:
        os.close(descriptor)
