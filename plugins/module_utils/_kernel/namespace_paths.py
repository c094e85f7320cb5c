# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network namespaces: the paths that lead to them, and the way into one. Private to this collection."""

import os
import re
from itertools import islice
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import more_rights, remedy

from .procfs import HIDDEN, Fault, hides_processes


class Found(NamedTuple):
    """A namespace before it is entered: its processes, its names, and some paths that lead to it."""

    pids: List[int]
    names: List[str]
    ways: List[str]


NAMED = ("/run/netns", "/run/docker/netns")
"""Where namespaces have names: those of ip netns, CNI and podman, and Docker's, some of which have no process at all
(Swarm's ingress_sbox and lb_*)."""

_CLONE_NEWNET = 0x40000000
_PATHS_PER_NAMESPACE = 3
"""A process may end while we look, so a namespace is tried through some others of its processes."""

_MAX_MOUNTS = 50000


def find(proc: str, bind_mounts: Sequence[str] = NAMED) -> Tuple[int, Dict[int, Found], List[Fault]]:
    """The inode of the own namespace, each namespace by its inode, the own first, and why processes hide theirs.

    Raises OSError where not even the own can be seen.
    """
    own = os.stat(os.path.join(proc, "self/ns/net"))
    found: Dict[int, Found] = {own.st_ino: Found([], [], [])}
    hidden: List[Fault] = []
    for path, pid in _candidates(proc, bind_mounts):
        try:
            status = os.stat(path)
        except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
            continue
        except OSError as error:
            hidden.append(Fault(f"{path}: {error.strerror or error}", remedy(error)))
            continue
        if status.st_dev == own.st_dev:
            space = found.setdefault(status.st_ino, Found([], [], []))
            if pid is not None:
                space.pids.append(pid)
            elif os.path.basename(path) not in space.names:
                space.names.append(os.path.basename(path))
            if len(space.ways) < _PATHS_PER_NAMESPACE:
                space.ways.append(path)
    if not hidden and hides_processes(proc):
        hidden.append(Fault(HIDDEN, more_rights()))
    return own.st_ino, found, hidden


def _candidates(proc: str, bind_mounts: Sequence[str]) -> Iterator[Tuple[str, Optional[int]]]:
    """Paths that may lead to a namespace, with the process for those that belong to one."""
    for pid in sorted(int(name) for name in _names(proc) if name.isdigit()):
        yield os.path.join(proc, str(pid), "ns/net"), pid
    for path in _named(bind_mounts):
        yield path, None
    for path in sorted(_mounted(os.path.join(proc, "self/mountinfo"))):
        if os.path.dirname(path) not in bind_mounts:
            yield path, None


def _named(folders: Sequence[str]) -> Iterator[str]:
    for folder in folders:
        for name in sorted(_names(folder)):
            yield os.path.join(folder, name)


def _mounted(mountinfo: str) -> Set[str]:
    """Where namespaces are kept by a mount: Docker Swarm's have neither a process nor a name in ip netns."""
    try:
        with open(mountinfo, encoding="utf-8", errors="surrogateescape") as handle:
            rows = (line.split(" ", 5) for line in islice(handle, _MAX_MOUNTS))
            return {unescaped(row[4]) for row in rows if len(row) > 5 and row[3].startswith("net:[")}
    except OSError:
        return set()


def unescaped(path: str) -> str:
    """The kernel writes what would end a field in octal (show_mountinfo in fs/proc_namespace.c)."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), path)


def _names(directory: str) -> List[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def named(folders: Sequence[str] = NAMED) -> Dict[int, List[str]]:
    """The paths below these folders that lead to other network namespaces, by inode."""
    own = os.stat("/proc/self/ns/net")
    found: Dict[int, List[str]] = {}
    for path in _named(folders):
        try:
            status = os.stat(path)
        except OSError:
            continue
        if status.st_dev == own.st_dev and status.st_ino != own.st_ino:
            found.setdefault(status.st_ino, []).append(path)
    return found


def enter(inode: int, ways: List[str]) -> bool:
    """Take this process into a namespace by one of the paths; False when all of them have vanished. Raises OSError.

    For a process that may stay there, such as a forked child.
    """
    for path in ways:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, ProcessLookupError):
            continue
        try:
            if os.fstat(descriptor).st_ino == inode:
                _setns(descriptor)
                return True
        finally:
            os.close(descriptor)
    return False


def _setns(descriptor: int) -> None:
    """setns(2); in Python's own library only since 3.12. Raises OSError."""
    if hasattr(os, "setns"):
        os.setns(descriptor, _CLONE_NEWNET)
        return
    import ctypes  # some minimal Pythons lack it: then only the other namespaces are unreadable

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
