# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that make systemd do again after boot what the kernel keeps nowhere. Private to this collection."""

import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement
from ansible_collections.kubenode.connections.plugins.module_utils._files import enforce_unit
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import is_directory, read_file
from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import (
    LINK,
    NAME,
    PATH,
    unit_text,
)
from ansible_collections.kubenode.connections.plugins.module_utils._files.systemd_units import (
    DIRECTORY,
    RUNNING,
    has_systemd,
    link_of,
    node_python,
    path_of,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import find_program, run_program

from ..originals import FileRecord
from ..restorable import content_hash, is_ours, whole_target
from ..shown import Shown, of_whole
from ..transaction import Step
from .files import Link, TextFile, read_config, read_link
from .reload import around

_OTHERWISE = ", or ask for no unit (persistent false)"


class UnitSteps(NamedTuple):
    """steps in their order, the recorded ones among them, and what to tell."""

    steps: List[Step]
    recorded: List[Any]
    notes: List[str]


def unit_steps(seconds: Mapping[str, int], records: Mapping[str, FileRecord]) -> UnitSteps:
    """The steps to a unit that sets these timeouts at boot, or (no timeouts) to none where we had made one."""
    if not seconds and PATH not in records and LINK not in records:
        return UnitSteps([], [], [])
    if seconds and not has_systemd(is_directory):
        note = f"No systemd is installed here ({DIRECTORY} is not there): the IPVS timeouts last until the next boot."
        return UnitSteps([], [], [note])
    python = node_python(_OTHERWISE) if seconds else ""
    wanted = unit_text(seconds, python, find_program("modprobe")) if seconds else None
    return unit_files(NAME, {PATH: wanted}, records)


def enforce_steps(wanted: Optional[Enforcement], records: Mapping[str, FileRecord]) -> UnitSteps:
    """The steps to a unit that enforces a keepalive at boot, or (None) to none where we had made one."""
    ours = (enforce_unit.SCRIPT, enforce_unit.PATH)
    if wanted is None:
        records = dict(by_content(ours, enforce_unit.LINK), **records)
        if not any(path in records for path in (*ours, enforce_unit.LINK)):
            return UnitSteps([], [], [])
        return unit_files(enforce_unit.NAME, dict.fromkeys(ours), records)
    from ansible_collections.kubenode.connections.plugins.module_utils._files.enforce_script import script_text
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel.bpf import number

    script = script_text(wanted, number())
    if not has_systemd(is_directory):
        note = (
            f"No systemd is installed here ({DIRECTORY} is not there): the keepalive of every new connection is "
            f"enforced until the next boot. Have the init system run {enforce_unit.SCRIPT} at boot, before pods start."
        )
        file = whole_file(enforce_unit.SCRIPT, script, records.get(enforce_unit.SCRIPT))
        return UnitSteps([file], [file], [note])
    unit = enforce_unit.unit_text(node_python(""))
    return unit_files(enforce_unit.NAME, {enforce_unit.SCRIPT: script, enforce_unit.PATH: unit}, records)


def unit_files(name: str, texts: Mapping[str, Optional[bytes]], records: Mapping[str, FileRecord]) -> UnitSteps:
    """The steps to the files of a unit, itself among them, and to the link that starts it at boot.

    texts are the bytes that each file shall have, all of them None for a unit that is to go.
    """
    files = [whole_file(path, wanted, records.get(path)) for path, wanted in texts.items()]
    path = path_of(name)
    recorded = [*files, link_step(link_of(name), None if texts[path] is None else path, records)]
    needed = any(step.changed for step in recorded) and is_directory(RUNNING)
    notes = [step.target.note for step in recorded if step.target.note]
    command = ["systemctl", "daemon-reload"]
    steps = around(recorded, command, "systemctl status", needed, lambda: _stop_what_is_gone(name))
    return UnitSteps(steps, recorded, notes)


def link_step(link: str, leads_to: Optional[str], records: Mapping[str, FileRecord]) -> Link:
    """The step to a link of ours that leads there, or (None) to none."""
    before, wanted = read_link(link), None if leads_to is None else leads_to.encode()
    return Link(link, before, whole_target("link", link, before, records.get(link), wanted))


def by_content(paths: Sequence[str], link: str) -> Dict[str, FileRecord]:
    """Records of those files of ours, and of the link to one of them, that are there: the real ones may be lost."""
    kinds = [("whole", path, data) for path, data in ((path, read_config(path)) for path in paths) if is_ours(data)]
    leads_to = read_link(link)
    if leads_to in [path.encode() for path in paths]:
        kinds.append(("link", link, leads_to))
    return {path: FileRecord(kind, None, (content_hash(data),), {}) for kind, path, data in kinds}


def whole_file(
    path: str, wanted: Optional[bytes], record: Optional[FileRecord], shown: Optional[Shown] = None
) -> TextFile:
    """The step to a file that is ours from end to end, or (None) to none."""
    before = read_file(path)
    target = whole_target("whole", path, before, record, wanted)
    return TextFile(path, before, target, shown=shown or of_whole(record, wanted))


def _stop_what_is_gone(name: str) -> None:
    if not os.path.lexists(path_of(name)):
        run_program(["systemctl", "stop", name])  # it has run at boot, and would be listed until the next one
