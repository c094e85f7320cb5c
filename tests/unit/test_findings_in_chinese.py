# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every sentence of a finding can be said in Chinese: of the cases of all rooms, and by the source of each rule."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import Rule
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.table import RULES, findings_of_apply
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import language
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings import test_applied
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import nodes

HERE = Path(__file__).resolve().parent
SOURCES = sorted((HERE.parents[1] / "plugins" / "plugin_utils" / "_findings").glob("*.py"))
TESTS = HERE / "plugins" / "plugin_utils" / "_findings"
PACKAGE = test_applied.__name__.rpartition(".")[0]
ROOMS = [importlib.import_module(f"{PACKAGE}.{path.stem}") for path in sorted(TESTS.glob("test_*.py"))]
CASES = [row for room in ROOMS for row in getattr(room, "RAISED", ())]
SAID = ("observed", "limit", "why", "remedy")
CHINESE = language("zh")
HOW = "Write its Chinese into plugins/plugin_utils/_report/languages/zh/findings-*.yml."

ENGLISH = re.compile(r"\b[a-z]+(?: [a-z]+){2,}\b")
"""Three words in a row are a sentence, or a part of one."""

WORD = re.compile(r"(?<![\w.-])(?!true\b|false\b)[a-z]{2,}(?![\w.=:-])")
"""A word that is no part of a name, and no variable or its value."""

WORDS = re.compile(r"\b[a-z]+ [a-z]+\b")


def unsaid(text: object, own: frozenset[str] = frozenset()) -> Iterator[str]:
    """The pieces of a text that Chinese has no words for. What is part of ``own`` is a node's own text."""
    if isinstance(text, Message):
        if text.template not in CHINESE.texts and WORD.search(re.sub(r"\{[^{}]*\}", "{}", text.template)):
            yield text.template
        for value in text.values.values():
            yield from unsaid(value, own)
    elif isinstance(text, str) and ENGLISH.search(text) and text not in CHINESE.texts and not _is_part_of(own, text):
        yield text


def _is_part_of(own: frozenset[str], text: str) -> bool:
    return any(text in each for each in own)


def texts_in(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for each in (*data, *data.values()):
            yield from texts_in(each)
    elif isinstance(data, list | tuple):
        for each in data:
            yield from texts_in(each)


def unsaid_of(findings: Any, data: object) -> set[str]:
    own = frozenset(texts_in(data))
    return {piece for finding in findings for name in SAID for piece in unsaid(finding[name], own)}


def test_what_is_in_english_still_is_found() -> None:
    known = tell("{apply}.", apply="Nothing has to be done.")

    assert not set(unsaid(known))
    assert set(unsaid(joined("; ", [known, f"{1} of them is late"]))) == {"1 of them is late"}
    assert set(unsaid(tell("{n} is no entry", n=known))) == {"{n} is no entry"}
    assert not set(unsaid(tell("{what}: {why}", what="x", why="not to be read"), frozenset(["it is not to be read."])))


@pytest.mark.parametrize(("_identity", "node", "policy", "_expected"), CASES)
def test_each_finding_on_a_node_is_said_in_chinese(_identity: str, node: Any, policy: Any, _expected: Any) -> None:
    seen = nodes(*(node if isinstance(node, tuple) else (node,)))

    assert not unsaid_of(make_plan(seen, policy)["findings"], [seen, policy])


@pytest.mark.parametrize("identity", test_applied.EXAMPLES)
def test_each_finding_on_an_apply_is_said_in_chinese(identity: str) -> None:
    outcome = test_applied.EXAMPLES[identity]
    findings = [each.as_dict() for each in findings_of_apply({"worker1": outcome})]

    assert findings
    assert not unsaid_of(findings, outcome)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_is_described_in_chinese(rule: Rule) -> None:
    assert not {rule.description} - CHINESE.texts.keys(), HOW


@pytest.mark.parametrize("path", [path for path in SOURCES if path.stem != "silences"], ids=lambda path: path.stem)
def test_each_sentence_of_a_room_is_in_the_catalogue(path: Path) -> None:
    """Also where no case comes to it. The words of silences are of errors, which are told in English."""
    said = list(_strings(ast.parse(path.read_text(encoding="utf-8"))))
    texts = [each for each in said if isinstance(each, str) and WORDS.search(each)]

    assert not [each for each in texts if not {each, f"{{number}} {each}s"} & CHINESE.texts.keys()], HOW
    assert not [ast.unparse(each) for each in said if isinstance(each, ast.JoinedStr) and WORD.search(_around(each))]


def _strings(tree: ast.AST) -> Iterator[str | ast.JoinedStr]:
    """The text of each constant that is no docstring, and each f-string, but for what is raised."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.JoinedStr):
            yield node
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not isinstance(tree, ast.Expr):
            yield node.value
        elif not isinstance(node, ast.Raise):
            yield from _strings(node)


def _around(text: ast.JoinedStr) -> str:
    """What an f-string has around its values."""
    return "{}".join(str(each.value) for each in text.values if isinstance(each, ast.Constant))
