# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A table in a terminal: aligned, and never wider than the page. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import columns

from .page import Line, Page, Span, Text, plain, wrap

NOTHING = "-"
"""For an empty cell."""

_GAP = "  "

_HANGING = 1


@dataclass(frozen=True)
class Column:
    """``least``: how narrow it may become, so that its cells take several lines; None: it keeps its width."""

    title: str
    right: bool = False
    least: int | None = None


@dataclass(frozen=True)
class Row:
    """A cell for each column, and what is said below."""

    cells: Sequence[Span]
    notes: Sequence[Text] = ()


def write(page: Page, header: Sequence[Column], rows: Sequence[Row]) -> None:
    """The table; a column that has nothing anywhere is left out."""
    kept = [number for number in range(len(header)) if any(row.cells[number].text != NOTHING for row in rows)]
    kept_header = [header[number] for number in kept]
    several = [[_said(page, row.cells[number]) for number in kept] for row in rows]
    titles = [_said(page, Span(each.title)) for each in kept_header]
    widths = _widths(page.width, kept_header, titles, several)
    _write_row(page, titles, kept_header, widths)
    for row, cells in zip(rows, several, strict=True):
        _write_row(page, cells, kept_header, widths)
        for note in row.notes:
            page.line(note, indent=4, hanging=2)


def _said(page: Page, cell: Span) -> Span:
    """Safe to print; what is printable is not changed by being made so once more."""
    return Span(page.said(cell.text), cell.style)


def _widths(room: int, header: Sequence[Column], head: Sequence[Span], rows: Sequence[Sequence[Span]]) -> list[int]:
    """As wide as the cells. If that is too wide, the columns with ``least`` become narrower, then all of them."""
    titles = [columns(title.text) for title in head]
    widths = [max([title, *(columns(row[number].text) for row in rows)]) for number, title in enumerate(titles)]
    least = [width if column.least is None else column.least for column, width in zip(header, widths, strict=True)]
    left = room - len(_GAP) * (len(widths) - 1)
    narrow = _narrower(_narrower(widths, least, left), titles, left)
    # Words end before a cell does: what that leaves is for the other cells, the first columns first.
    filled = [
        max([title, *(_width(_cell(row[number], width)) for row in rows)])
        for number, (title, width) in enumerate(zip(titles, narrow, strict=True))
    ]
    for number, width in enumerate(widths):
        filled[number] += max(0, min(width - filled[number], left - sum(filled)))
    return filled


def _narrower(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """The widest are made narrower, none beyond ``least``, until they have room together."""
    narrow = list(widths)
    while sum(narrow) > room:
        spare = [number for number, width in enumerate(narrow) if width > least[number]]
        if not spare:
            break
        narrow[max(spare, key=lambda number: narrow[number])] -= 1
    return narrow


def _write_row(page: Page, cells: Sequence[Span], header: Sequence[Column], widths: Sequence[int]) -> None:
    wrapped = [_cell(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for number in range(max(map(len, wrapped))):
        line: list[Span] = []
        for lines, column, width in zip(wrapped, header, widths, strict=True):
            line += [*_padded(lines[number] if number < len(lines) else (), width, column.right), Span(_GAP)]
        page.add(line)


def _cell(cell: Span, width: int) -> list[Line]:
    """The lines of a cell; further ones are indented, so that no text begins a line of the page that way."""
    first, *rest = wrap([cell], width, width - _HANGING)
    return [first, *((Span(" " * _HANGING), *line) for line in rest)]


def _width(lines: Sequence[Line]) -> int:
    return max(columns(plain(line)) for line in lines)


def _padded(line: Line, width: int, right: bool) -> Line:
    blanks = Span(" " * (width - columns(plain(line))))
    return (blanks, *line) if right else (*line, blanks)
