# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import writers
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings import (
    _rows_network,
    _rows_owners,
    _rows_tuning,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BRIDGE,
    OTHER_FILE,
    OUR_FILE,
    altered,
    applied_node,
    bridge_off,
    ipvs_in,
    nftables_node,
    plain_node,
    quiet_node,
    stock_node,
    with_configured_tcp,
    with_keepalive,
    with_module,
    with_tables,
)

ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
LATER_FILE = "/etc/sysctl.d/zz-tuned.conf"
EDIT = (
    "in kube-proxy's configuration (ConfigMap kube-system/kube-proxy, config.conf), then restart it: "
    "kubectl -n kube-system rollout restart daemonset kube-proxy"
)
ROLE = "The role kubenode.connections.kube_proxy does both: {}, kube_proxy_configmap: true, kube_proxy_rollout: true"

RAISED = [
    pytest.param(
        "bridge-calls-off",
        bridge_off(stock_node(), *BRIDGE),
        {},
        {
            "severity": "info",
            "observed": f"{OTHER_FILE}:1 sets {BRIDGE[0]} to 0; {OTHER_FILE}:1 sets {BRIDGE[1]} to 0",
            "remedy": "Nothing, if that is on purpose. Else set keepalive_bridge_nf_call: always. "
            "Run the playbook kubenode.connections.apply.",
        },
        id="a file turns both off",
    ),
    pytest.param(
        "bridge-calls-off",
        _rows_owners.with_tuned(bridge_off(stock_node()), {BRIDGE[1]: "0"}),
        {},
        {"observed": f"TuneD {_rows_owners.PROFILE}:3 sets {BRIDGE[1]} to 0"},
        id="TuneD turns one off",
    ),
    *_rule_cases.of_room(writers, _rows_network.RAISED),
    *_rule_cases.of_room(writers, _rows_tuning.RAISED),
    *_rule_cases.of_room(writers, _rows_owners.RAISED),
    pytest.param(
        "ipvs-owner-kube-proxy",
        with_configured_tcp(quiet_node(), 600),
        {},
        {
            "severity": "warning",
            "observed": "IPVS tcp 900 s against kube-proxy at its next start (ipvs.tcpTimeout 600s)",
            "why": "kube-proxy writes its configured IPVS timeouts at every start; 0s in it would leave them alone.",
            "remedy": f"Set ipvs.tcpTimeout: 900s {EDIT}. {ROLE.format('kube_proxy_ipvs_timeouts: {tcp: 900}')}.",
        },
        id="configured otherwise than in force",
    ),
    pytest.param(
        "ipvs-owner-kube-proxy",
        with_configured_tcp(stock_node(), 900),
        {"strategy": "raise_ipvs"},
        {
            "observed": "IPVS tcp 8284 s against kube-proxy at its next start (ipvs.tcpTimeout 900s)",
            "remedy": f"Set ipvs.tcpTimeout: 8284s {EDIT}. {ROLE.format('kube_proxy_ipvs_timeouts: {tcp: 8284}')}.",
        },
        id="configured otherwise than planned",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        quiet_node(),
        {"sysctls": {ESTABLISHED: 3600, "net.ipv4.vs.conntrack": 0}},
        {
            "severity": "warning",
            "observed": f"{ESTABLISHED} 3600 against kube-proxy at its next start (conntrack.tcpEstablishedTimeout "
            "86400s), net.ipv4.vs.conntrack 0 against kube-proxy at its next start (it always sets 1 in ipvs mode)",
            "why": "kube-proxy writes these sysctls at every start, so the planned value does not stay. This "
            "release lowers values of conntrack, too (v1.23 to v1.28 only raise them).",
            "remedy": f"Change it {EDIT}. {ROLE.format('kube_proxy_conntrack: {tcp_established: 3600}')}. "
            "Or drop it from the keepalive_ variables.",
        },
        id="sysctls that kube-proxy writes",
    ),
    pytest.param(
        "sysctl-owner-file",
        with_keepalive(stock_node(), (7200, 75, 9), (7200, 75, 9), LATER_FILE),
        {},
        {
            "severity": "warning",
            "observed": f"{LATER_FILE}:3 sets net.ipv4.tcp_keepalive_time to 7200 instead of 600; "
            f"{LATER_FILE}:4 sets net.ipv4.tcp_keepalive_intvl to 75 instead of 30",
            "why": f"Files are read in the order of their names. This one comes after {OUR_FILE}, so it wins at boot.",
            "remedy": "Change or remove that line, then apply.",
        },
        id="a file after ours",
    ),
    pytest.param(
        "ip-vs-idle",
        altered(nftables_node(), ipvs={"loaded": True, "totals": {"services": 2, "tcp_services": 0}}),
        {},
        {"observed": "ip_vs is loaded, kube-proxy mode nftables, no virtual service for TCP"},
        id="services for UDP and SCTP only",
    ),
    pytest.param(
        "ip-vs-idle",
        altered(nftables_node(), ipvs={"loaded": True}),
        {},
        {
            "severity": "info",
            "observed": "ip_vs is loaded, kube-proxy mode nftables, no virtual service",
            "why": "kube-proxy loads ip_vs in other modes too, to clean up. Its timeouts are not on the path.",
            "remedy": "Nothing has to be done.",
        },
        id="left over in nftables mode",
    ),
]


def idle_ipvs():
    """ip_vs is loaded without a service."""
    return altered(nftables_node(), ipvs={"loaded": True})


NOT_RAISED = [
    pytest.param("bridge-calls-off", bridge_off(stock_node()), {}, id="no file says anything"),
    pytest.param(
        "bridge-calls-off", bridge_off(stock_node(), *BRIDGE), {"bridge_nf_call": "always"}, id="the user wants it on"
    ),
    pytest.param(
        "bridge-calls-off",
        with_module(bridge_off(stock_node(), *BRIDGE), "br_netfilter", False),
        {},
        id="no packet could be called",
    ),
    *_rule_cases.of_room(writers, _rows_owners.NOT_RAISED),
    pytest.param("ipvs-owner-kube-proxy", stock_node(), {"strategy": "raise_ipvs"}, id="kube-proxy leaves it alone"),
    pytest.param("ipvs-owner-kube-proxy", with_configured_tcp(stock_node(), 900), {}, id="configured as it is"),
    pytest.param("sysctl-owner-kube-proxy", quiet_node(), {"sysctls": {ESTABLISHED: 86400}}, id="the same value"),
    pytest.param("sysctl-owner-kube-proxy", plain_node(), {"sysctls": {ESTABLISHED: 3600}}, id="no kube-proxy"),
    pytest.param(
        "sysctl-owner-kube-proxy", nftables_node(), {"sysctls": {"net.ipv4.vs.conntrack": 0}}, id="nftables mode"
    ),
    pytest.param(
        "sysctl-owner-file",
        with_keepalive(stock_node(), (7200, 75, 9), file="/etc/sysctl.d/10-x.conf"),
        {},
        id="a file before ours",
    ),
    pytest.param("sysctl-owner-file", applied_node(), {}, id="our own file"),
    pytest.param(
        "sysctl-owner-file",
        with_keepalive(stock_node(), (7200, 75, 9), file=OUR_FILE),
        {},
        id="our own file, with older values",
    ),
    pytest.param("ip-vs-idle", stock_node(), {}, id="IPVS is on the path"),
    pytest.param("ip-vs-idle", nftables_node(), {}, id="not loaded"),
    pytest.param("ip-vs-idle", with_tables(idle_ipvs(), ipvs_in("lb_1")), {}, id="a service in another namespace"),
    pytest.param("ip-vs-idle", altered(idle_ipvs(), namespaces={"tables": None}), {}, id="nobody looked there"),
    pytest.param("ip-vs-idle", with_tables(idle_ipvs(), unread=1, error="x"), {}, id="one there could not be read"),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert _rule_cases.finding_of(identity, node, policy) is None


def test_every_rule_of_the_room_is_tested_both_ways():
    ids = {rule.id for rule in writers.RULES}
    assert {row.values[0] for row in RAISED} == {row.values[0] for row in NOT_RAISED} == ids
