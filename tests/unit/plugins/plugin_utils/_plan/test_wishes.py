# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import TIME, stock_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    outside,
    row,
    service,
    with_rows,
)


def box(**binding: Any) -> dict[str, Any]:
    return {"name": "aws_nlb", "seconds": 350, **binding}


def nodes() -> dict[str, Any]:
    """Two nodes with a pod each; that of w1 has a connection that leaves the cluster."""
    first = {**row("shop/cart-1", KERNEL), **outside(service("10.0.9.9:443", gaps=[(7200, 1)]))}
    return {"w1": with_rows(stock_node(), first), "w2": with_rows(stock_node(), row("shop/pay-1", KERNEL))}


def planned(*boxes: dict[str, Any], **policy: Any) -> tuple[dict[str, Any], list[list[Any]]]:
    """The plan, and of each node the keepalive time to set, that of its pods, and its two limits."""
    plan = make_plan(nodes(), {"middleboxes": list(boxes), **policy})
    each = [
        [
            node["settings"]["sysctls"].get(TIME),
            node["settings"]["pods"]["time"],
            node["limit"]["seconds"],
            node["planned_limit"]["seconds"],
        ]
        for node in plan["nodes"].values()
    ]
    return plan, each


ALL, NONE = ["233", 233, 350, 350], ["600", 600, 900, 900]
ROWS = [
    pytest.param(box(), [ALL, ALL], 350, id="without a binding it drives every node and pod"),
    pytest.param(box(hosts=["w1"]), [ALL, NONE], 350, id="one bound to a host drives that node and its pods"),
    pytest.param(box(pods=["shop/pay-*"]), [NONE, ["600", 233, 900, 900]], 350, id="one bound to pods only those"),
    pytest.param(
        box(destinations=["10.0.0.0/16:443"]),
        [["600", 233, 900, 900], NONE],
        350,
        id="one bound to destinations those with connections there",
    ),
    pytest.param(box(hosts=["x"]), [NONE, NONE], 900, id="one that is bound to nothing here drives nothing"),
    pytest.param(box(destinations=["10.0.0.0/16:80"]), [NONE, NONE], 900, id="another port"),
]


@pytest.mark.parametrize(("middlebox", "expected", "lowest"), ROWS)
def test_each_node_and_its_pods_are_below_the_lowest_limit_that_holds_for_them(middlebox, expected, lowest):
    plan, each = planned(middlebox)
    assert each == expected
    assert (plan["limit"]["seconds"], plan["planned_limit"]["seconds"]) == (lowest, lowest)
    assert plan["keepalive"]["time"] == (233 if lowest == 350 else 600), "the headline is the strictest"


def test_the_reason_names_the_limit_of_the_node():
    plan, _each = planned(box(hosts=["w1"]))
    assert [node["reasons"][TIME] for node in plan["nodes"].values()] == [
        "two thirds of 350 s (AWS NLB)",
        "two thirds of 900 s (IPVS tcp on w1)",
    ]


def test_the_users_own_values_are_for_all():
    _plan, each = planned(box(hosts=["w1"]), time=200)
    assert [row[:2] for row in each] == [["200", 200], ["200", 200]]


def test_several_boxes_each_for_its_own():
    plan, each = planned(box(hosts=["w1"]), {"name": "f5", "seconds": 600, "hosts": ["w2"]}, box(hosts=["x"]))
    assert each == [ALL, ["400", 400, 600, 600]]
    assert [limit["name"] for limit in plan["limits"] if limit["node"] is None] == ["AWS NLB", "f5"]
