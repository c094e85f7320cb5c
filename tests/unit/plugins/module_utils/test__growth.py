# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two readings of real counters: packets that conntrack calls INVALID while the time runs, and tables that change."""

import json
import pathlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils import _conntrack, _growth
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
NONE = {"invalid": 0, "insert_failed": 0, "drop": 0, "early_drop": 0}


def between(first, second, table="conntrack"):
    result = _growth.growth(_growth.Sample(10.0, {table: first}), _growth.Sample(11.25, {table: second}))
    assert result["seconds"] == 1.25
    return result[table]


def counters(**counted):
    return {name: counted.get(name, 0) for name in NONE}


def rows(*cpus):
    return [dict(counters(**counted), cpu=cpu) for cpu, counted in cpus]


@pytest.mark.parametrize(
    ("first", "second", "grown"),
    [
        pytest.param(rows((0, {"invalid": 7})), rows((0, {"invalid": 7})), counters(), id="nothing happened"),
        pytest.param(
            rows((0, {"invalid": 7}), (1, {"drop": 1})),
            rows((0, {"invalid": 9}), (1, {"drop": 4, "invalid": 5})),
            counters(invalid=7, drop=3),
            id="all CPUs count together",
        ),
        pytest.param(
            rows((0, {"invalid": 900}), (1, {"invalid": 800})),
            rows((0, {"invalid": 3}), (1, {"invalid": 802})),
            counters(invalid=2),
            id="the module was loaded anew: no negative growth, and none of it hides the other CPU's",
        ),
        pytest.param(
            rows((0, {"drop": 5}), (1, {"drop": 7})),
            rows((0, {"drop": 6})),
            counters(drop=1),
            id="a CPU went offline",
        ),
        pytest.param(
            rows((0, {"drop": 5})),
            rows((0, {"drop": 5}), (1, {"drop": 1000})),
            counters(),
            id="a CPU came online: what it had counted before is no growth",
        ),
        pytest.param([], rows((0, {"invalid": 7})), {}, id="conntrack was loaded in between"),
        pytest.param(rows((0, {"invalid": 7})), [], {}, id="conntrack was unloaded in between"),
        pytest.param([{"cpu": 0, "invalid": 1}], [{"cpu": 0, "invalid": 2}], {"invalid": 1}, id="a kernel with fewer"),
        pytest.param([{"invalid": 1}], [{"invalid": 2}], {}, id="rows without a CPU"),
    ],
)
def test_how_much_the_counters_grew(first, second, grown):
    assert between(first, second) == grown


def test_softnet_has_counters_of_its_own():
    first, second = [{"cpu": 3, "dropped": 1, "time_squeeze": 5, "processed": 9}], [{"cpu": 3, "dropped": 2}]
    assert between(first, [dict(second[0], time_squeeze=15, processed=99)], "softnet") == {
        "dropped": 1,
        "time_squeeze": 10,
    }


@pytest.mark.parametrize("kernel", sorted(path.name for path in FIXTURES.iterdir()))
def test_the_statistics_of_a_real_kernel_have_every_counter(kernel):
    read = _conntrack.parse_statistics((FIXTURES / kernel / "proc_net_stat_nf_conntrack.txt").read_text())[0]
    assert between(read, read) == counters()


ROWS = st.lists(st.fixed_dictionaries({"cpu": st.integers(0, 3), "invalid": st.integers(0, (1 << 32) - 1)}), max_size=6)


@given(ROWS, ROWS)
def test_growth_is_never_negative(first, second):
    assert all(number >= 0 for number in between(first, second).values())


def test_the_time_that_the_rest_of_the_reading_took_is_not_waited_again():
    first = _growth.take({})
    time.sleep(0.05)
    assert 0 < _growth.rest_seconds(first, 1.0) <= 0.95
    assert _growth.rest_seconds(first, 0.01) == 0


INVALID = r"""
import json, socket, struct, subprocess
subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])
subprocess.check_call(['iptables', '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'INVALID', '-j', 'DROP'])
readers = {'conntrack': _conntrack.read_statistics}
first = _growth.take(readers)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
for _number in range(3):  # a TCP header with all flags set at once, which no state machine knows
    raw.sendto(struct.pack('!HHIIBBHHH', 1, 2, 0, 0, 0x50, 0xFF, 0, 0, 0), ('127.0.0.1', 0))
print(json.dumps(_growth.growth(first, _growth.take(readers))))
"""


def test_packets_that_conntrack_calls_invalid_are_counted_while_they_come():
    grown = json.loads(run_python("_conntrack, _growth", INVALID, "unshare", "-n"))
    assert 0 <= grown["seconds"] < 60
    assert grown["conntrack"]["invalid"] >= 3
    assert grown["softnet"] == {}
