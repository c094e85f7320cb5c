# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading in a forked child, which may change its namespace or hang without harm to us. Private to this collection."""

import json
import os
import select
import signal
import time
from typing import Any, Callable, Iterable, List, Optional, Tuple

_GRACE_SECONDS = 1
"""So long a child is waited for that the kernel should have killed, and so long again once it was killed from here."""


def collect(work: Callable[[], Iterable[object]], limit_seconds: int) -> Tuple[List[Any], Optional[str]]:
    """What ``work`` yields in a forked child, and how the child ended where it did not end well.

    The values are plain JSON data; those that came before a bad end are kept. The child is killed after limit_seconds,
    whatever it waits for; one that not even a signal ends (a file system that never answers) is left behind. Never
    raises for what happens in it.
    """
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError as error:
        os.close(reading)
        os.close(writing)
        return [], f"cannot be started: {error.strerror or error}"
    if child == 0:
        _run(work, limit_seconds, reading, writing)
    os.close(writing)
    deadline = time.monotonic() + limit_seconds + _GRACE_SECONDS
    data, ended = _read(reading, deadline)
    late = f"took longer than {limit_seconds} s"
    # A child that is killed may leave half a line.
    lines = [json.loads(line.decode("ascii")) for line in data.split(b"\n")[:-1]]
    values = [line[0] for line in lines if isinstance(line, list)]
    status = _bury(child, deadline) if ended else None
    if status is None:
        os.kill(child, signal.SIGKILL)
        _bury(child, time.monotonic() + _GRACE_SECONDS)
        return values, late
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        return values, late
    failures = [line for line in lines if isinstance(line, str)]
    return values, failures[0] if failures else f"ended with wait status {status}" if status else None


def _read(pipe: int, deadline: float) -> Tuple[bytes, bool]:
    """What comes by a pipe, and whether its other end was closed before the deadline. Closes it."""
    data = bytearray()
    try:
        while select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            piece = os.read(pipe, 1 << 16)
            if not piece:
                return bytes(data), True
            data += piece
    finally:
        os.close(pipe)
    return bytes(data), False


def _bury(child: int, deadline: float) -> Optional[int]:
    """The wait status of a child that ends before the deadline, None for one that does not."""
    while True:
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone:
            return status
        if time.monotonic() > deadline:
            return None
        time.sleep(0.001)


def _run(work: Callable[[], Iterable[object]], limit_seconds: int, reading: int, writing: int) -> None:
    """Write one JSON line for each value, a list of it; then, for an exception, a text. Never returns."""
    status = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
        signal.alarm(limit_seconds)
        os.close(reading)
        _leave_streams()
        with os.fdopen(writing, "wb") as pipe:
            try:
                for value in work():
                    pipe.write((json.dumps([value]) + "\n").encode("ascii"))
                    pipe.flush()  # a later value may take until the end of our time
            except Exception as error:  # pylint: disable=broad-except
                failure = f"failed: {type(error).__name__}: {error}"
                pipe.write((json.dumps(failure) + "\n").encode("ascii"))
        status = 0
    finally:
        os._exit(status)


def _leave_streams() -> None:
    """Who waits for the end of our output shall not wait for a child that hangs."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
