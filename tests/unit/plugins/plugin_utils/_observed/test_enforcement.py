# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import (
    Enforced,
    Enforcement,
    Rearming,
    parse_enforcement,
    parse_rearming,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import (
    OLD_KERNEL,
    able,
    enforcing,
    unable,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import stock_node

WANTED = Keepalive(600, 30, 9)
SSHD = "/system.slice/sshd.service"


def seen(node):
    return parse_node(node).enforcement


def test_an_older_node_info_did_not_look():
    node = parse_node(stock_node())
    assert (node.enforcement, node.rearming) == (None, None)


def test_a_node_that_can_and_does_not():
    node = parse_node(able(stock_node()))
    nothing = Enforcement(True, None, None, "/sys/fs/cgroup", None, False, None, False, True, 0)
    assert (node.enforcement, node.rearming) == (nothing, Rearming(True, None))
    assert (nothing.ours, nothing.kept_at_boot, nothing.in_force) == (False, False, None)


def test_why_a_node_cannot_is_told_without_a_full_stop():
    node = parse_node(unable(stock_node()))
    assert (node.enforcement.possible, node.enforcement.reason) == (False, OLD_KERNEL.rstrip("."))
    assert node.enforcement.obstacle == "kernel"
    assert node.rearming.possible is False


def test_what_is_attached_now_and_at_boot():
    both = Enforced(WANTED, (22, 2379), (SSHD,))
    found = seen(enforcing(stock_node(), ports=(2379, 22, 22), cgroups=(SSHD,)))
    assert (found.attached, found.boot, found.in_force) == (both, both, both)
    assert str(both) == f"600/30/9 (not: ports 22, 2379 and {SSHD})"
    assert both.as_dict() == {
        "time": 600,
        "intvl": 30,
        "probes": 9,
        "exclude_ports": [22, 2379],
        "exclude_cgroups": [SSHD],
    }


def test_a_group_that_was_made_anew_since_is_left_out_after_a_reboot_so_it_is_in_force_without_it():
    found = seen(enforcing(stock_node(), cgroups=(SSHD, "/x"), exclude_cgroups=["/x"]))
    assert (found.attached, found.kept_at_boot) == (Enforced(WANTED, (), ("/x",)), True)
    assert found.in_force == Enforced(WANTED, (), (SSHD, "/x"))
    assert seen(enforcing(stock_node(), cgroups=("/x",), exclude_cgroups=["/x", SSHD])).in_force is None


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(enforcing(stock_node(), exact=False), id="another program than that of this version"),
        pytest.param(enforcing(stock_node(), enabled=False), id="a unit that is not enabled"),
        pytest.param(enforcing(stock_node(), boot=None), id="no unit"),
        pytest.param(enforcing(stock_node(), None), id="nothing attached"),
        pytest.param(enforcing(stock_node(), boot=(233, 11, 9)), id="other values at boot"),
        pytest.param(enforcing(stock_node(), exclude_ports=[22]), id="another exception at boot"),
    ],
)
def test_it_is_in_force_only_where_that_is_certain_after_a_reboot_too(node):
    assert seen(node).in_force is None
    assert seen(node).ours


@pytest.mark.parametrize("data", [None, {}, [], "x", 5, True])
def test_what_is_no_mapping_is_unknown(data):
    assert (parse_enforcement(data), parse_rearming(data)) == (None, None)


@pytest.mark.parametrize("hostile", [7, "x", [[]], {"time": "600"}, {"time": [], "intvl": {}, "probes": None}, True])
def test_hostile_shapes_say_nothing(hostile):
    names = ("possible", "reason", "obstacle", "cgroup", "attached", "exclude_ports", "boot", "systemd", "others")
    found = parse_enforcement({name: hostile for name in names if name not in ("possible", "systemd")})
    assert (found.possible, found.attached, found.boot, found.exact, found.enabled) == (None, None, None, False, False)
    assert parse_rearming({"possible": "yes", "reason": hostile}).possible is None


def test_ports_and_paths_that_are_none_are_left_out():
    boot = {"time": 600, "intvl": 30, "probes": 9, "exclude_ports": [0, 22, 70000, "x", None], "exclude_cgroups": [5]}
    assert parse_enforcement({"boot": boot}).boot == Enforced(WANTED, (22,), ())
