# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import connections
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings import _rows_pods
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    nodes,
    quiet_node,
    stock_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    row,
    service,
    with_rows,
)

UNNAMED = {
    "id": "programs",
    "what": "programs that have connections open",
    "why": "the open files of some processes may not be seen",
    "do": "Run with all capabilities: this root lacks some, as in a container.",
}

RAISED = [
    *_rule_cases.of_room(connections, _rows_pods.RAISED),
    pytest.param(
        "connections-unnamed",
        altered(quiet_node(), problems=[UNNAMED]),
        {},
        {
            "severity": "info",
            "observed": "programs that have connections open: the open files of some processes may not be seen",
            "why": "These connections are counted and judged all the same. The report cannot name their programs.",
            "remedy": "Run with all capabilities: this root lacks some, as in a container.",
        },
        id="files of others may not be seen",
    ),
]
NOT_RAISED = [
    *_rule_cases.of_room(connections, _rows_pods.NOT_RAISED),
    pytest.param("connections-unnamed", stock_node(), {}, id="each has its program"),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert _rule_cases.finding_of(identity, node, policy) is None


def test_every_rule_of_the_room_is_tested_both_ways():
    ids = {rule.id for rule in connections.RULES}
    assert {row.values[0] for row in RAISED} == {row.values[0] for row in NOT_RAISED} == ids


def test_a_program_is_to_ping_after_two_thirds_of_the_limit_where_the_keepalive_in_use_is_later():
    node = with_rows(stock_node(), row("a/b", KERNEL, service(without=1, processes=[("api", 7, "node", 1)])))
    finding = _rule_cases.finding_of("connections-without-keepalive", node, {"strategy": "raise_ipvs"})
    assert "Node: socket.setKeepAlive(true, 600000)" in finding["remedy"]


def test_connections_without_a_program_make_no_verdict_worse():
    named, unnamed = (make_plan(nodes(node), {}) for node in (quiet_node(), altered(quiet_node(), problems=[UNNAMED])))
    assert (unnamed["verdict"], len(unnamed["findings"])) == (named["verdict"], len(named["findings"]) + 1)
