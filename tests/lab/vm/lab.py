# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a whole: build what is missing, bring machines up and down, say how to get in."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import config, image, kernels, qemu
from .config import KERNELS, LabError
from .machine import Vm, start_all
from .packages import Apt, machine_mirrors
from .qemu import PLAIN, Hardware
from .tools import find, install_command, install_missing, locked, missing, require_pip, step

FREE_MIB_PER_VM = 600
"""Memory a machine really takes, saved state and QEMU included."""


class Lab:
    """Machines that belong together. Two labs of different names share what is built and nothing that runs."""

    def __init__(self, name: str | None = None, hardware: Mapping[str, Hardware] | None = None) -> None:
        """Machines of these kernels may have more hardware than the others."""
        self.hardware = hardware or {}
        self.name = name or os.environ.get("LAB_NAME") or "main"
        self.folder = config.cache() / "run" / self.name
        self.inventory = self.folder / "inventory"

    def vm(self, series: str) -> Vm:
        """The machine of a kernel, up or not."""
        if series not in KERNELS:
            raise LabError(f"Kernel {series!r}: not one of {', '.join(KERNELS)} (tests/lab/vm/config.py). Name one.")
        return Vm(series, self.folder / series, self.hardware.get(series, PLAIN))

    def build(self, series: Sequence[str], *, refresh: bool = True) -> None:
        """Make what is missing or outdated; with refresh, newer kernels of the mirror count as outdated too."""
        complete = all(map(kernels.built, series)) and image.is_built() and qemu.find_qemu() and not missing()
        if complete and not refresh:
            return
        reason = obstacle(machines=0)
        if reason:
            raise LabError(reason)
        if not image.is_built():
            require_pip()
        install_missing()
        suites = [*config.RELEASE_SUITES, config.BACKPORTS, *(suite for name in series for suite in KERNELS[name])]
        apt = Apt(suites)
        with step(f"package lists from {apt.mirrors.main}"):
            apt.update()
        qemu.provide_qemu(apt)
        if not image.is_built():
            image.build(apt)
        for name in series:
            kernels.build(apt, name)

    def up(self, series: Sequence[str]) -> list[Vm]:
        """Build if needed, start the machines side by side, write the inventory."""
        machines = [self.vm(name) for name in series]
        with locked():
            self.build(series, refresh=False)
            start_all([vm for vm in machines if not vm.pid])
            self.write_inventory()
        return machines

    def down(self, series: Sequence[str] = tuple(KERNELS)) -> list[Vm]:
        """End the machines of these kernels that run; nothing else."""
        with locked():
            machines = [vm for vm in self.running() if vm.series in series]
            for vm in machines:
                vm.stop()
            self.write_inventory()
        return machines

    def running(self) -> list[Vm]:
        """The machines of this lab that are up."""
        return [vm for vm in map(self.vm, KERNELS) if vm.pid]

    def write_inventory(self) -> None:
        """An Ansible inventory of the machines that are up, in the group lab."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = ["[lab]", *(vm.inventory_line for vm in self.running())]
        self.inventory.write_text("".join(line + "\n" for line in lines))


def obstacle(machines: int) -> str | None:
    """Why this machine cannot run so many virtual machines, in one line; None when it can."""
    system, architecture = platform.system(), platform.machine()
    if (system, architecture) != ("Linux", "x86_64"):
        return f"Lab: {system} {architecture} is not Linux x86_64 (the kernels' architecture). Use such a machine."
    needed = machines * FREE_MIB_PER_VM
    if available_mib() < needed:
        return f"Lab: {available_mib()} MiB of memory free < {needed} MiB ({machines} machines). Name fewer kernels."
    packages = missing()
    if packages and (os.geteuid() != 0 or not find("apt-get")):
        return f"Lab: {', '.join(packages)} missing. Run: {install_command(packages)}"
    if image.is_built():
        return None
    if os.geteuid() != 0:
        return "Lab: root disk not built, and only root can (mmdebstrap). Run once: sudo python3 tests/lab build"
    try:
        machine_mirrors()
    except LabError as error:
        return str(error)
    return None


def available_mib() -> int:
    """Memory that new programs can have, MiB (MemAvailable of /proc/meminfo)."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0
