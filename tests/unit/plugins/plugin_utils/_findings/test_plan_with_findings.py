# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import Elsewhere
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    plain_node,
    quiet_node,
    stock_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import with_rows


@pytest.mark.parametrize("several", [None, {}, [], "worker1"])
def test_no_nodes_is_an_error(several):
    with pytest.raises(PlanError) as caught:
        make_plan(several, {})
    assert str(caught.value) == (
        "no node was given, at least one is expected. Give a mapping of names to what node_info returned as node."
    )


def bastion():
    """A host where all was looked at, and no Kubernetes was there."""
    return {**with_rows(plain_node()), "container_runtimes": []}


def test_a_host_that_is_no_node_is_named_and_not_counted():
    plan = make_plan({"w1": quiet_node(), "bastion": bastion()}, {})
    assert (list(plan["nodes"]), plan["other_hosts"]) == (["w1"], ["bastion"])
    assert "bastion" not in {finding["scope"] for finding in plan["findings"]}


@pytest.mark.parametrize(
    ("nodes", "every_host"),
    [
        pytest.param({"w1": quiet_node(), "bastion": bastion()}, True, id="asked for"),
        pytest.param({"bastion": bastion(), "nfs": bastion()}, False, id="there are no others"),
        pytest.param({"bastion": bastion(), "w1": None}, False, id="no other was observed"),
    ],
)
def test_hosts_that_are_no_nodes_count_where(nodes, every_host):
    plan = make_plan(nodes, {}, every_host=every_host)
    assert (list(plan["nodes"]), plan["other_hosts"]) == (list(nodes), [])


def test_a_host_that_was_not_observed_counts():
    """Nobody can say that it is none."""
    plan = make_plan({"w1": quiet_node(), "w2": None}, {})
    assert (list(plan["nodes"]), plan["other_hosts"]) == (["w1", "w2"], [])


def test_a_wrong_wish_of_a_host_that_does_not_count_stops_nobody():
    plan = make_plan({"w1": quiet_node(), "bastion": bastion()}, {}, {"bastion": {"profile": "article"}})
    assert plan["policy"]["profile"] == "derived"


def test_what_a_node_wants_otherwise_is_its_own():
    own = {"w2": {"be_liberal": True}}
    plan = make_plan({"w1": stock_node(), "w2": stock_node()}, {"be_liberal": False}, own)
    key = "net.netfilter.nf_conntrack_tcp_be_liberal"
    assert [node["settings"]["sysctls"][key] for node in plan["nodes"].values()] == ["0", "1"]


def test_what_a_plan_has_one_value_of_nobody_wants_otherwise():
    with pytest.raises(PlanError, match=r"^keepalive_margin: 5 on w1, 60 on w2\. One plan is made for all of them, "):
        make_plan({"w1": stock_node(), "w2": stock_node()}, {"margin": 5}, {"w2": {"margin": 60}})


@pytest.mark.parametrize(("wishes", "own"), [([1], {}), ({}, {"w1": [1]})])
def test_wishes_that_are_no_mapping_are_refused(wishes, own):
    with pytest.raises(PlanError, match=r"^policy: \[1\] is not a mapping\. "):
        make_plan({"w1": stock_node()}, wishes, own)


def test_why_a_node_was_not_observed_is_told_in_its_finding():
    plan = make_plan({"w1": quiet_node(), "w2": {"not_observed": "Missing sudo password. "}}, {})
    finding = next(each for each in plan["findings"] if each["id"] == "node-not-observed")
    assert (finding["scope"], finding["observed"]) == ("w2", "the node was not observed: Missing sudo password")


def test_a_low_limit_of_hosts_left_out_is_planned_for():
    plan = make_plan({"w1": quiet_node()}, {}, elsewhere=Elsewhere(("w2",), 2, Limit(300, "IPVS tcp", "w2"), "X"))
    assert plan["limit"] == {"seconds": 300, "name": "IPVS tcp", "node": "w2"}
    assert plan["nodes"]["w1"]["verdict"] == "unsafe"
    assert plan["left_out"]["sentence"].endswith("is what X says of them.")


def test_an_unknown_limit_of_hosts_left_out_is_never_fine():
    plan = make_plan({"w1": quiet_node()}, {}, elsewhere=Elsewhere(("w2",), 2))
    finding = next(each for each in plan["findings"] if each["id"] == "limit-unknown")
    assert (plan["verdict"], finding["observed"]) == (
        "unknown",
        "the lowest limit of the hosts left out: 1 of 2 hosts not looked at: w2",
    )
    assert finding["remedy"] == (
        "Run without --limit, or keep a report of all hosts (keepalive_report_dir): "
        "its limits count for those left out."
    )
