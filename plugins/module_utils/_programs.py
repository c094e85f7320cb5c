# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other programs of the node: found without a shell, bounded in time and output. Private to this collection."""

import os
import select
import shutil
import subprocess
import time
from typing import List, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError, refused

_PLACES = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
_LIMIT_SECONDS = 60
_LIMIT_BYTES = 65536


def find_program(name: str) -> Optional[str]:
    """The absolute path of a program on PATH or in the usual places (root's tools are not always on PATH), or None."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *_PLACES)))


def run_program(argv: List[str], limit_seconds: Optional[float] = None) -> Tuple[int, str]:
    """Exit status and output (both streams, in English, the first 64 KiB; a program that prints more is ended).

    Raises NodeError when the program hangs or cannot start.
    """
    limit = limit_seconds or _LIMIT_SECONDS
    deadline = time.monotonic() + limit
    try:
        # AnsibleModule.run_command has no bound in time or output.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, LC_ALL="C"),
        )
    except OSError as error:
        raise refused(f"{' '.join(argv)}: not started", error) from error
    with process:
        output, in_time = _read_output(process, process.stdout.fileno(), deadline)
    if not in_time:
        raise NodeError(f"{' '.join(argv)}: no end after {limit:g} s. Run it by hand and see what it waits for.")
    return process.returncode, output.decode("utf-8", "backslashreplace").strip()


def _read_output(process: "subprocess.Popen[bytes]", output: int, deadline: float) -> Tuple[bytes, bool]:
    """The first 64 KiB that a process prints on ``output``, and whether it ended by the deadline; it has ended then."""
    data, ended, in_time = b"", False, True
    while in_time and not ended and len(data) < _LIMIT_BYTES:
        in_time = bool(select.select([output], [], [], max(0.0, deadline - time.monotonic()))[0])
        piece = os.read(output, 4096) if in_time else b""
        data, ended = data + piece, in_time and not piece
    try:
        process.wait(max(0.0, deadline - time.monotonic()) if ended else 0)
    except subprocess.TimeoutExpired:
        in_time = in_time and not ended
        process.kill()
        process.wait()
    return data, in_time
