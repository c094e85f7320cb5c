# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The language of a report: English, or what a catalogue in the folder languages says for it. Private.

A catalogue is a folder of YAML files, each a list of an English text or template and what to say for it. What it lacks
is said in English.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message

_FOLDER = Path(__file__).with_name("languages")

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Language:
    """``code`` is BCP 47's, as HTML's lang has it; ``texts`` maps English texts and templates to this language's."""

    code: str = "en"
    texts: Mapping[str, str] = field(default_factory=dict)

    def say(self, text: str) -> str:
        """A message by its template, each of its values too; any other text as it stands, if the catalogue has it."""
        if not self.texts:
            return text
        if not isinstance(text, Message):
            return self.texts.get(text, text)
        values = {name: self.say(each) if isinstance(each, str) else each for name, each in text.values.items()}
        return self.texts.get(text.template, text.english).format_map(values)


ENGLISH = Language()


@functools.cache
def language(code: str) -> Language:
    """One of LANGUAGES."""
    return ENGLISH if code == ENGLISH.code else Language(code, dict(_entries(code)))


def _entries(code: str) -> Iterator[tuple[str, str]]:
    for path in sorted((_FOLDER / code).glob("*.yml")):
        # The catalogue is the collection's own; nothing of a node or a user is in it.
        for entry in yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER):  # noqa: S506
            yield entry["en"], entry[code]


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
