# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import (
    columns,
    count,
    printable,
    some,
    some_of,
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


def test_counts_and_names():
    assert (count(1, "node"), count(0, "node"), count(2, "node")) == ("1 node", "0 nodes", "2 nodes")
    assert [count(number, "node").template for number in (1, 2)] == ["{number} nodes"] * 2
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"


def test_what_is_left_out_is_not_even_told():
    told = []
    assert some_of(range(8), lambda each: told.append(each) or f"pod {each}", "; ").endswith("pod 5 and 2 more")
    assert told == [0, 1, 2, 3, 4, 5]
    assert some_of([1], str) == "1"
