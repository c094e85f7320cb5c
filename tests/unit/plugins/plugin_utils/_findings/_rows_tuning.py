# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of test__rules_*.py for the smaller switches of IPVS."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    nftables_node,
    quiet_node,
    with_real_servers,
    with_service,
    with_sysctl,
)

APPLY = "Run the playbook kubenode.connections.apply"
EXPIRE_QUIESCENT = "net.ipv4.vs.expire_quiescent_template"
SLOPPY_TCP = "net.ipv4.vs.sloppy_tcp"
TWO = (1, 4, 0), (1, 3, 0)


def persistent(node):
    """The node with a service that has session affinity."""
    return with_service(node, "rr", "persistent 150000 FFFFFFFF")


def sloppy(node, value="1"):
    return with_sysctl(node, SLOPPY_TCP, value)


RAISED = [
    pytest.param(
        "expire-quiescent-off",
        persistent(with_sysctl(altered(quiet_node(), kube_proxy={"running": False}), EXPIRE_QUIESCENT, "0")),
        {},
        {
            "severity": "warning",
            "observed": f"{EXPIRE_QUIESCENT} 0, 1 virtual service with session affinity",
            "limit": None,
            "why": "With 0 the next connection of a client goes to its old real server although that has weight "
            "0. The server never drains, and once it is gone, connections of that client time out.",
            "remedy": "Set keepalive_expire_quiescent_template: true.",
        },
        id="session affinity under keepalived",
    ),
    pytest.param(
        "expire-quiescent-off",
        persistent(with_sysctl(quiet_node(), EXPIRE_QUIESCENT, "0")),
        {"expire_quiescent_template": True},
        {"remedy": f"kube-proxy sets 1 at its start, so something has set it back: find it. {APPLY}."},
        id="session affinity in ipvs mode, which the plan cures",
    ),
    pytest.param(
        "sloppy-tcp-on",
        sloppy(with_real_servers(quiet_node(), "TCP", *TWO)),
        {},
        {
            "severity": "warning",
            "observed": f"{SLOPPY_TCP} 1, 1 virtual service with more than one real server",
            "why": "Any packet of a connection that IPVS has forgotten is scheduled like a new one. With two real "
            "servers every second such connection gets the other one, which resets it; and a stray packet makes an "
            "entry.",
            "remedy": "Set keepalive_sloppy_tcp: false. A keepalive below the limit keeps the connection itself.",
        },
        id="two real servers",
    ),
    pytest.param(
        "sloppy-tcp-on",
        sloppy(with_real_servers(quiet_node(), "FWM", *TWO), "2"),
        {"sloppy_tcp": False},
        {
            "observed": f"{SLOPPY_TCP} 2, 1 virtual service with more than one real server",
            "remedy": f"{APPLY}: it sets 0.",
        },
        id="by fwmark, which the plan cures",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        quiet_node(),
        {"expire_quiescent_template": False},
        {
            "observed": f"{EXPIRE_QUIESCENT} 0 against kube-proxy at its next start (it always sets 1 in ipvs mode)",
            "remedy": "kube-proxy has no option for it: drop it from the keepalive_ variables.",
        },
        id="a flag that kube-proxy sets back",
    ),
]

NOT_RAISED = [
    pytest.param(
        "expire-quiescent-off", with_sysctl(quiet_node(), EXPIRE_QUIESCENT, "0"), {}, id="no session affinity"
    ),
    pytest.param("expire-quiescent-off", persistent(quiet_node()), {}, id="1, as kube-proxy sets it"),
    pytest.param("sloppy-tcp-on", sloppy(quiet_node()), {}, id="a single real server"),
    pytest.param("sloppy-tcp-on", with_real_servers(quiet_node(), "TCP", *TWO), {}, id="0"),
    pytest.param(
        "sloppy-tcp-on", sloppy(with_real_servers(quiet_node(), "TCP", (1, 4, 0), (0, 9, 0))), {}, id="one that drains"
    ),
    pytest.param("sloppy-tcp-on", sloppy(with_real_servers(quiet_node(), "UDP", *TWO)), {}, id="datagrams"),
    pytest.param(
        "sloppy-tcp-on",
        with_service(sloppy(quiet_node()), "sh"),
        {},
        id="the same client always gets the same",
    ),
    pytest.param(
        "sloppy-tcp-on",
        persistent(sloppy(quiet_node())),
        {},
        id="session affinity leads it back",
    ),
    pytest.param("sloppy-tcp-on", with_sysctl(nftables_node(), SLOPPY_TCP, "1"), {}, id="IPVS is not on the path"),
]
