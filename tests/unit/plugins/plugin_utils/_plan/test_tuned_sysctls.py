# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BE_LIBERAL,
    EMPTY,
    OTHER_FILE,
    OUR_FILE,
    altered,
    nftables_node,
    plain_node,
    plan_one,
    quiet_node,
    settings_of,
    with_module,
    with_sysctl,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import with_rows

REUSE_MODE = "net.ipv4.vs.conn_reuse_mode"
EXPIRE_NODEST = "net.ipv4.vs.expire_nodest_conn"
EXPIRE_QUIESCENT = "net.ipv4.vs.expire_quiescent_template"
SLOPPY_TCP = "net.ipv4.vs.sloppy_tcp"
MAX = "net.netfilter.nf_conntrack_max"
RETRIES2 = "net.ipv4.tcp_retries2"


def safe_node():
    """A worker in ipvs mode whose keepalive is somebody else's and safe, so that the plan asks nothing of it."""
    node = quiet_node()
    for line, (key, value) in enumerate((("time", "600"), ("intvl", "30"), ("probes", "9")), start=1):
        with_sysctl(node, f"net.ipv4.tcp_keepalive_{key}", value, value=value, file=OTHER_FILE, line=line)
    return node


def reusing(mode, release="6.1.0-56-cloud-amd64", **boot):
    return with_sysctl(altered(safe_node(), kernel=release), REUSE_MODE, mode, **boot)


@pytest.mark.parametrize("node", [safe_node(), nftables_node(), plain_node()], ids=["ipvs", "nftables", "plain"])
def test_by_default_no_node_gets_any(node):
    assert settings_of(node) == EMPTY


@pytest.mark.parametrize(
    ("node", "policy", "sysctls", "modules"),
    [
        pytest.param(safe_node(), {"be_liberal": True}, {BE_LIBERAL: "1"}, ["nf_conntrack"], id="conntrack is there"),
        pytest.param(plain_node(), {"be_liberal": True}, {}, [], id="no conntrack: nothing is loaded for it"),
        pytest.param(
            with_module(plain_node(), "nf_conntrack", False, "/etc/modules-load.d/k8s.conf"),
            {"be_liberal": False},
            {BE_LIBERAL: "0"},
            ["nf_conntrack"],
            id="conntrack comes at boot",
        ),
        pytest.param(
            plain_node(),
            {"be_liberal": True, "sysctls": {MAX: 524288}},
            {BE_LIBERAL: "1", MAX: "524288"},
            ["nf_conntrack"],
            id="conntrack comes with a further sysctl",
        ),
        pytest.param(plain_node(), {"dead_peer_seconds": 125}, {RETRIES2: "8"}, [], id="a key without a module"),
        pytest.param(safe_node(), {"expire_nodest_conn": True}, {EXPIRE_NODEST: "1"}, ["ip_vs"], id="IPVS is there"),
        pytest.param(nftables_node(), {"expire_nodest_conn": True}, {}, [], id="no IPVS"),
        pytest.param(
            safe_node(),
            {"expire_quiescent_template": True, "sloppy_tcp": False},
            {EXPIRE_QUIESCENT: "1", SLOPPY_TCP: "0"},
            ["ip_vs"],
            id="two more keys of IPVS",
        ),
        pytest.param(
            plain_node(), {"expire_quiescent_template": True, "sloppy_tcp": True}, {}, [], id="no IPVS either"
        ),
        pytest.param(safe_node(), {"conn_reuse_mode": 0}, {REUSE_MODE: "0"}, ["ip_vs"], id="a reuse mode by number"),
    ],
)
def test_a_key_is_set_where_its_module_is(node, policy, sysctls, modules):
    settings = settings_of(node, **policy)
    assert (settings["sysctls"], settings["modules"]) == (sysctls, modules)


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        pytest.param(reusing("1"), None, id="1 already"),
        pytest.param(reusing("0"), "1", id="0 on a kernel with the fix"),
        pytest.param(reusing("1", value="0", file=OTHER_FILE, in_time=True), "1", id="0 after a reboot"),
        pytest.param(reusing("1", value="1", file=OUR_FILE, in_time=True), "1", id="1 by our own file, where it stays"),
        pytest.param(reusing("0", "5.9.0"), "1", id="the first kernel that kube-proxy leaves alone"),
        pytest.param(reusing("0", "5.4.59"), None, id="kube-proxy writes 0 in spite of the backport"),
        pytest.param(reusing("0", "strange"), None, id="a kernel that nobody knows"),
        pytest.param(with_sysctl(nftables_node(), REUSE_MODE, "0"), None, id="no IPVS"),
    ],
)
def test_auto_turns_reuse_on_where_it_costs_nothing(node, wanted):
    assert settings_of(node, conn_reuse_mode="auto")["sysctls"].get(REUSE_MODE) == wanted


def test_each_has_its_reason():
    _plan, worker = plan_one(
        safe_node(), be_liberal=True, dead_peer_seconds=125, conn_reuse_mode="1", expire_nodest_conn=True
    )
    assert {key: worker["reasons"][key] for key in worker["settings"]["sysctls"]} == {
        BE_LIBERAL: "keepalive_be_liberal",
        EXPIRE_NODEST: "keepalive_expire_nodest_conn",
        RETRIES2: "gives a dead peer up between 102 and 121 s (round trips of 10 ms or less); "
        "keepalive_dead_peer_seconds 125",
        REUSE_MODE: "keepalive_conn_reuse_mode 1",
    }
    assert worker["owners"][EXPIRE_NODEST] == "kube-proxy at its next start (it always sets 1 in ipvs mode)"


SLOW = "gives a dead peer up between {} and {} s on 95 of 100 of 40 connections{}; keepalive_dead_peer_seconds {}"


@pytest.mark.parametrize(
    ("p95_ms", "max_ms", "seconds", "retries2", "reason"),
    [
        pytest.param(204, 208, 125, "8", SLOW.format(102, 121, "", 125), id="within a region"),
        pytest.param(204, 3000, 125, "8", SLOW.format(102, 121, ", up to 223 s on the slowest", 125), id="one is slow"),
        pytest.param(248, 250, 125, "7", SLOW.format(51, 72, "", 125), id="from another region"),
        pytest.param(401, 410, 125, "7", SLOW.format(51, 110, "", 125), id="from another continent"),
        pytest.param(300, 300, 60, "6", SLOW.format(25, 55, "", 60), id="a promise of a minute"),
        pytest.param(90_000, 90_000, 10, "3", SLOW.format(3, 237, "", 10), id="a promise that nothing keeps"),
        pytest.param(10**9, 10**9, 1054, "13", SLOW.format(684, 947, "", 1054), id="a node that talks nonsense"),
    ],
)
def test_the_promise_is_kept_on_the_round_trips_that_were_seen(p95_ms, max_ms, seconds, retries2, reason):
    node = with_rows(plain_node(), rto={"sockets": 40, "p95_ms": p95_ms, "max_ms": max_ms})
    worker = plan_one(node, dead_peer_seconds=seconds)[1]
    assert (worker["settings"]["sysctls"][RETRIES2], worker["reasons"][RETRIES2]) == (retries2, reason)


@pytest.mark.parametrize("rto", [None, {}, [], {"sockets": 5, "p95_ms": "x", "max_ms": 1}, {"sockets": -1}])
def test_without_a_time_out_that_makes_sense_a_local_one_is_reckoned_with(rto):
    worker = plan_one(with_rows(plain_node(), rto=rto), dead_peer_seconds=125)[1]
    assert "(round trips of 10 ms or less)" in worker["reasons"][RETRIES2]


def test_a_further_sysctl_with_the_same_value_is_no_contradiction():
    assert settings_of(safe_node(), be_liberal=True, sysctls={BE_LIBERAL: 1})["sysctls"] == {BE_LIBERAL: "1"}
