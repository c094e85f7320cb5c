# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils import _softnet

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
    assert _softnet.parse(text) == (rows, 0)


def test_lines_that_make_no_sense_are_counted():
    assert _softnet.parse("zz 00000000 00000000\n00000001 00000002\n00000001 00000002 00000003\n") == (
        [{"processed": 1, "dropped": 2, "time_squeeze": 3, "cpu": 2}],
        2,
    )


def test_this_machine_has_a_row_for_each_cpu_that_is_online():
    seen = _softnet.read()
    assert seen.error is None
    assert {each["cpu"] for each in seen.rows} >= os.sched_getaffinity(0)
    assert all(set(each) == set(row(0, 0, 0, 0, 0)) for each in seen.rows)
