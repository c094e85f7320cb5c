# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many names in few words: ``worker-[1-40]``. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .grouping import grouped
from .messages import joined, tell

_FEWEST = 3
"""Two names are as short as they are."""

_PLACES = 3
"""Of a name with more numbers, only the last few are looked at."""

_MOST_DIGITS = 18
"""More digits are no number that somebody counted up."""

_MOST_RANGES = 8

_MANY = 6

_Split = tuple[str, str, str]


def named(names: Sequence[str]) -> str:
    """The names folded, of too many the first; and how many there are where that is not seen at once."""
    folded = fold(names)
    if len(folded) > _MANY:
        return tell("{names} and others ({number})", names=joined(", ", folded[: _MANY - 1]), number=len(names))
    if len(folded) == 1 and (len(names) == 1 or "," not in folded[0]):
        return folded[0]
    several = joined(", ", folded)
    return several if len(names) == len(folded) else tell("{names} ({number})", names=several, number=len(names))


def fold(names: Sequence[str], most_ranges: int = _MOST_RANGES) -> list[str]:
    """The names; those that differ in one number only become one, at the place of the first of them."""
    folded: dict[str, str | None] = dict.fromkeys(names)
    for place in range(_PLACES):
        splits = {name: split for name, done in folded.items() if not done and (split := _split(name, place))}
        for (before, after, width), same in _alike(splits).items():
            if len(same) >= _FEWEST:
                ranges = _ranges(sorted(int(splits[name][1]) for name in same), width)
                more = ",..." if len(ranges) > most_ranges else ""
                folded.update(dict.fromkeys(same, f"{before}[{','.join(ranges[:most_ranges])}{more}]{after}"))
    return list(dict.fromkeys(done or name for name, done in folded.items()))


def _split(name: str, place: int) -> _Split | None:
    """What is before a number, its digits, and what is after it; the last number has place 0."""
    numbers = list(re.finditer("[0-9]+", name))
    if len(numbers) <= place:
        return None
    begin, end = numbers[-1 - place].span()
    return (name[:begin], name[begin:end], name[end:]) if end - begin <= _MOST_DIGITS else None


def _alike(splits: dict[str, _Split]) -> dict[tuple[str, str, int], list[str]]:
    """Names by what is around their number, and by its width where numbers of that width begin with zeros."""
    widths = {(before, after, len(digits)) for before, digits, after in splits.values() if digits[0] == "0"}
    return grouped(
        ((before, after, len(digits) if (before, after, len(digits)) in widths else 0), name)
        for name, (before, digits, after) in splits.items()
    )


def _ranges(numbers: Sequence[int], width: int) -> list[str]:
    """``1-40``, ``44``: ascending numbers, with zeros up to the width."""
    return [
        f"{first:0{width}}-{last:0{width}}" if last > first else f"{first:0{width}}" for first, last in _runs(numbers)
    ]


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = numbers[0]
    for number, following in zip(numbers, [*numbers[1:], None], strict=True):
        if following != number + 1:
            yield first, number
            first = following or 0
