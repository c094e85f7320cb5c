# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import language
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import nodes, quiet_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import row, with_rows
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._text_examples import (
    EXAMPLES,
    OF_PAGES,
)

ZH = language("zh")

OTHERS = ("code", "pre", "bdi", "style", "script", "time", "title", "header")
"""What stands there is a name, a command, a file: not ours to say; or the verdict, which is not the page's own."""

_ENGLISH = re.compile(r"\b[A-Za-z][a-z]+(?: [a-z]{2,}){2,}")
"""Three words in a row."""


class _Words(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._others = 0
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._others += tag in OTHERS
        self.said += [value for name, value in attrs if value and name in ("aria-label", "data-filter")]

    def handle_endtag(self, tag: str) -> None:
        self._others -= tag in OTHERS

    def handle_data(self, data: str) -> None:
        if not self._others:
            self.said.append(data)


QUOTED = "Connection reset by peer"


def said_by_others(report):
    """What a node or a user says is shown as it is."""
    told = [QUOTED, *(str(each["silenced"]) for each in report["findings"])]
    for node in report["nodes"]:
        parts = [node["problems"], node["coverage"]["not_seen"], node["kube_proxy"], node["namespaces"], node["pods"]]
        outcome = node["applied"] or {"error": None, "notes": []}
        told += [repr(part) for part in parts] + [str(outcome["error"]), *outcome["notes"]]
    return "\n".join(told)


def left_in_english(report):
    others = said_by_others(report)
    said = _Words(render_html(report, language=ZH)).said
    return sorted({found for text in said for found in _ENGLISH.findall(text) if found not in others})


@pytest.mark.parametrize("name", OF_PAGES)
def test_nothing_on_a_page_is_left_in_english(name):
    assert left_in_english(EXAMPLES[name]()) == []


class _Marks(HTMLParser):
    """What style sheet, script and links go by, and the texts that stand on the page, whole."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.marks: list[object] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.marks.append((tag, [(name, None if name in SPOKEN or tag == "script" else text) for name, text in attrs]))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside not in ("code", "pre", "bdi", "style", "script"):
            self.texts.append(data.strip())


SPOKEN = ("aria-label", "lang", "href", "data-label", "data-filter")
"""Attributes that have our words, or a page in the language."""


def marks(name, language):
    """The marks, each once: a language may break a sentence at other places."""
    return {repr(each) for each in _Marks(render_html(EXAMPLES[name](), language=language)).marks}


@pytest.mark.parametrize("name", OF_PAGES)
def test_classes_ids_and_data_are_those_of_the_english_page(name):
    assert marks(name, ZH) == marks(name, language("en"))


@pytest.mark.parametrize("name", OF_PAGES)
def test_no_word_that_the_catalogue_has_stands_on_a_page_in_english(name):
    texts = _Marks(render_html(EXAMPLES[name](), language=ZH)).texts
    assert [text for text in texts if text in ZH.texts and ZH.texts[text] != text] == []


def test_a_finding_leads_to_its_page_in_chinese():
    assert "/docs/zh/findings.md#keepalive-too-late" in render_html(EXAMPLES["1-node"](), language=ZH)


def test_the_page_says_its_language():
    assert '<html lang="zh">' in render_html(EXAMPLES["1-node"](), language=ZH)
    assert '<html lang="en">' in render_html(EXAMPLES["1-node"]())


def test_style_and_script_and_their_hashes_are_the_same_in_every_language():
    pages = [render_html(EXAMPLES["1-node"](), language=each) for each in (ZH, language("en"))]
    policies = [re.findall('Content-Security-Policy" content="([^"]*)"', page) for page in pages]
    assert policies[0] == policies[1] != []


def test_a_pod_that_is_named_like_one_of_our_words_keeps_its_name():
    report = document(nodes(with_rows(quiet_node(), row("Pods", (7200, 75, 9)))), {})
    markup = render_html(report, language=ZH)
    assert '<bdi class="name">Pods</bdi>' in markup
    assert "<h4>Pod <span" in markup
