# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import weakref

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Boot, Group, Module, Sysctl
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node, parse_nodes
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    stock_node,
    with_sysctl,
)

BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"


@pytest.mark.parametrize("node", [None, {}, [], "worker1", 7])
def test_nothing_was_observed(node):
    assert parse_node(node) is None


def test_a_node_that_was_parsed_stays_as_it_is():
    node = parse_node(stock_node())
    assert parse_node(node) is node


def test_nodes_are_asked_for_once_and_their_raw_data_does_not_live_on():
    made, alive = [], []

    def one_by_one():
        for number in range(5):
            alive.append(sum(raw() is not None for raw in made))
            raw = _Raw(stock_node())
            made.append(weakref.ref(raw))
            yield f"worker{number}", raw
            del raw

    nodes = parse_nodes(one_by_one())
    assert nodes == {f"worker{number}": parse_node(stock_node()) for number in range(5)}
    assert max(alive) == 1
    assert [raw() for raw in made] == [None] * 5


class _Raw(dict):
    """A dict that can be watched."""


def test_nodes_that_were_not_observed_keep_their_reason():
    gone = {"not_observed": "unreachable"}
    assert parse_nodes([("worker1", gone), (2, None)]) == {"worker1": gone, "2": None}


def test_problems_of_an_older_node_info_have_no_id():
    older = {"what": "IPVS timeouts", "why": "Operation not permitted", "do": "Run as root."}
    node = parse_node({**stock_node(), "problems": [older, {"id": "kubelet", **older}]})
    assert [problem.id for problem in node.problems] == ["", "kubelet"]
    assert (node.problem("kubelet"), node.problem("conntrack")) == (node.problems[1], None)


def test_data_that_says_nothing_is_not_seen():
    node = parse_node({"hostname": "worker1"})
    assert (node.ipvs.loaded, node.conntrack.loaded, node.kube_proxy.running) == (None, None, None)
    assert (node.mode, node.keepalive, node.boot_keepalive, node.namespaces.complete) == ("unknown", None, None, False)
    assert (node.root, node.modules, node.problems) == (False, {}, ())


def test_long_text_is_cut():
    node = {**stock_node(), "hostname": "x" * 501}
    node["kube_proxy"]["error"] = "y" * 500
    node["ipvs"]["connections"] = {"TCP": {"z" * 1000: 1}}
    parsed = parse_node(node)
    assert parsed.hostname == "x" * 500 + "... (501 characters)"
    assert parsed.kube_proxy.error == "y" * 500
    assert list(parsed.ipvs.connections["TCP"]) == ["z" * 500 + "... (1000 characters)"]


def test_groups_of_namespaces_that_are_not_whole_numbers_are_left_out():
    group = {"time": "600", "intvl": 30, "probes": 9, "namespaces": 2, "own": "yes"}
    rows = [group, {**group, "own": True}, {**group, "intvl": None}, {**group, "namespaces": 0.5}, 7]
    spaces = parse_node({**stock_node(), "namespaces": {"count": 5, "keepalive": rows}}).namespaces
    assert spaces.groups == (Group(Keepalive(600, 30, 9), 2, False), Group(Keepalive(600, 30, 9), 2, True))
    assert (spaces.count, spaces.unreadable, spaces.error) == (5, 0, None)


def test_lines_of_files_are_named_with_what_is_known_of_them():
    boot = {"value": "1", "file": "/etc/x.conf", "line": 3, "in_time": True, "module": "nf_conntrack"}
    node = with_sysctl(stock_node(), BE_LIBERAL, None, **boot)
    node["sysctls"]["c.d"] = {"value": "7", "boot": {"line": 3}}
    node["modules"]["ip_vs"] = {"loaded": 1, "builtin": True, "boot": {"file": "/etc/m.conf", "line": 9}}
    node["boot_problems"] = [{"file": "/etc/x.conf", "line": 4, "what": "no sysctl"}, {"what": "no file"}, 7]
    parsed = parse_node(node)
    assert parsed.sysctls[BE_LIBERAL].boot == Boot("1", "/etc/x.conf:3", "/etc/x.conf", "nf_conntrack", True, None)
    assert parsed.sysctls["c.d"] == Sysctl("unreadable", "7", None, Boot(None, None, None, None, False, None))
    assert parsed.modules["ip_vs"] == Module(False, True, "/etc/m.conf:9")
    assert parsed.boot_problems == ("/etc/x.conf:4: no sysctl", "?: no file", "?: ?")
