# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import middleboxes
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    applied_node,
    nodes,
    stock_node,
)

OWN_PROXY = {"name": "our relay", "seconds": 90, "proxy": True}


def on(provider, instance_type=None):
    return dict(applied_node(), cloud={"provider": provider, "instance_type": instance_type})


RAISED = [
    pytest.param("proxy-on-path", applied_node(), {"middleboxes": [OWN_PROXY]}, {"severity": "warning"}, id="a proxy"),
    pytest.param(
        "middlebox-own",
        applied_node(),
        {"middleboxes": [{"name": "x", "seconds": 1800}]},
        {"severity": "info"},
        id="own",
    ),
    pytest.param("middleboxes-to-consider", on("azure"), {}, {"scope": "plan"}, id="a cloud"),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


def findings(policy, *there):
    plan = make_plan(nodes(*(there or [applied_node()])), policy)
    ids = {rule.id for rule in middleboxes.RULES}
    return [finding for finding in plan["findings"] if finding["id"] in ids]


@pytest.mark.parametrize(
    ("boxes", "observed", "settings"),
    [
        (
            [{"name": "haproxy", "seconds": 50}],
            "HAProxy: 50 s",
            "HAProxy: timeout client and timeout server, or timeout tunnel.",
        ),
        (
            ["aws_alb", "nginx_stream"],
            "AWS ALB: 60 s; nginx stream: 600 s",
            "AWS ALB: the attribute idle_timeout.timeout_seconds; nginx stream: proxy_timeout.",
        ),
        ([OWN_PROXY, "aws_nlb"], "our relay: 90 s", "our relay: its idle timeout."),
    ],
)
def test_a_proxy_is_told_with_what_helps(boxes, observed, settings):
    (finding,) = findings({"middleboxes": boxes})
    assert (finding["id"], finding["severity"], finding["scope"]) == ("proxy-on-path", "warning", "plan")
    assert finding["observed"] == observed
    assert finding["remedy"].endswith(f"Or raise the proxy's own timeout: {settings}")
    assert "payload" in finding["why"]


@pytest.mark.parametrize("box", ["haproxy", "aws_alb", OWN_PROXY])
def test_a_proxy_leads_to_no_keepalive_and_the_verdict_says_what_it_is_not_about(box):
    with_proxy, without = (make_plan(nodes(applied_node()), {"middleboxes": boxes}) for boxes in ([box], []))
    assert with_proxy["keepalive"] == without["keepalive"]
    assert with_proxy["limits"] == without["limits"]
    name = {"haproxy": "HAProxy (50 s)", "aws_alb": "AWS ALB (60 s)"}.get(str(box), "our relay (90 s)")
    clause = f"; not for connections through {name}, where keepalive does not count"
    assert with_proxy["nodes"]["worker1"]["verdict"] == "safe"
    assert with_proxy["nodes"]["worker1"]["own_why"] == without["nodes"]["worker1"]["own_why"] + clause


def test_a_proxy_that_is_bound_to_hosts_is_told_of_them_alone():
    box = {"name": "haproxy", "seconds": 50, "hosts": ["worker2"]}
    verdicts = make_plan(nodes(applied_node(), applied_node()), {"middleboxes": [box]})["nodes"]
    assert "HAProxy" not in verdicts["worker1"]["why"]
    assert "HAProxy" in verdicts["worker2"]["why"]


def test_a_name_that_is_not_known_says_what_it_is_taken_for():
    (finding,) = findings({"middleboxes": [{"name": "our firewall", "seconds": 1800}, "aws_nlb"]})
    assert (finding["id"], finding["severity"]) == ("middlebox-own", "info")
    assert finding["observed"] == "our firewall: 1800 s"
    assert "{name: our firewall, seconds: 1800, proxy: true}" in finding["remedy"]


def test_a_cloud_names_what_to_consider_once_for_the_run():
    (finding,) = findings({}, on("azure"), on("azure"), on("oci"), applied_node())
    assert (finding["id"], finding["severity"], finding["scope"]) == ("middleboxes-to-consider", "info", "plan")
    assert finding["observed"] == "worker1, worker2 on Azure; worker3 on Oracle Cloud"
    assert "azure_nat_gateway" in finding["remedy"]
    assert "oci_nlb" in finding["remedy"]
    assert "aws_nlb" not in finding["remedy"]


def test_nitro_v6_says_how_to_override_its_limit():
    (finding,) = findings({}, on("aws", "m8i.large"), on("aws", "m7i.large"))
    assert finding["observed"] == (
        "worker1, worker2 on AWS; EC2 security group tracking, 350 s by default, is a limit on worker1"
    )
    assert finding["remedy"].endswith("write {name: aws_security_group_nitro_v6, seconds: ...}.")


def test_the_security_groups_of_alibaba_are_told_the_same_way():
    (finding,) = findings({}, on("alibaba"))
    assert finding["observed"] == (
        "worker1 on Alibaba Cloud; Alibaba Cloud security group tracking, 910 s by default, is a limit on worker1"
    )
    assert finding["remedy"].endswith("write {name: alibaba_security_group, seconds: ...}.")


@pytest.mark.parametrize(
    ("policy", "there"),
    [
        ({}, [stock_node()]),
        ({"middleboxes": ["aws_nlb"]}, [on("aws", "m8i.large")]),
        ({"middleboxes": ["azure_lb", {"name": "gcp_cloud_nat", "seconds": 900}]}, [on("azure"), on("gcp")]),
    ],
)
def test_nothing_is_said_where_nothing_is_open(policy, there):
    assert findings(policy, *there) == []
