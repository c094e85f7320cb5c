# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json
import os
import pathlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import more_rights
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import counters
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"
COLUMN_OF_KERNEL = {
    "5.10.0-46-cloud-amd64": "delete_list",
    "6.1.0-56-cloud-amd64": "chainlength",
    "7.2.12+deb13-cloud-amd64": "chainlength",
}
NOTHING = [False, None, None, None, {}, [], []]
READ = "import json\nprint(json.dumps(counters.read_conntrack()))"


@pytest.mark.parametrize(("kernel", "column"), sorted(COLUMN_OF_KERNEL.items()))
def test_the_statistics_of_a_real_kernel(kernel, column):
    text = (FIXTURES / kernel / "proc_net_stat_nf_conntrack.txt").read_text()
    rows, strange = counters.parse_statistics(text)
    assert strange == 0
    assert [(row["cpu"], row["entries"]) for row in rows] == [(0, 6), (1, 6)]
    for row in rows:
        assert set(row) >= {"found", "invalid", "insert_failed", "drop", "early_drop", "search_restart", column}
        assert len(row) == 18


def test_the_numbers_are_hexadecimal_and_the_header_names_them():
    text = "entries  drop invalid\n000000ff  00000010 0000abcd\nFFFFFFFF  00000000 00000001\n"
    assert counters.parse_statistics(text) == (
        [
            {"cpu": 0, "entries": 255, "drop": 16, "invalid": 43981},
            {"cpu": 1, "entries": 4294967295, "drop": 0, "invalid": 1},
        ],
        0,
    )


@pytest.mark.parametrize(
    ("text", "rows", "strange"),
    [
        pytest.param("", [], 0, id="nothing"),
        pytest.param("entries drop\n", [], 0, id="only the header"),
        pytest.param("entries drop\n01\n02 03\n", [{"cpu": 1, "entries": 2, "drop": 3}], 1, id="a column is missing"),
        pytest.param("entries\n01 02\n", [], 1, id="a column too many"),
        pytest.param("entries\n-1\n0x1\n1_0\n\N{ARABIC-INDIC DIGIT ONE}\n", [], 4, id="no hexadecimal numbers"),
    ],
)
def test_lines_that_do_not_fit_are_counted(text, rows, strange):
    assert counters.parse_statistics(text) == (rows, strange)


@given(st.text())
def test_no_text_makes_the_parser_raise(text):
    counters.parse_statistics(text)


@given(st.lists(st.lists(st.integers(0, (1 << 32) - 1), min_size=3, max_size=3)))
def test_written_statistics_are_read_again(rows):
    lines = ["entries  clashres found"] + ["{:08x}  {:08x} {:08x}".format(*row) for row in rows]
    expected = [dict(zip(("entries", "clashres", "found"), row), cpu=cpu) for cpu, row in enumerate(rows)]
    assert counters.parse_statistics("\n".join(lines)) == (expected, 0)


def test_a_new_network_namespace_has_the_kernels_own_values_and_what_is_set_there():
    code = (
        "import json, subprocess\n"
        "subprocess.check_call(['sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_be_liberal=1',\n"
        "                       'net.netfilter.nf_conntrack_tcp_timeout_established=86400'])\n"
    )
    loaded, entries, limit, be_liberal, timeouts, statistics, errors = json.loads(
        run_python("_kernel.counters", code + READ, "unshare", "-n")
    )
    assert (loaded, entries, be_liberal, errors) == (True, 0, 1, [])
    assert limit > 0
    assert timeouts["established"] == 86400
    assert {
        state: timeouts[state] for state in ("close_wait", "max_retrans", "unacknowledged", "udp", "udp_stream")
    } == {
        "close_wait": 60,
        "max_retrans": 300,
        "unacknowledged": 300,
        "udp": 30,
        "udp_stream": 120,
    }
    assert [row["cpu"] for row in statistics] == list(range(len(statistics)))


def test_where_conntrack_is_not_loaded_everything_is_empty():
    code = (
        "import os, subprocess\nsubprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/proc/sys/net/netfilter'])\n"
        "os.mkdir('/proc/sys/net/netfilter/nf_log')\n"  # which is there without conntrack
    )
    assert json.loads(run_python("_kernel.counters", code + READ, "unshare", "-mn")) == NOTHING


def test_a_value_that_cannot_be_read_is_an_error_and_the_rest_still_counts():
    code = (
        "import subprocess\nsubprocess.check_call(['mount', '--bind', '/proc/sys/net/ipv4/route/flush',\n"
        "                       '/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established'])\n"
        "subprocess.check_call(['mount', '--bind', '/proc/sys/kernel/osrelease',\n"
        "                       '/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal'])\n"
    )
    seen = counters.Conntrack(*json.loads(run_python("_kernel.counters", code + READ, "unshare", "-mn")))
    assert seen.be_liberal is None
    assert "established" not in seen.timeouts
    assert seen.timeouts["close_wait"] == 60
    assert len(seen.errors) == 2
    (odd, report), (denied, rights) = seen.errors
    assert odd.startswith("net.netfilter.nf_conntrack_tcp_be_liberal: '")
    assert odd.endswith("' is not a number")
    assert report == f"Report it and the kernel ({os.uname().release}) to the collection."
    assert denied.startswith("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established: ")
    assert rights == more_rights()


# As the kernels print it: 4.19 has eleven columns, 5.10 and 6.1 thirteen, 6.18 fifteen.
OLD = (
    "6dcad223 00000000 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000007 00000000\n"
    "6f0e1565 0000000a 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n"
)
WITH_CPU = (
    "00000057 00000000 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
    "00000000\n"
    "0003f8a6 0000001f 00000004 00000000 00000000 00000000 00000000 00000000 00000000 00000011 00000000 00000003 "
    "00000002\n"
)
WITH_QUEUES = (
    "00017e3b 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000005 "
    "00000001 00000002 00000003\n"
)


def row(cpu, processed, dropped, time_squeeze, received_rps):
    return {
        "cpu": cpu,
        "processed": processed,
        "dropped": dropped,
        "time_squeeze": time_squeeze,
        "received_rps": received_rps,
    }


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param(
            OLD, [row(0, 0x6DCAD223, 0, 1, 7), row(1, 0x6F0E1565, 10, 2, 0)], id="before 5.10 rows are counted"
        ),
        pytest.param(WITH_CPU, [row(0, 87, 0, 2, 0), row(2, 260262, 31, 4, 17)], id="from 5.10 on each names its CPU"),
        pytest.param(WITH_QUEUES, [row(1, 97851, 0, 0, 0)], id="with the lengths of both queues after it"),
        pytest.param("", [], id="no file"),
    ],
)
def test_the_columns_by_kernel(text, rows):
    assert counters.parse_softnet(text) == (rows, 0)


def test_lines_that_make_no_sense_are_counted():
    assert counters.parse_softnet("zz 00000000 00000000\n00000001 00000002\n00000001 00000002 00000003\n") == (
        [{"processed": 1, "dropped": 2, "time_squeeze": 3, "cpu": 2}],
        2,
    )


def test_this_machine_has_a_row_for_each_cpu_that_is_online():
    seen = counters.read_softnet()
    assert seen.error is None
    assert {each["cpu"] for each in seen.rows} >= os.sched_getaffinity(0)
    assert all(set(each) == set(row(0, 0, 0, 0, 0)) for each in seen.rows)


NONE = {"invalid": 0, "insert_failed": 0, "drop": 0, "early_drop": 0}


def between(first, second, table="conntrack"):
    result = counters.growth(counters.Sample(10.0, {table: first}), counters.Sample(11.25, {table: second}))
    assert result["seconds"] == 1.25
    return result[table]


def counts(**counted):
    return {name: counted.get(name, 0) for name in NONE}


def rows(*cpus):
    return [dict(counts(**counted), cpu=cpu) for cpu, counted in cpus]


@pytest.mark.parametrize(
    ("first", "second", "grown"),
    [
        pytest.param(rows((0, {"invalid": 7})), rows((0, {"invalid": 7})), counts(), id="nothing happened"),
        pytest.param(
            rows((0, {"invalid": 7}), (1, {"drop": 1})),
            rows((0, {"invalid": 9}), (1, {"drop": 4, "invalid": 5})),
            counts(invalid=7, drop=3),
            id="all CPUs count together",
        ),
        pytest.param(
            rows((0, {"invalid": 900}), (1, {"invalid": 800})),
            rows((0, {"invalid": 3}), (1, {"invalid": 802})),
            counts(invalid=2),
            id="the module was loaded anew: no negative growth, and none of it hides the other CPU's",
        ),
        pytest.param(
            rows((0, {"drop": 5}), (1, {"drop": 7})),
            rows((0, {"drop": 6})),
            counts(drop=1),
            id="a CPU went offline",
        ),
        pytest.param(
            rows((0, {"drop": 5})),
            rows((0, {"drop": 5}), (1, {"drop": 1000})),
            counts(),
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
    read = counters.parse_statistics((FIXTURES / kernel / "proc_net_stat_nf_conntrack.txt").read_text())[0]
    assert between(read, read) == counts()


ROWS = st.lists(st.fixed_dictionaries({"cpu": st.integers(0, 3), "invalid": st.integers(0, (1 << 32) - 1)}), max_size=6)


@given(ROWS, ROWS)
def test_growth_is_never_negative(first, second):
    assert all(number >= 0 for number in between(first, second).values())


def test_the_time_that_the_rest_of_the_reading_took_is_not_waited_again():
    first = counters.take_sample({})
    time.sleep(0.05)
    assert 0 < counters.rest_seconds(first, 1.0) <= 0.95
    assert counters.rest_seconds(first, 0.01) == 0


INVALID = r"""
import json, socket, struct, subprocess
subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])
subprocess.check_call(['iptables', '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'INVALID', '-j', 'DROP'])
readers = {'conntrack': counters.read_statistics}
first = counters.take_sample(readers)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
for _number in range(3):  # a TCP header with all flags set at once, which no state machine knows
    raw.sendto(struct.pack('!HHIIBBHHH', 1, 2, 0, 0, 0x50, 0xFF, 0, 0, 0), ('127.0.0.1', 0))
print(json.dumps(counters.growth(first, counters.take_sample(readers))))
"""


def test_packets_that_conntrack_calls_invalid_are_counted_while_they_come():
    grown = json.loads(run_python("_kernel.counters", INVALID, "unshare", "-n"))
    assert 0 <= grown["seconds"] < 60
    assert grown["conntrack"]["invalid"] >= 3
    assert grown["softnet"] == {}
