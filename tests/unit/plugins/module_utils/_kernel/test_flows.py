# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import flows


def test_each_limit_counts_itself_and_all_below_it():
    counter = flows.SecondsLeft()
    for seconds in (0, 60, 61, 300, 301, 900, 901, 1 << 40):
        counter.add(seconds)
    assert counter.within() == {"60": 2, "300": 4, "900": 6}


def test_of_nothing_nothing_is_cut():
    assert flows.SecondsLeft().within() == {"60": 0, "300": 0, "900": 0}


def test_of_many_the_largest_are_kept():
    heap = []
    for number in (3, 9, 1, 7, 8, 2):
        flows.keep_largest(heap, number, 3)
    assert sorted(heap) == [7, 8, 9]


def test_an_endpoint_is_written_as_in_a_url():
    assert [flows.endpoint("10.96.0.10", 80), flows.endpoint("fd00:96::10", 80)] == [
        "10.96.0.10:80",
        "[fd00:96::10]:80",
    ]
