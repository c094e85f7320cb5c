# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give every parser hostile input: a process a target, as many at once as there are processors."""

from __future__ import annotations

import argparse
import mmap
import os
import shutil
import struct
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import atheris

from .section import FEW, write

with atheris.instrument_imports(include=["ansible_collections.kubenode.connections.plugins"]):
    from .targets import TARGETS

from .engines import by_coverage, by_properties

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "fuzz"
_NUMBER = struct.Struct("=Q")
_LAST_LINES = 40


def shares(inputs: int, names: list[str]) -> dict[str, int]:
    """How many inputs each target gets, by its share."""
    whole = sum(TARGETS[name].share for name in names)
    return {name: max(10, round(inputs * TARGETS[name].share / whole)) for name in names}


def child(name: str, inputs: int, count: Callable[[], None]) -> None:
    """In a process of its own, for atheris ends it: a tenth by properties, the others by coverage."""
    log = os.open(FOLDER / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        by_properties(name, TARGETS[name], inputs // 10, count)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    by_coverage(name, TARGETS[name], inputs - inputs // 10, count, FOLDER)


class Runs:
    """The targets under way. counts: the inputs that each had, counted by the processes themselves."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._memory = mmap.mmap(-1, _NUMBER.size * len(names))
        self._running: dict[int, tuple[str, float]] = {}
        self.failed: list[str] = []

    def start(self, name: str, inputs: int) -> None:
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            self._running[pid] = name, time.monotonic()
            return
        child(name, inputs, lambda: self._count(name))

    def wait(self) -> None:
        pid, status = os.wait()
        name, begun = self._running.pop(pid)
        failed = os.waitstatus_to_exitcode(status) != 0
        self.failed += [name] if failed else []
        print(f"{name}: {self.inputs[name]:,} inputs, {time.monotonic() - begun:.0f} s{', FAILED' if failed else ''}")

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def inputs(self) -> dict[str, int]:
        return {name: self._number(at) for at, name in enumerate(self._names)}

    def _number(self, at: int) -> int:
        number: int = _NUMBER.unpack_from(self._memory, at * _NUMBER.size)[0]
        return number

    def _count(self, name: str) -> None:
        at = self._names.index(name)
        _NUMBER.pack_into(self._memory, at * _NUMBER.size, self._number(at) + 1)


def run(wanted: Mapping[str, int], jobs: int) -> Runs:
    """All of them, the slowest first."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    runs = Runs(list(wanted))
    for name in sorted(wanted, key=lambda each: TARGETS[each].share):
        if runs.running == jobs:
            runs.wait()
        runs.start(name, wanted[name])
    while runs.running:
        runs.wait()
    return runs


def tell(name: str) -> None:
    """What was found: the end of what the process said, and the input."""
    print(f"\n{name}:", *(FOLDER / f"{name}.log").read_text(errors="replace").splitlines()[-_LAST_LINES:], sep="\n")
    for path in FOLDER.glob(f"{name}-*"):
        print(f"The input is {path}. Keep it: cp {path} tests/fuzz/corpus/{name}/")


def main() -> int:
    parser = argparse.ArgumentParser(prog="nox -s fuzz --", description=__doc__)
    parser.add_argument("--inputs", type=int, default=FEW, help="for all targets together (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at once (default: %(default)s)")
    parser.add_argument("--to", type=Path, help="a page whose section is written, where nothing was found")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"(default: all) {', '.join(TARGETS)}")
    asked = parser.parse_args()
    strange = set(asked.targets) - set(TARGETS)
    if strange:
        parser.error(f"there is no target {', '.join(sorted(strange))}")
    runs = run(shares(asked.inputs, asked.targets or list(TARGETS)), asked.jobs)
    for name in runs.failed:
        tell(name)
    print(f"{sum(runs.inputs.values()):,} inputs, {len(runs.failed)} of {len(runs.inputs)} targets failed")
    if asked.to and not runs.failed:
        write(runs.inputs, asked.to)
    return 1 if runs.failed else 0


if __name__ == "__main__":
    sys.exit(main())
