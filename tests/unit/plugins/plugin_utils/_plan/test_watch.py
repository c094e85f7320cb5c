# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import WATCH
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import plan_one, stock_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    row,
    service,
    with_rows,
)


def watch(**policy):
    return plan_one(with_rows(stock_node(), row("a/b", KERNEL, service("10.96.0.1:80", 3))), **policy)[1]["watch"]


def test_what_a_node_has_to_know_is_what_the_tests_of_the_guard_hold_theirs_to():
    assert watch() == WATCH


def test_it_can_be_written_as_json():
    assert json.loads(json.dumps(watch())) == watch()


@pytest.mark.parametrize(
    ("policy", "changed"),
    [
        pytest.param({"pods": False}, {"pods": False, "give_pods": None}, id="pods are left alone"),
        pytest.param(
            {"middleboxes": [{"name": "nat", "seconds": 350}]},
            {"outside": {"seconds": 350, "name": "nat", "node": None}},
            id="a middlebox before everything",
        ),
        pytest.param(
            {"middleboxes": [{"name": "nat", "seconds": 350, "pods": ["x/*"]}]},
            {"in_part": True},
            id="a middlebox before some pods",
        ),
        pytest.param({"enforce": True}, {"give_pods": None, "give_containers": None}, id="enforced for all"),
    ],
)
def test_what_the_policy_changes_of_it(policy, changed):
    found = watch(**policy)
    assert {name: found[name] for name in changed} == changed


def test_a_node_that_was_not_observed_has_none():
    assert plan_one(None)[1]["watch"] is None
