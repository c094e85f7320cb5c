# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain, checked values at Ansible's door. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import PlanError


def plain(value: object) -> Any:
    """A deep copy in dict, list, str, int, float, bool and None only.

    Ansible hands over lazy containers and tagged or marked strings; nothing that is computed should depend on that.
    Anything else becomes its text.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)


@dataclass(frozen=True)
class Range:
    """The whole numbers an option takes, ends included, and where the high end and the low one come from.

    ``low_source`` None: they have the same source.
    """

    low: int
    high: int
    source: str
    low_source: str | None = None

    def check(self, what: str, value: object) -> int:
        """``value`` as int. Takes an int or its decimal text, for templates give text. Raises PlanError."""
        number = whole_number(value)
        advice = f"Write a whole number from {self.low} to {self.high}."
        if number is None:
            raise PlanError(f"{what}: {value!r} is not a whole number. {advice}")
        if number < self.low:
            raise PlanError(f"{what}: {number} is below {self.low} ({self.low_source or self.source}). {advice}")
        if number > self.high:
            raise PlanError(f"{what}: {number} is above {self.high} ({self.source}). {advice}")
        return number


_ABSURD = 10**18

# Python's \s has the separators U+001C to U+001F, at which int() fails.
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,18}\s*", re.ASCII)


def whole_number(value: object) -> int | None:
    """An int, or a str of an int, as int; None for anything else, booleans, fractions and absurdly large ones too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) if -_ABSURD < value < _ABSURD else None
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    return None


_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def truth(value: object) -> bool | None:
    """A bool, or the text of one, for templates give text; None for anything else."""
    return value if isinstance(value, bool) else _TRUTHS.get(str(value).strip().lower())
