# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import PATH
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nics import (
    nic,
    rule,
    with_nics,
    with_numa,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OUR_FILE,
    altered,
    plain_node,
    plan_one,
    settings_of,
    stock_node,
    with_sysctl,
)

ENTRIES = "net.core.rps_sock_flow_entries"
WHY = "the packets of a NIC are shared by the CPUs of its NUMA node; keepalive_rps auto"


def rps_of(node, **policy):
    return settings_of(node, **{"rps": "auto", **policy})["rps"]


ROWS = [
    pytest.param(
        with_nics(plain_node(), nic()), {}, [{"cpus": "0-3", "fewer_queues_than": 4}], id="one queue for four CPUs"
    ),
    pytest.param(with_nics(plain_node(), nic(queues=4)), {}, None, id="a queue for each CPU: nothing is to be gained"),
    pytest.param(
        with_nics(plain_node(), nic(queues=4)), {"rps": "always"}, [{"cpus": "0-3"}], id="unless asked for always"
    ),
    pytest.param(
        with_nics(plain_node(), nic(), cpus_online="0"), {"rps": "always"}, None, id="one CPU can share nothing"
    ),
    pytest.param(with_nics(plain_node()), {}, None, id="no NIC"),
    pytest.param(with_nics(plain_node(), nic(mask=None)), {}, None, id="a kernel without RPS"),
    pytest.param(
        with_numa(plain_node(), nic(numa_node=1)),
        {},
        [
            {"cpus": "0-3", "numa_node": 0, "fewer_queues_than": 4},
            {"cpus": "4-7", "numa_node": 1, "fewer_queues_than": 4},
            {"cpus": "0-7", "fewer_queues_than": 8},
        ],
        id="two NUMA nodes, for NICs that appear later, too",
    ),
    pytest.param(
        with_numa(plain_node(), nic(queues=4, numa_node=1)), {}, None, id="as many queues as its NUMA node has"
    ),
    pytest.param(
        with_numa(plain_node(), nic(queues=4, numa_node=None)),
        {"rps": "always"},
        [{"cpus": "0-3", "numa_node": 0}, {"cpus": "4-7", "numa_node": 1}, {"cpus": "0-7"}],
        id="a NIC of no NUMA node gets all CPUs",
    ),
    pytest.param(
        with_numa(plain_node(), nic(), numa_nodes={"0": "0-7", "1": ""}),
        {},
        [{"cpus": "0-7", "fewer_queues_than": 8}],
        id="a NUMA node of memory alone does not count",
    ),
    pytest.param(
        with_numa(plain_node(), nic(numa_node=1), cpus_isolated="1,4-5"),
        {},
        [
            {"cpus": "0,2-3", "numa_node": 0, "fewer_queues_than": 3},
            {"cpus": "6-7", "numa_node": 1, "fewer_queues_than": 2},
            {"cpus": "0,2-3,6-7", "fewer_queues_than": 5},
        ],
        id="without isolated CPUs",
    ),
    pytest.param(
        with_numa(plain_node(), nic(numa_node=1), cpus_isolated="4-7"),
        {},
        [
            {"cpus": "0-3", "numa_node": 0, "fewer_queues_than": 4},
            {"cpus": "0-3", "numa_node": 1, "fewer_queues_than": 4},
            {"cpus": "0-3", "fewer_queues_than": 4},
        ],
        id="a NUMA node with isolated CPUs alone uses the others",
    ),
    pytest.param(
        with_numa(plain_node(), nic(numa_node=1), cpus_online="0-5"),
        {},
        [
            {"cpus": "0-3", "numa_node": 0, "fewer_queues_than": 4},
            {"cpus": "4-5", "numa_node": 1, "fewer_queues_than": 2},
            {"cpus": "0-5", "fewer_queues_than": 6},
        ],
        id="without CPUs that are offline",
    ),
    pytest.param(
        with_nics(plain_node(), nic(irq_cpus="1"), nic("eth1", irq_cpus=None)),
        {"rps_exclude_irq_cpus": True},
        [
            {"cpus": "0,2-3", "name": "eth0", "fewer_queues_than": 4},
            {"cpus": "0-3", "fewer_queues_than": 4},
        ],
        id="without the CPUs of its interrupts, where they are known",
    ),
    pytest.param(
        with_nics(plain_node(), nic(irq_cpus="0-3")),
        {"rps_exclude_irq_cpus": True},
        [{"cpus": "0-3", "fewer_queues_than": 4}],
        id="with them where nothing would be left",
    ),
    pytest.param(
        with_nics(plain_node(), nic(irq_cpus="0-1"), cpus_online="0-47", numa_nodes={"0": "0-47"}),
        {"rps": "always", "rps_exclude_irq_cpus": True},
        [{"cpus": "2-47", "name": "eth0"}, {"cpus": "0-47"}],
        id="always, without them",
    ),
]


@pytest.mark.parametrize(("node", "policy", "rows"), ROWS)
def test_which_nics_get_which_cpus(node, policy, rows):
    expected = {} if rows is None else {"nics": rows, "flow_entries": 32768}
    assert rps_of(node, **policy) == expected
    sysctls = settings_of(node, **{"rps": "auto", **policy})["sysctls"]
    assert sysctls == ({} if rows is None else {ENTRIES: "32768"})


def test_by_default_nothing_is_set_and_what_was_set_is_given_back():
    assert settings_of(with_nics(plain_node(), nic()))["rps"] == {}


def test_where_nics_were_not_seen_rps_stays_and_a_note_says_so():
    _plan, worker = plan_one({**plain_node(), "rps": None}, rps="auto")
    assert (worker["settings"]["rps"], worker["settings"]["sysctls"], worker["changes"]) == (None, {}, [])
    assert worker["notes"] == ["keepalive_rps auto: NICs and CPUs were not seen, so RPS is left as it is."]


def test_a_nic_that_is_left_alone_is_told():
    nics = (nic(), nic("ens1", 4), nic("ens2", 8, numa_node=0))
    _plan, worker = plan_one(with_nics(plain_node(), *nics), rps="auto")
    (note,) = worker["notes"]
    assert note == (
        "keepalive_rps auto leaves ens1 (4 queues, 4 CPUs), ens2 (8 queues, 4 CPUs) alone: with a receive queue for "
        "each CPU, RPS brings nothing (the kernel's networking/scaling.rst)."
    )
    assert plan_one(with_nics(plain_node(), *nics), rps="always")[1]["notes"] == []


def test_without_flow_entries_there_is_no_sysctl_for_them():
    settings = settings_of(with_nics(plain_node(), nic()), rps="auto", rps_sock_flow_entries=0)
    assert (settings["sysctls"], settings["rps"]["flow_entries"]) == ({}, 0)


def test_rps_brings_no_bridge_keys():
    node = altered(with_nics(plain_node(), nic()), modules={"br_netfilter": {"loaded": True}})
    assert list(settings_of(node, rps="auto")["sysctls"]) == [ENTRIES]


ROW = {"cpus": "0-3", "fewer_queues_than": 4}


def applied(**rps):
    """A node after an apply with keepalive_rps auto, and what is to differ."""
    node = with_nics(plain_node(), nic(mask="f", flows=32768), **{"rule": rule(ROW), **rps})
    return with_sysctl(node, ENTRIES, "32768", value="32768", file=OUR_FILE, line=1)


def changes(node):
    found = plan_one(node, rps="auto")[1]["changes"]
    return [(change["what"], change["from"], change["to"], change["why"]) for change in found]


def test_what_a_node_gets_and_why():
    node = with_nics(plain_node(), nic(), nic("eth1", 2, mask="3", flows=64))
    assert changes(node) == [
        (ENTRIES, "0", "32768", WHY),
        ("eth0 rps_cpus", "0", "f", f"on 1 queue; {WHY}"),
        ("eth0 rps_flow_cnt", "0", "32768", f"on 1 queue; {WHY}"),
        ("eth1 rps_cpus", "3", "f", f"on 2 queues; {WHY}"),
        ("eth1 rps_flow_cnt", "64", "16384", f"on 2 queues; {WHY}"),
        ("RPS after a reboot", "no udev rules", f"the udev rules in {PATH}", WHY),
    ]


def test_queues_that_differ_are_told_together():
    node = applied()
    node["rps"]["nics"] = [nic(queues=3, mask="f", flows=8192)]
    node["rps"]["nics"][0]["queues"][1]["rps_cpus"] = "0"
    node["rps"]["nics"][0]["queues"][2]["rps_cpus"] = "00000000,00000003"
    assert changes(node) == [("eth0 rps_cpus", "0 or 3", "f", f"on 3 queues; {WHY}")]


def test_a_node_that_has_it_all_needs_no_change():
    assert changes(applied()) == []


def test_what_a_reboot_would_undo_is_a_change():
    assert changes(applied(rule=None)) == [
        ("RPS after a reboot", "no udev rules", f"the udev rules in {PATH}", WHY),
    ]
    assert changes(applied(rule="# mine\n")) == [
        ("RPS after a reboot", "other udev rules", f"the udev rules in {PATH}", WHY),
    ]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        pytest.param(
            {"rps": "on"}, "keepalive_rps: 'on' is not one of leave, auto, always. Write one of them.", id="a choice"
        ),
        pytest.param(
            {"rps_sock_flow_entries": 30000},
            "keepalive_rps_sock_flow_entries: 30000 is no power of two (the kernel rounds up). Write 32768.",
            id="no power of two",
        ),
        pytest.param(
            {"rps_sock_flow_entries": 1 << 30},
            "keepalive_rps_sock_flow_entries: 1073741824 is above 536870912 (what the kernel takes for "
            "net.core.rps_sock_flow_entries). Write a whole number from 0 to 536870912.",
            id="too many",
        ),
        pytest.param(
            {"rps": "auto", "sysctls": {ENTRIES: 4096}},
            "keepalive_sysctls: net.core.rps_sock_flow_entries 4096 contradicts the value 32768 "
            "(keepalive_rps_sock_flow_entries). Drop one of them.",
            id="a contradiction",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(policy, message):
    with pytest.raises(PlanError) as error:
        plan_one(stock_node(), **policy)
    assert str(error.value) == message


def test_flow_entries_of_one_s_own_are_no_contradiction_without_rps():
    assert settings_of(stock_node(), sysctls={ENTRIES: 4096})["sysctls"][ENTRIES] == "4096"
