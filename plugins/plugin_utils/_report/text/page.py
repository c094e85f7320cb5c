# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text for a terminal: lines of a bounded width, whose parts may have a style. Private to this collection."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import columns, printable

from ..language import ENGLISH, Language

CRITICAL, WARNING, UNKNOWN, UNSAFE, SAFE = "critical", "warning", "unknown", "unsafe", "safe"
COMMAND = "command"
STYLES = (CRITICAL, WARNING, UNKNOWN, UNSAFE, SAFE, COMMAND)
"""The styles of a part of a line; whoever shows the line chooses the colours. A style says nothing but its words."""


_NO_BREAK = "\N{NO-BREAK SPACE}"

_OPENING = ("Ps", "Pi")
_CLOSING = ("Pe", "Pf", "Po")
"""Categories of Unicode: a line does not end with an opening one, nor begin with a closing one."""


@dataclass(frozen=True)
class Span:
    """A part of a line; ``style`` is one of STYLES, None for plain text."""

    text: str
    style: str | None = None


Line = tuple[Span, ...]

Text = str | Sequence[str | Span]


def plain(line: Line) -> str:
    """The line without its styles."""
    return "".join(span.text for span in line)


def as_it_is(text: str) -> Line:
    """Text that is known to be safe to print, such as JSON in ASCII, as a line."""
    return (Span(text),)


def spans(text: Text, language: Language = ENGLISH) -> Line:
    """Text as spans that are said in the language and safe to print."""
    several = [text] if isinstance(text, str) else text
    made = [each if isinstance(each, Span) else Span(each) for each in several]
    return tuple(Span(printable(language.say(span.text)), span.style) for span in made)


def wrap(text: Text, first: int, rest: int, language: Language = ENGLISH) -> list[Line]:
    """Lines of at most ``first`` (then ``rest``) columns, broken at blanks and between wide characters.

    A word that is too long is cut.
    """
    lines: list[list[Span]] = [[]]
    room = first
    for blank, word in _words(spans(text, language)):
        width = _width(word)
        if lines[-1] and width + len(blank) <= room:
            lines[-1] += [Span(blank), *word]
            room -= width + len(blank)
            continue
        if lines[-1]:
            lines.append([])
            room = rest
        *whole, last = _cut(word, room, rest)
        lines[-1:] = [*whole, last]
        room = (rest if whole else room) - _width(last)
    return [_joined(line) for line in lines]


def _words(line: Line) -> Iterator[tuple[str, list[Span]]]:
    """What stays together whatever its styles, and the blank before it, if there is one.

    That is what no blank separates, a number with its unit, and of text with wide characters what _pieces says.
    """
    word: list[Span] = []
    for span in line:
        # printable() leaves no no-break space of its own.
        bound = re.sub(r"(?<=[0-9]) (?=s\b|秒)", _NO_BREAK, span.text)
        for piece in re.split("( +)", bound):
            if piece.startswith(" "):
                yield from _pieces(word)
                word = []
            elif piece:
                word.append(Span(piece.replace(_NO_BREAK, " "), span.style))
    yield from _pieces(word)


def _pieces(word: list[Span]) -> Iterator[tuple[str, list[Span]]]:
    """A word in pieces that end before or after a wide character, but for punctuation that belongs to its neighbour."""
    if not word or all(span.text.isascii() for span in word):
        if word:
            yield " ", word
        return
    piece: list[Span] = []
    blank, before = " ", ""
    for span in word:
        for character in span.text:
            if piece and _may_break(before, character):
                yield blank, piece
                blank, piece = "", []
            piece.append(Span(character, span.style))
            before = character
    yield blank, piece


def _may_break(before: str, after: str) -> bool:
    wide = 2 in (columns(before), columns(after)) and columns(after) > 0
    return wide and unicodedata.category(before) not in _OPENING and unicodedata.category(after) not in _CLOSING


def _cut(word: list[Span], first: int, rest: int) -> list[list[Span]]:
    pieces: list[list[Span]] = [[]]
    room = max(first, 2)
    for span in word:
        for character in span.text:
            if columns(character) > room:
                pieces.append([])
                room = max(rest, 2)
            pieces[-1].append(Span(character, span.style))
            room -= columns(character)
    return pieces


def _width(line: Iterable[Span]) -> int:
    return sum(columns(span.text) for span in line)


def _joined(line: Iterable[Span]) -> Line:
    """Neighbours of the same style as one."""
    told = [span for span in line if span.text]
    return tuple(
        Span("".join(span.text for span in same), style) for style, same in groupby(told, lambda span: span.style)
    )


class Page:
    """Lines of at most ``width`` columns; no text that is written can begin a line of its own."""

    def __init__(self, width: int, language: Language = ENGLISH) -> None:
        self.width = width
        self.language = language
        self.lines: list[Line] = []

    def said(self, text: str) -> str:
        """The text in the page's language, safe to print."""
        return plain(spans(text, self.language))

    def wrap(self, text: Text, first: int, rest: int) -> list[Line]:
        """As wrap(), in the page's language."""
        return wrap(text, first, rest, self.language)

    def add(self, line: Iterable[Span]) -> None:
        """A line that is safe and narrow enough as it is; blanks at its end are left out."""
        joined = list(_joined(line))
        while joined and not joined[-1].text.rstrip(" "):
            joined.pop()
        if joined:
            joined[-1] = Span(joined[-1].text.rstrip(" "), joined[-1].style)
        self.lines.append(tuple(joined))

    def line(self, text: Text, indent: int = 0, hanging: int = 0) -> None:
        """One paragraph; ``hanging`` more columns for its further lines."""
        rest = indent + hanging
        for number, line in enumerate(self.wrap(text, self.width - indent, self.width - rest)):
            self.add([Span(" " * (rest if number else indent)), *line])

    def field(self, label: str, text: Text, label_width: int, indent: int = 2) -> None:
        """A label and what it says, aligned with the other fields of that label's width."""
        label = self.said(label)
        label_width = max(label_width, columns(label.rstrip()) + 1)
        for number, line in enumerate(self.wrap(text, *[self.width - indent - label_width] * 2)):
            head = "" if number else label
            self.add([Span(" " * indent + head + " " * (label_width - columns(head))), *line])

    def blank(self) -> None:
        self.lines.append(())

    def heading(self, text: Text) -> None:
        """The first line of a section, apart from what is before it."""
        self.blank()
        self.line(text)

    def command(self, words: Sequence[str], label: str = "", indent: int = 0) -> None:
        """A command line to copy, continued with backslashes; a word that is too long for a line is left whole."""
        label, lines = self.said(label), [""]
        for word in map(printable, words):
            longer = f"{lines[-1]} {word}".lstrip()
            if lines[-1] and indent + columns(f"{label}{longer} \\") > self.width:
                lines.append(word)
            else:
                lines[-1] = longer
        for number, line in enumerate(lines, 1):
            head = " " * indent + (label if number == 1 else " " * columns(label))
            ending = "" if number == len(lines) else " \\"
            self.add([Span(head), Span(line + ending, COMMAND)])
