# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that make systemd set the IPVS timeouts again after boot. Private to this collection."""

import os
import re
import sys
from typing import Any, List, Mapping, NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import read_file
from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import (
    DIRECTORY,
    LINK,
    NAME,
    PATH,
    RUNNING,
    has_systemd,
    unit_text,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import root_only
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import find_program, run_program

from ..originals import FileRecord
from ..restorable import whole_target
from ..shown import of_whole
from ..transaction import Step
from .files import Link, TextFile, read_link
from .reload import around

_STABLE = ("/usr/bin/python3", "/usr/libexec/platform-python")
"""Names of the distribution's own Python that stay when an upgrade brings another version of it."""


class UnitSteps(NamedTuple):
    """steps in their order, the recorded ones among them, and what to tell."""

    steps: List[Step]
    recorded: List[Any]
    notes: List[str]


def unit_steps(seconds: Mapping[str, int], records: Mapping[str, FileRecord]) -> UnitSteps:
    """The steps to a unit that sets these timeouts at boot, or (no timeouts) to none where we had made one."""
    if not seconds and PATH not in records and LINK not in records:
        return UnitSteps([], [], [])
    if seconds and not has_systemd():
        note = f"No systemd is installed here ({DIRECTORY} is not there): the IPVS timeouts last until the next boot."
        return UnitSteps([], [], [note])
    wanted = unit_text(seconds, _python(), find_program("modprobe")) if seconds else None
    link = PATH.encode() if seconds else None
    before, link_before = read_file(PATH), read_link(LINK)
    target = whole_target("whole", PATH, before, records.get(PATH), wanted)
    unit = TextFile(PATH, before, target, shown=of_whole(records.get(PATH), wanted))
    enabled = Link(LINK, link_before, whole_target("link", LINK, link_before, records.get(LINK), link))
    needed = (unit.changed or enabled.changed) and os.path.isdir(RUNNING)
    notes = [step.target.note for step in (unit, enabled) if step.target.note]
    steps = around([unit, enabled], ["systemctl", "daemon-reload"], "systemctl status", needed, _stop_what_is_gone)
    return UnitSteps(steps, [unit, enabled], notes)


def _stop_what_is_gone() -> None:
    if not os.path.lexists(PATH):
        run_program(["systemctl", "stop", NAME])  # it has run at boot, and would be listed until the next one


def _python() -> str:
    """The Python that runs this, by a name that stays where it has one; where others than root can change it, another.

    systemd starts none with quotes or backslashes in its path (string_is_safe).
    """
    path = sys.executable
    real = os.path.realpath(path or "")
    path = next((name for name in _STABLE if os.path.exists(name) and os.path.realpath(name) == real), path)
    if not path or re.search(r"[\x00-\x1f\"'\\\x7f]", path):
        raise NodeError(
            f"Python: its path {path!r} cannot stand in a systemd unit. Set ansible_python_interpreter to a plain "
            "absolute path, or ask for no unit (persistent false)."
        )
    doubt = root_only.doubt(path)
    if doubt is None:
        return path
    other = next((name for name in _STABLE if os.path.exists(name) and not root_only.doubt(name)), None)
    if other is None:
        raise NodeError(
            f"Python: {doubt}: systemd would start it as root at each boot. Set ansible_python_interpreter to the "
            "distribution's own, or ask for no unit (persistent false)."
        )
    return other
