# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import make_document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    quiet_node,
    with_ipvs_tcp,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    outside,
    row,
    service,
    with_rows,
)

SHORT = (233, 11, 9)
NAT = {"middleboxes": ["aws_nat_gateway"]}
RULES = ("outside-without-keepalive", "outside-armed-late", "middlebox-bound-to-nothing")
BIND = "Where that middlebox is not on the path there, say in keepalive_middleboxes what it is bound to."


def found(*peers, policy=None, node=None, keepalive=SHORT, **pods):
    """The findings on a node without IPVS's services whose one pod has these connections, by id."""
    pod = {**row("shop/cart-1", keepalive), **outside(*peers)}
    nodes = {"worker1": with_rows(node or quiet_node(), pod, **pods)}
    plan = make_plan(nodes, NAT if policy is None else policy)
    return {each["id"]: each for each in plan["findings"] if each["id"] in RULES}, plan, nodes


THREE = service("192.0.2.2:5432", 3, processes=[("python3", 4711, "python", 3)])
LATE = service("192.0.2.2:5432", gaps=[(7200, 2)])


def one_pod(*peers):
    return with_rows(quiet_node(), {**row("shop/cart-1", SHORT), **outside(*peers)})


RAISED = [
    pytest.param("outside-without-keepalive", one_pod(THREE), NAT, {"severity": "warning"}, id="no SO_KEEPALIVE"),
    pytest.param("outside-armed-late", one_pod(LATE), NAT, {"severity": "warning"}, id="an old timer"),
    pytest.param(
        "middlebox-bound-to-nothing",
        one_pod(THREE),
        {"middleboxes": [{"name": "f5", "seconds": 60, "pods": ["shop/kart-*"]}]},
        {"scope": "plan"},
        id="bound to no pod that is there",
    ),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


def test_three_idle_connections_through_a_nat_gateway():
    findings, plan, nodes = found(THREE)
    each = findings["outside-without-keepalive"]
    assert each["severity"] == "warning"
    assert each["observed"] == (
        "3 connections without SO_KEEPALIVE: shop/cart-1: 3 of python3 (4711) to 192.0.2.2:5432 [python]"
    )
    assert each["why"] == (
        "They leave for addresses that are no service. If no data flows for 350 s, AWS NAT gateway forgets them, "
        "unless the server probes (Redis every 300 s, Go every 15 s by default)."
    )
    assert each["limit"] == "350 s (AWS NAT gateway)"
    assert each["remedy"].startswith("In the program, for Python: ")
    assert each["remedy"].endswith(BIND)
    assert plan["nodes"]["worker1"]["summary"].endswith(
        "3 open connections to other addresses stay at risk until their programs change that (see the findings)."
    )
    report = make_document(plan, nodes, made_at="2026-11-21T03:40:00Z", collection_version="1")
    assert report["verdict"] == "unsafe"
    assert (report["counts"]["sockets"]["outside_at_risk"], report["counts"]["sockets"]["at_risk"]) == (3, 0)


def by_mark(tcp=900, services=1):
    """A node whose IPVS has services by firewall mark."""
    return altered(with_ipvs_tcp(quiet_node(), tcp), ipvs={"services_by_mark": services})


def test_where_ipvs_balances_by_firewall_mark_they_may_go_through_it():
    findings, plan, nodes = found(THREE, policy={}, node=by_mark())
    each = findings["outside-without-keepalive"]
    assert each["why"].startswith(
        "They leave for addresses that are no service, and may go through IPVS by firewall mark. If no data flows for "
        "900 s, IPVS tcp forgets them, "
    )
    assert (each["limit"], BIND in each["remedy"]) == ("900 s (IPVS tcp on worker1)", False)
    assert make_document(plan, nodes, made_at="", collection_version="1")["verdict"] == "unsafe"


@pytest.mark.parametrize(
    ("node", "policy", "judged"),
    [
        pytest.param(by_mark(), {}, {"outside-armed-late"}, id="IPVS is lower than the timer"),
        pytest.param(by_mark(9000), {}, set(), id="IPVS waits longer"),
        pytest.param(by_mark(services=0), {}, set(), id="no service by mark"),
        pytest.param(by_mark(9000), NAT, {"outside-armed-late"}, id="a middlebox is lower"),
    ],
)
def test_old_timers_before_ipvs_by_firewall_mark(node, policy, judged):
    findings, _plan, _nodes = found(LATE, policy=policy, node=node)
    assert set(findings) == judged
    told = [each["why"].endswith("They may go through IPVS by firewall mark.") for each in findings.values()]
    assert told == [policy == {}] * len(judged)


def test_another_process_of_another_port_on_the_node_itself():
    host = {**service("[2001:db8::2]:6379", 2), "processes": []}
    node = with_rows(quiet_node(), {**row("the node itself", SHORT, kind="node"), **outside(host)})
    plan = make_plan({"worker1": node}, NAT)
    (each,) = [each for each in plan["findings"] if each["id"] in RULES]
    assert each["observed"] == "2 connections without SO_KEEPALIVE: the node itself: 2 to [2001:db8::2]:6379"


BOUND = [
    pytest.param({"destinations": ["192.0.2.0/24:5432"]}, True, id="to where they go"),
    pytest.param({"destinations": ["192.0.2.0/24:6379"]}, False, id="to another port"),
    pytest.param({"pods": ["shop/*"]}, True, id="to their pod"),
    pytest.param({"pods": ["web/*"]}, False, id="to another pod"),
    pytest.param({"hosts": ["worker*"]}, True, id="to their node"),
    pytest.param({"hosts": ["edge*"]}, False, id="to another node"),
]


@pytest.mark.parametrize(("binding", "expected"), BOUND)
def test_a_middlebox_judges_what_it_is_bound_to(binding, expected):
    findings, plan, _nodes = found(THREE, policy={"middleboxes": [{"name": "aws_nat_gateway", **binding}]})
    assert set(findings) == {"outside-without-keepalive" if expected else "middlebox-bound-to-nothing"}
    counts = plan["nodes"]["worker1"]["pods"]["outside"]
    assert (counts["without_keepalive"], counts["undecided"]) == ((3, 0) if expected else (0, 3))


def test_a_middlebox_that_is_bound_to_nothing_that_was_seen():
    box = {"name": "f5", "seconds": 60, "pods": ["shop/kart-*"]}
    findings, plan, _nodes = found(THREE, policy={"middleboxes": [box]})
    each = findings["middlebox-bound-to-nothing"]
    assert (each["scope_kind"], each["observed"]) == ("plan", "f5 60 s (pods shop/kart-*)")
    assert plan["limit"]["seconds"] != 60


def tracked(seconds):
    timeouts = {"established": seconds}
    return altered(quiet_node(), conntrack={"loaded": True, "timeouts": timeouts}, kube_proxy={"conntrack": {}})


@pytest.mark.parametrize(
    ("seconds", "at_risk"),
    [
        pytest.param(600, 3, id="shorter than a day"),
        pytest.param(86399, 3, id="just shorter"),
        pytest.param(86400, 0, id="as kube-proxy sets it"),
        pytest.param(432000, 0, id="the kernel's own"),
    ],
)
def test_connection_tracking_of_the_node_judges_them_and_ipvs_does_not(seconds, at_risk):
    findings, plan, _nodes = found(THREE, policy={}, node=tracked(seconds))
    counts = plan["nodes"]["worker1"]["pods"]["outside"]
    assert (counts["without_keepalive"], counts["undecided"]) == (at_risk, 3 - at_risk)
    each = findings.get("outside-without-keepalive")
    assert (each["limit"] if each else None) == (f"{seconds} s (conntrack established on worker1)" if at_risk else None)
    assert not each or BIND not in each["remedy"]


def test_timers_from_before_the_change():
    findings, _plan, _nodes = found(service("198.51.100.7:3306", gaps=[(7200, 2), (233, 5)]))
    each = findings["outside-armed-late"]
    assert each["observed"] == (
        "2 open connections to other addresses than services: shop/cart-1: 2 to 198.51.100.7:3306"
    )
    assert each["limit"] == "350 s (AWS NAT gateway)"


def test_those_that_the_node_did_not_list_are_told_too():
    pod = {**row("shop/cart-1", SHORT), **outside(THREE), "to_outside": 105000, "outside_without_keepalive": 99003}
    node = with_rows(quiet_node(), pod)
    node["pods"]["totals"]["outside_without_keepalive"] = 99010
    plan = make_plan({"worker1": node}, NAT)
    (each,) = [each for each in plan["findings"] if each["id"] == "outside-without-keepalive"]
    assert each["observed"] == (
        "99010 connections without SO_KEEPALIVE: shop/cart-1: 3 of python3 (4711) to 192.0.2.2:5432 [python]; "
        "shop/cart-1: 99000 to further addresses; 7 in namespaces that the node did not list"
    )
    assert plan["nodes"]["worker1"]["pods"]["outside"]["without_keepalive"] == 99003


def test_with_a_keepalive_that_is_soon_enough_there_is_nothing_to_say():
    findings, plan, nodes = found(service("192.0.2.2:5432", gaps=[(233, 3)]))
    assert findings == {}
    report = make_document(plan, nodes, made_at="2026-11-21T03:40:00Z", collection_version="1")
    assert report["nodes"][0]["pods"]["rows"][1]["outside"][0]["at_risk"] == 0
    assert report["counts"]["sockets"]["to_outside"] == 3
