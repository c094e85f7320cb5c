# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test file plays once on a machine of each kernel, side by side, for all of its tests to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm

T = TypeVar("T")


class Stories(Generic[T]):
    """One for each kernel. The first test that asks for one starts them all."""

    def __init__(self, lab: str, series: Sequence[str], folder: Path, play: Callable[[Vm, Path], T]) -> None:
        """play gets a machine as it was saved, and a folder of its own."""
        self._lab = Lab(lab)
        self._series = series
        self._folder = folder
        self._play = play
        self._pool = ThreadPoolExecutor(len(series))
        self._played: dict[str, Future[T]] = {}

    def of(self, series: str) -> T:
        """What came of it on that kernel."""
        if not self._played:
            for vm in self._lab.up(self._series):
                self._played[vm.series] = self._pool.submit(self._played_on, vm)
        error = self._played[series].exception()
        if error:
            raise AssertionError(f"{series}: {error}")
        return self._played[series].result()

    def end(self) -> None:
        """End the machines, once all is played."""
        self._pool.shutdown()
        self._lab.down(self._series)

    def _played_on(self, vm: Vm) -> T:
        vm.reset()
        folder = self._folder / vm.series
        folder.mkdir()
        return self._play(vm, folder)
