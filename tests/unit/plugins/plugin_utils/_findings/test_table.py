# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import table
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import SEVERITIES
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    nftables_node,
    nodes,
    quiet_node,
    stock_node,
    unprivileged_node,
)


def test_every_rule_has_an_id_of_its_own_and_is_described():
    assert len(table.RULES) == len({rule.id for rule in table.RULES})
    assert all(rule.description.endswith(".") and rule.severity in SEVERITIES for rule in table.RULES)


def test_of_a_cured_node_there_is_nothing_to_say():
    findings = make_plan(nodes(quiet_node()), {})["findings"]
    assert [finding["id"] for finding in findings] == ["ipvs-mode-deprecated"]


def test_the_top_finding_of_a_stock_node_is_critical():
    findings = make_plan(nodes(nftables_node(), stock_node()), {})["findings"]
    assert (findings[0]["id"], findings[0]["severity"]) == ("keepalive-too-late", "critical")


def test_findings_come_with_the_most_severe_first():
    several = nodes(unprivileged_node(), None, altered(nftables_node(), ipvs={"loaded": True}), stock_node())
    severities = [finding["severity"] for finding in make_plan(several, {"profile": "article"})["findings"]]
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert set(severities) == set(SEVERITIES)
