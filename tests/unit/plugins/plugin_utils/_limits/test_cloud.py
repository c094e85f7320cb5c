# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits import cloud
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import NodeLimits
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import parse_middleboxes
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    ESTABLISHED,
    applied_node,
    nodes,
    plain_node,
    stock_node,
)

TRACKING = Limit(350, "EC2 security group tracking", "w1")


def on(provider, instance_type=None, node=None):
    return dict(node or stock_node(), cloud={"provider": provider, "instance_type": instance_type})


def added(node, *boxes):
    return cloud.added("w1", parse_node(node), NodeLimits((), (), ()), parse_middleboxes(list(boxes)))


def limits_of(node, *boxes):
    return list(added(node, *boxes).limits)


@pytest.mark.parametrize(
    "instance_type", ["m8i.large", "m8i-flex.large", "c8gn.16xlarge", "r8a.metal-24xl", "p6-b200.48xlarge", "m9g.large"]
)
def test_nitro_v6_forgets_after_350_seconds(instance_type):
    assert limits_of(on("aws", instance_type)) == [TRACKING]


@pytest.mark.parametrize(
    ("provider", "instance_type"),
    [
        ("aws", "m8g.large"),
        ("aws", "c8gd.large"),
        ("aws", "i8g.large"),
        ("aws", "m7i.large"),
        ("aws", "p6e-gb200.36xlarge"),
        ("aws", None),
        ("azure", "m8i.large"),
        ("gcp", None),
    ],
)
def test_other_machines_show_no_limit(provider, instance_type):
    assert limits_of(on(provider, instance_type)) == []


def test_a_security_group_of_alibaba_forgets_after_910_seconds():
    assert limits_of(on("alibaba")) == [Limit(910, "Alibaba Cloud security group tracking", "w1")]
    assert limits_of(on("alibaba"), {"name": "alibaba_security_group", "seconds": 300}) == []


def test_what_was_not_observed_shows_none():
    assert limits_of(None) == []


def test_an_instance_of_which_the_type_was_not_read_is_unknown_until_it_is_declared():
    node = dict(stock_node(), cloud=None, kernel="6.12.40-64.114.amzn2023.x86_64")
    assert [each.name for each in added(node).not_seen] == [TRACKING.name]
    assert added(node, "aws_security_group_nitro_v6").not_seen == ()
    assert added(dict(node, cloud={"provider": None})).not_seen == ()
    assert added(dict(node, cloud={"provider": "aws", "instance_type": None})).not_seen == ()


def test_what_would_make_it_known_is_said():
    node = dict(applied_node(), kernel="6.8.0-1021-aws")
    plan = make_plan(nodes(node), {})
    assert plan["verdict"] == "unknown"
    (finding,) = [finding for finding in plan["findings"] if finding["id"] == "limit-unknown"]
    assert finding["remedy"].startswith("Observe the node itself, where /sys/class/dmi/id is. Or say in ")


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ({"name": "aws_security_group_nitro_v6", "seconds": 86400}, []),
        ({"name": "EC2 security group tracking", "seconds": 600}, []),
        ({"name": "aws_security_group_nitro_v6", "seconds": 600, "hosts": ["w*"]}, []),
        ({"name": "aws_security_group_nitro_v6", "seconds": 600, "hosts": ["other"]}, [TRACKING]),
        ("aws_security_group", [TRACKING]),
        ("aws_nlb", [TRACKING]),
    ],
)
def test_the_user_may_say_what_the_interface_is_set_to(box, expected):
    assert limits_of(on("aws", "m8i.large"), box) == expected


def test_the_limit_is_that_of_the_node_and_decides():
    plan = make_plan(nodes(on("aws", "c8i.large"), stock_node()), {})
    assert plan["limit"] == {"seconds": 350, "name": "EC2 security group tracking", "node": "worker1"}
    assert plan["limit"] in plan["nodes"]["worker1"]["limits"]
    assert plan["limit"] not in plan["nodes"]["worker2"]["limits"]
    assert plan["keepalive"] == {"time": 233, "intvl": 11, "probes": 9}


def test_it_stays_where_the_settings_bring_another_timeout_of_conntrack():
    plan = make_plan(nodes(on("aws", "c8i.large", plain_node())), {"sysctls": {ESTABLISHED: "7200"}})
    assert plan["planned_limit"]["seconds"] == 350


def test_a_box_in_its_place_is_the_limit():
    box = {"name": "aws_security_group_nitro_v6", "seconds": 432000}
    plan = make_plan(nodes(on("aws", "c8i.large")), {"middleboxes": [box]})
    assert [each["seconds"] for each in plan["limits"] if each["name"] == TRACKING.name] == [432000]
    assert plan["limit"]["seconds"] == 900


def test_names_to_consider_are_those_of_the_provider():
    assert "azure_lb" in cloud.names_to_consider("azure")
    assert "aws_security_group_nitro_v6" not in cloud.names_to_consider("aws")
    assert all(cloud.names_to_consider(provider) for provider in cloud_providers())


def cloud_providers():
    return ["alibaba", "aws", "azure", "gcp", "huawei", "oci", "openstack", "tencent"]
