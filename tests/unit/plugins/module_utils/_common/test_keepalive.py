# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import socket

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common import keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import (
    HIGHEST,
    Keepalive,
    keeps,
    parse,
    spare_for_verdict,
    spare_seconds,
)

OPTIONS = Keepalive(socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)


def test_the_three_values_as_text_and_back():
    assert str(Keepalive(600, 30, 9)) == "600/30/9"
    assert parse("600/30/9") == Keepalive(600, 30, 9)
    assert tuple("net.ipv4.tcp_keepalive_" + name for name in Keepalive._fields) == keepalive.KEYS


@pytest.mark.parametrize("text", ["", "600", "600/30", "600/30/9/1", "600/30/x", "600 30 9"])
def test_what_is_no_keepalive_is_refused(text):
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        parse(text)


@pytest.mark.parametrize("place", range(3), ids=Keepalive._fields)
def test_the_highest_values_are_those_of_the_running_kernel(place):
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, OPTIONS[place], HIGHEST[place])
        assert connection.getsockopt(socket.IPPROTO_TCP, OPTIONS[place]) == HIGHEST[place]
        for refused in (HIGHEST[place] + 1, 0):
            with pytest.raises(OSError, match="Invalid argument"):
                connection.setsockopt(socket.IPPROTO_TCP, OPTIONS[place], refused)


@pytest.mark.parametrize(("seconds", "expected"), [(0, 0), (1, 2), (63, 71), (600, 677), (798, 900), (799, 901)])
def test_a_timer_may_run_71_63_of_its_length(seconds, expected):
    assert keepalive.with_slack(seconds) == expected


LATE = [
    pytest.param(7200, (600, 30, 9), 900, True, id="armed before the namespace got its value"),
    pytest.param(798, (600, 30, 9), 900, False, id="just in time"),
    pytest.param(799, (600, 30, 9), 900, True, id="just too late"),
    pytest.param(600, (600, 9000, 9), 900, True, id="the next probe comes too late"),
    pytest.param(300, (7200, 75, 9), 900, False, id="its own TCP_KEEPIDLE where the namespace is too late"),
    pytest.param(850, (7200, 75, 9), 900, True, id="such a one that is too late itself"),
    pytest.param(0, (600, 30, 9), 900, False, id="a timer that ends now"),
    pytest.param(600, (600, 30, 0), 900, True, id="no probe would be sent"),
]


@pytest.mark.parametrize(("gap", "values", "limit", "expected"), LATE)
def test_whether_a_timer_ends_after_a_limit(gap, values, limit, expected):
    assert keepalive.is_late(gap, keepalive.Keepalive(*values), limit) is expected


@pytest.mark.parametrize(
    ("values", "spare", "for_verdict"),
    [
        pytest.param(Keepalive(600, 30, 9), 156, 156, id="as many probes may be lost as wanted"),
        pytest.param(Keepalive(700, 75, 9), -58, 26, id="one may be lost, and two are wanted"),
        pytest.param(Keepalive(7200, 75, 9), -7384, -7384, id="too late while nothing is lost"),
    ],
)
def test_seconds_to_spare_below_a_limit(values, spare, for_verdict):
    assert spare_seconds(values, 900, 2) == spare
    assert spare_for_verdict(values, 900, 2) == for_verdict


def test_a_value_below_1_keeps_nothing():
    assert (keeps(Keepalive(600, 30, 9), 900), keeps(Keepalive(600, 30, 0), 900)) == (True, False)
