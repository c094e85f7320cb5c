# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import contextlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"\xff", "byte 1 is not UTF-8", id="no text"),
        pytest.param(b'{"a": 1,\n "b" 2}', "line 2, column 6: Expecting ':' delimiter", id="no JSON"),
        pytest.param(b"[" * 101 + b"]" * 101, "it is nested deeper than 100 levels", id="too deep"),
        pytest.param(b'{"a":' * 100000, "it is nested deeper than 100 levels", id="far too deep, and cut off"),
        pytest.param(b"[-" + b"9" * 4300 + b"]", "a number has 4301 digits", id="a number that Python refuses"),
        pytest.param(b"1e400", "1e400 is too long or too large for a number", id="a number that no double is"),
        pytest.param(b"0." + b"1" * 9999, "0." + "1" * 38 + " is too long or too large for a number", id="a long one"),
        pytest.param(b"[NaN]", "NaN is no number in JSON", id="not a number"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(data, why):
    with pytest.raises(ValueError, match=rf"\A{re.escape(why)}\Z"):
        parse_json(data)


@pytest.mark.parametrize(
    "text", ['"[[[' + "[" * 200 + '"', '"\\"' + "{" * 200 + '"', "[" * 100 + "]" * 100, "[[]," * 99 + "1" + "]" * 99]
)
def test_brackets_in_text_are_no_nesting(text):
    assert parse_json(text.encode()) == json.loads(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_json_is_stays_as_it_is(value):
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary() | st.text('[]{}":,\\1e.').map(str.encode))
def test_no_bytes_raise_anything_but_a_value_error(data):
    with contextlib.suppress(ValueError):
        parse_json(data)
