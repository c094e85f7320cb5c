# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/middleboxes.md has the table of the middleboxes that are known by name."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middlebox_table import KNOWN

PAGE = Path(__file__).parents[2] / "docs" / "middleboxes.md"


def rows():
    """The lines of both tables, in the order of KNOWN."""
    for name, known in KNOWN.items():
        cells = [f"`{name}`", known.label, f"{known.seconds}"]
        cells.append(known.setting if known.proxy else _range(known))
        yield f"| {' | '.join(cells)} | {_source(known.source)} |"


def _range(known):
    if known.lowest is None:
        return "settable"
    return "fixed" if known.fixed else f"{known.lowest} to {known.highest}"


def _source(source):
    return f"<{source}>" if source.startswith("https://") else source


def test_the_page_has_a_row_for_each():
    lines = PAGE.read_text().splitlines()
    assert [line for line in lines if line.startswith("| `")] == sorted(rows(), key=_proxies_last)


def _proxies_last(row):
    return KNOWN[row.split("`")[1]].proxy
