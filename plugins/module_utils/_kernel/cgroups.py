# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The root of cgroup v2, wherever it is mounted or not at all, and the cgroups below it. Private to this collection."""

import contextlib
import errno
import os
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from .namespace_paths import unescaped
from .plain_files import read_plain

PLACE: Optional[str] = None
"""Tests set this to a cgroup of their own, which then is the root: none of theirs may reach this machine's."""

_USUAL = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
"""Unified and hybrid hierarchy, as systemd mounts them (file-hierarchy of systemd: cgroup-setup)."""

_OF_INIT = ("/", "/init.scope", "/init")
"""Where process 1 is on a node: as it started, with systemd, and with k3s and Docker as process 1 of a container with a
cgroup namespace of its own, which move themselves out of the root (entrypoint of k3d, dind of moby).
"""

_MAX_BYTES = 16 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# The same on every machine, since Linux 5.2 (include/uapi/asm-generic/unistd.h, include/uapi/linux/mount.h).
_FSOPEN, _FSCONFIG, _FSMOUNT = 430, 431, 432
_CLOEXEC, _CMD_CREATE = 1, 6


class Root(NamedTuple):
    """The root of cgroup v2: a descriptor of it, and where it is mounted (None where it is mounted nowhere)."""

    descriptor: int
    path: Optional[str]


@contextlib.contextmanager
def root(mount: bool, proc: str = "/proc") -> Iterator[Optional[Root]]:
    """The root of cgroup v2, open for so long. Raises OSError.

    Where it is mounted nowhere (v1 only), all processes are in the root of the one that the kernel has all the same.
    It is then reached by a mount that no path leads to. The first one on a node makes ``0::/`` appear in every
    /proc/PID/cgroup; without ``mount`` that is not done, and there is None: nothing can be attached there yet.
    """
    why = obstacle(proc)
    if why:
        raise OSError(errno.EXDEV, why)
    path = PLACE or mounted_at(proc)
    if path is None and not (mount or _is_shown(proc)):
        yield None
        return
    descriptor = os.open(path, _FOLDER) if path else _unmounted_root()
    try:
        yield Root(descriptor, path)
    finally:
        os.close(descriptor)


def obstacle(proc: str = "/proc") -> Optional[str]:
    """Why the root of cgroup v2 that can be reached is not this node's own, in a sentence with what to do, or None.

    A container that shares the cgroup namespace of its host would reach the host's root, and with it all that runs
    there; one that shares the processes alone, no more than its own part. Raises OSError.
    """
    if PLACE:
        return None
    if _mounts(proc) and mounted_at(proc) is None:
        return "cgroup v2 is mounted here without its root (/proc/self/mountinfo): run on the host itself."
    data = read_plain(os.path.join(proc, "1/cgroup"), _MAX_BYTES)[0].decode("utf-8", "replace")
    place = next((line[3:] for line in data.splitlines() if line.startswith("0::")), "/")
    if place in _OF_INIT:
        return None
    return (
        f"The first process here is in the cgroup {place}, so this is a container that reaches the root of its host or "
        "a part of it alone: run on the host itself, or give the container cgroup and process namespaces of its own."
    )


def mounted_at(proc: str = "/proc") -> Optional[str]:
    """Where the root of cgroup v2 is mounted and not covered by another mount; the usual places first."""
    places = {point: device for point, (device, top) in _mounts(proc).items() if top == "/"}
    first = [path for path in _USUAL if path in places]
    return next((path for path in [*first, *sorted(places)] if _device(path) == places[path]), None)


def known(proc: str = "/proc") -> bool:
    """Whether the kernel has cgroup v2 at all (Linux 4.5, and CONFIG_CGROUPS). Raises OSError."""
    return b"\tcgroup2\n" in read_plain(os.path.join(proc, "filesystems"), _MAX_BYTES)[0]


def below(top: int, path: str) -> Optional[int]:
    """A descriptor of the cgroup at that path (/kubepods.slice) below the one that top is; None where there is none.

    No link is followed, and no other file system entered. Whoever calls closes it. Raises OSError.
    """
    device = os.fstat(top).st_dev
    place = os.dup(top)
    try:
        for name in path.strip("/").split("/"):
            if name in ("", ".", ".."):
                raise OSError(errno.EINVAL, "no name of a cgroup", path)
            inside = os.open(name.encode("utf-8", "surrogateescape"), _FOLDER, dir_fd=place)
            os.close(place)
            place = inside
            if os.fstat(place).st_dev != device:
                raise OSError(errno.EXDEV, "another file system is mounted there", path)
    except OSError as error:
        os.close(place)
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENOTDIR):
            return None
        raise
    return place


def enter(cgroup: int) -> bool:
    """Take this process into a cgroup; False where the kernel refuses. For a process that ends soon, as a child."""
    try:
        descriptor = os.open("cgroup.procs", os.O_WRONLY | os.O_CLOEXEC, dir_fd=cgroup)
        try:
            os.write(descriptor, b"0")
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return True


def _mounts(proc: str) -> Dict[str, Tuple[str, str]]:
    """The device, and the folder of it, that is mounted at each mount point of cgroup v2.

    A mount covers those before it at the same point: the last one decides.
    """
    text = read_plain(os.path.join(proc, "self/mountinfo"), _MAX_BYTES)[0].decode("utf-8", "surrogateescape")
    rows = {row[4]: row for row in (line.split(" ") for line in text.splitlines()) if len(row) > 5}
    return {unescaped(point): (row[2], row[3]) for point, row in rows.items() if _is_cgroup2(row)}


def _is_cgroup2(row: List[str]) -> bool:
    """Optional fields come before the separator (proc_pid_mountinfo(5))."""
    return "-" in row and row[row.index("-") + 1 :][:1] == ["cgroup2"]


def _device(path: str) -> Optional[str]:
    """The device of what a path leads to, as mountinfo writes it."""
    try:
        number = os.stat(path).st_dev
    except (OSError, ValueError):  # no path has a NUL
        return None
    return f"{os.major(number)}:{os.minor(number)}"


def _is_shown(proc: str) -> bool:
    """Whether cgroup v2 has been mounted since boot: only then processes show their cgroup in it."""
    data = read_plain(os.path.join(proc, "self/cgroup"), _MAX_BYTES)[0]
    return data.startswith(b"0::") or b"\n0::" in data


def _unmounted_root() -> int:
    """A descriptor of the root by a mount of its own, which ends with the descriptor."""
    context = _call(_FSOPEN, b"cgroup2", _CLOEXEC)
    try:
        _call(_FSCONFIG, context, _CMD_CREATE, None, None, 0)
        mount = _call(_FSMOUNT, context, _CLOEXEC, 0)
    finally:
        os.close(context)
    try:
        return os.open(".", _FOLDER, dir_fd=mount)
    finally:
        os.close(mount)


def _call(number: int, *arguments: object) -> int:
    import ctypes  # nodes with a mount do without

    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = call(ctypes.c_long(number), *given)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "cgroup2")
    return int(result)
