# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import OPTIONS, parse_policy
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.policies import Policies, parse_policies

HOSTS = ("cp1", "node1", "node2", "node3")
ONE_PLAN = (
    "One plan is made for all of them, because a connection crosses several nodes. Give it one value, for example in "
    "group_vars/all."
)


def wishes(others, cp1):
    return {name: cp1 if name == "cp1" else others for name in HOSTS}


def test_one_policy_where_all_wish_the_same():
    policies = parse_policies(wishes({"margin": 60}, {"margin": "60"}))
    assert policies == Policies(parse_policy({"margin": 60}))
    assert policies.of("node1").margin == 60


@pytest.mark.parametrize(
    ("others", "cp1", "message"),
    [
        pytest.param(
            {},
            {"profile": "article"},
            "keepalive_profile: article on cp1, derived on node[1-3].",
            id="a word",
        ),
        pytest.param({"time": 600}, {}, "keepalive_time: unset on cp1, 600 on node[1-3].", id="a number"),
        pytest.param({}, {"pods": "no"}, "keepalive_pods: false on cp1, true on node[1-3].", id="a flag"),
        pytest.param(
            {},
            {"middleboxes": "aws_nlb"},
            "keepalive_middleboxes: AWS NLB 350 s on cp1, none on node[1-3].",
            id="middleboxes",
        ),
        pytest.param(
            {"ipvs_timeouts": {"tcp": 900}},
            {"ipvs_timeouts": "tcp=600"},
            'keepalive_ipvs_timeouts: {"tcp": 600} on cp1, {"tcp": 900} on node[1-3].',
            id="timeouts",
        ),
    ],
)
def test_what_a_plan_can_have_one_value_of_is_refused_by_name_and_value(others, cp1, message):
    with pytest.raises(PlanError) as caught:
        parse_policies(wishes(others, cp1))
    assert str(caught.value) == f"{message} {ONE_PLAN}"


OWN = {
    "bridge_nf_call": "never",
    "be_liberal": True,
    "conn_reuse_mode": "1",
    "expire_nodest_conn": True,
    "expire_quiescent_template": True,
    "sloppy_tcp": True,
    "rps": "auto",
    "rps_exclude_irq_cpus": True,
    "rps_sock_flow_entries": 0,
    "sysctls": {"net.core.somaxconn": "1024"},
    "namespace_ipvs_timeouts": {"ingress_sbox": {"tcp": 900}},
    "enforce": True,
    "enforce_exclude_ports": [22],
    "enforce_exclude_cgroups": ["/system.slice/sshd.service"],
    "open_connections": "all",
    "sysctl_file": "/etc/sysctl.d/99-own.conf",
    "modules_file": "/etc/modules-load.d/own.conf",
}


def test_the_options_that_say_nothing_about_other_nodes():
    assert [name for name, option in OPTIONS.items() if option.per_node] == list(OWN)


@pytest.mark.parametrize(("name", "value"), OWN.items(), ids=OWN)
def test_what_belongs_to_a_node_may_differ(name, value):
    policies = parse_policies(wishes({}, {name: value}))
    assert policies == Policies(parse_policy({}), {"cp1": parse_policy({name: value})})
    assert policies.of("cp1").as_dict()[name] == value
    assert getattr(policies.of("node1"), name) != value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            wishes({"margin": -1}, {"margin": -1}),
            "keepalive_margin: -1 is below 0 (a margin is never negative). Write a whole number from 0 to 2147483.",
            id="of all: once",
        ),
        pytest.param(
            wishes({"margin": -1}, {}),
            "keepalive_margin: -1 is below 0 (a margin is never negative). Write a whole number from 0 to 2147483. "
            "(on node[1-3])",
            id="of some: with their names",
        ),
        pytest.param(
            wishes({}, [1]),
            "policy: [1] is not a mapping. Write names and values, for example {lost_probes: 2}. (on cp1)",
            id="no mapping",
        ),
        pytest.param(
            wishes({}, {"sysctls": {1: "x", "vm.swappiness": "10", None: 2}}),
            "keepalive_sysctls: {1: 'x', 'vm.swappiness': '10', None: 2} is not a mapping of names and values. Write "
            "one, for example {}. (on cp1)",
            id="names of several types",
        ),
    ],
)
def test_a_wrong_value_is_told_once(given, message):
    with pytest.raises(PlanError) as caught:
        parse_policies(given)
    assert str(caught.value) == message
