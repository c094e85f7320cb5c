# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proofs: each failure shown, cured by the role, shown to be cured; on each kernel of the lab. Run: make proof."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS
from ansible_collections.kubenode.connections.tests.proof import report
from ansible_collections.kubenode.connections.tests.proof.model import Row, Scenario, Table
from ansible_collections.kubenode.connections.tests.proof.proofs import Proofs
from ansible_collections.kubenode.connections.tests.proof.scenarios import SCENARIOS

ROWS = [
    pytest.param(kernel, scenario, table, row, id=f"{kernel}-{table.title}: {row.what}")
    for kernel in KERNELS
    for scenario in SCENARIOS
    for table in scenario.tables
    for row in table.rows
    if row.is_about(kernel)
]


@pytest.mark.parametrize(("kernel", "scenario", "table", "row"), ROWS)
def test_row(kernel: str, scenario: Scenario, table: Table, row: Row, proofs: Proofs) -> None:
    measured = proofs.measured(kernel, scenario)
    print("\n" + report.line(kernel, table, row, measured), end=" ")
    for stage, run in row.runs.items():
        results = measured[table.title, row.what, stage]
        assert run.expect.holds(results), f"{stage}: {run.expect.words} expected, got {results}"
