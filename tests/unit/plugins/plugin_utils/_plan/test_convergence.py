# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import Row, RpsSettings
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.convergence import has_to_converge
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import Change, Settings
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import parse_policy
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OUR_FILE,
    OURS,
    TIME,
    applied_node,
    plain_node,
    plan_one,
    stock_node,
    with_module,
)

MODULES_FILE = "/etc/modules-load.d/k8s.conf"
NOTHING = {"sysctls": {}, "modules": {}, "ipvs_timeouts": [], "ipvs_unit": False, "rps": False}
RECORD = {**NOTHING, "sysctls": {OUR_FILE: list(OURS)}}
OTHER_FILE = {"/etc/sysctl.d/old.conf": ["net.core.somaxconn"]}


def node(node=None, **ours):
    return {**copy.deepcopy(node or applied_node()), "ours": {**RECORD, **ours}}


def test_a_node_that_is_as_planned_is_not_contacted_again():
    assert plan_one(node())[1]["to_converge"] is False


def test_a_node_of_which_nothing_is_wanted_and_nothing_ours_is_not_contacted_again():
    assert plan_one(node(plain_node(), sysctls={}))[1]["to_converge"] is False


def test_a_node_that_was_not_observed_is_not_contacted_again():
    assert plan_one(None)[1]["to_converge"] is False


@pytest.mark.parametrize(
    ("seen", "policy"),
    [
        pytest.param(node(stock_node(), sysctls={}), {}, id="a value is another"),
        pytest.param(applied_node(), {}, id="an older node_info did not look for what is ours"),
        pytest.param({**applied_node(), "ours": None}, {}, id="what is ours could not be read"),
        pytest.param(node(sysctls={OUR_FILE: [*OURS, "vm.swappiness"]}), {}, id="a key of ours is not wanted now"),
        pytest.param(node(sysctls={OUR_FILE: list(OURS), **OTHER_FILE}), {}, id="keys of ours in another file, too"),
        pytest.param(node(), {"sysctls": {"vm.swappiness": "10"}}, id="a key that node_info did not look at"),
        pytest.param(
            node(sysctls={OUR_FILE: [*OURS, "vm.swappiness"]}),
            {"sysctls": {"vm.swappiness": "10"}},
            id="a key of ours whose value was not looked at",
        ),
        pytest.param(node(rps=True), {}, id="RPS of ours is not wanted now"),
    ],
)
def test_a_doubt_has_it_contacted(seen, policy):
    assert plan_one(seen, **policy)[1]["to_converge"] is True


def test_values_that_were_there_before_us_are_right():
    """They stand in the file, and the record says nothing of them."""
    assert plan_one(node(sysctls={OUR_FILE: []}))[1]["to_converge"] is False


RPS = RpsSettings((Row("0-3"),), 32768)
CHANGE = Change(TIME, "keepalive time", "7200", "600", "so")
PARTS = Settings(ipvs_timeouts={"tcp": 900}, ipvs_timeouts_persistent=True)
LOADED = with_module(applied_node(), "br_netfilter", loaded=True, boot=MODULES_FILE)


@pytest.mark.parametrize(
    ("seen", "settings", "expected"),
    [
        pytest.param(node(), Settings(), False, id="nothing wanted: what is ours stays"),
        pytest.param({**applied_node(), "ours": None}, Settings(), False, id="nothing wanted, nothing known"),
        pytest.param(node(), Settings(sysctls=OURS), False, id="sysctls of ours"),
        pytest.param(node(), Settings(sysctls={TIME: "600"}), True, id="fewer sysctls than ours"),
        pytest.param(node(), Settings(modules=("br_netfilter",)), True, id="a module in no file"),
        pytest.param(node(LOADED), Settings(modules=("br_netfilter",)), False, id="a module in the file before us"),
        pytest.param(
            node(modules={MODULES_FILE: ["br_netfilter"]}), Settings(modules=("br_netfilter",)), False, id="ours"
        ),
        pytest.param(
            node(modules={MODULES_FILE: ["br_netfilter", "ip_vs"]}),
            Settings(modules=("br_netfilter",)),
            True,
            id="a module too many",
        ),
        pytest.param(
            node(with_module(applied_node(), "br_netfilter", True, f"{MODULES_FILE}.old")),
            Settings(modules=("br_netfilter",)),
            True,
            id="a module in a file whose name begins alike",
        ),
        pytest.param(node(ipvs_timeouts=["tcp"], ipvs_unit=True), PARTS, False, id="timeouts of ours"),
        pytest.param(node(ipvs_timeouts=["tcp", "udp"], ipvs_unit=True), PARTS, True, id="a timeout too many"),
        pytest.param(node(ipvs_timeouts=["tcp"]), PARTS, True, id="the unit is missing"),
        pytest.param(
            node(ipvs_timeouts=["tcp"], ipvs_unit=True), Settings(ipvs_timeouts={"tcp": 900}), True, id="a unit"
        ),
        pytest.param(node(rps=True), Settings(rps=RPS), False, id="RPS of ours"),
        pytest.param(node(), Settings(rps=RPS), True, id="RPS is new"),
        pytest.param(node(), Settings(rps=RpsSettings()), False, id="no RPS, and none of ours"),
        pytest.param(node(rps=True), Settings(), False, id="RPS that nobody could look at stays"),
    ],
)
def test_each_part(seen, settings, expected):
    assert has_to_converge(parse_node(seen), settings, (), parse_policy({})) is expected


def test_keys_of_ours_in_another_file_than_wanted_have_it_contacted():
    policy = parse_policy({"sysctl_file": "/etc/sysctl.d/new.conf"})
    assert has_to_converge(parse_node(node()), Settings(sysctls=OURS), (), policy) is True


def test_a_change_has_it_contacted_whatever_the_record_says():
    assert has_to_converge(parse_node(node()), Settings(), (CHANGE,), parse_policy({})) is True
