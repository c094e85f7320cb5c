# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.markup import (
    Markup,
    join,
    tag,
    text,
    verbatim,
)


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
    ("markup", "expected"),
    [
        pytest.param(tag("p", "a ", tag("b", "c")), "<p>a <b>c</b></p>", id="children"),
        pytest.param(tag("p", "<b>"), "<p>&lt;b&gt;</p>", id="markup in text"),
        pytest.param(tag("p", None, 0), "<p>0</p>", id="None is no child, 0 is"),
        pytest.param(tag("p", "a\nb"), "<p>a\\nb</p>", id="a line break becomes visible"),
        pytest.param(
            tag("p", "\u202eevil"), "<p>\\u202eevil</p>", id="a mark that turns the direction becomes visible"
        ),
        pytest.param(tag("p", class_="a b", data_key=1), '<p class="a b" data-key="1"></p>', id="attributes"),
        pytest.param(tag("p", name_="n"), '<p name="n"></p>', id="an attribute called name"),
        pytest.param(tag("p", open=True, hidden=False, id=None), "<p open></p>", id="attributes without a value"),
        pytest.param(tag("p", id='"><script>'), '<p id="&quot;&gt;&lt;script&gt;"></p>', id="markup in an attribute"),
        pytest.param(tag("rect", x=1.26, y=2.0), '<rect x="1.3" y="2"></rect>', id="tenths are enough"),
        pytest.param(tag("meta", charset="utf-8"), '<meta charset="utf-8">', id="an element without an end"),
        pytest.param(join(["a", tag("i", "b")], ", "), "a, <i>b</i>", id="a list"),
        pytest.param(verbatim("style", "a > b {}", media="all"), '<style media="all">a > b {}</style>', id="verbatim"),
    ],
)
def test_markup(markup, expected):
    assert markup == expected
    assert isinstance(markup, Markup)


def test_nothing_verbatim_ends_its_element():
    with pytest.raises(ValueError, match=r"^the content of <script> holds '</', which would end it$"):
        verbatim("script", "'</script>'")


@given(st.text(), st.text())
def test_any_text_is_text_and_any_attribute_stays_one(child, attribute):
    seen = _Seen(tag("p", child, title=attribute))
    assert seen.elements == [("p", {"title": printable(attribute)})]
    assert seen.text == printable(child)


@given(st.text())
def test_text_has_no_character_that_means_something_else(value):
    assert text(value).isprintable()
    assert not set('<>"') & set(text(value))
