# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time on a node. Private to this collection."""

import contextlib
import fcntl
import os
import stat
import time
from typing import Iterator, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.root_only import (
    real_folder,
    refuse_foreign_file,
    refuse_other_kind,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.ours import DIRECTORY

from .record import make_folder, remove_folder

WAIT_SECONDS = 60
_POLL_SECONDS = 0.05
_USUAL_DIRECTORY = "/run"
_NAME = "kubenode.connections.lock"
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@contextlib.contextmanager
def locked(wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the node's lock; a second run waits for it, at most so many seconds. Raises NodeError."""
    try:
        usual = _is_roots(_USUAL_DIRECTORY)
        if not usual:
            make_folder()
        path = os.path.join(_USUAL_DIRECTORY if usual else DIRECTORY, _NAME)
        descriptor = _acquire(path, wait_seconds)
    except NodeError as error:
        raise NodeError(f"{error} Nothing was changed.") from error
    try:
        yield
    finally:
        _release(path, descriptor)
        if not usual:
            remove_folder()


def _is_roots(folder: str) -> bool:
    """Whether others cannot make a lock file there, or hold one: in some containers everybody may write in /run."""
    try:
        return os.path.isdir(real_folder(folder))
    except NodeError:
        return False


def _acquire(path: str, wait_seconds: float) -> int:
    end = time.monotonic() + wait_seconds
    while True:
        descriptor = _try(path)
        if descriptor is not None:
            return descriptor
        if time.monotonic() >= end:
            raise NodeError(
                f"{path}: another run on this node holds the lock{_holder(path)}, after {wait_seconds:g} s of waiting. "
                "Wait until it has ended, then run again."
            )
        time.sleep(_POLL_SECONDS)


def _release(path: str, descriptor: int) -> None:
    """Remove the lock file while it is held, so that whoever waits for it sees in _is_current that it is gone.

    It may be gone already, or be that of another run by now. What becomes of it changes nothing about a run that is
    done, and one that stays is free.
    """
    with contextlib.suppress(OSError):
        if _is_current(path, descriptor):
            os.unlink(path)
    with contextlib.suppress(OSError):  # Linux has closed it all the same (close(2))
        os.close(descriptor)


def _try(path: str) -> Optional[int]:
    """The descriptor of the lock file, locked by us, or None when someone else has it."""
    try:
        descriptor = os.open(path, _OPEN, 0o600)
    except OSError as error:
        _refuse_other_kind(path)
        raise refused(f"{path}: the lock file cannot be opened", error) from error
    ours = False
    try:
        refuse_foreign_file(path, os.fstat(descriptor))
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = _is_current(path, descriptor)
    except BlockingIOError:
        pass
    except OSError as error:
        raise refused(f"{path}: not locked", error) from error
    finally:
        if not ours:
            os.close(descriptor)
    if not ours:
        return None
    with contextlib.suppress(OSError):  # who holds it is only told to others
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _refuse_other_kind(path: str) -> None:
    """Some kinds cannot be opened at all, so the error would not say what it is."""
    with contextlib.suppress(OSError):
        refuse_other_kind(path, os.lstat(path), stat.S_ISREG, "a plain file")


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
