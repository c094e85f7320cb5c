# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.proof.schedule import (
    give_up_seconds,
    keepalive_seconds,
    latest_seconds,
    model_seconds,
)


@pytest.mark.parametrize(
    ("retries", "seconds"),
    [
        pytest.param(15, 924.6, id="the default is the 924.6 s of ip-sysctl.rst"),
        pytest.param(8, 102.2, id="8 is the first above the 100 s of RFC 1122"),
        pytest.param(3, 3.0, id="3"),
        pytest.param(0, 0.2, id="0 is one time-out"),
    ],
)
def test_what_tcp_retries2_stands_for(retries: int, seconds: float) -> None:
    assert model_seconds(retries) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("retries", "rto", "measured"),
    [
        pytest.param(3, 0.204, 6.7, id="kernel 6.1, retries2 3, time-out 204 ms"),
        pytest.param(3, 0.224, 3.7, id="kernel 7.2, retries2 3, time-out 224 ms: the clock is read one firing earlier"),
        pytest.param(5, 0.204, 13.3, id="kernel 5.10, retries2 5, time-out 204 ms"),
        pytest.param(5, 0.212, 14.0, id="kernel 6.1, retries2 5, time-out 212 ms"),
        pytest.param(5, 0.324, 21.3, id="kernel 7.2, retries2 5, time-out 324 ms"),
    ],
)
def test_the_schedule_is_what_kernels_did(retries: int, rto: float, measured: float) -> None:
    assert measured == pytest.approx(give_up_seconds(retries, rto), rel=0.12)
    assert model_seconds(retries) <= measured <= latest_seconds(retries, rto)


def test_the_latest_time_of_eight_within_a_region_is_what_the_docs_promise() -> None:
    assert latest_seconds(8, 0.210) == pytest.approx(120.9, abs=0.1)
    assert latest_seconds(8, 0.400) == pytest.approx(218.1, abs=0.1)


def test_the_default_gives_up_after_a_quarter_of_an_hour() -> None:
    assert give_up_seconds(15, 0.204) == pytest.approx(928.7, abs=0.1)


def test_the_default_keepalive_gives_up_after_two_hours_and_a_bit() -> None:
    assert keepalive_seconds(7200, 75, 9) == 7875
