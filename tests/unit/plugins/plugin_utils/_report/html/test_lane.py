# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.lane import Mark
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.html._lanes import IPVS, lane_of

IN_TIME = Keepalive(600, 30, 9)


@pytest.mark.parametrize(
    ("keepalive", "limit", "margin", "late"),
    [
        pytest.param(IN_TIME, 900, 0, False, id="156 s to spare"),
        pytest.param(IN_TIME, 744, 0, False, id="to the second"),
        pytest.param(IN_TIME, 743, 0, False, id="a second too late with two lost probes"),
        pytest.param(IN_TIME, 677, 0, False, id="to the second with none"),
        pytest.param(IN_TIME, 676, 0, True, id="a second too late"),
        pytest.param(IN_TIME, 900, 157, False, id="less than the margin"),
        pytest.param(Keepalive(600, 30, 0), 900, 0, True, id="no probe ends healthy connections"),
        pytest.param(None, 900, 0, False, id="not read is not late"),
    ],
)
def test_late_is_what_the_plan_calls_unsafe(keepalive, limit, margin, late):
    assert lane_of(keepalive, (Mark(limit, "IPVS tcp", True),), margin=margin).late is late


@pytest.mark.parametrize(
    ("lane", "expected"),
    [
        pytest.param(lane_of(None), ("unknown", "not known: the keepalive was not read"), id="not read"),
        pytest.param(
            lane_of(Keepalive(600, 30, 0)), ("unsafe", "ends healthy connections: a value is below 1"), id="no probe"
        ),
        pytest.param(lane_of(KERNEL_DEFAULT), ("unsafe", "too late by 7384 s"), id="too late"),
        pytest.param(
            lane_of(IN_TIME, margin=200), ("safe", "44 s less than the margin of 200 s"), id="within the margin"
        ),
        pytest.param(
            lane_of(Keepalive(750, 100, 2)),
            ("safe", "54 s to spare while no probe is lost; a dead peer is given up after the limit only"),
            id="in time, but not with lost probes",
        ),
        pytest.param(lane_of(IN_TIME), ("safe", "156 s to spare"), id="in time"),
        pytest.param(
            lane_of(Keepalive(600, 30, 10)),
            ("safe", "156 s to spare; a dead peer is given up after the limit only"),
            id="the last probe comes with the limit",
        ),
        pytest.param(
            lane_of(IN_TIME, all_seen=False),
            ("unknown", "156 s to spare, of the limits that were seen"),
            id="in time for what was seen",
        ),
        pytest.param(lane_of(KERNEL_DEFAULT, ()), ("safe", "nothing forgets"), id="no limit"),
        pytest.param(
            lane_of(KERNEL_DEFAULT, (), all_seen=False),
            ("unknown", "no limit was seen, some could not be read"),
            id="no limit that was seen",
        ),
    ],
)
def test_what_comes_of_it(lane, expected):
    assert lane.outcome == expected


def test_a_screen_reader_says_the_picture():
    assert lane_of(IN_TIME).said == (
        "Now, the node's own: first probe after 600 s; with 2 lost probes after 660 s, with timer slack 744 s; a dead "
        "peer is given up after 870 s at the earliest; IPVS tcp forgets after 900 s; corporate firewall forgets after "
        "3600 s; "
        "conntrack established forgets after 86400 s; 156 s to spare."
    )
    assert lane_of(None, (IPVS,)).said == (
        "Now, the node's own: IPVS tcp forgets after 900 s; not known: the keepalive was not read."
    )


def test_the_first_probe_and_those_after_lost_ones():
    assert lane_of(IN_TIME).probes() == [600, 630, 660]
    assert lane_of(IN_TIME, lost_probes=0).probes() == [600]


def test_more_than_20_lost_probes_are_not_drawn():
    assert lane_of(IN_TIME, lost_probes=100).probes()[-1] == 600 + 20 * 30


def test_the_scale_has_to_show_limits_and_events():
    assert lane_of(IN_TIME).seconds() == [900, 3600, 86400, 600, 744, 870, 660]
    assert lane_of(None).seconds() == [900, 3600, 86400]


def test_of_events_at_the_same_second_the_first_is_shown():
    assert lane_of(IN_TIME, lost_probes=0).events() == {600: "probe", 677: "slack", 870: "verdict"}
