# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network namespaces of the node and the TCP keepalive in each. Reading only. Private to this collection."""

import errno
import os
import socket
import sys
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import remedy
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS, Keepalive

from . import child, namespace_paths
from .namespace_paths import NAMED, Found
from .procfs import Fault, boot_id, read_sysctl, whole_number


class Group(NamedTuple):
    keepalive: Keepalive
    namespaces: int
    own: bool


class Space(NamedTuple):
    """One network namespace: its processes (ascending), its names, and what was read inside of it.

    ``inside`` is what the caller's own reader gave. ``error`` says why something of it is missing, ``do`` what to do.
    ``absent``: it has no keepalive of its own.
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
    absent: bool = False


class Namespaces(NamedTuple):
    """All network namespaces: how many, how many could not be read, why, what to do; the others grouped by keepalive.

    ``spaces`` are those that were found and did not vanish, the own first. ``shared``: there is one keepalive for all.
    """

    total: int
    unreadable: int
    error: Optional[str]
    do: str
    groups: List[Group]
    spaces: List[Space]
    shared: bool = False


class Seen(NamedTuple):
    """What was read inside of a namespace."""

    keepalive: Optional[Keepalive] = None
    retries2: Optional[int] = None
    inside: Optional[Dict[str, Any]] = None
    error: Optional[str] = None
    do: str = ""
    absent: bool = False


class NotThereError(ValueError):
    """A namespace without these sysctls."""


Inside = Callable[[List[int]], Dict[str, Any]]
"""Reads more inside of a namespace, given its processes. Gives plain JSON data."""

_SO_NETNS_COOKIE = 71

_CHILD_SECONDS = 30
_SPACE_SECONDS = 1
"""More for each namespace: where a node is busy the reader waits for its turn, which is no fault of what it reads.

Each reading of sockets walks those of all namespaces, since the kernel has one table for all.
"""
_ALL_SECONDS = 600
"""The most for all: who makes namespaces and sockets without end shall not keep us longer."""
_AGAIN = "Run again when the node is less busy. Report it to the collection where that does not help."


def own_keepalive() -> Keepalive:
    """The keepalive in the caller's network namespace. Raises ValueError with the reason when it cannot be read."""
    values = []
    for key in KEYS:
        reading = read_sysctl(key)
        if reading.value is None:
            raise ValueError(reading.error) if reading.error else NotThereError(f"{key} is not there")
        values.append(int(reading.value))
    return Keepalive(*values)


def own_identity() -> str:
    """What no other network namespace of any boot has; before Linux 5.14 a later one of this boot may have it, too.

    That is the boot's ID with the namespace's cookie (SO_NETNS_COOKIE, include/uapi/asm-generic/socket.h), before 5.14
    its inode, which the kernel gives to the next namespace once this one is gone. Raises OSError.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as any_socket:
            number = int.from_bytes(any_socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8), sys.byteorder)
        return f"{boot_id()} {number}"
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            raise
        return f"{boot_id()} inode {os.stat('/proc/self/ns/net').st_ino}"


def read(proc: str = "/proc", bind_mounts: Sequence[str] = NAMED, inside: Optional[Inside] = None) -> Namespaces:
    """The namespaces of all visible processes and those with a name, each counted once; the caller stays in its own.

    A process or name that vanishes meanwhile is no error. unreadable counts namespaces that could not be entered and
    processes whose namespace could not even be told (not root).
    """
    try:
        own, found, hidden = namespace_paths.find(proc, bind_mounts)
    except OSError as problem:
        return Namespaces(0, 1, f"{problem.filename}: {problem.strerror}", remedy(problem), [], [])
    seen = _read_all(own, found, inside)
    spaces = [
        Space(inode, inode == own, found[inode].pids, found[inode].names, *result)
        for inode, result in seen.items()
        if result is not None
    ]
    spaces, shared = _with_shared(spaces)
    failures = [Fault(str(space.error), space.do) for space in spaces if space.keepalive is None]
    unread = len(hidden) + len(failures)
    first = (hidden + failures)[0] if unread else Fault("", "")
    return Namespaces(len(spaces), unread, first.why or None, first.do, _groups(spaces), spaces, shared)


def _with_shared(spaces: List[Space]) -> Tuple[List[Space], bool]:
    """The spaces with the keepalive of the own one where they have none, and whether there are such.

    Before Linux 4.5 there is one keepalive for all network namespaces, and only the first has the sysctls.
    """
    own = next((space.keepalive for space in spaces if space.own), None)
    if own is None or not any(space.absent for space in spaces):
        return spaces, False
    return [space._replace(keepalive=own, error=None, do="") if space.absent else space for space in spaces], True


def find(proc: str = "/proc", bind_mounts: Sequence[str] = NAMED) -> Tuple[List[Space], Optional[str]]:
    """The namespaces that read() would enter, and why there may be more of them (None: these are all)."""
    try:
        own, found, hidden = namespace_paths.find(proc, bind_mounts)
    except OSError as problem:
        return [], f"{problem.filename}: {problem.strerror}"
    spaces = [Space(inode, inode == own, each.pids, each.names, *Seen()) for inode, each in found.items()]
    return spaces, hidden[0].why if hidden else None


def _read_all(own: int, found: Dict[int, Found], inside: Optional[Inside]) -> Dict[int, Optional[Seen]]:
    """What is in each namespace by its inode, None for one that vanished.

    Only a child changes its namespace, so whatever happens to it, the caller's stays.
    """
    values, error = [], None
    if inside is not None or len(found) > 1:
        limit_seconds = min(_CHILD_SECONDS + _SPACE_SECONDS * len(found), _ALL_SECONDS)
        values, error = child.collect(lambda: _visit(own, found, inside), limit_seconds)
    missing = Seen(error=f"the reader of the other network namespaces {error}", do=_AGAIN)
    seen: Dict[int, Optional[Seen]] = dict.fromkeys(found, missing)
    seen[own] = _look([], None)._replace(error=missing.error, do=_AGAIN) if error and inside else _look([], None)
    for inode, value in values:
        seen[inode] = None if value is None else _seen(*value)
    return seen


def _seen(keepalive: Optional[List[int]], *rest: Any) -> Seen:
    return Seen(None if keepalive is None else Keepalive(*keepalive), *rest)


def _visit(own: int, found: Dict[int, Found], inside: Optional[Inside]) -> Iterator[object]:
    """The inode of each namespace with what was read in it, None for one that vanished. Changes the namespace."""
    if inside is not None:
        yield own, _look(found[own].pids, inside)
    for inode, space in found.items():
        if inode != own:
            yield inode, _enter_and_look(inode, space, inside)


def _enter_and_look(inode: int, space: Found, inside: Optional[Inside]) -> Optional[Seen]:
    try:
        if not namespace_paths.enter(inode, space.ways):
            return None
        seen = _look(space.pids, inside)
    except OSError as error:
        seen = Seen(error=error.strerror or str(error), do=remedy(error))
    except (ImportError, AttributeError) as error:
        seen = Seen(error=str(error), do="Have Ansible use a Python on the node that has ctypes.")
    return seen._replace(error=f"{space.ways[0]}: {seen.error}") if seen.error else seen


def _look(pids: List[int], inside: Optional[Inside]) -> Seen:
    """What can be read in the namespace that this process is in."""
    keepalive, error, do, absent = None, None, "", False
    try:
        keepalive = own_keepalive()
    except ValueError as problem:
        error, do = str(problem), "See by hand: sysctl net.ipv4.tcp_keepalive_time."
        absent = isinstance(problem, NotThereError)
    retries2 = whole_number(read_sysctl("net.ipv4.tcp_retries2").value)
    return Seen(keepalive, retries2, inside(pids) if inside is not None else None, error, do, absent)


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
