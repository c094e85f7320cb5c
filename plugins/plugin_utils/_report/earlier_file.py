# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of an earlier report, read without waiting and within bounds. Private to this collection."""

from __future__ import annotations

import os
import stat

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError

MAX_BYTES = 256 << 20
"""The report of ten thousand nodes is shorter."""

_OPTION = "keepalive_report_compare"
_HOW = "Give the report.json of an earlier run."
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)


def read_earlier_file(path: str) -> bytes | None:
    """What the file holds, None where there is none. Raises PlanError where it cannot be read or is no plain file.

    A FIFO has nobody who writes, a device has no end: either would hold up the run, or take all memory.
    """
    try:
        handle = os.open(path, _READ)
        try:
            return _plain(handle, path)
        finally:
            os.close(handle)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise PlanError(f"{_OPTION}: {path} cannot be read ({why}). {_HOW}") from error


def _plain(handle: int, path: str) -> bytes:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        kind = next((kind for is_kind, kind in _KINDS if is_kind(found.st_mode)), "something else")
        raise PlanError(f"{_OPTION}: {path} is {kind}, not a plain file. {_HOW}")
    with open(handle, "rb", closefd=False) as file:
        data = file.read(MAX_BYTES + 1) if found.st_size <= MAX_BYTES else b""
    if max(found.st_size, len(data)) > MAX_BYTES:
        longest = f"at most {MAX_BYTES} bytes are read"
        raise PlanError(f"{_OPTION}: {path} has {max(found.st_size, len(data))} bytes, {longest}. {_HOW}")
    return data
