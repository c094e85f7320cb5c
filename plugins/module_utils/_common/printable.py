# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What leaves a node or reaches a terminal: printable UTF-8, and values that any JSON parser takes. Pure. Private to
this collection.
"""

import re
from typing import Any, Match

_NOT_ASCII = r"[^ -~]+"
_NOT_LAYOUT = r"(?:[^ -~\n\t\r]|\r(?!\n))+"

_WHOLE_FILES = ("before", "after", "diff", "rule")
"""Keys of results below which texts are those of files, whose lines and columns stay."""

_MOST = 10**20
_MAX_DEPTH = 50


def printable(text: str, is_file: bool = False) -> str:
    r"""Text in which what a terminal would obey or nobody can see is written out: ESC as \x1b, the byte ff as \udcff.

    Control characters, line breaks, bidirectional marks, halves of surrogate pairs, undecodable bytes. The text of a
    file keeps its line ends and tabs.
    """
    return re.sub(_NOT_LAYOUT if is_file else _NOT_ASCII, _visible, text)


def presentable(value: Any, is_file: bool = False, depth: int = 0) -> Any:
    """A result of a module with all its text printable, names of keys too; None for what no reader takes.

    That is a number of more than 20 digits (json and str() of Python refuse 4,300), no number, or deeper nesting.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, str):
        return printable(value, is_file)
    if isinstance(value, (int, float)):
        return value if -_MOST < value < _MOST else None
    if value is None or depth == _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {
            str(presentable(key)): presentable(each, is_file or key in _WHOLE_FILES, depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [presentable(each, is_file, depth + 1) for each in value]
    return printable(str(value), is_file)


def _visible(found: Match[str]) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in _decoded(found.group())
    )


def _decoded(text: str) -> str:
    """Names of files are cut into bytes where the locale is C (Python 3.6): é is the bytes c3 and a9 there."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other halves of surrogate pairs
        return text
