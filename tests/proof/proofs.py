# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios on all machines at once, one thread for each machine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS, Lab
from ansible_collections.kubenode.connections.tests.proof import play, report
from ansible_collections.kubenode.connections.tests.proof.model import Scenario
from ansible_collections.kubenode.connections.tests.proof.scenarios import SCENARIOS

Job = tuple[str, str]
"""Kernel series and scenario's name."""


class Proofs:
    """The scenarios that the selected tests need, played on all their machines at once."""

    def __init__(self, lab: Lab, jobs: list[Job], say: Callable[[str], None]) -> None:
        self.kernels = [kernel for kernel in KERNELS if any(job[0] == kernel for job in jobs)]
        self.machines = dict(zip(self.kernels, lab.up(self.kernels), strict=True))
        self.releases = {kernel: vm.run(["uname", "-r"]).stdout.strip() for kernel, vm in self.machines.items()}
        self.pools = {kernel: ThreadPoolExecutor(1) for kernel in self.kernels}
        self.futures: dict[Job, Future[report.Measured]] = {}
        for scenario in SCENARIOS:
            for kernel in self.kernels:
                if (kernel, scenario.name) in jobs:
                    played = self.pools[kernel].submit(play.play, self.machines[kernel], scenario, say)
                    self.futures[kernel, scenario.name] = played

    def measured(self, kernel: str, scenario: Scenario) -> report.Measured:
        """What came of a scenario on a kernel; waits for it, raises what went wrong."""
        return self.futures[kernel, scenario.name].result()

    def close(self) -> None:
        """Forget the scenarios that have not begun, wait for those that have."""
        for pool in self.pools.values():
            pool.shutdown(cancel_futures=True)

    def page(self) -> str | None:
        """docs/proof.md; None unless every scenario was played on every kernel and every expectation held."""
        if len(self.futures) < len(KERNELS) * len(SCENARIOS):
            return None
        measured = {
            kernel: {key: value for scenario in SCENARIOS for key, value in self.measured(kernel, scenario).items()}
            for kernel in KERNELS
        }
        runs = (
            (kernel, key, run) for kernel in KERNELS for each in SCENARIOS for key, run in play.runs_of(each, kernel)
        )
        if not all(run.expect.holds(measured[kernel][key]) for kernel, key, run in runs):
            return None
        return report.page([table for scenario in SCENARIOS for table in scenario.tables], self.releases, measured)
