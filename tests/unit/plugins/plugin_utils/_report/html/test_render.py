# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html import render as render_room
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.render import TEMPLATES, render
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import Language

FOLDER = Path(render_room.__file__).with_name("templates")
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
MACROS = TEMPLATES.get_template("macros.html.j2").module


class _Seen(HTMLParser):
    """What a browser would make of markup: elements with their attributes, and text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements, self.text = [], ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("<b> & \"'", "&lt;b&gt; &amp; &#34;&#39;", id="markup"),
        pytest.param("a\nb", "a\\nb", id="a line break becomes visible"),
        pytest.param("\u202eevil", "\\u202eevil", id="a mark that turns the direction becomes visible"),
        pytest.param(None, "", id="None is nothing"),
        pytest.param(0, "0", id="0 is something"),
        pytest.param(1.26, "1.3", id="tenths are enough"),
        pytest.param(2.0, "2", id="a whole number"),
    ],
)
def test_how_a_value_gets_into_a_template(value, expected):
    assert TEMPLATES.from_string("{{ value }}").render(value=value) == expected


def test_what_a_template_made_is_escaped_once():
    assert MACROS.command(MACROS.name("<")).count("&lt;") == 1
    assert TEMPLATES.from_string("{{ it }}").render(it=MACROS.name("<")) == '<bdi class="name">&lt;</bdi>'


GERMAN = Language("de", {"safe": "sicher", "{n} nodes": "{n} Knoten", "{clause}.": "{clause}!"})


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param('{{ "safe" }}', "safe", id="a class, a key or a node that reads like one of our words"),
        pytest.param('{{ "safe" | said }}', "sicher", id="a text that stands in the catalogue"),
        pytest.param('{{ _("{n} nodes", n=3) }}', "3 Knoten", id="a template with a value"),
        pytest.param('{{ _("{n} pods", n="<") }}', "&lt; pods", id="what the catalogue lacks, escaped"),
        pytest.param('{{ "safe" | sentence }}', "Sicher!", id="a clause"),
        pytest.param('{{ "safe" | split_at_code | join }}', "sicher", id="a sentence with code"),
    ],
)
def test_in_another_language(template, expected):
    assert TEMPLATES.from_string(template).render(language=GERMAN) == expected


@given(st.text(), st.text())
def test_any_text_is_text_and_any_attribute_stays_one(child, attribute):
    seen = _Seen(
        TEMPLATES.from_string('<p title="{{ attribute }}">{{ child }}</p>').render(child=child, attribute=attribute)
    )
    assert seen.elements == [("p", {"title": printable(attribute)})]
    assert seen.text == printable(child)


@pytest.mark.parametrize("template", ["{{ nobody }}", "{{ value.nobody }}", "{% if value.nobody %}{% endif %}"])
def test_a_name_that_is_not_there_is_an_error(template):
    with pytest.raises(UndefinedError, match="nobody"):
        TEMPLATES.from_string(template).render(value={})


@pytest.mark.parametrize("name", ["page.css", "page.js"])
def test_style_and_script_go_into_the_page_as_they_are(name):
    assert render(name) == SOURCES[name]
    assert "</" not in SOURCES[name]


@pytest.mark.parametrize("name", [name for name in SOURCES if name.endswith(".j2")])
def test_no_template_takes_a_value_as_markup(name):
    """All that it shows is escaped, and every attribute with a value has quotes around it."""
    statements = re.findall(r"{[{%].*?[%}]}", SOURCES[name], re.DOTALL)
    unescaped = re.compile(r"\|\s*(safe|xmlattr|tojson|urlize)\b|autoescape")
    assert [each for each in statements if unescaped.search(each)] == []
    assert re.findall(r"=\s*{{.*", SOURCES[name]) == []


def test_every_template_is_in_use():
    named = set(re.findall(r'"([\w.]+)"', "".join(SOURCES.values()))) | {"page.html.j2"}
    parts = {f"{part}.html.j2" for part in re.findall(r'^    "(\w+)": ', SOURCES["page.html.j2"], re.MULTILINE)}
    assert set(SOURCES) == (named | parts) & set(SOURCES)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        pytest.param(
            MACROS.badge("unsafe"),
            '<span class="badge unsafe"><span class="sign" aria-hidden="true">✗</span>unsafe</span>',
            id="a badge",
        ),
        pytest.param(
            MACROS.badge("warning", "2 warnings"),
            '<span class="badge warning"><span class="sign" aria-hidden="true">!</span>2 warnings</span>',
            id="a badge with words",
        ),
        pytest.param(MACROS.prose("set keepalive_margin."), "set <code>keepalive_margin</code>.", id="a sentence"),
        pytest.param(MACROS.value("a"), "<code>a</code>", id="a value"),
        pytest.param(MACROS.value(None), "not there", id="no value"),
        pytest.param(MACROS.command("ls"), '<div class="command" data-copy><code>ls</code></div>\n', id="a command"),
    ],
)
def test_macros(markup, expected):
    assert markup == expected


def text(markup):
    return " ".join(_Seen(markup).text.split())


@pytest.mark.parametrize(
    ("number", "heading", "names"),
    [
        pytest.param(1, "n0", "n0", id="one"),
        pytest.param(3, "n0, n1, n2", "n0, n1, n2", id="as many as a heading names"),
        pytest.param(4, "4 nodes n0, n1, n2, n3", "n0, n1, n2, n3", id="more than a heading names"),
        pytest.param(
            8,
            "8 nodes n0, n1, n2, n3, n4, n5, n6, n7",
            "n0, n1, n2, n3, n4, n5, n6, n7",
            id="as many as are seen at once",
        ),
        pytest.param(
            10,
            "10 nodes n0, n1, n2, n3, n4, n5, n6, n7 and 2 moren8, n9",
            "n0, n1, n2, n3, n4, n5, n6, n7 and 2 moren8, n9",
            id="more than are seen at once",
        ),
    ],
)
def test_names_of_nodes(number, heading, names):
    nodes = [f"n{each}" for each in range(number)]
    assert text(MACROS.heading("h3", nodes)) == heading
    assert text(MACROS.names(nodes)) == names


def test_a_row_says_its_columns_and_what_they_are_sorted_by():
    seen = _Seen(MACROS.row(("Node", "Pods", "Mode"), (("n1", None), ("3 of 4", 3), ("ipvs", "")), "unsafe"))
    assert seen.elements == [
        ("tr", {"data-kind": "unsafe"}),
        ("th", {"scope": "row", "data-label": "Node"}),
        ("td", {"data-label": "Pods", "data-key": "3"}),
        ("td", {"data-label": "Mode", "data-key": ""}),
    ]
    assert seen.text.split() == ["n13", "of", "4ipvs"]
