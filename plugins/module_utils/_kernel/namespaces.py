# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network namespaces of the node and the TCP keepalive in each. Reading only. Private to this collection."""

import os
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import remedy
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS, Keepalive

from . import child
from .procfs import Fault, read_sysctl


class Group(NamedTuple):
    keepalive: Keepalive
    namespaces: int
    own: bool


class Space(NamedTuple):
    """One network namespace: its processes (ascending), its names in ``ip netns``, and what was read inside of it.

    ``inside`` is what the caller's own reader gave. ``error`` says why something of it is missing, ``do`` what to do.
    """

    inode: int
    own: bool
    pids: List[int]
    names: List[str]
    keepalive: Optional[Keepalive]
    retries2: Optional[int]
    inside: Optional[Dict[str, Any]]
    error: Optional[str]
    do: str = ""


class Namespaces(NamedTuple):
    """All network namespaces: how many, how many could not be read, why, what to do; the others grouped by keepalive.

    ``spaces`` are those that were found and did not vanish, the own first.
    """

    total: int
    unreadable: int
    error: Optional[str]
    do: str
    groups: List[Group]
    spaces: List[Space]


class Found(NamedTuple):
    """A namespace before it is entered: its processes, its names, and some paths that lead to it."""

    pids: List[int]
    names: List[str]
    ways: List[str]


class Seen(NamedTuple):
    """What was read inside of a namespace."""

    keepalive: Optional[Keepalive] = None
    retries2: Optional[int] = None
    inside: Optional[Dict[str, Any]] = None
    error: Optional[str] = None
    do: str = ""


Inside = Callable[[List[int]], Dict[str, Any]]
"""Reads more inside of a namespace, given its processes. Gives plain JSON data."""

_CLONE_NEWNET = 0x40000000
_CHILD_SECONDS = 30
_AGAIN = "Run again when the node is less busy. Report it to the collection where that does not help."
_PATHS_PER_NAMESPACE = 3
"""A process may end while we look, so a namespace is tried through some others of its processes."""


def own_keepalive() -> Keepalive:
    """The keepalive in the caller's network namespace. Raises ValueError with the reason when it cannot be read."""
    values = []
    for key in KEYS:
        reading = read_sysctl(key)
        if reading.value is None:
            raise ValueError(reading.error or f"{key} is not there")
        values.append(int(reading.value))
    return Keepalive(*values)


def read(proc: str = "/proc", bind_mounts: str = "/run/netns", inside: Optional[Inside] = None) -> Namespaces:
    """The namespaces of all visible processes and of ``ip netns``, each counted once; the caller stays in its own.

    A process or name that vanishes meanwhile is no error. unreadable counts namespaces that could not be entered and
    processes whose namespace could not even be told (not root).
    """
    try:
        own = os.stat(os.path.join(proc, "self/ns/net"))
    except OSError as problem:
        return Namespaces(0, 1, f"{problem.filename}: {problem.strerror}", remedy(problem), [], [])
    found, hidden = _find(proc, bind_mounts, own)
    seen = _read_all(own.st_ino, found, inside)
    spaces = [
        Space(inode, inode == own.st_ino, found[inode].pids, found[inode].names, *result)
        for inode, result in seen.items()
        if result is not None
    ]
    failures = [Fault(str(space.error), space.do) for space in spaces if space.keepalive is None]
    unread = len(hidden) + len(failures)
    first = (hidden + failures)[0] if unread else Fault("", "")
    return Namespaces(len(spaces), unread, first.why or None, first.do, _groups(spaces), spaces)


def find(proc: str = "/proc", bind_mounts: str = "/run/netns") -> Tuple[List[Space], Optional[str]]:
    """The namespaces that read() would enter, and why there may be more of them (None: these are all)."""
    try:
        own = os.stat(os.path.join(proc, "self/ns/net"))
    except OSError as problem:
        return [], f"{problem.filename}: {problem.strerror}"
    found, hidden = _find(proc, bind_mounts, own)
    spaces = [Space(inode, inode == own.st_ino, each.pids, each.names, *Seen()) for inode, each in found.items()]
    return spaces, hidden[0].why if hidden else None


def _find(proc: str, bind_mounts: str, own: os.stat_result) -> Tuple[Dict[int, Found], List[Fault]]:
    """Each namespace by its inode, the own first, and why processes hide theirs, once each."""
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
            else:
                space.names.append(os.path.basename(path))
            if len(space.ways) < _PATHS_PER_NAMESPACE:
                space.ways.append(path)
    return found, hidden


def _candidates(proc: str, bind_mounts: str) -> Iterator[Tuple[str, Optional[int]]]:
    """Paths that may lead to a namespace, with the process for those that belong to one."""
    for pid in sorted(int(name) for name in _names(proc) if name.isdigit()):
        yield os.path.join(proc, str(pid), "ns/net"), pid
    for name in sorted(_names(bind_mounts)):
        yield os.path.join(bind_mounts, name), None


def _names(directory: str) -> List[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _read_all(own: int, found: Dict[int, Found], inside: Optional[Inside]) -> Dict[int, Optional[Seen]]:
    """What is in each namespace by its inode, None for one that vanished.

    Only a child changes its namespace, so whatever happens to it, the caller's stays.
    """
    values, error = [], None
    if inside is not None or len(found) > 1:
        values, error = child.collect(lambda: _visit(own, found, inside), _CHILD_SECONDS)
    missing = Seen(error=f"the reader of the other network namespaces {error}", do=_AGAIN)
    seen: Dict[int, Optional[Seen]] = dict.fromkeys(found, missing)
    seen[own] = _look([], None)._replace(error=missing.error, do=_AGAIN) if error and inside else _look([], None)
    for inode, value in values:
        seen[inode] = None if value is None else _seen(*value)
    return seen


def _seen(keepalive: Optional[List[int]], retries2: Optional[int], inside: Any, error: Optional[str], do: str) -> Seen:
    return Seen(None if keepalive is None else Keepalive(*keepalive), retries2, inside, error, do)


def _visit(own: int, found: Dict[int, Found], inside: Optional[Inside]) -> Iterator[object]:
    """The inode of each namespace with what was read in it, None for one that vanished. Changes the namespace."""
    if inside is not None:
        yield own, _look(found[own].pids, inside)
    for inode, space in found.items():
        if inode != own:
            yield inode, _enter_and_look(inode, space, inside)


def _enter_and_look(inode: int, space: Found, inside: Optional[Inside]) -> Optional[Seen]:
    try:
        if not enter(inode, space.ways):
            return None
        seen = _look(space.pids, inside)
    except OSError as error:
        seen = Seen(error=error.strerror or str(error), do=remedy(error))
    except (ImportError, AttributeError) as error:
        seen = Seen(error=str(error), do="Have Ansible use a Python on the node that has ctypes.")
    return seen._replace(error=f"{space.ways[0]}: {seen.error}") if seen.error else seen


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


def _look(pids: List[int], inside: Optional[Inside]) -> Seen:
    """What can be read in the namespace that this process is in."""
    keepalive, error, do = None, None, ""
    try:
        keepalive = own_keepalive()
    except ValueError as problem:
        error, do = str(problem), "See by hand: sysctl net.ipv4.tcp_keepalive_time."
    retries2 = read_sysctl("net.ipv4.tcp_retries2").value
    number = int(retries2) if retries2 is not None and retries2.isdigit() else None
    return Seen(keepalive, number, inside(pids) if inside is not None else None, error, do)


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


def _groups(spaces: List[Space]) -> List[Group]:
    """Equal keepalives together: first the group of the own namespace, then the largest."""
    counts: Dict[Keepalive, int] = {}
    own = None
    for space in spaces:
        if space.keepalive is not None:
            counts[space.keepalive] = counts.get(space.keepalive, 0) + 1
            own = space.keepalive if space.own else own
    groups = [Group(keepalive, count, keepalive == own) for keepalive, count in counts.items()]
    return sorted(groups, key=lambda group: (not group.own, -group.namespaces, group.keepalive))
