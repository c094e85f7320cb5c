# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.scale import (
    Label,
    duration,
    place,
    scale_of,
    spread,
)

SECONDS = st.integers(-5, 2**31)

STOCK = scale_of([900], [7200, 7350, 8284, 86400], [600, 7200])


@pytest.mark.parametrize(
    ("lower", "higher", "at_least"),
    [
        pytest.param(0, 600, 0.4, id="from the last packet to the first probe"),
        pytest.param(600, 660, 0.03, id="two lost probes"),
        pytest.param(660, 744, 0.05, id="timer slack"),
        pytest.param(600, 900, 0.2, id="what 600 leaves of 900"),
        pytest.param(870, 900, 0.02, id="what the last verdict leaves of 900"),
        pytest.param(900, 7200, 0.1, id="the kernel's keepalive beyond IPVS"),
        pytest.param(7200, 86400, 0.1, id="the kernel's keepalive and conntrack"),
    ],
)
def test_what_matters_lies_apart_on_one_line(lower, higher, at_least):
    assert STOCK.at(higher) - STOCK.at(lower) >= at_least


def test_up_to_the_limit_the_line_is_to_scale():
    assert STOCK.at(300) * 3 == pytest.approx(STOCK.at(900))


def test_a_keepalive_far_below_its_limit_is_not_squeezed():
    scale = scale_of([86400], [7200, 8284, 86400], [7200])
    assert scale.at(7200) > 0.3
    assert scale.at(8284) - scale.at(7200) > 0.02


def test_without_a_limit_the_line_ends_behind_the_last_thing_on_it():
    scale = scale_of([], [7200, 8284], [7200])
    assert (scale.bend, scale.at(8284)) == (8284, pytest.approx(0.9))


def test_with_nothing_at_all_there_is_still_a_line():
    assert scale_of([], [], []).at(0) == 0


@given(st.lists(SECONDS), st.lists(SECONDS), st.lists(SECONDS), SECONDS, SECONDS)
def test_later_is_never_further_left_and_all_is_on_the_line(limits, others, probes, one, other):
    scale = scale_of(limits, others, probes)
    lower, higher = sorted((one, other))
    assert 0 <= scale.at(lower) <= scale.at(higher) <= 1
    assert all(scale.at(seconds) < 1 for seconds in [*limits, *others])
    assert all(0 < scale.at(tick) <= 1 for tick in scale.ticks())


@given(st.lists(st.tuples(st.floats(0, 900), st.text(min_size=1, max_size=40)), max_size=12))
def test_flags_meet_neither_each_other_nor_a_pole(given_labels):
    labels = [Label(x, text, "k", len(text) * 7.6) for x, text in given_labels]
    placed = place(labels, 5)
    assert sorted(each.label.text for each in placed) == sorted(label.text for label in labels)
    for number, flag in enumerate(placed):
        for other in placed[number + 1 :]:
            assert flag.label.x <= other.label.x
            if flag.row == other.row:
                assert flag.right < other.left
            if other.row > flag.row:
                assert not flag.left <= other.label.x <= flag.right


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(1, 80)), max_size=20))
def test_labels_of_the_axis_do_not_meet(given_labels):
    labels = [Label(x, "text", "tick", width) for x, width in given_labels]
    kept = spread(labels, 10)
    assert bool(kept) == bool(labels)
    for left, right in itertools.pairwise(kept):
        assert left.x + left.width / 2 + 10 <= right.x - right.width / 2 + 1e-9


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(0, "0 s", id="zero"),
        pytest.param(90, "90 s", id="no whole minutes"),
        pytest.param(900, "15 min", id="minutes"),
        pytest.param(7200, "2 h", id="hours"),
        pytest.param(432000, "5 d", id="days"),
    ],
)
def test_durations_of_the_axis(seconds, expected):
    assert duration(seconds) == expected
