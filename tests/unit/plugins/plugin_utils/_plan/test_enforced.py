# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import Enforced
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.enforced import (
    covers_unlisted,
    in_force,
    new_connections,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import (
    POLICY,
    able,
    enforcing,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    plan_one,
    quiet_node,
    stock_node,
    with_keepalive,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    row,
    service,
    with_rows,
)

WANTED = Keepalive(600, 30, 9)
UID = "2c9e4c5e-7f0a-4c0e-9a52-000000000001"
OF_POD = f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID.replace('-', '_')}.slice"
OF_ANOTHER = OF_POD.replace("000000000001", "000000000002")
SSHD = "/system.slice/sshd.service"


def space(keepalive=KERNEL, *services, **more):
    """The namespace of a pod, or of what ``kind`` says."""
    changed = {"uid": UID, **more.pop("changed", {})}
    return parse_node(with_rows(quiet_node(), {**row("a/b", keepalive, *services, **more), **changed})).pods.spaces[-1]


def of(keepalive=KERNEL, *services, ports=(), cgroups=(), **more):
    return new_connections(Enforced(WANTED, ports, cgroups), space(keepalive, *services, **more))


@pytest.mark.parametrize(
    ("own", "to_come"),
    [
        pytest.param(KERNEL, (600, 30, 9), id="the kernel's values"),
        pytest.param((300, 75, 4), (300, 30, 9), id="one that is sooner stays"),
        pytest.param((300, 10, 4), (300, 10, 4), id="as do all that are"),
    ],
)
def test_nothing_is_made_later(own, to_come):
    assert of(own) == Keepalive(*to_come)


@pytest.mark.parametrize(
    "to_come",
    [
        pytest.param(of(None, error="denied"), id="values that could not be read"),
        pytest.param(of((0, 75, 9)), id="a value below 1"),
        pytest.param(of(sandbox="gvisor"), id="a sandbox with TCP of its own"),
        pytest.param(of(cgroups=(OF_POD,)), id="the pod is left out"),
        pytest.param(of(cgroups=(f"{OF_POD}/cri-containerd-1.scope",)), id="a container of it is"),
        pytest.param(of(cgroups=(f"/kubepods/burstable/pod{UID}",)), id="the pod is, by another driver"),
        pytest.param(of(cgroups=("/kubepods.slice",)), id="all pods are left out"),
        pytest.param(of(cgroups=(OF_ANOTHER,), changed={"uid": None}), id="a pod is, and nobody knows which this is"),
        pytest.param(of(cgroups=(SSHD,), kind="container"), id="nobody knows in which group a container is"),
        pytest.param(of(cgroups=("/system.slice/containerd.service",)), id="the runtime is, that may hold pods"),
        pytest.param(of(cgroups=("/system.slice/k3s-agent.service",)), id="k3s is"),
        pytest.param(of(cgroups=("/system.slice/rke2-server.service",)), id="rke2 is"),
        pytest.param(of(ports=(6379,)), id="a port is left out, that it may connect to"),
    ],
)
def test_it_does_not_decide_over(to_come):
    assert to_come is None


def test_what_is_left_out_elsewhere_says_nothing_of_a_pod():
    assert of(cgroups=(SSHD, OF_ANOTHER)) == WANTED


def test_what_a_kernel_replaces_may_be_made_later():
    node = with_rows(enforcing({**quiet_node(), "kernel": "5.10.0-30-amd64"}), row("a/b", (300, 10, 4)))
    seen = parse_node(node)
    assert new_connections(in_force(seen), seen.pods.spaces[-1]) == WANTED


def pods_of(*rows, **more):
    return parse_node(with_rows(quiet_node(), *rows, **more)).pods


def test_namespaces_that_were_not_listed_are_covered_only_where_nothing_may_be_left_out():
    pods = pods_of(row("a/b"), omitted=3)
    assert covers_unlisted(Enforced(WANTED), pods, None)
    assert not covers_unlisted(None, pods, None)
    assert not covers_unlisted(Enforced(WANTED, (22,)), pods, None)
    assert not covers_unlisted(Enforced(WANTED, (), (SSHD,)), pods, None)
    assert not covers_unlisted(Enforced(WANTED), pods_of(row("a/b", sandbox="gvisor"), omitted=3), None)


@pytest.mark.parametrize(("seconds", "verdict"), [(900, "safe"), (350, "unsafe")])
def test_namespaces_that_were_not_listed_are_a_risk_where_what_is_enforced_is_too_late(seconds, verdict):
    node = with_rows(enforcing(with_keepalive(stock_node(), (233, 11, 9))), row("a/b", (200, 10, 9)), omitted=3)
    node["namespaces"]["keepalive"].append({"time": 7200, "intvl": 75, "probes": 9, "namespaces": 3, "own": False})
    node["namespaces"]["count"] += 3
    assert planned(node, middleboxes=[{"name": "nat", "seconds": seconds}])["pods"]["verdict"] == verdict


def planned(node, *rows, **policy):
    return plan_one(with_rows(node, *rows) if rows else node, **{**POLICY, **policy})[1]


def test_pods_with_the_kernels_values_are_no_risk_any_more():
    node = planned(enforcing(quiet_node()), row("a/b"))
    assert (node["verdict"], node["pods"]["verdict"], node["pods"]["at_risk"]) == ("safe", "safe", [])
    assert (node["settings"]["pods"], node["changes"]) == (None, [])


def test_a_pod_that_is_left_out_is_a_risk_as_before_and_why_is_told():
    rows = {**row("a/b"), "uid": UID.replace("1", "2")}, {**row("a/c", KERNEL, service(gaps=[(600, 1)])), "uid": UID}
    node = planned(enforcing(quiet_node(), cgroups=(OF_POD,)), *rows)
    (at_risk,) = node["pods"]["at_risk"]
    assert (node["verdict"], at_risk["label"]) == ("unsafe", "a/c")
    assert at_risk["why"].startswith("keepalive 7200/75/9: 7200 + 2 x 75 = 7350 s, ")


def test_connections_that_are_open_are_judged_as_they_are_seen():
    node = planned(enforcing(quiet_node()), row("a/b", KERNEL, service(without=2, gaps=[(7200, 1), (600, 3)])))
    assert (node["verdict"], node["pods"]["verdict"]) == ("safe", "unsafe")
    (at_risk,) = node["pods"]["at_risk"]
    assert (at_risk["without_keepalive"], at_risk["late"], at_risk["undecided"]) == (2, 1, 3)
    assert at_risk["verdict"] == "safe"
    assert at_risk["why"].startswith("keepalive 7200/75/9, 600/30/9 enforced: 600 + 2 x 30 = 660 s, ")


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(able(quiet_node()), id="nothing attached"),
        pytest.param(enforcing(quiet_node(), exact=False), id="another program"),
        pytest.param(enforcing(quiet_node(), boot=None), id="only until the next boot"),
        pytest.param(enforcing(quiet_node(), (3000, 75, 9), (3000, 75, 9)), id="too late for the limit"),
    ],
)
def test_pods_are_a_risk_as_before_with(node):
    assert planned(node, row("a/b"))["verdict"] == "unsafe"


def test_pods_get_their_own_values_where_it_is_to_be_given_back():
    node = planned(enforcing(quiet_node()), row("a/b"), enforce=False)
    assert (node["verdict"], node["settings"]["pods"]) == ("safe", {"time": 600, "intvl": 30, "probes": 9})


def test_pods_that_a_limit_was_not_seen_for_stay_unknown():
    node = enforcing(quiet_node())
    node["ipvs"]["timeouts"] = None
    assert planned(node, row("a/b"))["verdict"] != "safe"
