# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import MappingProxyType

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import (
    Range,
    plain,
    truth,
    whole_number,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError


class Text(str):
    """A marked string, as Ansible's are."""


class Number(int):
    """A tagged number, as Ansible's are."""


def test_plain_leaves_nothing_of_other_types():
    marked = MappingProxyType({Text("a"): (Text("b"), Number(3), {"c": None}, True, 1.5), "d": [Text("e")]})
    copy = plain(marked)
    assert copy == {"a": ["b", 3, {"c": None}, True, 1.5], "d": ["e"]}
    assert {type(each) for each in (*copy, *copy["a"][:2], *copy["d"])} == {str, int}
    assert (type(copy), type(copy["a"]), type(copy["a"][2])) == (dict, list, dict)


def test_plain_copies():
    original = {"a": [1]}
    plain(original)["a"].append(2)
    assert original == {"a": [1]}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        pytest.param(9, 9, id="an int"),
        pytest.param("9", 9, id="text of an int"),
        pytest.param(" -9\n", -9, id="text with space around it"),
        pytest.param("\x1c9", None, id="text with a separator that int does not take for space"),
        pytest.param(True, None, id="a boolean"),
        pytest.param(9.0, None, id="a float"),
        pytest.param("9.0", None, id="text of a float"),
        pytest.param("9 s", None, id="text with a unit"),
        pytest.param("", None, id="empty text"),
        pytest.param("9" * 5000, None, id="more digits than Python converts"),
        pytest.param(10**5000, None, id="a number of more digits than Python prints"),
        pytest.param("٣", None, id="digits of another script"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_whole_numbers(value, number):
    assert whole_number(value) == number


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(1, None, id="the low end"),
        pytest.param(" 9 ", None, id="the high end, as text"),
        pytest.param(0, "x: 0 is below 1 (low). Write a whole number from 1 to 9.", id="below: the source of that end"),
        pytest.param(10, "x: 10 is above 9 (high). Write a whole number from 1 to 9.", id="above"),
        pytest.param("soon", "x: 'soon' is not a whole number. Write a whole number from 1 to 9.", id="no number"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_source_of_the_end(value, message):
    limits = Range(1, 9, "high", "low")
    if message is None:
        assert limits.check("x", value) == int(value)
        return
    with pytest.raises(PlanError) as caught:
        limits.check("x", value)
    assert str(caught.value) == message


def test_both_ends_may_have_the_same_source():
    with pytest.raises(PlanError) as caught:
        Range(1, 9, "the range of X").check("x", 0)
    assert str(caught.value) == "x: 0 is below 1 (the range of X). Write a whole number from 1 to 9."


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        (" Yes\n", True),
        ("FALSE", False),
        ("no", False),
        ("on", None),
        (1, None),
        (None, None),
    ],
)
def test_truth_takes_a_bool_and_its_text(value, expected):
    assert truth(value) is expected
