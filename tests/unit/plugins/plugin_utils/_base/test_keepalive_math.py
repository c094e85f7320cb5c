# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive

SECONDS = st.integers(1, 40000)
KEEPALIVES = st.builds(Keepalive, SECONDS, SECONDS, st.integers(1, 127))
LOST = st.integers(0, 126)


@pytest.mark.parametrize(
    ("keepalive", "limit", "safe"),
    [
        pytest.param(Keepalive(600, 30, 9), 900, True, id="600/30/9 below the IPVS timeout"),
        pytest.param(Keepalive(600, 30, 10), 900, True, id="the article's values below the IPVS timeout"),
        pytest.param(Keepalive(7200, 75, 9), 900, False, id="the kernel's values come after the IPVS timeout"),
        pytest.param(Keepalive(7200, 75, 9), 8284, True, id="the kernel's values just fit below 8284 s"),
        pytest.param(Keepalive(7200, 75, 9), 8283, False, id="the kernel's values do not fit below 8283 s"),
        pytest.param(Keepalive(798, 1, 9), 902, True, id="800 s last 902 s with timer slack, which 902 s allow"),
        pytest.param(
            Keepalive(798, 1, 9), 901, False, id="800 s last 902 s with timer slack, which 901 s do not allow"
        ),
        pytest.param(Keepalive(840, 30, 9), 900, False, id="900 s of silence without slack is not below 900 s"),
        pytest.param(Keepalive(600, 30, 0), 900, False, id="no probes end every idle connection"),
        pytest.param(Keepalive(0, 30, 9), 900, False, id="a time of 0 floods"),
        pytest.param(Keepalive(600, 0, 9), 900, False, id="an intvl of 0 floods"),
        pytest.param(Keepalive(-5, 30, 9), 900, False, id="a negative time floods"),
    ],
)
def test_safe_with_two_lost_probes(keepalive, limit, safe):
    assert keepalive_math.is_safe(keepalive, limit) is safe


@pytest.mark.parametrize(
    ("keepalive", "lost_probes", "margin", "safe"),
    [
        pytest.param(Keepalive(780, 30, 9), 0, 0, True, id="without lost probes only time counts"),
        pytest.param(Keepalive(780, 30, 9), 1, 0, False, id="one lost probe is too many here"),
        pytest.param(Keepalive(1, 900, 9), 0, 0, False, id="intvl alone is too long, though no probe is lost"),
        pytest.param(Keepalive(1, 798, 9), 0, 0, True, id="intvl alone is short enough"),
        pytest.param(Keepalive(600, 30, 9), 2, 156, True, id="a margin that is just left"),
        pytest.param(Keepalive(600, 30, 9), 2, 157, False, id="a margin that is not left"),
    ],
)
def test_lost_probes_and_margin_below_900_seconds(keepalive, lost_probes, margin, safe):
    assert keepalive_math.is_safe(keepalive, 900, lost_probes, margin) is safe


@given(KEEPALIVES, st.integers(0, 300000), LOST, st.integers(0, 1000))
def test_safe_is_the_fraction_of_71_over_63(keepalive, limit, lost_probes, margin):
    slack = Fraction(71, 63)
    gap = max(keepalive.time + lost_probes * keepalive.intvl, keepalive.time, keepalive.intvl)
    assert keepalive_math.is_safe(keepalive, limit, lost_probes, margin) == (slack * gap <= limit - margin)


@given(KEEPALIVES, st.integers(0, 300000), LOST)
def test_spare_seconds_are_the_floor_of_what_is_left(keepalive, limit, lost_probes):
    left = limit - Fraction(71, 63) * keepalive.silence_seconds(lost_probes)
    spare = keepalive_math.spare_seconds(keepalive, limit, lost_probes)
    assert spare <= left < spare + 1


@given(st.integers(0, 300000))
def test_without_slack_is_the_longest_timer_that_fits(limit):
    longest = keepalive_math.without_slack(limit)
    assert keepalive_math.with_slack(longest) <= limit < keepalive_math.with_slack(longest + 1)


@pytest.mark.parametrize(
    ("keepalive", "decided"),
    [
        pytest.param(Keepalive(600, 30, 9), True, id="870 s is before 900 s"),
        pytest.param(Keepalive(600, 30, 10), False, id="900 s is not before 900 s"),
        pytest.param(Keepalive(599, 30, 10), True, id="899 s is before 900 s"),
    ],
)
def test_decided_in_time_below_900_seconds(keepalive, decided):
    assert keepalive_math.decided_in_time(keepalive, 900) is decided


@pytest.mark.parametrize(
    ("keepalive", "lost_probes", "margin", "text"),
    [
        pytest.param(
            Keepalive(7200, 75, 9),
            2,
            0,
            "7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond 900 s (IPVS tcp on worker1)",
            id="too late",
        ),
        pytest.param(
            Keepalive(600, 30, 9),
            2,
            0,
            "600 + 2 x 30 = 660 s, with timer slack 744 s, leaves 156 s of 900 s (IPVS tcp on worker1)",
            id="soon enough",
        ),
        pytest.param(
            Keepalive(600, 30, 9),
            2,
            200,
            "600 + 2 x 30 = 660 s, with timer slack 744 s, leaves 156 s of 900 s (IPVS tcp on worker1), "
            "44 s less than keepalive_margin 200",
            id="soon enough but for the margin",
        ),
        pytest.param(
            Keepalive(600, 30, 9),
            0,
            0,
            "600 s, with timer slack 677 s, leaves 223 s of 900 s (IPVS tcp on worker1)",
            id="no lost probes to add",
        ),
        pytest.param(
            Keepalive(60, 1000, 9),
            0,
            0,
            "1000 s, with timer slack 1127 s, is 227 s beyond 900 s (IPVS tcp on worker1)",
            id="intvl is the longer of the two",
        ),
    ],
)
def test_the_sum_in_words(keepalive, lost_probes, margin, text):
    assert keepalive_math.sum_text(keepalive, 900, "IPVS tcp on worker1", lost_probes, margin) == text


@pytest.mark.parametrize(
    ("values", "keepalive"),
    [
        ((600, "30", 9), Keepalive(600, 30, 9)),
        ((600, 30, None), None),
        ((600, "30s", 9), None),
        ((True, 30, 9), None),
    ],
)
def test_a_keepalive_of_values_is_three_whole_numbers(values, keepalive):
    assert keepalive_math.of_values(*values) == keepalive


@given(KEEPALIVES, st.integers(10, 100000))
def test_the_losses_below_a_limit_are_the_most_that_are_safe(keepalive, limit):
    if not keepalive_math.keeps(keepalive, limit):
        assert keepalive_math.spare_for_verdict(keepalive, limit, 2) < 0
        return
    most = keepalive_math.losses_below(keepalive, limit)
    assert most >= 0
    assert keepalive_math.is_safe(keepalive, limit, most)
    assert not keepalive_math.is_safe(keepalive, limit, most + 1)
    assert keepalive_math.spare_for_verdict(keepalive, limit, 2) >= 0
    assert keepalive_math.losses_survived(keepalive, limit) < keepalive.probes


@given(KEEPALIVES, KEEPALIVES, st.integers(10, 100000), st.integers(0, 10))
def test_not_later_is_later_in_nothing_and_as_safe_as_what_was_wanted(present, wanted, limit, lost):
    found = keepalive_math.not_later(present, wanted, lost)
    assert found.time <= min(present.time, wanted.time)
    assert found.intvl <= min(present.intvl, wanted.intvl)
    assert found.verdict_seconds <= max(present.verdict_seconds, found.time + (lost + 1) * found.intvl)
    assert found.verdict_seconds <= wanted.verdict_seconds
    assert found.probes > lost or found.probes == wanted.probes
    assert not keepalive_math.is_safe(wanted, limit, lost) or keepalive_math.is_safe(found, limit, lost)


@pytest.mark.parametrize("present", [None, Keepalive(0, 30, 9), Keepalive(600, 30, 0)])
def test_what_is_not_usable_or_not_seen_is_no_reason_for_another_value(present):
    assert keepalive_math.not_later(present, keepalive_math.ARTICLE, 2) == keepalive_math.ARTICLE


@pytest.mark.parametrize(
    ("keepalive", "text"),
    [
        pytest.param(Keepalive(200, 200, 5), "while no probe is lost", id="none"),
        pytest.param(Keepalive(100, 200, 5), "while 1 probe is lost", id="one"),
        pytest.param(Keepalive(100, 70, 5), "while 3 probes in a row are lost", id="several"),
        pytest.param(Keepalive(100, 10, 3), "while 2 probes in a row are lost", id="then the kernel gives up itself"),
    ],
)
def test_how_much_loss_is_survived_below_350_seconds(keepalive, text):
    assert keepalive_math.losses_text(keepalive, 350) == text
