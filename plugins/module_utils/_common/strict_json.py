# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON that somebody else wrote, within bounds, and what is wrong with it in plain words. Pure. Private to this
collection.
"""

import json
import math
import re
from typing import Any

_MAX_DEPTH = 100
_MAX_DIGITS = 400
"""Of a number; the longest that a double can be written with has 309 before the point."""

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[][{}]', re.DOTALL)


def parse_json(data: bytes) -> Any:
    """The value in UTF-8 text. Raises ValueError, which says what is wrong and where."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is not UTF-8") from None
    if _is_deep(text):
        raise ValueError(f"it is nested deeper than {_MAX_DEPTH} levels")
    try:
        return json.loads(text, parse_int=_whole, parse_float=_fraction, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None


def _is_deep(text: str) -> bool:
    """Told before Python's parser is asked, which calls itself for each level."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found.group(), 0)
        if depth > _MAX_DEPTH:
            return True
    return False


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def _fraction(text: str) -> float:
    number = float(text) if len(text) <= _MAX_DIGITS else math.inf
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too long or too large for a number")
    return number


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")
