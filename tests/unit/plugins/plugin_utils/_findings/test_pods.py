# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import pods
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings import _rows_pods
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    applied_node,
    nftables_node,
    quiet_node,
    stock_node,
    with_pods,
)

IPVS_LIMIT = "900 s (IPVS tcp on worker1)"
APPLY = "Run the playbook kubenode.connections.apply"

RAISED = [
    *_rule_cases.of_room(pods, _rows_pods.RAISED),
    pytest.param(
        "pods-keepalive-too-late",
        with_pods(applied_node(), [((7200, 75, 9), 20), ((840, 30, 2), 3)]),
        {},
        {
            "severity": "warning",
            "limit": IPVS_LIMIT,
            "observed": "23 network namespaces besides the node's own (pods): 7200/75/9 in 20, 840/30/2 in 3",
            "why": "Keepalive sysctls belong to a network namespace. The node's own reach hostNetwork processes only, "
            "and the namespace of a new pod starts with the kernel's 7200/75/9.",
            "remedy": "Give pods net.ipv4.tcp_keepalive_time, _intvl and _probes of 600/30/9: in "
            "securityContext.sysctls (safe from Kubernetes 1.29), by CRI-O's default_sysctls or the CNI "
            "plugin tuning; then recreate them. Or, if you cannot change pods, set keepalive_strategy: "
            "raise_ipvs.",
        },
        id="pods keep the kernel's values",
    ),
    pytest.param(
        "pods-keepalive-too-late",
        with_pods(nftables_node(), [((7200, 75, 9), 2)]),
        {"middleboxes": ["aws_nlb"]},
        {
            "remedy": "Give pods net.ipv4.tcp_keepalive_time, _intvl and _probes of 233/11/9: in "
            "securityContext.sysctls (safe from Kubernetes 1.29), by CRI-O's default_sysctls or the CNI plugin tuning; "
            "then recreate them.",
        },
        id="pods behind a load balancer, where IPVS cannot help",
    ),
    pytest.param(
        "pods-keepalive-too-late",
        stock_node(),
        {"strategy": "raise_ipvs"},
        {"remedy": f"{APPLY}: it raises the IPVS tcp timeout above all of them."},
        id="pods, to be cured by IPVS",
    ),
]

NOT_RAISED = [
    *_rule_cases.of_room(pods, _rows_pods.NOT_RAISED),
    pytest.param("pods-keepalive-too-late", quiet_node(), {}, id="pods are soon enough"),
    pytest.param(
        "pods-keepalive-too-late", with_pods(stock_node(), []), {}, id="no pods, the node itself does not count"
    ),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert _rule_cases.finding_of(identity, node, policy) is None


def test_every_rule_of_the_room_is_tested_both_ways():
    ids = {rule.id for rule in pods.RULES}
    assert {row.values[0] for row in RAISED} == {row.values[0] for row in NOT_RAISED} == ids
