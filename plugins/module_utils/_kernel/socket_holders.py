# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which process has a socket open. Reading only. Private to this collection."""

import os
from typing import Dict, Iterable, NamedTuple

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
    """By the inode of each socket that was found. denied: there are processes whose files may not be seen."""

    sockets: Dict[int, Open]
    denied: bool


def find(inodes: Iterable[int], pids: Iterable[int], proc: str = "/proc") -> Dict[int, Holder]:
    """The first of the processes that has each socket open, by the socket's inode.

    Missing are sockets of processes that have ended or whose files may not be seen (not root), and those beyond
    MAX_DESCRIPTORS. Never raises.
    """
    return {inode: each.holder for inode, each in find_open(inodes, pids, MAX_DESCRIPTORS, proc).sockets.items()}


def find_open(inodes: Iterable[int], pids: Iterable[int], most: int, proc: str = "/proc") -> Opened:
    """The same with the number of the descriptor, after ``most`` open files at the latest. Never raises."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: Dict[int, Open] = {}
    left, denied = most, False
    for pid in sorted(pids):
        if not wanted or left <= 0:
            break
        try:
            process = os.open(f"{proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            left -= _search(process, pid, left, wanted, found)
        except OSError as error:
            denied = denied or isinstance(error, PermissionError)
        finally:
            os.close(process)
    return Opened(found, denied)


def _search(process: int, pid: int, limit: int, wanted: Dict[str, int], found: Dict[int, Open]) -> int:
    """Move what the process of that directory has open from wanted to found; how many files were looked at."""
    descriptors = os.open("fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
    holder = None
    try:
        names = os.listdir(descriptors)[:limit]
        for name in names:
            inode = wanted.pop(_target(name, descriptors), None)
            if inode is not None:
                holder = holder or Holder(pid, _name(process))
                found[inode] = Open(holder, int(name))
    finally:
        os.close(descriptors)
    return len(names)


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
