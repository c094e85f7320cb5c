# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several parts of the page are made of: badges, names, commands, tables. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

from .markup import Child, Markup, join, tag

# A sign in front of each word, so that no verdict is told by colour alone.
_SIGNS = {"unsafe": "✗", "critical": "✗", "unknown": "?", "warning": "!", "safe": "✓", "info": "i"}

# A sysctl, a variable or another name with an underscore, a file; what is split off is kept.
_CODE = re.compile(r"(net\.[\w.-]*\w|kubenode\.connections\.\w+|\b[A-Za-z]+_\w+|(?<!\S)/[\w./-]*\w)")

_FEW = 8
_NAMES_IN_HEADING = 3

NOTHING = "\N{EN DASH}"
"""For an empty cell."""

_Key = int | float | str


def badge(kind: str, words: str | None = None) -> Markup:
    """A verdict or severity: its sign, and words (its name by default)."""
    sign = tag("span", _SIGNS.get(kind, ""), class_="sign", aria_hidden="true")
    return tag("span", sign, words if words is not None else kind, class_=f"badge {kind}")


def name(value: object) -> Markup:
    """A name that comes from a node or an inventory; its letters may run the other way than the page's."""
    return tag("bdi", value, class_="name")


def names(values: Sequence[object]) -> Markup:
    """All of them; the first few are seen at once."""
    few = join([name(value) for value in values[:_FEW]], ", ")
    if len(values) <= _FEW:
        return few
    summary = tag("summary", few, f" and {len(values) - _FEW} more")
    return tag("details", summary, join([name(value) for value in values[_FEW:]], ", "), class_="more")


def heading(level: str, nodes: Sequence[str], *more: Child) -> Markup:
    """Some nodes as a heading: by their names, or by how many they are, with the names below."""
    if len(nodes) <= _NAMES_IN_HEADING:
        return join([tag(level, join([name(each) for each in nodes], ", ")), *more])
    return join([tag(level, nodes_words(len(nodes))), *more, tag("div", names(nodes), class_="who")])


def prose(text: str) -> Markup:
    """A sentence of a finding: its settings, variables and files as code."""
    pieces = _CODE.split(text)
    return join(tag("code", piece) if _CODE.fullmatch(piece) else piece for piece in pieces)


def command(line: str) -> Markup:
    """Something to copy; the script adds the button."""
    return tag("div", tag("code", line), class_="command", data_copy=True)


def playbook(name: str, options: Sequence[str], *flags: str) -> str:
    """The command that runs a playbook of this collection; ``options`` are quoted for a shell already."""
    return " ".join(["ansible-playbook", f"kubenode.connections.{name}", *options, *flags])


def section(identity: str, title: str, *children: Child) -> Markup:
    """A part of the page that the navigation leads to."""
    head = tag("h2", title, id=f"{identity}-title")
    return tag("section", head, *children, class_="part", id=identity, aria_labelledby=f"{identity}-title")


@dataclass(frozen=True)
class Cell:
    """What a cell shows; ``key``: what its column is sorted by, where that is not its text."""

    shown: Child
    key: _Key | None = None


@dataclass(frozen=True)
class Row:
    """``kind``: the verdict or severity that the row can be filtered by."""

    cells: Sequence[Cell]
    kind: str | None = None


def table(caption: str, columns: Sequence[str], rows: Iterable[Row], noun: str | None = None) -> Markup:
    """A table whose first column names its rows; with a ``noun`` for them the script sorts and filters them."""
    head = tag("thead", tag("tr", *(tag("th", column, scope="col") for column in columns)))
    body = tag("tbody", *(_row(row, columns) for row in rows))
    whole = tag("table", tag("caption", caption), head, body, data_rows=noun, class_="cards")
    return tag("div", whole, class_="table", tabindex=0, role="group", aria_label=caption)


def _row(row: Row, columns: Sequence[str]) -> Markup:
    first, *others = [
        {"data_label": column, "data_key": cell.key} for column, cell in zip(columns, row.cells, strict=True)
    ]
    head = tag("th", row.cells[0].shown, scope="row", **first)
    cells = [tag("td", cell.shown, **more) for cell, more in zip(row.cells[1:], others, strict=True)]
    return tag("tr", head, *cells, data_kind=row.kind)


def spare_words(seconds: int | None, margin: int) -> str:
    """How far from the limit: ``156 s to spare``, ``too late by 7384 s``."""
    if seconds is None:
        return "not known"
    if seconds < 0:
        return f"too late by {-seconds} s"
    if seconds < margin:
        return f"{margin - seconds} s less than the margin of {margin} s"
    return f"{seconds} s to spare"


def keepalive_words(keepalive: Mapping[str, int] | None) -> str:
    """``600/30/9``, or that it was not read."""
    return keepalive_math.words(keepalive) or "not read"


def nodes_words(number: int) -> str:
    return count(number, "node")
