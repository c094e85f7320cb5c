# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a neighbour may have put where a run writes or reads, and what comes of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import write

from . import node
from .faults import Campaign, differences
from .strace import calls, logger, named_paths

SECONDS = 120
"""A run that has not ended by then hangs: no measure of speed."""

_VICTIMS = {"/etc": "/etc/kubernetes/victim", "/run": "/run/victim", "/var": "/var/lib/victim"}
"""A file of somebody else on each file system."""

_HARMLESS = ("/run/kubenode.connections.lock", os.path.dirname(node.RECORD))
_TEXT = b"a secret of somebody else\n"
_HUGE = 1 << 40
_NOBODY = 65534
_AT_ONCE = {"sample_seconds": 0}
_IN_FOLDERS = ("/run/sysctl.d/a.conf", "/run/modules-load.d/a.conf")
"""Of folders of which every file is read, one that is not there."""

_CREATING = ("openat", "rename", "renameat", "symlink", "symlinkat", "mkdir", "mkdirat")

_GETFLAGS, _SETFLAGS, _IMMUTABLE = 0x80086601, 0x40086602, 0x10  # include/uapi/linux/fs.h


def _victim(path: str) -> str:
    return _VICTIMS[path[:4]]


def _sparse(path: str) -> None:
    with open(path, "wb") as handle:
        handle.truncate(_HUGE)


def _secret(path: str) -> None:
    write(path, _TEXT)
    os.chmod(path, 0o600)


def _owned(path: str) -> None:
    _secret(path)
    os.chown(path, _NOBODY, _NOBODY)


def _open_folder(path: str) -> None:
    os.chmod(os.path.dirname(path), 0o777)


def _immutable(path: str) -> None:
    _secret(path)
    _set_immutable(path, True)


KINDS: Mapping[str, Callable[[str], None]] = {
    "symbolic link": lambda path: os.symlink(_victim(path), path),
    "dangling symbolic link": lambda path: os.symlink("/var/lib/nothing", path),
    "hard link": lambda path: os.link(_victim(path), path),
    "FIFO": os.mkfifo,
    "device": lambda path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5)),
    "endless file (a link to /dev/zero)": lambda path: os.symlink("/dev/zero", path),
    "sparse file of 1 TiB": _sparse,
    "folder": lambda path: os.makedirs(path + "/full"),
    "file of another user": _owned,
    "immutable file": _immutable,
    "folder in which everybody may write": _open_folder,
}


def made_by(campaign: Campaign, folder: Path) -> list[str]:
    """Every file, link and folder that a converging run makes on the node, those that go again among them."""
    node.bring(campaign.old.entries)
    assert not campaign.start(campaign.scenario.converge, logger(folder)).end().failed
    places = {
        call.place
        for call in calls(folder)
        if call.changes and call.name in _CREATING and call.place.startswith(node.FOLDERS)
    }
    campaign.plainly(campaign.scenario.restore)
    return sorted(places)


def read_on(folder: Path) -> list[str]:
    """Every file on the node, there or not, that node_info looks at."""
    for path in _IN_FOLDERS:
        os.makedirs(os.path.dirname(path))
    node.Running("node_info", _AT_ONCE, folder, logger(folder)).end()
    places = (*node.FOLDERS, "/etc/sysctl.conf", "/etc/modules")
    found = {path for path in named_paths(folder) if path.startswith(places) and not os.path.isdir(path)}
    return sorted({*found, *_IN_FOLDERS})


def look(kind: str, paths: Sequence[str], folder: Path) -> list[str]:
    """What must not be of a look at a node where that lies at all these paths."""
    with put(kind, *paths):
        answer = node.Running("node_info", _AT_ONCE, folder).end(SECONDS)
    if answer.err or answer.returncode or not answer.out or "Traceback" in answer.out:
        return [f"it ended with {answer.returncode}: {answer.err or answer.out}"]
    shown = answer.out.find(_TEXT.decode().strip())
    return (
        [f"it shows what only its owner may read: {answer.out[max(0, shown - 300) : shown + 50]}"] if shown >= 0 else []
    )


@contextlib.contextmanager
def put(kind: str, *paths: str) -> Iterator[None]:
    """Have that kind at these paths, in place of what was there."""
    for victim in _VICTIMS.values():
        _secret(victim)
    folders = {os.path.dirname(path) for path in paths}
    for folder in folders:
        os.makedirs(folder, exist_ok=True)
    modes = {folder: os.stat(folder).st_mode for folder in folders}
    for path in paths:
        if KINDS[kind] is not _open_folder:
            _remove(path)
        KINDS[kind](path)
    try:
        yield
    finally:
        for path in paths:
            with contextlib.suppress(OSError):
                _set_immutable(path, False)
        for folder, mode in modes.items():
            with contextlib.suppress(FileNotFoundError):
                os.chmod(folder, stat.S_IMODE(mode))


def befall(campaign: Campaign, kind: str, path: str) -> tuple[str, list[str]]:
    """What a run does where it finds that in its way (refused or done), and what of that must not be."""
    node.bring(campaign.old.entries)
    campaign.scenario.values.write(campaign.old.values)
    with put(kind, path):
        before = campaign.state()
        answer = campaign.start(campaign.scenario.converge).end(SECONDS)
        wrong = [f"a traceback: {answer.err or answer.out}"] if answer.err or "Traceback" in answer.out else []
        if answer.returncode < 0 or not answer.out:
            return "hangs", [*wrong, f"it ended with {answer.returncode} and said {answer.out!r}"]
        if answer.failed:
            return "refused", wrong + _judge_refused(answer.result["msg"], path, before.entries, campaign)
        again = campaign.start(campaign.scenario.converge).end(SECONDS)
        if again.failed or again.result["changed"]:
            wrong.append(f"the run after it does not find all done: {again.out}")
        restored = campaign.start(campaign.scenario.restore).end(SECONDS)
        if restored.failed:
            wrong.append(f"the restore fails: {restored.out}")
        left = campaign.state()
    apart = (path, *_HARMLESS)
    if left.without(*apart) != before.without(*apart):
        wrong.append(f"the restore leaves {differences(before.without(*apart), left.without(*apart))}")
    return "done", wrong


def _judge_refused(message: str, path: str, before: Mapping[str, object], campaign: Campaign) -> list[str]:
    wrong = []
    if os.path.dirname(path) not in message and os.path.basename(path) not in message:
        wrong.append(f"the message names neither it nor its folder: {message}")
    if "Nothing was changed" not in message and "The node is as before" not in message:
        wrong.append(f"the message does not say what became of the node: {message}")
    start, now = (campaign.old._replace(entries=each).without(*_HARMLESS) for each in (before, node.entries()))
    return wrong if start == now else [*wrong, f"refused, but: {differences(start, now)} ({message})"]


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _set_immutable(path: str, on: bool) -> None:
    """Raises OSError where the file system has no such flag."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        (flags,) = struct.unpack("l", fcntl.ioctl(descriptor, _GETFLAGS, struct.pack("l", 0)))
        fcntl.ioctl(descriptor, _SETFLAGS, struct.pack("l", flags | _IMMUTABLE if on else flags & ~_IMMUTABLE))
    finally:
        os.close(descriptor)
