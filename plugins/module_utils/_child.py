# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading in a forked child, which may change its namespace or hang without harm to us. Private to this collection."""

import json
import os
import signal
from typing import Any, Callable, Iterable, List, Optional, Tuple


def collect(work: Callable[[], Iterable[object]], limit_seconds: int) -> Tuple[List[Any], Optional[str]]:
    """What ``work`` yields in a forked child, and how the child ended where it did not end well.

    The values are plain JSON data; those that came before a bad end are kept. The child is killed by the kernel after
    limit_seconds, whatever it waits for. Never raises for what happens in it.
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
    with os.fdopen(reading, "rb") as pipe:
        # A child that is killed may leave half a line.
        values = [json.loads(line.decode("ascii")) for line in pipe if line.endswith(b"\n")]
    status = os.waitpid(child, 0)[1]
    return values, f"ended with wait status {status}" if status else None


def _run(work: Callable[[], Iterable[object]], limit_seconds: int, reading: int, writing: int) -> None:
    """Write one JSON line for each value. Never returns."""
    status = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(limit_seconds)
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            for value in work():
                pipe.write((json.dumps(value) + "\n").encode("ascii"))
                pipe.flush()  # a later value may take until the end of our time
        status = 0
    finally:
        os._exit(status)
