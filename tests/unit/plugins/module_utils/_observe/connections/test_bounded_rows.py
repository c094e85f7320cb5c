# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is returned of more than a node may tell."""

import json

from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import pods as pod_rows
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pod_processes import (
    outside,
    service,
    space,
)


def order(spaces, tmp_path):
    return [row["netns"] for row in pod_rows.read(spaces, str(tmp_path), str(tmp_path))["rows"]]


def test_the_worst_come_first(tmp_path):
    spaces = [
        space(1, keepalive=(600, 30, 9)),
        space(2),
        space(3, [service(gaps=[(600, 5)])], keepalive=(600, 30, 9)),
        space(4, [service(gaps=[(7200, 1)])], keepalive=(600, 30, 9)),
        space(5, [service(without=1)], keepalive=(600, 30, 9)),
        space(6, [service(without=3)], keepalive=(600, 30, 9)),
        space(7, own=True),
        space(8, [service(gaps=[(7200, 9)])]),
        space(9, keepalive=None, error="/proc/9/ns/net: Operation not permitted"),
    ]
    assert order(spaces, tmp_path) == [7, 6, 5, 8, 4, 2, 9, 3, 1]


def test_rows_are_bounded_and_totals_count_all(tmp_path):
    spaces = [space(number, [service(gaps=[(600, 2)])]) for number in range(1, 251)]
    pods = pod_rows.read(spaces, str(tmp_path), str(tmp_path))
    assert (len(pods["rows"]), pods["omitted"]) == (200, 50)
    assert pods["totals"] == {
        "connections": 500,
        "to_services": 500,
        "without_keepalive": 0,
        "to_outside": 0,
        "outside_without_keepalive": 0,
        "lost": 0,
    }


def test_services_are_bounded_over_all_rows(tmp_path):
    many = [service(gaps=[(600, 1)], name=f"10.96.0.{number}:80") for number in range(20)]
    pods = pod_rows.read([space(number, many) for number in range(1, 101)], str(tmp_path), str(tmp_path))
    assert [len(row["services"]) for row in pods["rows"]] == [20] * 50 + [0] * 50
    assert [row["services_omitted"] for row in pods["rows"]] == [0] * 50 + [20] * 50
    assert len(json.dumps(pods)) < 300000


def test_other_addresses_are_bounded_by_themselves_and_their_totals_stay(tmp_path):
    many = [service(gaps=[(600, 1)], name=f"192.0.2.{number}:5432") for number in range(20)]
    spaces = [outside(space(number, [service(without=1)]), *many) for number in range(1, 101)]
    pods = pod_rows.read(spaces, str(tmp_path), str(tmp_path))
    assert [len(row["outside"]) for row in pods["rows"]] == [20] * 50 + [0] * 50
    assert [(len(row["services"]), row["services_omitted"], row["to_outside"]) for row in pods["rows"]] == [
        (1, 0, 20)
    ] * 100
    assert (pods["totals"]["to_outside"], pods["totals"]["to_services"]) == (2000, 100)


def test_many_different_gaps_are_put_together_under_the_longest_and_none_is_lost(tmp_path):
    gaps = [(seconds, 1) for seconds in range(1, 32768, 50)]
    few = pod_rows.read([space(1, [service(gaps=gaps)])], str(tmp_path), str(tmp_path))["rows"][0]
    assert few["services"][0]["gaps"] == [list(gap) for gap in gaps]
    rows = pod_rows.read([space(n, [service(gaps=gaps)]) for n in range(1, 9)], str(tmp_path), str(tmp_path))["rows"]
    rounded = rows[0]["services"][0]["gaps"]
    assert len(rounded) < 200
    assert sum(number for _seconds, number in rounded) == len(gaps)
    assert {seconds for seconds, _number in rounded} <= {seconds for seconds, _number in gaps}
    assert all(any(seconds <= up <= seconds * 17 / 16 + 1 for up, _number in rounded) for seconds, _number in gaps)
