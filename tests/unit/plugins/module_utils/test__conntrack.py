# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json
import os
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils import _conntrack
from ansible_collections.kubenode.connections.plugins.module_utils._errors import more_rights
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
COLUMN_OF_KERNEL = {
    "5.10.0-46-cloud-amd64": "delete_list",
    "6.1.0-56-cloud-amd64": "chainlength",
    "7.2.12+deb13-cloud-amd64": "chainlength",
}
NOTHING = [False, None, None, None, {}, [], []]
READ = "import json\nprint(json.dumps(_conntrack.read()))"


@pytest.mark.parametrize(("kernel", "column"), sorted(COLUMN_OF_KERNEL.items()))
def test_the_statistics_of_a_real_kernel(kernel, column):
    text = (FIXTURES / kernel / "proc_net_stat_nf_conntrack.txt").read_text()
    rows, strange = _conntrack.parse_statistics(text)
    assert strange == 0
    assert [(row["cpu"], row["entries"]) for row in rows] == [(0, 6), (1, 6)]
    for row in rows:
        assert set(row) >= {"found", "invalid", "insert_failed", "drop", "early_drop", "search_restart", column}
        assert len(row) == 18


def test_the_numbers_are_hexadecimal_and_the_header_names_them():
    text = "entries  drop invalid\n000000ff  00000010 0000abcd\nFFFFFFFF  00000000 00000001\n"
    assert _conntrack.parse_statistics(text) == (
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
    assert _conntrack.parse_statistics(text) == (rows, strange)


@given(st.text())
def test_no_text_makes_the_parser_raise(text):
    _conntrack.parse_statistics(text)


@given(st.lists(st.lists(st.integers(0, (1 << 32) - 1), min_size=3, max_size=3)))
def test_written_statistics_are_read_again(rows):
    lines = ["entries  clashres found"] + ["{:08x}  {:08x} {:08x}".format(*row) for row in rows]
    expected = [dict(zip(("entries", "clashres", "found"), row), cpu=cpu) for cpu, row in enumerate(rows)]
    assert _conntrack.parse_statistics("\n".join(lines)) == (expected, 0)


def test_a_new_network_namespace_has_the_kernels_own_values_and_what_is_set_there():
    code = (
        "import json, subprocess\n"
        "subprocess.check_call(['sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_be_liberal=1',\n"
        "                       'net.netfilter.nf_conntrack_tcp_timeout_established=86400'])\n"
    )
    loaded, entries, limit, be_liberal, timeouts, statistics, errors = json.loads(
        run_python("_conntrack", code + READ, "unshare", "-n")
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
    assert json.loads(run_python("_conntrack", code + READ, "unshare", "-mn")) == NOTHING


def test_a_value_that_cannot_be_read_is_an_error_and_the_rest_still_counts():
    code = (
        "import subprocess\nsubprocess.check_call(['mount', '--bind', '/proc/sys/net/ipv4/route/flush',\n"
        "                       '/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established'])\n"
        "subprocess.check_call(['mount', '--bind', '/proc/sys/kernel/osrelease',\n"
        "                       '/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal'])\n"
    )
    seen = _conntrack.Conntrack(*json.loads(run_python("_conntrack", code + READ, "unshare", "-mn")))
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
