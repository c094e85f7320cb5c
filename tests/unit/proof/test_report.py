# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.kubenode.connections.tests.proof import report
from ansible_collections.kubenode.connections.tests.proof.model import AFTER, ANSWERED, HEADS, Row, Run, Table
from ansible_collections.kubenode.connections.tests.proof.scenarios import SCENARIOS


def table(title: str, *words: str) -> Table:
    """A table with a row for each of the words, measured after the role."""
    return Table(title, "Words.", HEADS, tuple(Row(each, {AFTER: Run({}, ANSWERED)}) for each in words))


def test_tables_stand_in_the_order_of_their_numbers_and_scenarios_share_one() -> None:
    tables = [table("10. Ten", "a"), table("2. Two", "b"), table("10. Ten", "c")]
    results = {(title, what, AFTER): [{"got": "answered"}] for title, what in (("10. Ten", "a"), ("10. Ten", "c"))}
    results["2. Two", "b", AFTER] = [{"got": "answered"}]
    page = report.page(tables, {"6.1": "6.1.0"}, {"6.1": results})
    assert [line for line in page.splitlines() if line.startswith("## ")] == ["## 2. Two", "## 10. Ten"]
    assert page.endswith("| --- | --- | --- |\n| a |  | answered |\n| c |  | answered |\n")


def test_no_two_rows_of_a_table_are_called_the_same() -> None:
    """They are told apart by their words."""
    names = [(each.title, row.what) for scenario in SCENARIOS for each in scenario.tables for row in each.rows]
    assert len(set(names)) == len(names)
