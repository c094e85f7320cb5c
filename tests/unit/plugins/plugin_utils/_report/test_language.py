# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jinja2 import nodes

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, plural, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.render import TEMPLATES
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import (
    ENGLISH,
    LANGUAGES,
    Language,
    language,
)

PLUGIN_UTILS = Path(__file__).resolve().parents[5] / "plugins" / "plugin_utils"
CATALOGUES = PLUGIN_UTILS / "_report" / "languages"
OTHERS = [code for code in LANGUAGES if code != ENGLISH.code]

MAKERS = {"tell", "plural", "remedy"}
"""The functions whose first argument is a template."""

COUNT = "count"
"""The function whose second argument is a noun, of which words.py makes a template."""

MARK = "_"
"""What a template of Jinja calls for its words."""

GERMAN = Language(
    "de",
    {
        "{n} nodes": "{n} Knoten",
        "on {where}": "auf {where}",
        "not read": "nicht gelesen",
        ", ": "; ",
        "{number} nodes": "{number} Knoten",
    },
)


def test_a_message_is_said_by_its_template_with_each_of_its_values() -> None:
    assert GERMAN.say(tell("on {where}", where=tell("{n} nodes", n=3))) == "auf 3 Knoten"


def test_a_text_that_the_catalogue_has_is_said_as_it_stands() -> None:
    assert GERMAN.say("not read") == "nicht gelesen"


def test_what_the_catalogue_lacks_is_said_in_english() -> None:
    assert GERMAN.say(tell("{n} pods on {where}", n=1, where=tell("{n} nodes", n=3))) == "1 pods on 3 Knoten"
    assert GERMAN.say("worker1") == "worker1"


def test_a_separator_is_said_too() -> None:
    assert GERMAN.say(joined(", ", ["a", tell("{n} nodes", n=3)])) == "a; 3 Knoten"


def test_a_language_has_one_template_for_all_numbers() -> None:
    assert [GERMAN.say(count(number, "node")) for number in (1, 2)] == ["1 Knoten", "2 Knoten"]
    assert GERMAN.say(plural("{number} of {n} nodes", "{number} of {n} node", 1, n=3)) == "1 of 3 node"


def test_english_is_what_was_written() -> None:
    message = tell("{n} nodes", n=3)

    assert language("en").say(message) is message


def _entries(code: str) -> list[dict[str, str]]:
    paths = sorted((CATALOGUES / code).glob("*.yml"))
    return [entry for path in paths for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]


def _called(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _of_python(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and _called(node.func) in MAKERS and not _handed_on(node):
            first = node.args[0]
            for each in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
                assert isinstance(each, ast.Constant), f"{path.name}:{node.lineno}: the template is no literal"
                yield str(each.value)
        if isinstance(node, ast.Call) and _called(node.func) == COUNT and len(node.args) == 2:
            yield from map(_counted, _constants_in(node.args[1]))


def _counted(noun: str) -> str:
    return f"{{number}} {noun}s"


def _constants_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _handed_on(call: ast.Call) -> bool:
    """Whether a maker hands its own template on to another."""
    return isinstance(call.args[0], ast.Name) and call.args[0].id == "template"


def _of_jinja(path: Path) -> Iterator[str]:
    for call in TEMPLATES.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == MARK:
            assert isinstance(call.args[0], nodes.Const), f"{path.name}:{call.lineno}: the words are no literal"
            yield str(call.args[0].value)


NODE = sorted((PLUGIN_UTILS.parent / "module_utils").rglob("*.py"))
PYTHON = sorted(PLUGIN_UTILS.rglob("*.py"))
JINJA = sorted(PLUGIN_UTILS.rglob("*.html.j2"))


def _name(path: Path) -> str:
    return str(path.relative_to(PLUGIN_UTILS))


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("path", [*PYTHON, *JINJA], ids=_name)
def test_each_template_is_said_in_each_language(path: Path, code: str) -> None:
    texts = {entry["en"] for entry in _entries(code)}

    lacking = [each for each in (_of_python if path in PYTHON else _of_jinja)(path) if each not in texts]

    assert not lacking


@pytest.mark.parametrize("code", OTHERS)
def test_each_text_is_in_a_catalogue_once(code: str) -> None:
    assert not [text for text, times in Counter(entry["en"] for entry in _entries(code)).items() if times > 1]


@pytest.mark.parametrize("code", OTHERS)
def test_each_entry_has_the_fields_of_its_template(code: str) -> None:
    assert not [entry for entry in _entries(code) if _fields(entry["en"]) != _fields(entry[code])]


def _fields(template: str) -> set[str]:
    return {name for _text, name, _format, _conversion in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("code", OTHERS)
def test_nothing_in_a_catalogue_is_left_over(code: str) -> None:
    written = {each for path in (*PYTHON, *NODE) for each in _constants_in(ast.parse(path.read_text(encoding="utf-8")))}
    written |= set(map(_counted, written)) | {each for path in JINJA for each in _of_jinja(path)}
    written |= {each.rstrip(".") for each in written}
    # The docstring of a rule is said in one line.
    written |= {" ".join(each.split()) for each in written}

    assert not [entry["en"] for entry in _entries(code) if entry["en"] not in written]
