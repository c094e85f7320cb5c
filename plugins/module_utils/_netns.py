# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network namespaces of the node and the TCP keepalive in each. Reading only. Private to this collection."""

import json
import os
import signal
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._procfs import read_sysctl


class Keepalive(NamedTuple):
    """net.ipv4.tcp_keepalive_time and _intvl in seconds, and _probes."""

    time: int
    intvl: int
    probes: int


class Group(NamedTuple):
    keepalive: Keepalive
    namespaces: int
    own: bool


class Namespaces(NamedTuple):
    """All network namespaces: how many, how many could not be read and why, the others grouped by equal keepalive."""

    total: int
    unreadable: int
    error: Optional[str]
    groups: List[Group]


_CLONE_NEWNET = 0x40000000
_CHILD_SECONDS = 30
_PATHS_PER_NAMESPACE = 3
"""A process may end while we look, so a namespace is tried through some others of its processes."""


class _GoneError(Exception):
    """Every way to a namespace vanished while we looked."""


def own_keepalive() -> Keepalive:
    """The keepalive in the caller's network namespace. Raises ValueError with the reason when it cannot be read."""
    values = []
    for name in Keepalive._fields:
        reading = read_sysctl("net.ipv4.tcp_keepalive_" + name)
        if reading.value is None:
            raise ValueError(reading.error or f"net.ipv4.tcp_keepalive_{name} is not there")
        values.append(int(reading.value))
    return Keepalive(*values)


def read(proc: str = "/proc", bind_mounts: str = "/run/netns") -> Namespaces:
    """The namespaces of all visible processes and of ``ip netns``, each counted once; the caller stays in its own.

    A process or name that vanishes meanwhile is no error. unreadable counts namespaces that could not be entered and
    processes whose namespace could not even be told (not root).
    """
    try:
        own = os.stat(os.path.join(proc, "self/ns/net"))
    except OSError as problem:
        return Namespaces(0, 1, f"{problem.filename}: {problem.strerror}", [])
    paths, hidden, why = _find(proc, bind_mounts, own)
    others = {inode: ways for inode, ways in paths.items() if inode != own.st_ino}
    results, child_error = _read_others(others) if others else ({}, None)
    results[own.st_ino] = _attempt_own()
    seen = [result for result in results.values() if result is not None]
    missing = len(others) + 1 - len(results)
    failures = [result for result in seen if isinstance(result, str)]
    error = why or (failures[0] if failures else None) or (child_error if missing else None)
    return Namespaces(len(seen) + missing, hidden + len(failures) + missing, error, _groups(results, own.st_ino))


def _find(proc: str, bind_mounts: str, own: os.stat_result) -> Tuple[Dict[int, List[str]], int, Optional[str]]:
    """Paths to each namespace by its inode, the number of processes that hide theirs, and why."""
    found: Dict[int, List[str]] = {}
    hidden, why = 0, None
    for path in _candidates(proc, bind_mounts):
        try:
            status = os.stat(path)
        except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
            continue
        except OSError as error:
            hidden += 1
            why = why or f"{path}: {error.strerror or error}"
            continue
        if status.st_dev == own.st_dev:
            ways = found.setdefault(status.st_ino, [])
            if len(ways) < _PATHS_PER_NAMESPACE:
                ways.append(path)
    return found, hidden, why


def _candidates(proc: str, bind_mounts: str) -> Iterator[str]:
    for directory, suffix in ((proc, "ns/net"), (bind_mounts, "")):
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in names:
            if not suffix:
                yield os.path.join(directory, name)
            elif name.isdigit():
                yield os.path.join(directory, name, suffix)


def _attempt_own() -> object:
    try:
        return own_keepalive()
    except ValueError as error:
        return str(error)


def _read_others(others: Dict[int, List[str]]) -> Tuple[Dict[int, object], Optional[str]]:
    """For each inode a Keepalive, an error text, or None when it vanished; all read by one forked child.

    Only the child changes its namespace, so whatever happens to it, the caller's stays. It is killed after 30 seconds.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _child(others, reading, writing)
    os.close(writing)
    results: Dict[int, object] = {}
    with os.fdopen(reading, "rb") as pipe:
        for line in pipe:
            if line.endswith(b"\n"):  # a child that is killed may leave half a line
                inode, values = json.loads(line.decode("ascii"))
                results[inode] = Keepalive(*values) if isinstance(values, list) else values
    status = os.waitpid(child, 0)[1]
    return results, f"the reader of the other network namespaces ended with wait status {status}" if status else None


def _child(others: Dict[int, List[str]], reading: int, writing: int) -> None:
    """Enter each namespace and write one JSON line for it. Never returns."""
    status = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_CHILD_SECONDS)
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            for inode, ways in others.items():
                pipe.write((json.dumps([inode, _enter_and_read(inode, ways)]) + "\n").encode("ascii"))
        status = 0
    finally:
        os._exit(status)


def _enter_and_read(inode: int, ways: List[str]) -> object:
    """The keepalive in a namespace as list, an error text, or None when every way to it has vanished."""
    try:
        descriptor = _open(inode, ways)
    except _GoneError:
        return None
    except OSError as error:
        return f"{error.filename}: {error.strerror or error}"
    try:
        _setns(descriptor)
        return list(own_keepalive())
    except (OSError, ValueError, ImportError, AttributeError) as error:
        return "{}: {}".format(ways[0], getattr(error, "strerror", None) or error)
    finally:
        os.close(descriptor)


def _open(inode: int, ways: List[str]) -> int:
    """A descriptor of the namespace with that inode. Raises _GoneError, or OSError for another reason."""
    for path in ways:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.fstat(descriptor).st_ino == inode:
            return descriptor
        os.close(descriptor)
    raise _GoneError()


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


def _groups(results: Dict[int, object], own: int) -> List[Group]:
    """Equal keepalives together: first the group of the own namespace, then the largest."""
    counts: Dict[Keepalive, int] = {}
    for result in results.values():
        if isinstance(result, Keepalive):
            counts[result] = counts.get(result, 0) + 1
    groups = [Group(keepalive, count, results.get(own) == keepalive) for keepalive, count in counts.items()]
    return sorted(groups, key=lambda group: (not group.own, -group.namespaces, group.keepalive))
