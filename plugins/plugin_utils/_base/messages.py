# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sentences that remember what they were made of, so that a report can say them in another language. Private."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Message(str):
    """English text, with the template and the values that it was made of.

    It is a str to everybody who does not ask for more: equal to, sorted, and written as its English text.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Message:
        message = super().__new__(cls, template.format_map(values))
        message.template, message.values = template, values
        return message

    def __getnewargs__(self) -> tuple[str, Mapping[str, object]]:  # type: ignore[override]
        return self.template, self.values


def tell(template: str, /, **values: object) -> Message:
    """``tell("{node} forgets it after {seconds} s", node="worker1", seconds=900)``

    The template is a literal, so that a test finds it and asks for it in every language. Values may be messages.
    """
    return Message(template, values)


def joined(separator: str, pieces: Iterable[str]) -> Message:
    """The pieces in one, each said in its own language, as is a separator that a catalogue has."""
    several = list(pieces)
    values: dict[str, object] = {"and": separator}
    values.update((f"p{number}", piece) for number, piece in enumerate(several))
    return Message("{and}".join(f"{{p{number}}}" for number in range(len(several))), values)
