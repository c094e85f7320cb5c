# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single fields of a YAML file of somebody else, changed where they stand. Private to this collection.

A YAML library reads a file and writes another one: comments, order and quotes are lost. Here the parser only says where
a value stands, and nothing but those characters is changed. What cannot be changed in that way is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError

MAX_CHARACTERS = 1 << 16
MAX_BRACES = 200
"""Far more than a configuration has. The parser's time grows with the square of the braces that are open."""

_STEP = "  "


@dataclass(frozen=True)
class Entry:
    """One ``key: value`` of a mapping. ``line`` counts from 1; ``raw`` is the value as it is written."""

    key: yaml.ScalarNode
    value: yaml.Node
    flow: bool
    raw: str

    @property
    def line(self) -> int:
        return int(self.key.start_mark.line) + 1

    @property
    def quote(self) -> str:
        """The quotes around the value; in braces double ones, which JSON wants."""
        return '"' if self.flow else self.raw[:1] if self.raw[:1] in ('"', "'") else ""


class Document:
    """A YAML text with one mapping of sections, each a mapping of fields. Every change gives a new one.

    Raises PlanError for what is no such text, or is written in a way in which no field can be changed on its own.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._root = _compose(text)
        self.data: dict[Any, Any] = yaml.safe_load(text)

    def find(self, section: str, field: str) -> Entry | None:
        """Where a field stands; None where it does not."""
        mapping = self._section(section)
        return self._entry(mapping, field) if mapping else None

    def with_value(self, section: str, field: str, raw: str) -> Document:
        """The text with the field set to ``raw``, a plain or quoted scalar of one line."""
        mapping = self._section(section)
        entry = self._entry(mapping, field) if mapping else None
        expected = dict(self.data)
        expected[section] = {**(self.data[section] if mapping else {}), field: parse_scalar(raw)}
        if entry:
            return self._checked(self._replaced(entry, raw), expected)
        if mapping:
            return self._checked(self._inserted(mapping, section, field, raw), expected)
        return self._checked(self._appended(section, field, raw), expected)

    def without(self, section: str, field: str) -> Document:
        """The text without the lines of the field, and without those of the section where nothing else is in it."""
        mapping = self._section(section)
        entry = self._entry(mapping, field) if mapping else None
        if mapping is None or entry is None:
            return self
        if entry.flow:
            raise PlanError(f"line {entry.line}: {section}.{field} stands in braces and cannot be taken out on its own")
        expected = dict(self.data)
        expected[section] = {key: value for key, value in self.data[section].items() if key != field}
        text = self._without_lines(entry.line, entry.value.end_mark.line + 1)
        if not expected[section]:
            del expected[section]
            emptied = Document(text)
            parent = emptied._entry(emptied._root, section)
            text = emptied._without_lines(parent.line, parent.line) if parent else text
        return self._checked(text, expected)

    def _section(self, name: str) -> yaml.MappingNode | None:
        entry = self._entry(self._root, name)
        if entry is None:
            return None
        if not isinstance(entry.value, yaml.MappingNode) or not entry.value.value:
            raise PlanError(f"line {entry.line}: {name} holds no fields")
        return entry.value

    def _entry(self, mapping: yaml.MappingNode, name: str) -> Entry | None:
        for key, value in mapping.value:
            if isinstance(key, yaml.ScalarNode) and key.value == name:
                raw = self.text[value.start_mark.index : value.end_mark.index]
                return Entry(key, value, bool(mapping.flow_style), raw)
        return None

    def _replaced(self, entry: Entry, raw: str) -> str:
        start, end = entry.value.start_mark, entry.value.end_mark
        if not isinstance(entry.value, yaml.ScalarNode) or start.line != end.line:
            raise PlanError(f"line {entry.line}: the value of {entry.key.value} is not on one line")
        before = self.text[: start.index]
        if not raw:
            before = before.rstrip(" ")
        elif before.endswith(":"):
            before += " "  # without it the colon would be part of a name
        return before + raw + self.text[end.index :]

    def _inserted(self, mapping: yaml.MappingNode, section: str, field: str, raw: str) -> str:
        after = [key for key, value in mapping.value if _on_one_line(key, value)][-1:]
        mark = (after or [mapping.value[0][0]])[0].start_mark
        if mapping.flow_style:
            raise PlanError(f"line {mark.line + 1}: {section} stands in braces, so no line can be added to it")
        start = mark.index - mark.column
        indent = self.text[start : mark.index]
        if indent.strip(" "):
            raise PlanError(f"line {mark.line + 1}: {section} begins with {indent.strip()!r}, not with a field")
        lines = self.text.split(self._newline)
        lines.insert(mark.line + len(after), f"{indent}{field}: {raw}")
        return self._newline.join(lines)

    def _appended(self, section: str, field: str, raw: str) -> str:
        if self._root.flow_style or self._root.start_mark.column:
            raise PlanError(f"it is no block of lines from the first column on, so {section} cannot be added to it")
        lines, end = [f"{section}:", f"{_STEP}{field}: {raw}"], self._root.end_mark.index
        ended = self.text[:end].endswith("\n")
        lines = [*lines, ""] if ended else ["", *lines]
        return self.text[:end] + self._newline.join(lines) + self.text[end:]

    def _without_lines(self, first: int, last: int) -> str:
        """The text without these lines, counted from 1."""
        lines = self.text.split(self._newline)
        return self._newline.join(lines[: first - 1] + lines[last:])

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _checked(self, text: str, expected: dict[Any, Any]) -> Document:
        """The text as a document. It is read again and compared: it must say what was wished and nothing else."""
        changed = Document(text)
        if changed.data != expected:
            raise PlanError("the change would reach more than the field")
        return changed


def parse_scalar(raw: str) -> object:
    """The value that a scalar of one line means, as text of a file. Raises PlanError for anything else."""
    try:
        value = yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PlanError(f"{raw!r} is no value of one line") from error
    if "\n" in raw or isinstance(value, (dict, list)):
        raise PlanError(f"{raw!r} is no value of one line")
    return value


def _compose(text: str) -> yaml.MappingNode:
    if len(text) > MAX_CHARACTERS:
        raise PlanError(f"it has {len(text)} characters, more than {MAX_CHARACTERS}")
    if text.count("[") + text.count("{") > MAX_BRACES:
        raise PlanError(f"it has more than {MAX_BRACES} opening braces and brackets")
    try:
        _refuse_special(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise PlanError(f"{where}it is no YAML ({error.problem or error.context})") from error
    except RecursionError:
        raise PlanError("it is nested too deep") from None
    except (ValueError, ArithmeticError):  # of a date or a number
        raise PlanError("it has a date or a number that is none, or too long for one") from None
    except yaml.YAMLError as error:
        raise PlanError(f"it is no YAML ({(str(error) or type(error).__name__).splitlines()[0]})") from error
    if not isinstance(root, yaml.MappingNode) or not root.value:
        raise PlanError("it is no mapping of names and values")
    for mapping in (root, *(value for _key, value in root.value if isinstance(value, yaml.MappingNode))):
        _refuse_twice(mapping)
    return root


def _refuse_special(text: str) -> None:
    """Raise PlanError for what lets one place of the text mean something elsewhere."""
    documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if documents > 1:
            raise PlanError(f"line {line}: a second document begins")
        if anchor:
            raise PlanError(f"line {line}: it uses an anchor or an alias ({anchor})")
        if tag:
            raise PlanError(f"line {line}: it uses a tag ({tag})")


def _refuse_twice(mapping: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key in _names(mapping):
        if key.value in seen:
            raise PlanError(f"line {key.start_mark.line + 1}: {key.value} is there twice")
        seen.add(key.value)


def _on_one_line(key: yaml.Node, value: yaml.Node) -> bool:
    return isinstance(value, yaml.ScalarNode) and key.start_mark.line == value.end_mark.line


def _names(mapping: yaml.MappingNode) -> Iterator[yaml.ScalarNode]:
    for key, _value in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            raise PlanError(f"line {key.start_mark.line + 1}: a name is no plain text")
        if key.value == "<<":
            raise PlanError(f"line {key.start_mark.line + 1}: it merges another mapping in (<<)")
        yield key
