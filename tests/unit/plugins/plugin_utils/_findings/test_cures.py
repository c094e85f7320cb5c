# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import (
    OLD_KERNEL,
    POLICY,
    YAMA,
    able,
    enforcing,
    unable,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import applied_node, quiet_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    SAFE,
    outside,
    row,
    service,
    with_rows,
)

APPLY = "Run the playbook kubenode.connections.apply"
NLB = {"middleboxes": [{"name": "nat", "seconds": 350}]}
RESTART = (
    "Restart these, or have them connect again. Nothing else needs it. Connections that they open from now on are kept."
)
REARMED = (
    f"{APPLY}: it re-arms those that follow their namespace, in place, without a restart. What has a TCP_KEEPIDLE of "
    "its own is left alone: change it in the program."
)
OFFER = "Set keepalive_enforce: true: the kernel then gives new connections their keepalive, whatever the program. "
OPEN = (
    "For these set keepalive_open_connections: all: an apply then gives it to them in place, without a restart. Or in "
    "the program, for one whose runtime "
)
CANNOT = f" keepalive_enforce is no cure on this node: {OLD_KERNEL}"


def without(node):
    return with_rows(node, row("a/b", SAFE, service(without=2)))


def late(node, gap=7200, **more):
    return with_rows(node, row("a/b", SAFE, service(gaps=[(gap, 2)]), **more))


def elsewhere(node, **connections):
    return with_rows(node, {**row("a/b", (233, 11, 9)), **outside(service("192.0.2.2:5432", **connections))})


@pytest.mark.parametrize(
    ("node", "policy", "begins"),
    [
        pytest.param(able(quiet_node()), {}, OFFER + OPEN, id="a node that can"),
        pytest.param(
            able(quiet_node()),
            {**POLICY, "open_connections": "all"},
            f"{APPLY}: by keepalive_enforce new connections then get their keepalive from the kernel. It gives it to "
            "these in place, without a restart. Or in the program, for ",
            id="both are asked for",
        ),
        pytest.param(
            enforcing(quiet_node()),
            POLICY,
            "New connections get 600/30/9, by keepalive_enforce. " + OPEN,
            id="new connections have it",
        ),
        pytest.param(
            able(quiet_node(), possible=None, reason="a backport"),
            {},
            OFFER.replace("gives", "may give") + OPEN,
            id="a node that nobody knows of",
        ),
        pytest.param(
            able(quiet_node(), possible=None, reason="a backport"),
            POLICY,
            f"{APPLY}: by keepalive_enforce new connections then may get their keepalive from the kernel. ",
            id="it is tried on a node that nobody knows of",
        ),
        pytest.param(quiet_node(), {}, "In the program, for one whose runtime", id="an older node_info"),
        pytest.param(unable(quiet_node()), {}, "In the program, for one whose runtime", id="a node that cannot"),
    ],
)
def test_what_helps_connections_without_so_keepalive(node, policy, begins):
    _rule_cases.raised("connections-without-keepalive", without(node), policy, {})
    remedy = _rule_cases.finding_of("connections-without-keepalive", without(node), policy)["remedy"]
    assert remedy.startswith(begins)
    assert remedy.endswith(CANNOT) is (node.get("enforcement", {}).get("possible") is False)


PROXY = {"middleboxes": [{"name": "haproxy", "destinations": ["10.96.0.10"]}]}
OUTSIDE_PROXY = {"middleboxes": [{"name": "nat", "seconds": 350}, {"name": "haproxy", "destinations": ["192.0.2.2"]}]}


@pytest.mark.parametrize(
    ("identity", "node", "policy"),
    [
        pytest.param("connections-without-keepalive", without(able(quiet_node())), PROXY, id="behind a proxy"),
        pytest.param(
            "connections-without-keepalive",
            with_rows(able(quiet_node()), row("a/b", SAFE, service(without=2), sandbox="gvisor")),
            {},
            id="in a sandbox",
        ),
        pytest.param(
            "outside-without-keepalive",
            elsewhere(able(quiet_node()), without=1),
            OUTSIDE_PROXY,
            id="to other addresses behind a proxy",
        ),
    ],
)
def test_nothing_is_promised_to_connections_that_no_keepalive_helps(identity, node, policy):
    _rule_cases.raised(identity, node, policy, {})
    assert _rule_cases.finding_of(identity, node, policy)["remedy"].startswith("In the program, for ")


@pytest.mark.parametrize("kind", ["pod", "container"])
def test_values_that_are_in_time_are_not_blamed_for_what_is_enforced_in_their_place(kind):
    node = {**enforcing(quiet_node()), "kernel": "5.10.0-30-amd64"}
    several = with_rows(node, row("a/b", (200, 10, 9), kind=kind))
    for identity in ("pods-own-keepalive-too-late", "containers-keepalive-too-late"):
        assert _rule_cases.finding_of(identity, several, {**POLICY, **NLB}) is None
    assert _rule_cases.finding_of("enforce-not-in-force", several, {**POLICY, **NLB})


@pytest.mark.parametrize("sandbox", [None, "gvisor"])
def test_what_helps_pods_and_containers_with_late_values_of_their_own(sandbox):
    late = row("a/b", (3600, 75, 9), service(gaps=[(600, 1)]), sandbox=sandbox)
    offer = "Set keepalive_enforce: true: the kernel then gives new connections theirs, of these too. "
    pods = _rule_cases.finding_of("pods-own-keepalive-too-late", with_rows(able(quiet_node()), late), {})
    by_hand = "et at most 600/30/9 in securityContext.sysctls of these pods, or drop it there, and recreate them."
    assert pods["remedy"] == (f"S{by_hand}" if sandbox else f"{offer}Or s{by_hand}")
    box = with_rows(able(quiet_node()), {**late, "kind": "container"})
    boxes = _rule_cases.finding_of("containers-keepalive-too-late", box, {})
    assert boxes["remedy"].startswith("Start them with " if sandbox else offer)
    assert "tart them with at most 600/30/9 (docker run " in boxes["remedy"]


@pytest.mark.parametrize(
    ("node", "policy", "remedy"),
    [
        pytest.param(late(able(quiet_node())), {}, REARMED, id="a node that can"),
        pytest.param(
            late(able(quiet_node())),
            {"open_connections": "never"},
            f"Set keepalive_open_connections: rearm. {REARMED}",
            id="the user says never",
        ),
        pytest.param(
            late(unable(quiet_node())), {}, f"{RESTART} They cannot be re-armed in place: {YAMA}.", id="it cannot"
        ),
        pytest.param(late(quiet_node()), {}, RESTART, id="an older node_info"),
        pytest.param(
            late(able(quiet_node()), 9000),
            {},
            f"{RESTART} They are not re-armed in place: their timers look like the programs' own.",
            id="timers longer than any of the namespace",
        ),
        pytest.param(late(able(quiet_node()), kind="other"), {}, RESTART, id="a namespace where nothing is re-armed"),
        pytest.param(late(able(quiet_node())), {"pods": False}, RESTART, id="pods are to be left alone"),
        pytest.param(late(able(quiet_node()), sandbox="gvisor"), {}, RESTART, id="a sandbox"),
        pytest.param(
            late(able(quiet_node())),
            {"middleboxes": [{"name": "haproxy", "destinations": ["10.96.0.10"]}]},
            RESTART,
            id="behind a proxy",
        ),
        pytest.param(
            with_rows(able(quiet_node()), row("a/b", SAFE, service(gaps=[(7200, 2)])), row("a/c")),
            {"strategy": "raise_ipvs"},
            RESTART,
            id="IPVS is raised above it",
        ),
    ],
)
def test_what_helps_connections_that_were_armed_late(node, policy, remedy):
    _rule_cases.raised("connections-armed-late", node, policy, {"remedy": remedy})


def test_the_same_helps_connections_to_other_addresses():
    bind = " Where that middlebox is not on the path there, say in keepalive_middleboxes what it is bound to."
    node = elsewhere(able(quiet_node()), gaps=[(7200, 1)])
    _rule_cases.raised("outside-armed-late", node, NLB, {"remedy": REARMED + bind})
    found = _rule_cases.finding_of("outside-without-keepalive", elsewhere(able(quiet_node()), without=1), NLB)
    assert found["remedy"].startswith(OFFER + OPEN)
    assert found["remedy"].endswith(bind)


@pytest.mark.parametrize(
    ("node", "policy", "says"),
    [
        pytest.param(
            able(applied_node()),
            {},
            "Set keepalive_enforce: true: the kernel then gives new connections theirs, of new pods too. Or give new ",
            id="a node that can",
        ),
        pytest.param(
            able(applied_node()),
            POLICY,
            f"{APPLY}: by keepalive_enforce new connections, of new pods too, then get theirs from the kernel. Or ",
            id="it is asked for",
        ),
        pytest.param(unable(applied_node()), {}, f"securityContext.sysctls.{CANNOT}", id="a node that cannot"),
    ],
)
def test_what_helps_pods_to_come(node, policy, says):
    several = with_rows(node, row("a/b"))
    _rule_cases.raised("pods-keepalive-too-late", several, policy, {})
    assert says in _rule_cases.finding_of("pods-keepalive-too-late", several, policy)["remedy"]


def test_running_pods_are_told_that_their_open_connections_are_re_armed():
    node = with_rows(able(applied_node()), row("a/b", (7200, 75, 9), service(gaps=[(7200, 1)])))
    remedy = _rule_cases.finding_of("pods-keepalive-too-late", node, {})["remedy"]
    assert "for the connections that they open then, and re-arms those that are open. " in remedy
