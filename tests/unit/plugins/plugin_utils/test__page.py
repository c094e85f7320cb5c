# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._page import (
    SAFE,
    UNSAFE,
    Page,
    Span,
    columns,
    count,
    plain,
    printable,
    some,
    wrap,
)


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


@pytest.mark.parametrize(
    ("text", "width"),
    [
        pytest.param("worker1", 7, id="plain text"),
        pytest.param("节点-1", 6, id="characters of two columns"),
        pytest.param("\uff4e\uff4f", 4, id="full-width letters"),
        pytest.param("e\u0301", 1, id="a letter and the accent on it"),
        pytest.param("\u1112\u1161\u11ab", 2, id="a syllable of Hangul in three parts"),
        pytest.param("", 0, id="nothing"),
    ],
)
def test_columns(text, width):
    assert columns(text) == width


TEXTS = st.text(max_size=800) | st.text("节点 e\u0301\u1161s9", max_size=800)


@given(TEXTS, st.integers(0, 20), st.integers(0, 20))
def test_no_line_has_a_control_character_or_is_too_wide(text, indent, hanging):
    page = Page(79)
    page.line(text, indent, hanging)
    page.field("label", [text, Span(text, UNSAFE)], 8)
    page.heading(text)
    assert all(plain(line).isprintable() and columns(plain(line)) <= 79 for line in page.lines)


@given(TEXTS, st.integers(2, 30), st.integers(2, 30))
def test_a_wrapped_text_loses_nothing_but_blanks(text, first, rest):
    lines = wrap([Span(text, UNSAFE)], first, rest)
    assert "".join(map(plain, lines)).replace(" ", "") == printable(text).replace(" ", "")
    assert {span.style for line in lines for span in line if span.text.strip()} <= {UNSAFE}


def written(write, width=40):
    page = Page(width)
    write(page)
    return [plain(line) for line in page.lines]


def test_no_text_begins_a_line_of_its_own():
    lines = written(lambda page: page.field("seen", "a\nFindings\x0bUNSAFE: all", 6))
    assert lines == ["  seen  a\\nFindings\\x0bUNSAFE: all"]


def test_a_number_stays_with_its_unit():
    assert written(lambda page: page.line("x" * 34 + " 7350 s more")) == ["x" * 34, "7350 s more"]


def test_further_lines_hang():
    lines = written(lambda page: page.field("why", "word " * 12, 6))
    assert lines == ["  why   word word word word word word", "        word word word word word word"]


def test_parts_of_a_line_keep_their_style_and_what_no_blank_separates_stays_together():
    page = Page(20)
    page.line([Span("UNSAFE", UNSAFE), ": idle connections ", Span("here", SAFE)])
    assert page.lines == [
        (Span("UNSAFE", UNSAFE), Span(": idle")),
        (Span("connections "), Span("here", SAFE)),
    ]


def test_a_word_that_is_too_long_is_cut():
    assert written(lambda page: page.line("节" * 6 + "x", indent=1), 8) == [" 节节节", " 节节节x"]


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        pytest.param(["ansible-playbook", "x"], ["Run: ansible-playbook x"], id="it fits"),
        pytest.param(
            ["ansible-playbook", "x", "-i inventory", "--check"],
            ["Run: ansible-playbook x -i inventory \\", "     --check"],
            id="continued with a backslash",
        ),
        pytest.param(
            ["ansible-playbook", "-i " + "x" * 60],
            ["Run: ansible-playbook \\", "     -i " + "x" * 60],
            id="a long word is whole, to be copied",
        ),
        pytest.param(["a\n-e b=\x1b[2J"], ["Run: a\\n-e b=\\x1b[2J"], id="no line break of its own"),
    ],
)
def test_a_command_to_copy(words, lines):
    assert written(lambda page: page.command(words, "Run: ")) == lines


def test_blanks_at_the_end_are_left_out():
    assert written(lambda page: page.add([Span("a "), Span("  ", SAFE)])) == ["a"]


def test_counts_and_names():
    assert (count(1, "node"), count(0, "node"), count(2, "node")) == ("1 node", "0 nodes", "2 nodes")
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"
