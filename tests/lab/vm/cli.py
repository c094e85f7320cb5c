# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: python3 tests/lab VERB [KERNEL ...]."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Sequence

from . import image, kernels, qemu
from .config import KERNELS, LabError, cache
from .lab import Lab, obstacle
from .machine import Vm
from .tools import locked


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; exit status 0 done, 1 not possible (one message says why)."""
    parser = argparse.ArgumentParser(prog="tests/lab", description=__doc__)
    verbs = "; ".join(f"{name}: {verb.__doc__}" for name, verb in VERBS.items())
    parser.add_argument("verb", choices=sorted(VERBS), help=verbs)
    parser.add_argument("kernel", nargs="*", metavar="KERNEL", help=f"one of {', '.join(KERNELS)}; default all")
    options = parser.parse_args(arguments)
    try:
        lab = Lab()
        series = [lab.vm(name).series for name in options.kernel] or list(KERNELS)
        return VERBS[options.verb](lab, series)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1


def build(lab: Lab, series: Sequence[str]) -> int:
    """make the root disk and the kernels, newest version of each"""
    with locked():
        lab.build(series)
    return 0


def provide(lab: Lab, series: Sequence[str]) -> int:
    """build what is missing, as up does, and start nothing"""
    with locked():
        lab.build(series, refresh=False)
    return 0


def up(lab: Lab, series: Sequence[str]) -> int:
    """build if needed, start machines, say how to get in"""
    for vm in lab.up(series):
        print_way_in(vm)
    print(f"inventory  {lab.inventory}")
    return 0


def down(lab: Lab, series: Sequence[str]) -> int:
    """end the machines that the lab started"""
    for vm in lab.down(series):
        print(f"{vm.name:12} ended")
    return 0


def status(lab: Lab, series: Sequence[str]) -> int:
    """what is built and what runs"""
    print(f"root disk    {'built' if image.is_built() else 'not built'}")
    for name in series:
        kernel, vm = kernels.built(name), lab.vm(name)
        if vm.pid:
            print_way_in(vm)
        else:
            print(f"{vm.name:12} {kernel.release + ', down' if kernel else 'not built'}")
    return 0


def check(lab: Lab, series: Sequence[str]) -> int:
    """can this machine run the lab? If not, why"""
    reason = obstacle(len(series))
    program = qemu.find_qemu()
    print(reason or f"Lab {lab.name}: can run here, {f'QEMU {program.version}' if program else 'not built yet'}.")
    return 1 if reason else 0


def clean(_lab: Lab, _series: Sequence[str]) -> int:
    """end every machine, of all names, and remove all that was built"""
    for folder in sorted(cache().glob("run/*")):
        Lab(folder.name).down()
    if not (cache() / "lock").exists():
        return 0
    shutil.rmtree(cache(), ignore_errors=True)
    return 0


def print_way_in(vm: Vm) -> None:
    """One line: the machine, its kernel and the command that logs in."""
    kernel = kernels.built(vm.series)
    print(f"{vm.name:12} {kernel.release if kernel else ''}  pid {vm.pid}  {shlex.join(vm.ssh_command)}")


VERBS = {
    "build": build,
    "provide": provide,
    "up": up,
    "down": down,
    "status": status,
    "check": check,
    "clean": clean,
}
