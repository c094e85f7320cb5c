# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers, lists and text of others in words, for people. Private to this collection."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

from ansible_collections.kubenode.connections.plugins.module_utils._common import printable as common_printable

from .messages import Message, joined, tell

SAFE = "safe"
UNSAFE = "unsafe"
UNKNOWN = "unknown"
VERDICTS = (UNSAFE, UNKNOWN, SAFE)
"""The worst first."""

_Thing = TypeVar("_Thing")

_MANY = 6

_WIDE = ("W", "F")
_NO_COLUMN = ("Mn", "Me")
_JAMO = range(0x1160, 0x1200)
"""Vowels and final consonants of Hangul: a terminal puts them into the cell of the consonant before them."""


def printable(text: object) -> str:
    """Text from a node, safe to print: control characters, escape sequences and bidirectional marks become visible."""
    return common_printable.printable(str(text))


def count(number: int, noun: str) -> Message:
    """``1 node``, ``2 nodes``; catalogues know ``{number} nodes``."""
    many = f"{{number}} {noun}s"
    return Message(many, {"number": number}, f"{{number}} {noun}" if number == 1 else many)


def some(names: Sequence[str], separator: str = ", ") -> Message:
    """The names, or the first few and how many more."""
    return _and_more(joined(separator, names[:_MANY]), len(names) - _MANY)


def some_of(things: Sequence[_Thing], told: Callable[[_Thing], str], separator: str = ", ") -> Message:
    """As ``some`` of what ``told`` makes of each, which is made of the first few alone."""
    return _and_more(joined(separator, map(told, things[:_MANY])), len(things) - _MANY)


def _and_more(names: Message, number: int) -> Message:
    return names if number <= 0 else tell("{names} and {number} more", names=names, number=number)


def columns(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character, none for a combining one."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in _NO_COLUMN or ord(character) in _JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
