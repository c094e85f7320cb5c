# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that set Receive Packet Steering, live and by udev rules. Private to this collection."""

import errno
import os
from typing import Collection, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import (
    PATH,
    Nic,
    RpsSettings,
    normal_mask,
    rule_masks,
    rule_text,
    wanted_of,
)
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import is_directory, read_file
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.nics import CPUS, FLOWS, NETWORK, read_nics
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import Fault, read_text

from ..originals import LiveRecord, Originals
from ..restorable import LiveTarget, live_target, whole_target
from ..shown import of_whole
from ..transaction import Step
from .files import TextFile
from .reload import around

_INSTALLED = ("/etc/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")
_RUNNING = "/run/udev/control"  # the socket of systemd-udevd, also of eudev


class RpsSteps(NamedTuple):
    """steps in their order, the files and the queues' values among them that are recorded, and what to tell."""

    steps: List[Step]
    files: List[TextFile]
    queues: List["QueueValue"]
    notes: List[str]


class QueueValue(Step):
    """One setting of a receive queue, by its path below /sys. A queue that is gone holds whatever it shall."""

    area = "rps"

    def __init__(self, path: str, current: Optional[str], target: LiveTarget) -> None:
        super().__init__(path, current, target.after)
        self.target = target
        self._if_gone = current

    def foresee(self) -> None:
        if os.path.exists(self.name) and not os.access(self.name, os.W_OK):
            read_only = os.statvfs(self.name).f_flag & os.ST_RDONLY
            number = errno.EROFS if read_only else errno.EACCES
            raise refused(f"{self.name}: cannot be written", OSError(number, os.strerror(number)))

    def read(self) -> Optional[str]:
        reading = read_text(self.name)
        if reading.error:
            raise NodeError(f"{reading.error}, so it could not be put back. Leave rps out.")
        if reading.value is None:
            return self._if_gone
        return normal_mask(reading.value) if self.name.endswith(CPUS) else reading.value.strip()

    def apply(self) -> None:
        self._write(self.after)

    def undo(self) -> None:
        self._write(self.before)

    def _write(self, value: str) -> None:
        self._if_gone = value
        try:
            descriptor = os.open(self.name, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(descriptor, (value + "\n").encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV):
                where = f"{self.name}: kernel {os.uname().release} does not take {value!r}"
                raise refused(where, error, of_value=True) from error


def rps_steps(settings: Optional[RpsSettings], old: Originals, nics: Optional[Collection[Nic]] = None) -> RpsSteps:
    """The steps to these settings, or (no rows) to what was there before us; none for None.

    nics are those of the node unless given.
    """
    if settings is None or not (settings.rows or old.rps or PATH in old.files):
        return RpsSteps([], [], [], [])
    there = _nics() if nics is None else nics
    before = read_file(PATH)
    queues = list(_queue_values(settings, there, old, rule_masks(before) if PATH in old.files else frozenset()))
    if not settings.rows:
        known = {step.name for step in queues}
        queues += [QueueValue(name, None, LiveTarget(None, None, None, None)) for name in old.rps if name not in known]
    files, notes = _rule_file(settings, {nic.name: nic.path for nic in there}, before, old)
    needed = any(step.changed for step in files) and os.path.exists(_RUNNING)
    notes += _missing(settings, there)
    notes += [step.target.note for step in queues if step.target.note]
    steps = around(files, ["udevadm", "control", "--reload"], "systemctl status udev", needed)
    return RpsSteps([*steps, *queues], files, queues, notes)


def _nics() -> Collection[Nic]:
    """Those of the node. Raises NodeError where one cannot be read: what it had could not be put back."""
    errors: List[Fault] = []
    found = read_nics(errors=errors)
    if errors:
        raise NodeError(f"rps: a NIC was not read: {errors[0].why}. {errors[0].do} Or leave rps out.")
    return found


def _queue_values(
    settings: RpsSettings, nics: Iterable[Nic], old: Originals, ours: FrozenSet[str]
) -> Iterable[QueueValue]:
    """The values to set or to give back. ours: the masks that our udev rules give, also to queues without a record."""
    for nic in nics:
        wanted = wanted_of(settings, nic)
        for queue in nic.queues:
            place = f"{NETWORK}/{nic.name}/queues/{queue.name}"
            for attribute, current in ((CPUS, queue.rps_cpus), (FLOWS, _text(queue.rps_flow_cnt))):
                path = f"{place}/{attribute}"
                after = None if wanted is None else str(getattr(wanted, attribute))
                record = old.rps.get(path)
                if record is None and after != current and queue.rps_cpus in ours and current is not None:
                    record = LiveRecord("0", (current,))  # set by our rules when it appeared, and 0 without them
                if current is not None and (after is not None or record is not None):
                    yield QueueValue(path, current, live_target(path, current, record, after))


def _rule_file(
    settings: RpsSettings, paths: Dict[str, str], before: Optional[bytes], old: Originals
) -> Tuple[List[TextFile], List[str]]:
    wanted = rule_text(settings, paths)
    record = old.files.get(PATH)
    if wanted is None and record is None:
        return [], []
    if wanted is not None and not any(is_directory(path) for path in _INSTALLED):
        return [], [f"No udev is installed here ({_INSTALLED[1]} is not there): RPS lasts until the next boot."]
    target = whole_target("whole", PATH, before, record, wanted)
    step = TextFile(PATH, before, target, shown=of_whole(record, wanted))
    return [step], [step.target.note] if step.target.note else []


def _missing(settings: RpsSettings, nics: Iterable[Nic]) -> List[str]:
    there = {None, *(nic.name for nic in nics)}
    names = [row.name for row in settings.rows if row.name not in there]
    return [f"{name} is not there, so it gets its own CPUs in the next run that finds it." for name in names]


def _text(number: Optional[int]) -> Optional[str]:
    return None if number is None else str(number)
