# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sentences that remember what they were made of, so that a report can say them in another language. Private."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping


class Message(str):
    """English text, with the template and the values that it was made of.

    It is a str to everybody who does not ask for more: equal to, sorted, and written as its English text.
    ``template`` is what catalogues know. ``english`` is said where one lacks it: the same, or the template of one
    where English has another for that.
    """

    __slots__ = ("english", "template", "values")

    template: str
    values: Mapping[str, object]
    english: str

    def __new__(cls, template: str, values: Mapping[str, object], english: str | None = None) -> Message:
        english = template if english is None else english
        message = super().__new__(cls, english.format_map(values))
        message.template, message.values, message.english = template, values, english
        return message

    def __getnewargs__(self) -> tuple[str, Mapping[str, object], str]:  # type: ignore[override]
        return self.template, self.values, self.english

    def __deepcopy__(self, _memo: object) -> Message:
        """Nobody changes one, and dataclasses.asdict would copy each of its values."""
        return self


def tell(template: str, /, **values: object) -> Message:
    """``tell("{node} forgets it after {seconds} s", node="worker1", seconds=900)``

    The template is a literal, so that a test finds it and asks for it in every language. Values may be messages.
    """
    return Message(template, values)


def plural(template: str, one: str, number: int, /, **values: object) -> Message:
    """``plural("{number} pods on {node}", "{number} pod on {node}", 1, node="worker1")``

    Catalogues know the first alone, for all numbers.
    """
    return Message(template, {"number": number, **values}, one if number == 1 else template)


def bare(text: str) -> str:
    """Text of others without its full stop. A message without one stays a message."""
    shorter = text.rstrip(". ")
    return text if shorter == text else shorter


def joined(separator: str, pieces: Iterable[str]) -> Message:
    """The pieces in one, each said in its own language, as is a separator that a catalogue has."""
    several = list(pieces)
    values: dict[str, object] = {"and": separator}
    values.update((f"p{number}", piece) for number, piece in enumerate(several))
    return Message("{and}".join(f"{{p{number}}}" for number in range(len(several))), values)


def sentences(*several: str) -> str:
    """One after the other, without those that are empty. How two of them stand together is for a language to say."""
    return functools.reduce(_followed_by, filter(None, several), "")


def _followed_by(first: str, then: str) -> str:
    return tell("{first} {then}", first=first, then=then) if first else then
