# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.plan_ids import (
    is_overtaken,
    is_plan_id,
    next_id,
)

WORD = "5f0c93ab"
ids = st.builds("{}-{}".format, st.integers(0, 10**15 - 1), st.text("0123456789abcdef", min_size=8, max_size=32))


@given(st.lists(ids), ids)
def test_a_plan_is_later_than_all_that_it_was_made_after(seen, other):
    ours = next_id(seen, WORD)
    assert is_plan_id(ours)
    assert not any(is_overtaken(each, ours, each) for each in seen)
    if seen and max(int(each.split("-")[0]) for each in seen) < 10**15 - 1:
        assert not any(is_overtaken(each, ours, other) for each in seen)


@given(ids, ids)
def test_of_two_on_the_same_node_one_is_the_later_one_whoever_asks(first, second):
    said = is_overtaken(first, second, ""), is_overtaken(second, first, "")
    assert sorted(said) == ([False, False] if first == second else [False, True])


@given(st.lists(st.sampled_from(["1-aaaaaaaa", "1-bbbbbbbb", "2-aaaaaaaa"]), min_size=3, max_size=3, unique=True))
def test_plans_have_one_order(plans):
    later = {pair: is_overtaken(pair[0], pair[1], "") for pair in itertools.permutations(plans, 2)}
    first, second, third = plans
    if later[first, second] and later[second, third]:
        assert later[first, third]


def test_what_was_there_and_is_gone_was_given_back():
    assert is_overtaken("", "2-aaaaaaaa", "1-aaaaaaaa")
    assert not is_overtaken("", "1-aaaaaaaa", "")


@pytest.mark.parametrize("text", ["", "1", "-5f0c93ab", "1-", "1-5F0C93AB", "1-5f0c93ab\n", "9" * 16 + "-" + WORD])
def test_no_id(text):
    assert not is_plan_id(text)
    assert next_id([text], WORD) == f"1-{WORD}"
    assert not is_overtaken(text, f"1-{WORD}", "")


def test_a_node_that_claims_the_highest_number_holds_nobody_up():
    claimed = f"{10**15 - 1}-ffffffff"
    ours = next_id([claimed, "3-aaaaaaaa"], WORD)
    again = next_id([claimed, ours], WORD[::-1])
    assert not is_overtaken(claimed, ours, claimed)
    assert not is_overtaken(ours, again, ours)
