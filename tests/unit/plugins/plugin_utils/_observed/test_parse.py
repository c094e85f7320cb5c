# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Draining, Idle
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    idle,
    nftables_node,
    plain_node,
    stock_node,
    with_keepalive,
    with_real_servers,
    with_sysctl,
)

BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"


@pytest.mark.parametrize("node", [None, {}, [], "worker1", 7])
def test_nothing_was_observed(node):
    assert parse_node(node) is None


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


@pytest.mark.parametrize(
    ("node", "mode"),
    [
        pytest.param(stock_node(), "ipvs", id="kube-proxy says ipvs"),
        pytest.param(nftables_node(), "nftables", id="kube-proxy says nftables"),
        pytest.param(plain_node(), "none", id="no kube-proxy"),
        pytest.param(
            {**stock_node(), "kube_proxy": {"running": True, "mode": None}}, "unknown", id="it did not answer"
        ),
        pytest.param(
            {**stock_node(), "kube_proxy": {"running": True, "mode": "<html>"}}, "unknown", id="it said nonsense"
        ),
    ],
)
def test_the_mode(node, mode):
    assert parse_node(node).mode == mode


@pytest.mark.parametrize(
    ("node", "boot"),
    [
        pytest.param(stock_node(), Keepalive(7200, 75, 9), id="no file: the kernel's default comes back"),
        pytest.param(with_keepalive(stock_node(), (600, 30, 9)), Keepalive(7200, 75, 9), id="set by hand: lost"),
        pytest.param(
            with_keepalive(stock_node(), (600, 30, 9), (300, 20, 5), "/etc/sysctl.d/x.conf"),
            Keepalive(300, 20, 5),
            id="a file decides",
        ),
    ],
)
def test_the_keepalive_after_a_boot(node, boot):
    assert parse_node(node).boot_keepalive == boot


@pytest.mark.parametrize(
    ("boot", "value"),
    [
        pytest.param(
            {"value": "1", "file": "/etc/sysctl.conf", "in_time": True}, "1", id="the module is there in time"
        ),
        pytest.param({"value": "1", "file": "/etc/sysctl.conf", "in_time": False}, "0", id="the module comes too late"),
        pytest.param({}, "0", id="no file sets it"),
    ],
)
def test_a_key_of_a_module_after_a_boot(boot, value):
    assert parse_node(with_sysctl(stock_node(), BE_LIBERAL, "1", **boot)).boot_value(BE_LIBERAL) == value


def test_a_keepalive_that_is_not_three_numbers_is_not_seen():
    assert parse_node(with_sysctl(stock_node(), "net.ipv4.tcp_keepalive_intvl", "75s")).keepalive is None
    assert parse_node(with_sysctl(stock_node(), "net.ipv4.tcp_keepalive_intvl", None)).keepalive is None


def test_long_text_is_cut():
    node = {**stock_node(), "hostname": "x" * 501}
    node["kube_proxy"]["error"] = "y" * 500
    node["ipvs"]["connections"] = {"TCP": {"z" * 1000: 1}}
    parsed = parse_node(node)
    assert parsed.hostname == "x" * 500 + "... (501 characters)"
    assert parsed.kube_proxy.error == "y" * 500
    assert list(parsed.ipvs.connections["TCP"]) == ["z" * 500 + "... (1000 characters)"]


def test_virtual_services_in_numbers():
    ipvs = parse_node(with_real_servers(stock_node(), "TCP", (0, 2, 1), (1, 4, 0), (1, 3, 0))).ipvs
    assert (ipvs.services, ipvs.persistent, ipvs.scattering) == (1, 0, 1)
    assert ipvs.draining == (Draining("TCP", "10.96.0.1:443", "10.2.0.1:8080", 2, 1),)


@pytest.mark.parametrize("nothing", [None, [], "many", {"services": "many"}])
def test_virtual_services_that_were_not_read_are_none(nothing):
    node = stock_node()
    node["ipvs"].update(totals=nothing, draining=nothing)
    ipvs = parse_node(node).ipvs
    assert (ipvs.services, ipvs.persistent, ipvs.scattering, ipvs.draining) == (0, 0, 0, ())


@pytest.mark.parametrize(
    ("growth", "seen"),
    [
        pytest.param(None, None, id="not measured"),
        pytest.param({"seconds": "soon", "conntrack": {"invalid": 1}}, None, id="no time"),
        pytest.param({"seconds": float("nan"), "conntrack": {"invalid": 1}}, None, id="no number"),
        pytest.param({"seconds": True, "conntrack": {"invalid": 1}}, None, id="a flag"),
        pytest.param(
            {"seconds": 1, "conntrack": {"invalid": 1, "drop": "x"}}, (1.0, {"invalid": 1}, {}), id="a sample"
        ),
    ],
)
def test_how_much_counters_grew(growth, seen):
    growth = parse_node({**stock_node(), "growth": growth}).growth
    assert (growth and (growth.seconds, growth.conntrack, growth.softnet)) == seen


@pytest.mark.parametrize("seconds", [0, -1, 86400, float("inf"), float("nan"), True, "1", None])
def test_a_growth_without_a_length_that_a_sample_has_is_none(seconds):
    growth = {"seconds": seconds, "conntrack": {"invalid": 3}, "softnet": {}}
    assert parse_node({**stock_node(), "growth": growth}).growth is None


def test_what_is_about_to_expire():
    ipvs = {"cut_within": {"60": 1, "300": "2", "900": None, "7": 3}, "idlest": [idle(40), {"client": 7}, None]}
    node = parse_node(altered(stock_node(), ipvs=ipvs, conntrack={"cut_within": [1]}))
    assert node.ipvs.cut_within == {"60": 1, "300": 2}
    assert node.conntrack.cut_within == {}
    assert node.ipvs.idlest[0] == Idle("10.1.0.2:39002", "10.96.0.10:80", "10.2.0.2:8080", 860, 40)
    assert node.ipvs.idlest[1:] == (Idle("?", "?", "?", None, 0),) * 2
