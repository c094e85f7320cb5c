# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that change what is live: kernel modules and sysctls. Private to this collection."""

import errno
import os
from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import module_for, sysctl_path
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.modules import module_loaded
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import (
    fold,
    read_sysctl,
    read_text,
    write_sysctl,
)

from ..originals import LiveRecord
from ..restorable import LiveTarget, live_target
from ..transaction import Step


class LoadedModule(Step):
    """One kernel module, loaded now. One that is built in counts as loaded."""

    area = "modules"

    def __init__(self, name: str) -> None:
        super().__init__(name, module_loaded(name), True)
        self._came_with_it: List[str] = []

    def foresee(self) -> None:
        code, text = self._modprobe("--dry-run")
        if code and "not found" in text:
            raise self._refusal(text)

    def read(self) -> bool:
        return module_loaded(self.name)

    def apply(self) -> None:
        if self.read():
            return  # an earlier step's module has brought it along
        there = _loaded_modules()
        code, text = self._modprobe()
        self._came_with_it = [name for name in _loaded_modules() if name not in there] or [self.name]
        if code or not self.read():
            raise self._refusal(text)

    def undo(self) -> None:
        """Unload it, and what came with it, in the order of /proc/modules: whoever needs a module stands before it."""
        from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import run_program

        stay = []
        for name in self._came_with_it if self.read() else []:
            code, text = run_program(["rmmod", name])
            if code:
                stay.append(f"kernel module {name}: it stays loaded, rmmod says: {text}.")
        if stay:
            raise NodeError(" ".join(stay))

    def _modprobe(self, *options: str) -> Any:
        from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import (
            find_program,
            run_program,
        )

        program = find_program("modprobe")
        if program is None:
            raise NodeError(
                f"kernel module {self.name}: it is not loaded, and no modprobe is here to load it (a container has "
                "none). Load it on the host, or install kmod."
            )
        return run_program([program, *options, self.name])

    def _refusal(self, text: str) -> NodeError:
        return NodeError(
            f"kernel module {self.name}: it could not be loaded into kernel {os.uname().release}, modprobe says: "
            f"{text or 'nothing'}. Install the kernel's modules package or remove what blocks the module; "
            "after a kernel update, reboot first."
        )


def _loaded_modules() -> List[str]:
    text = read_text("/proc/modules").value or ""
    return [line.split()[0] for line in text.splitlines() if line.strip()]


class LiveSysctl(Step):
    """One live sysctl. ``loading`` names the kernel modules that an earlier step of the same run loads."""

    area = "sysctls"

    def __init__(
        self, name: str, record: Optional[LiveRecord], wanted: Optional[str], loading: Sequence[str] = ()
    ) -> None:
        self.name = name
        self._record = record
        self._wanted = wanted
        self._loading = loading
        self._previous: Optional[str] = None
        self.target = self._plan()
        super().__init__(name, self.read(), self.target.after)

    def learn(self) -> None:
        """Plan again with the value that is there now: a module loaded since may have brought the key."""
        if self.before is None and self.after is not None:
            self.target = self._plan()

    def foresee(self) -> None:
        if self.before is None and module_for(self.name) not in self._loading:
            raise self._missing()
        if self.before is not None and not os.access(sysctl_path(self.name), os.W_OK):
            read_only = os.statvfs(sysctl_path(self.name)).f_flag & os.ST_RDONLY
            number = errno.EROFS if read_only else errno.EACCES
            raise refused(f"{sysctl_path(self.name)}: cannot be written", OSError(number, os.strerror(number)))

    def read(self) -> Optional[str]:
        reading = read_sysctl(self.name)
        if reading.state == "unreadable":
            raise NodeError(f"{self.name}: not readable ({reading.error}), so it could not be put back. Leave it out.")
        return reading.value

    def apply(self) -> None:
        self._previous = self.read()
        if self._previous is None:
            raise self._missing()
        self._write(self.after if self._wanted is None else self._wanted)

    def undo(self) -> None:
        if self._previous is not None and self.read() not in (None, self._previous):
            self._write(self._previous)

    def _plan(self) -> LiveTarget:
        return live_target(self.name, self.read(), self._record, None if self._wanted is None else fold(self._wanted))

    def _write(self, value: str) -> None:
        try:
            write_sysctl(self.name, value)
        except OSError as error:
            raise refused(
                f"{self.name}: kernel {os.uname().release} does not take {value!r} in {sysctl_path(self.name)}",
                error,
                of_value=True,
            ) from error

    def _missing(self) -> NodeError:
        module, release = module_for(self.name), os.uname().release
        where = f"{self.name}: kernel {release} has no {sysctl_path(self.name)}"
        if module is None:
            return NodeError(f"{where}. Mend the name, or leave the key out for this kernel.")
        if module_loaded(module) or module in self._loading:
            return NodeError(f"{where}, although its module {module} is loaded. Leave the key out for this kernel.")
        return NodeError(f"{where}, because its module {module} is not loaded. Add {module} to modules.")


_LIVE = ("modules", "sysctls", "ipvs_timeouts", "namespace_ipvs_timeouts", "rps", "pods", "containers", "enforce")


def live_diff(steps: Sequence[Step]) -> List[Dict[str, Any]]:
    """One before/after pair of all live values, as ``--diff`` shows it; none when they stay."""
    if not any(step.changed for step in steps if step.area in _LIVE):
        return []
    return [
        {
            "before": "".join(f"{line}\n" for step in steps for line in _lines(step, step.before)),
            "after": "".join(f"{line}\n" for step in steps for line in _lines(step, step.after)),
            "before_header": "live values",
            "after_header": "live values",
        }
    ]


def _lines(step: Step, value: Any) -> List[str]:
    if step.area == "modules":
        return [f"kernel module {step.name}: {'loaded' if value else 'not loaded'}"]
    if step.area in ("sysctls", "rps"):
        return [f"{step.name} = {'(not there)' if value is None else value}"]
    if step.area in ("ipvs_timeouts", "namespace_ipvs_timeouts"):
        names = [name for name in CELLS if name in dict(step.before or {}, **(step.after or {}))]
        return [f"IPVS {name} timeout{step.where} = {(value or {}).get(name, '(not there)')}" for name in names]
    if step.area in ("pods", "containers"):
        return [f"keepalive of {label} = {text}" for label, text in sorted(step.show(value).items())]
    if step.area == "enforce":
        found = step.show(value) or {"keepalive": "(none)"}
        excluded = [str(each) for kind in ("exclude_ports", "exclude_cgroups") for each in found.get(kind, ())]
        return [f"{step.name} = {found['keepalive']}{' without ' if excluded else ''}{', '.join(excluded)}"]
    return []
