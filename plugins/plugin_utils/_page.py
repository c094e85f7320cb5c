# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain text for a terminal. Private to this collection."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

WIDTH = 96

_LABEL_WIDTH = 12
_MANY = 6

_NO_BREAK = "\N{NO-BREAK SPACE}"


def printable(text: object) -> str:
    """Text from a node, safe to print: control characters, escape sequences and bidirectional marks become visible."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in str(text))


def count(number: int, noun: str) -> str:
    """``1 node``, ``2 nodes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def some(names: Sequence[str], separator: str = ", ") -> str:
    """The names, or the first few and how many more."""
    few = separator.join(names[:_MANY])
    return few if len(names) <= _MANY else f"{few} and {len(names) - _MANY} more"


class Page:
    """Lines of at most WIDTH columns; no text that is written can begin a line of its own."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str, indent: int = 0, hanging: int = 0) -> None:
        """One paragraph; ``hanging`` more columns for its further lines."""
        first, further = " " * indent, " " * (indent + hanging)
        # A number stays with its unit: wrap does not break at a no-break space, and printable leaves none of its own.
        joined = re.sub(r"(?<=[0-9]) (?=s\b)", _NO_BREAK, printable(text))
        wrapped = textwrap.wrap(joined, WIDTH, initial_indent=first, subsequent_indent=further, break_on_hyphens=False)
        self.lines += [line.replace(_NO_BREAK, " ") for line in wrapped]

    def field(self, label: str, text: str, indent: int = 2) -> None:
        """A label and what it says, aligned with the other fields."""
        self.line(f"{label:<{_LABEL_WIDTH}}{text}", indent, _LABEL_WIDTH)

    def blank(self) -> None:
        self.lines.append("")
