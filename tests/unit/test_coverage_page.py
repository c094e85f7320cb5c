# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/coverage.md names for each place that can forget a connection a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests" / "unit" / "plugins" / "plugin_utils"
ROWS = [line for line in (ROOT / "docs" / "coverage.md").read_text().splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip()[:40] for row in ROWS])
def test_a_row_has_its_test(row):
    _start, place, _how, unseen, named, _end = (cell.strip() for cell in row.split("|"))
    assert place
    assert unseen
    file, test = re.fullmatch(r"`([\w/.]+)::(\w+)`", named).groups()
    assert re.search(rf"^def {test}\(", (TESTS / file).read_text(), re.MULTILINE)
