# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that have a node watch itself: a program with what it holds the node to, and a timer. Private to this
collection."""

import contextlib
import hashlib
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files import guard_conf, guard_unit
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import is_directory
from ansible_collections.kubenode.connections.plugins.module_utils._files.systemd_units import (
    RUNNING,
    has_systemd,
    node_python,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import read_plain
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import run_program

from ..guard_options import Guard
from ..originals import FileRecord
from ..shown import as_text
from .files import TextFile, read_config
from .reload import around
from .systemd_unit import UnitSteps, by_content, link_step, whole_file

_FILES = (guard_unit.PROGRAM, guard_unit.SERVICE_PATH, guard_unit.TIMER_PATH)
_MARK = b"kubenode_connections_guard_"
_MAX_BYTES = 1 << 20


def guard_steps(wanted: Union[Tuple[()], Guard], records: Mapping[str, FileRecord]) -> UnitSteps:
    """The steps to a timer that has the node watch itself, or (()) to none where we had made one. Raises NodeError."""
    known = dict(by_content(_FILES, guard_unit.LINK), **records)
    if not wanted and not any(path in known for path in (*_FILES, guard_unit.LINK)):
        return UnitSteps([], [], [])
    texts = _texts(wanted) if isinstance(wanted, Guard) else dict.fromkeys(_FILES)
    recorded: List[Any] = [_file(path, texts[path], known) for path in _FILES]
    recorded.append(link_step(guard_unit.LINK, guard_unit.TIMER_PATH if wanted else None, known))
    needed = any(step.changed for step in recorded) and is_directory(RUNNING)
    notes = [step.target.note for step in recorded if step.target.note]
    metrics = _metrics_of_before(wanted)
    steps = around(recorded, ["systemctl", "daemon-reload"], "systemctl status", needed, lambda: _take_effect(metrics))
    return UnitSteps(steps, recorded, notes)


def _texts(wanted: Guard) -> Dict[str, Optional[bytes]]:
    if not has_systemd(is_directory):
        raise NodeError("guard: no systemd is here, which would run it. Leave the guard out on this node.")
    if not is_directory(wanted.textfile):
        raise NodeError(
            f"guard: textfile: {wanted.textfile} is not there. Install node_exporter, or name the folder that it was "
            "given with --collector.textfile.directory."
        )
    python = node_python("")
    return {
        guard_unit.PROGRAM: wanted.program,
        guard_unit.SERVICE_PATH: guard_unit.service_text(wanted.textfile, wanted.cure, python),
        guard_unit.TIMER_PATH: guard_unit.timer_text(wanted.interval_seconds),
    }


def _file(path: str, wanted: Optional[bytes], records: Mapping[str, FileRecord]) -> TextFile:
    return whole_file(path, wanted, records.get(path), _digest if path == guard_unit.PROGRAM else None)


def _digest(data: bytes) -> str:
    """A program as people see it in a result and a diff: the plan in it is text."""
    plan = guard_conf.in_program(data) or b""
    return f"a program of {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}\n{as_text(plan)}"


def _metrics_of_before(wanted: Union[Tuple[()], Guard]) -> Optional[str]:
    """The metrics of the guard that is there, where the one to come writes none or elsewhere."""
    folder = guard_unit.textfile_of(read_config(guard_unit.SERVICE_PATH) or b"")
    if folder is None or (isinstance(wanted, Guard) and wanted.textfile == folder):
        return None
    return os.path.join(folder, guard_unit.METRICS)


def _take_effect(metrics_of_before: Optional[str]) -> None:
    """Start the timer anew, which runs the guard at once, or stop what is gone."""
    if os.path.lexists(guard_unit.TIMER_PATH):
        code, text = run_program(["systemctl", "restart", guard_unit.TIMER])
        if code:
            raise NodeError(
                f"systemctl restart {guard_unit.TIMER}: it ended with status {code}: {text}. See systemctl status."
            )
    else:
        for verb in ("stop", "reset-failed"):  # systemd remembers a timer whose file has gone as failed
            run_program(["systemctl", verb, guard_unit.TIMER, guard_unit.SERVICE])
    if metrics_of_before:
        with contextlib.suppress(OSError):
            if _MARK in read_plain(metrics_of_before, _MAX_BYTES)[0]:
                os.unlink(metrics_of_before)
