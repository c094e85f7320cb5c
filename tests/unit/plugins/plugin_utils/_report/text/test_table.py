# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import columns
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import UNSAFE, Page, Span, plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.table import Column, Row, write

HEADER = (Column("NODE", least=8), Column("LIMIT", least=8), Column("SPARE", right=True), Column("VERDICT"))


def table(width, *rows, notes=()):
    page = Page(width)
    write(page, HEADER, [Row([Span(cell) for cell in row], notes) for row in rows])
    return [plain(line) for line in page.lines]


@pytest.mark.parametrize(
    ("width", "row", "lines"),
    [
        pytest.param(
            60,
            ("worker1", "900 s IPVS tcp", "156 s", "SAFE"),
            ["NODE     LIMIT           SPARE  VERDICT", "worker1  900 s IPVS tcp  156 s  SAFE"],
            id="as wide as its cells",
        ),
        pytest.param(
            60,
            ("节点1", "900 s", "9 s", "SAFE"),
            ["NODE   LIMIT  SPARE  VERDICT", "节点1  900 s    9 s  SAFE"],
            id="characters of two columns",
        ),
        pytest.param(
            60,
            ("worker1", "-", "-", "UNKNOWN"),
            ["NODE     VERDICT", "worker1  UNKNOWN"],
            id="a column of nothing is left out",
        ),
        pytest.param(
            37,
            ("worker1", "86400 s conntrack established", "7 s", "SAFE"),
            [
                "NODE     LIMIT         SPARE  VERDICT",
                "worker1  86400 s         7 s  SAFE",
                "          conntrack",
                "          established",
            ],
            id="a cell takes several lines",
        ),
        pytest.param(
            34,
            ("worker1.example.org", "900 s", "-1234567 s", "UNSAFE"),
            [
                "NODE      LIMIT     SPARE  VERDICT",
                "worker1.  900 s  -1234567  UNSAFE",
                " example                s",
                " .org",
            ],
            id="in the end every cell is broken",
        ),
    ],
)
def test_a_table(width, row, lines):
    assert table(width, row) == lines


def test_what_is_said_below_a_row():
    assert table(40, ("worker1", "900 s", "1 s", "SAFE"), notes=["it was not observed"])[-1] == (
        "    it was not observed"
    )


CELLS = st.tuples(*[st.text(max_size=40)] * 4)


@given(st.lists(CELLS, min_size=1, max_size=5), st.integers(40, 110))
def test_no_line_is_too_wide_and_no_cell_begins_one_but_the_first(rows, width):
    page = Page(width)
    write(page, HEADER, [Row([Span(cell, UNSAFE) for cell in row]) for row in rows])
    lines = [plain(line) for line in page.lines]
    assert all(line.isprintable() and columns(line) <= width for line in lines)
    assert len([line for line in lines if line[:1] not in ("", " ")]) <= len(rows) + 1
