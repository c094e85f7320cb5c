# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.retransmission import (
    DETECTION_SECONDS,
    detection_ms,
    detection_text,
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
def test_the_time_until_a_dead_peer_is_given_up(retries2, milliseconds):
    assert detection_ms(retries2) == milliseconds


@pytest.mark.parametrize("retries2", range(16))
def test_it_is_the_sum_of_waits_that_double_up_to_two_minutes(retries2):
    assert detection_ms(retries2) == sum(min(200 * 2**wait, 120_000) for wait in range(retries2 + 1))


@pytest.mark.parametrize(
    ("seconds", "retries2"),
    [
        pytest.param(3, 3, id="the shortest"),
        pytest.param(102, 7, id="a fifth of a second too short for eight"),
        pytest.param(103, 8, id="just enough for eight"),
        pytest.param(924, 14, id="just too short for the kernel's own"),
        pytest.param(925, 15, id="the kernel's own"),
    ],
)
def test_the_largest_value_that_is_soon_enough(seconds, retries2):
    assert retries2_for(seconds) == retries2


def test_every_time_in_the_range_can_be_had():
    for seconds in range(DETECTION_SECONDS.low, DETECTION_SECONDS.high + 1):
        retries2 = retries2_for(seconds)
        assert detection_ms(retries2) <= seconds * 1000
        assert retries2 == 15 or detection_ms(retries2 + 1) > seconds * 1000


def test_the_text_is_in_tenths_of_a_second():
    assert detection_text(8) == "102.2 s"
