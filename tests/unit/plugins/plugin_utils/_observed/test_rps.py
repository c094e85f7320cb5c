# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.rps import parse_rps
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nics import nic

HOSTILE = [
    None,
    [],
    {},
    {"nics": {}},
    {"nics": [], "cpus_online": None},
    {"nics": [], "cpus_online": "0-99999999"},
    {"nics": [], "cpus_online": ["0"]},
]


@pytest.mark.parametrize("rps", HOSTILE, ids=range(len(HOSTILE)))
def test_nics_and_cpus_that_make_no_sense_were_not_seen(rps):
    assert parse_rps(rps) is None


def test_of_what_makes_sense_in_part_that_part_is_taken():
    seen = parse_rps(
        {
            "cpus_online": "0-1",
            "cpus_isolated": "x",
            "numa_nodes": {"0": "0-1", "x": "0", "1": 7},
            "nics": [
                None,
                {"name": 7},
                {"name": "eth0", "path": "/x", "queues": [None, {"name": [], "rps_cpus": "zz"}]},
            ],
            "rule": {},
        }
    )
    assert (seen.isolated, seen.numa_nodes, seen.rule) == (frozenset(), {0: {0, 1}}, None)
    (one,) = seen.nics
    assert (one.name, one.operstate, one.numa_node, one.irq_cpus) == ("eth0", "unknown", None, None)
    assert one.queues == (("?", None, None),)


@pytest.mark.parametrize(
    ("isolated", "numa_node", "usable"),
    [
        pytest.param("", None, {0, 1, 2, 3}, id="all where the NUMA node is not known"),
        pytest.param("", 1, {2, 3}, id="those of the NUMA node"),
        pytest.param("3", 1, {2}, id="isolated ones never"),
        pytest.param("2-3", 1, {0, 1}, id="others where all of the NUMA node are isolated"),
        pytest.param("0-3", None, {0, 1, 2, 3}, id="all where every one is isolated"),
        pytest.param("", 7, {0, 1, 2, 3}, id="a NUMA node without CPUs"),
    ],
)
def test_which_cpus_may_work_on_the_packets_of_a_nic(isolated, numa_node, usable):
    seen = {"cpus_online": "0-3", "cpus_isolated": isolated, "numa_nodes": {"0": "0-1", "1": "2-3"}, "nics": [nic()]}
    assert parse_rps(seen).usable(numa_node) == usable


def test_where_nics_are():
    seen = parse_rps({"cpus_online": "0", "nics": [nic("eth0"), nic("eth1")]})
    assert seen.paths == {"eth0": "/devices/pci0000:00/eth0/net/eth0", "eth1": "/devices/pci0000:00/eth1/net/eth1"}
