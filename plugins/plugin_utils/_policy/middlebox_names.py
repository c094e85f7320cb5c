# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which known middlebox a misspelt name may mean, never one with a higher limit. Private to this collection."""

from __future__ import annotations

import difflib

from .middlebox_table import KNOWN

_LIKE = 0.6
_AS_LIKE = 0.15
_SAME_VENDOR = 0.75
_MOST = 4


def whether_meant(name: str) -> str:
    """``Did you mean X?`` for a misspelt name, the lowest limit first where it may mean several; else the names."""
    names = _meant(name)
    if names:
        return f"Did you mean {' or '.join(names)}?"
    vendor = _vendor(name)
    known = sorted(each for each in KNOWN if vendor is None or _split(each)[0] == vendor)
    return ("Known are " if vendor is None else f"Known of {vendor} are ") + ", ".join(known) + "."


def _meant(name: str) -> list[str]:
    """The known names of that vendor that are about as like the name as the one most like it."""
    if name.lower() in KNOWN:
        return [name.lower()]
    vendor, rest = _vendor(name), _split(name)[1]
    ratios = {each: _likeness(rest, _split(each)[1]) for each in KNOWN if _split(each)[0] == vendor}
    least = max(_LIKE, max(ratios.values(), default=0.0) - _AS_LIKE)
    close = [each for each, ratio in ratios.items() if ratio >= least]
    return sorted(close, key=lambda each: (KNOWN[each].seconds, -ratios[each], each))[:_MOST]


def _likeness(rest: str, known: str) -> float:
    """How like two names are behind their vendor: 1 for the same, a little less where one has more words."""
    if set(rest.split("_")) < set(known.split("_")) or set(known.split("_")) < set(rest.split("_")):
        return 0.9
    return difflib.SequenceMatcher(None, known, rest).ratio()


def _split(name: str) -> tuple[str, str]:
    """The first word of a name, which is the vendor or the program, and the rest; twice the word where it has none."""
    first, _underscore, rest = name.lower().partition("_")
    return first, rest or first


def _vendor(name: str) -> str | None:
    """The vendor of known names that the first word is or is misspelt for, None where it is neither."""
    vendors = sorted({_split(each)[0] for each in KNOWN})
    close = difflib.get_close_matches(_split(name)[0], vendors, n=1, cutoff=_SAME_VENDOR)
    return close[0] if close else None
