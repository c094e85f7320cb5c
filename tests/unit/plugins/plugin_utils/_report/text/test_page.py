# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import columns, printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import Language
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import (
    SAFE,
    UNSAFE,
    Page,
    Span,
    plain,
    wrap,
)

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
        pytest.param(
            ["ansible-playbook", "x" * 17, "y" * 20],
            ["Run: ansible-playbook \\", f"     {'x' * 17} \\", f"     {'y' * 20}"],
            id="no line is too wide with its backslash",
        ),
        pytest.param(["a\n-e b=\x1b[2J"], ["Run: a\\n-e b=\\x1b[2J"], id="no line break of its own"),
    ],
)
def test_a_command_to_copy(words, lines):
    assert written(lambda page: page.command(words, "Run: ")) == lines


CHINESE = Language("zh", {"{n} nodes": "{n} 个节点。", "node": "节点"})


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("空闲连接会被忘记", ["空闲连接", "会被忘记"], id="between any two wide characters"),
        pytest.param("空闲连接。会被忘记", ["空闲连", "接。会被", "忘记"], id="not before a closing mark"),
        pytest.param("空闲连「接会被", ["空闲连", "「接会被"], id="not after an opening one"),
        pytest.param("节点 a-1 忘记", ["节点 a-1", "忘记"], id="at blanks, too"),
        pytest.param("忘记 900 秒", ["忘记", "900 秒"], id="a number stays with its unit"),
        pytest.param("节点a-b-c忘", ["节点", "a-b-c忘"], id="before and after Latin, which stays whole"),
    ],
)
def test_chinese_is_broken_between_characters(text, lines):
    assert [plain(line) for line in wrap(text, 8, 8)] == lines


def test_what_is_written_is_said_in_the_language_of_the_page_and_then_made_printable():
    page = Page(40, CHINESE)
    page.line([tell("{n} nodes", n=3), Span("node", SAFE), " \x1b[2J"])
    page.field("node", "x", 6)
    page.command(["node"], "node")
    assert [plain(line) for line in page.lines] == ["3 个节点。节点 \\x1b[2J", "  节点  x", "节点node"]


def test_the_first_line_has_all_of_its_room():
    assert [plain(line) for line in wrap("aa bb cc dd", 8, 5)] == ["aa bb cc", "dd"]
    assert [plain(line) for line in wrap("aa bb cc dd", 5, 8)] == ["aa bb", "cc dd"]
    assert [plain(line) for line in wrap("aaaaaaaaa b c", 8, 5)] == ["aaaaaaaa", "a b c"]


def test_blanks_at_the_end_are_left_out():
    assert written(lambda page: page.add([Span("a "), Span("  ", SAFE)])) == ["a"]
