# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import random

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.retransmission import (
    DETECTION_SECONDS,
    LOCAL_RTO_MS,
    detection_ms,
    detection_text,
    latest_ms,
    planning_rto_ms,
    retries2_for,
)


@pytest.mark.parametrize(
    ("retries2", "milliseconds"),
    [
        pytest.param(0, 200, id="none"),
        pytest.param(3, 3_000, id="the fewest that we set"),
        pytest.param(7, 51_000, id="seven"),
        pytest.param(8, 102_200, id="the first above RFC 1122's 100 s"),
        pytest.param(9, 204_600, id="the last doubling"),
        pytest.param(10, 324_600, id="the first of 120 s"),
        pytest.param(15, 924_600, id="the kernel's default, as its documentation says"),
    ],
)
def test_the_earliest_time_at_which_a_dead_peer_is_given_up(retries2, milliseconds):
    assert detection_ms(retries2) == milliseconds


@pytest.mark.parametrize("retries2", range(16))
def test_it_is_the_sum_of_waits_that_double_up_to_two_minutes(retries2):
    assert detection_ms(retries2) == sum(min(200 * 2**wait, 120_000) for wait in range(retries2 + 1))


def given_up_ms(retries2, rto_ms, slack):
    """As the kernel does it, each timer late by a share of the most that the timer wheel is."""
    waits = (min(rto_ms * 2**number, 120_000) for number in itertools.count())
    late = (wait * (1 + next(slack) * 8 / 63) for wait in waits)
    first = now = next(late)
    while now - first < detection_ms(retries2):
        now += next(late)
    return now


@pytest.mark.parametrize("retries2", range(3, 16))
@pytest.mark.parametrize("longest", [210, 250, 400, 1000, 3000])
def test_no_time_out_and_no_lateness_breaks_the_bounds(retries2, longest):
    chance = random.Random(retries2 * longest)
    for _run in range(300):
        rto_ms = chance.choice([201, 204, chance.randint(201, longest), longest])
        lateness = chance.choice([itertools.repeat(0), itertools.repeat(1), iter(chance.random, None)])
        seconds = given_up_ms(retries2, rto_ms, lateness)
        assert detection_ms(retries2) < seconds <= latest_ms(retries2, longest)


@pytest.mark.parametrize(
    ("retries2", "measured_ms"),
    [pytest.param(3, 6_700, id="3"), pytest.param(5, 13_500, id="5"), pytest.param(8, 110_000, id="8")],
)
def test_what_was_measured_on_real_kernels_lies_between_both(retries2, measured_ms):
    assert detection_ms(retries2) <= measured_ms <= latest_ms(retries2, LOCAL_RTO_MS)


@pytest.mark.parametrize(
    ("seconds", "rto_ms", "retries2"),
    [
        pytest.param(8, 210, 3, id="the shortest"),
        pytest.param(103, 210, 7, id="just above the earliest time of eight"),
        pytest.param(120, 210, 7, id="a second too short for eight"),
        pytest.param(121, 210, 8, id="just enough for eight"),
        pytest.param(121, 250, 7, id="with longer round trips it is not"),
        pytest.param(1053, 210, 14, id="just too short for the kernel's own"),
        pytest.param(1054, 210, 15, id="the kernel's own"),
        pytest.param(10**6, 210, 15, id="never more than that"),
        pytest.param(8, 60_000, 3, id="never less than the lowest"),
    ],
)
def test_the_largest_value_that_is_surely_soon_enough(seconds, rto_ms, retries2):
    assert retries2_for(seconds, rto_ms) == retries2


def test_every_time_in_the_range_can_be_had():
    for seconds in range(DETECTION_SECONDS.low, DETECTION_SECONDS.high + 1):
        retries2 = retries2_for(seconds)
        assert latest_ms(retries2, LOCAL_RTO_MS) <= seconds * 1000
        assert retries2 == 15 or latest_ms(retries2 + 1, LOCAL_RTO_MS) > seconds * 1000


@pytest.mark.parametrize(
    ("seen_ms", "reckoned_ms"), [(None, 210), (0, 210), (204, 210), (211, 250), (600, 600), (3001, 3001)]
)
def test_a_time_out_is_reckoned_with_in_steps(seen_ms, reckoned_ms):
    assert planning_rto_ms(seen_ms) == reckoned_ms


def test_the_text_has_both_bounds():
    assert detection_text(8) == "between 102 and 121 s"
    assert detection_text(8, 400) == "between 102 and 219 s"
