# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import fold, named


def numbered(pattern, *numbers):
    return [pattern.format(number) for number in numbers]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        pytest.param(["worker1"], "worker1", id="one name"),
        pytest.param(["worker1", "worker2"], "worker1, worker2", id="two names are short"),
        pytest.param(numbered("worker-{}", *range(1, 41)), "worker-[1-40]", id="a row of numbers"),
        pytest.param(numbered("worker{}", 1, 2, 3, 5, 9, 10), "worker[1-3,5,9-10] (6)", id="a row with gaps"),
        pytest.param(numbered("w{:02}", *range(8, 12)), "w[08-11]", id="numbers with zeros before them"),
        pytest.param(["w1", "w2", "w3", "w01", "w02", "w03"], "w[1-3], w[01-03] (6)", id="with and without zeros"),
        pytest.param(numbered("node{}.rack2.example.org", 1, 2, 3), "node[1-3].rack2.example.org", id="number inside"),
        pytest.param(numbered("10.0.0.{}", 11, 12, 13), "10.0.0.[11-13]", id="addresses"),
        pytest.param(["etcd", "w1", "w2", "w3", "w4"], "etcd, w[1-4] (5)", id="others are named"),
        pytest.param(list("abcdefgh"), "a, b, c, d, e and others (8)", id="of many that do not fold the first"),
        pytest.param(numbered("w{}", *range(1, 40, 2)), "w[1,3,5,7,9,11,13,15,...] (20)", id="many gaps are cut off"),
        pytest.param(["x" + "9" * 5000] * 1, "x" + "9" * 5000, id="too many digits are no number"),
        pytest.param(["\u0661", "\u0662", "\u0663"], "\u0661, \u0662, \u0663", id="digits of another script"),
        pytest.param([], "", id="no name"),
    ],
)
def test_named(names, text):
    assert named(names) == text


def unfolded(folded):
    """All names again."""
    for each in folded:
        pattern = re.fullmatch(r"(.*)\[([0-9,-]+)\](.*)", each, re.DOTALL)
        if not pattern:
            yield each
            continue
        before, ranges, after = pattern.groups()
        for part in ranges.split(","):
            first, _dash, last = part.partition("-")
            width = len(first)
            for number in range(int(first), int(last or first) + 1):
                yield f"{before}{number:0{width}}{after}"


@given(st.lists(st.from_regex(r"(w|node-)[0-9]{1,3}(\.r[0-9])?", fullmatch=True), unique=True, max_size=40))
def test_no_name_is_lost_and_none_is_made_up(names):
    folded = fold(names, most_ranges=1000)
    assert sorted(unfolded(folded)) == sorted(names)
    assert len(folded) <= len(names)


@given(st.lists(st.text(max_size=12), unique=True, max_size=12))
def test_no_name_breaks_it(names):
    assert isinstance(named(names), str)
