# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values out of data of which nothing is certain: the right type, or None and empty. Private to this collection."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType

from .checked_values import whole_number

LONGEST_TEXT = 500
"""Nobody reads more of one value; longer text is cut."""


_NOTHING: Mapping[str, object] = MappingProxyType({})


def text(value: object, longest: int = LONGEST_TEXT) -> str | None:
    """A str, cut where it is too long; None for anything else."""
    if not isinstance(value, str):
        return None
    return value if len(value) <= longest else f"{value[:longest]}... ({len(value)} characters)"


def shared_text(value: object) -> str | None:
    """The same, as one object for equal texts: many pods have the same names of services and of programs."""
    found = text(value)
    return None if found is None else sys.intern(str(found))


def mapping(value: object) -> dict[str, object]:
    """The entries of a mapping whose names are text; empty for anything else."""
    return {text(key) or "": item for key, item in value.items()} if isinstance(value, dict) else {}


def fields(value: object) -> Mapping[str, object]:
    """What has fields of known names, which the reader asks for one by one; empty for anything that is no mapping."""
    return value if isinstance(value, dict) else _NOTHING


def items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def number(value: object) -> int:
    """A whole number that counts something; 0 for anything else."""
    found = whole_number(value)
    return found if found is not None and found > 0 else 0


def numbers(value: object) -> dict[str, int]:
    """The entries of a mapping that are whole numbers; a flag counts as 0 or 1."""
    found = {key: int(item) if isinstance(item, bool) else whole_number(item) for key, item in mapping(value).items()}
    return {key: each for key, each in found.items() if each is not None}


def file_line(value: Mapping[str, object], otherwise: str = "") -> str:
    """``FILE:LINE`` of a mapping with file and line; ``otherwise`` stands for the file, nothing for the line."""
    file, line = text(value.get("file")) or otherwise, whole_number(value.get("line"))
    return f"{file}:{line}" if file and line is not None else file


def flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
