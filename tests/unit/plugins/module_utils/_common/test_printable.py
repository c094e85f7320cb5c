# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.printable import presentable, printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("kube-proxy (7)", "kube-proxy (7)", id="plain text"),
        pytest.param("Zürich 节点 ~", "Zürich 节点 ~", id="letters of other languages"),
        pytest.param("\x1b[31mred\x1b]0;t\x07", r"\x1b[31mred\x1b]0;t\x07", id="escape sequences"),
        pytest.param("\x9b31m\x85\x7f", r"\x9b31m\x85\x7f", id="C1 controls and DEL"),
        pytest.param("a\nb\tc\r", r"a\nb\tc\r", id="line breaks and tabs"),
        pytest.param("\u2028\u2029", r"\u2028\u2029", id="other line breaks"),
        pytest.param("\u202eSAFE\u2066\u200f\ufeff", r"\u202eSAFE\u2066\u200f\ufeff", id="marks nobody sees"),
        pytest.param("\0", r"\x00", id="NUL"),
        pytest.param("\udcff.conf", r"\udcff.conf", id="a byte of a name that is not UTF-8"),
        pytest.param("\udcc3\udca9", "é", id="a letter in bytes, as the locale C has it"),
        pytest.param("\udcc2\udc9b", r"\x9b", id="a C1 control in bytes"),
        pytest.param("\ud800\udcff", r"\ud800\udcff", id="halves of surrogate pairs"),
        pytest.param("\\x1b", "\\x1b", id="what is written out already"),
    ],
)
def test_printable(text, expected):
    assert printable(text) == expected


def test_the_text_of_a_file_keeps_its_lines_and_tabs():
    assert printable("a\tb\r\n\r\x1b\n\n", is_file=True) == "a\tb\r\n\\r\\x1b\n\n"


@given(st.text(st.characters() | st.sampled_from("\r\n\t")), st.booleans())
def test_no_text_stays_unprintable_and_none_changes_twice(text, is_file):
    result = printable(text, is_file)
    assert (re.sub("\r\n|\n|\t", "", result) if is_file else result).isprintable()
    assert result.encode("utf-8").decode("utf-8") == printable(result, is_file)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"\x1b": ["\x1b", ("\udcff", 1)]}, {"\\x1b": ["\\x1b", ["\\udcff", 1]]}, id="keys, lists, tuples"),
        pytest.param({7: None, "x": True}, {"7": None, "x": True}, id="numbers as keys, nothing, booleans"),
        pytest.param(b"\xff\x1b", r"\udcff\x1b", id="bytes"),
        pytest.param([10**20 - 1, 1 - 10**20], [10**20 - 1, 1 - 10**20], id="numbers of 20 digits"),
        pytest.param([10**20, -(10**30), 10**5000], [None] * 3, id="longer numbers"),
        pytest.param([1.5, float("inf"), float("nan")], [1.5, None, None], id="no numbers"),
        pytest.param({"diff": [{"before": "a\n\tb\x1b"}]}, {"diff": [{"before": "a\n\tb\\x1b"}]}, id="text of a file"),
        pytest.param({"after": {"/a\nb": "a\n"}}, {"after": {"/a\\nb": "a\n"}}, id="the name of a file"),
        pytest.param(
            {"rps": {"rule": "a\n"}, "error": "a\n"}, {"rps": {"rule": "a\n"}, "error": "a\\n"}, id="udev rules"
        ),
    ],
)
def test_presentable(value, expected):
    assert presentable(value) == expected


def test_deep_nesting_ends():
    value = []
    for _level in range(5000):
        value = [value]
    result = presentable(value)
    for _level in range(50):
        result = result[0]
    assert result is None


TEXTS = st.text(st.characters(), max_size=5)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(4000, 5000).map((10).__pow__)
    | st.floats()
    | TEXTS
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS | st.integers(), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_every_result_is_json_in_printable_text(value):
    text = json.dumps(presentable(value), ensure_ascii=False, allow_nan=False)
    assert text.isprintable()
    assert json.loads(text.encode("utf-8").decode("utf-8")) == presentable(value)
