# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.scale import (
    Label,
    duration,
    place,
    scale_of,
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


def label(x, text="600 s", seconds=0):
    return Label(seconds, x, text, "k", len(text) * 7.7)


@given(
    st.lists(st.tuples(st.floats(0, 900), st.text(min_size=1, max_size=12)), max_size=12), st.lists(st.floats(0, 900))
)
def test_labels_meet_neither_each_other_nor_a_line_nor_the_edge(given_labels, lines):
    placed = place([label(x, text) for x, text in given_labels], 900, lines, rows=2)
    for number, one in enumerate(placed):
        assert 0 <= one.left < one.right <= 900
        assert not [x for x in lines if one.left < x < one.right]
        for other in placed[number + 1 :]:
            assert one.row != other.row or one.right < other.left or other.right < one.left


@pytest.mark.parametrize(
    ("others", "lines", "rows", "expected"),
    [
        pytest.param([], [], 1, ("middle", 0), id="around its place"),
        pytest.param([], [305], 1, ("end", 0), id="before a line that is close behind it"),
        pytest.param([], [295], 1, ("start", 0), id="after a line that is close before it"),
        pytest.param([], [295, 305], 2, None, id="not between two lines"),
        pytest.param([], [300], 1, ("end", 0), id="not on a line of its own place"),
        pytest.param([300], [], 1, None, id="not where another is"),
        pytest.param([300], [], 2, ("middle", 1), id="above another"),
        pytest.param([330], [], 1, ("end", 0), id="before another"),
    ],
)
def test_where_a_label_is(others, lines, rows, expected):
    placed = place([*map(label, others), label(300.0, "900 s")], 900, lines, rows)
    assert next(((each.anchor, each.row) for each in placed if each.label.text == "900 s"), None) == expected


def test_a_label_may_stand_above_its_own_line_and_no_other():
    assert [each.anchor for each in place([label(300.0)], 900, [300.0], above=True)] == ["middle"]
    assert [each.anchor for each in place([label(300.0)], 900, [300.0, 305.0], above=True)] == ["end"]
    (one,) = place([label(300.0)], 900, [295.0, 300.0, 305.0], rows=2, above=True)
    assert (one.anchor, one.row) == ("middle", 1)


def test_the_first_of_two_labels_stays():
    assert [each.label.text for each in place([label(10.0, "b"), label(10.5, "a" * 9)], 40)] == ["b"]


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
