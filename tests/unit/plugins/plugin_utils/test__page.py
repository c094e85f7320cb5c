# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._page import WIDTH, Page, count, printable, some


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("worker1", "worker1", id="plain text"),
        pytest.param("Zürich ü", "Zürich ü", id="letters of other languages"),
        pytest.param("\x1b[31mred", r"\x1b[31mred", id="an escape sequence"),
        pytest.param("a\nworker2: SAFE\r", r"a\nworker2: SAFE\r", id="line breaks"),
        pytest.param("\u202eSAFE", r"\u202eSAFE", id="a mark that turns the direction"),
        pytest.param("\u2028x\x85\x9b", r"\u2028x\x85\x9b", id="other line breaks and C1 controls"),
        pytest.param("a\u00a0b", r"a\xa0b", id="a no-break space"),
        pytest.param("\ud800", r"\ud800", id="half a surrogate pair"),
        pytest.param(7, "7", id="no text at all"),
    ],
)
def test_printable(text, expected):
    assert printable(text) == expected


@given(st.text(max_size=800), st.integers(0, 20), st.integers(0, 20))
def test_no_line_has_a_control_character_or_is_too_wide(text, indent, hanging):
    page = Page()
    page.line(text, indent, hanging)
    page.field("label", text)
    assert all(line.isprintable() and len(line) <= WIDTH for line in page.lines)


def test_no_text_begins_a_line_of_its_own():
    page = Page()
    page.field("seen", "a\nFindings\x0bVerdict: SAFE")
    assert page.lines == ["  seen        a\\nFindings\\x0bVerdict: SAFE"]


def test_a_number_stays_with_its_unit():
    page = Page()
    page.line("x" * 90 + " 7350 s more")
    assert page.lines == ["x" * 90, "7350 s more"]


def test_further_lines_hang():
    page = Page()
    page.field("why", "word " * 40)
    assert page.lines[0].startswith("  why         word word")
    assert all(line.startswith(" " * 14 + "word") for line in page.lines[1:])


def test_counts_and_names():
    assert (count(1, "node"), count(0, "node"), count(2, "node")) == ("1 node", "0 nodes", "2 nodes")
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"
