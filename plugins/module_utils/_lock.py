# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time on a node. Private to this collection."""

import contextlib
import fcntl
import os
import time
from typing import Iterator, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._originals import DIRECTORY

WAIT_SECONDS = 60
_POLL_SECONDS = 0.05
_USUAL_DIRECTORY = "/run/lock"
_NAME = "kubenode.connections.lock"


@contextlib.contextmanager
def locked(wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the node's lock; a second run waits for it, at most so many seconds. Raises NodeError."""
    usual = os.path.isdir(_USUAL_DIRECTORY)
    directory = _USUAL_DIRECTORY if usual else DIRECTORY
    if not usual:
        _make(directory)
    path = os.path.join(directory, _NAME)
    descriptor = _acquire(path, wait_seconds)
    try:
        yield
    finally:
        os.unlink(path)  # while it is held: whoever waits for this file sees in _is_current that it is gone
        os.close(descriptor)
        if not usual:
            with contextlib.suppress(OSError):
                os.rmdir(directory)


def _acquire(path: str, wait_seconds: float) -> int:
    end = time.monotonic() + wait_seconds
    while True:
        descriptor = _try(path)
        if descriptor is not None:
            return descriptor
        if time.monotonic() >= end:
            raise NodeError(
                f"{path}: another run on this node holds the lock{_holder(path)}, after {wait_seconds:g} s of waiting. "
                "Nothing was changed. Wait until it has ended, then run again."
            )
        time.sleep(_POLL_SECONDS)


def _try(path: str) -> Optional[int]:
    """The descriptor of the lock file, locked by us, or None when someone else has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refused(f"{path}: the lock file cannot be opened", error) from error
    try:
        _refuse_foreign(path, os.fstat(descriptor))
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_current(path, descriptor):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            return descriptor
    except BlockingIOError:
        pass
    except NodeError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _refuse_foreign(path: str, found: os.stat_result) -> None:
    """/run/lock is open to everybody on many systems, so the file may be a trap."""
    if found.st_uid != os.geteuid() or found.st_nlink > 1:
        raise NodeError(
            f"{path}: the lock file belongs to user {found.st_uid} and has {found.st_nlink} names, expected "
            f"{os.geteuid()} and 1. Nothing was changed. Find out who made it, and remove it."
        )


def _is_current(path: str, descriptor: int) -> bool:
    """Whether the file that we locked is still the one with that name: its last holder may have removed it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(path: str) -> str:
    with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as handle:
        return f" (process {int(handle.read(32))})"
    return ""


def _make(directory: str) -> None:
    try:
        os.makedirs(directory, 0o755, exist_ok=True)
    except OSError as error:
        raise refused(f"{directory}: not made", error) from error
