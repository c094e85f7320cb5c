# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of test__rules_*.py for counters that grew while the node was read."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BE_LIBERAL,
    altered,
    plain_node,
    quiet_node,
    with_counters,
    with_sysctl,
)

APPLY = "Run the playbook kubenode.connections.apply"


def growing(node, seconds=1.0, **conntrack):
    """The node whose counters grew by so much while it was read."""
    growth = {"seconds": seconds, "conntrack": conntrack, "softnet": {"dropped": 0, "time_squeeze": 0}}
    return altered({**node, "growth": {}}, growth=growth)


RAISED = [
    pytest.param(
        "conntrack-invalid-grows",
        growing(with_counters(quiet_node(), {"invalid": 40}), seconds=1.04, invalid=23),
        {},
        {
            "severity": "warning",
            "scope": "worker1",
            "observed": f"23 more packets INVALID in 1.0 s, {BE_LIBERAL} 0",
            "limit": None,
            "why": "An INVALID packet passes without NAT. The pod does not know its sender and resets a healthy "
            "connection.",
            "remedy": "Set keepalive_be_liberal: true. See docs/invalid.md for what keeps packets from being "
            "handled in time.",
        },
        id="under load",
    ),
    pytest.param(
        "conntrack-invalid-grows",
        growing(quiet_node(), invalid=1),
        {"be_liberal": True},
        {"severity": "warning", "remedy": f"{APPLY}: it sets {BE_LIBERAL} to 1."},
        id="which the plan cures",
    ),
    pytest.param(
        "conntrack-invalid-grows",
        growing(quiet_node(), invalid=1),
        {"be_liberal": False},
        {
            "remedy": f"The variables ask for {BE_LIBERAL} 0: set keepalive_be_liberal: true. See docs/invalid.md.",
        },
        id="and the variables ask for it",
    ),
    pytest.param(
        "conntrack-invalid-grows",
        growing(with_sysctl(quiet_node(), BE_LIBERAL, "1"), seconds=2.5, invalid=7),
        {},
        {
            "severity": "info",
            "observed": f"7 more packets INVALID in 2.5 s, {BE_LIBERAL} 1",
            "why": "With be_liberal on only two kinds of packets are INVALID: resets out of the window, and "
            "broken packets. Those have a wrong checksum, impossible flags, or an ICMP error about an "
            "unknown connection.",
            "remedy": "See which with sysctl net.netfilter.nf_conntrack_log_invalid=255 and the kernel's log, then set "
            "it back. Where NICs have one queue, spread the packets over CPUs (RPS): docs/rps.md.",
        },
        id="although liberal",
    ),
    pytest.param(
        "conntrack-invalid-grows",
        growing(with_sysctl(quiet_node(), BE_LIBERAL, None), invalid=7),
        {},
        {"severity": "warning", "observed": f"7 more packets INVALID in 1.0 s, {BE_LIBERAL} not seen"},
        id="and be_liberal was not seen",
    ),
    pytest.param(
        "conntrack-drops",
        growing(with_counters(quiet_node(), {"drop": 90}, {"early_drop": 5}), drop=3, early_drop=1),
        {},
        {
            "severity": "critical",
            "observed": "drop 90 (CPU 0: 90), early_drop 5 (CPU 1: 5) since nf_conntrack was loaded, "
            "4 of them in 1.0 s just now",
        },
        id="packets dropped just now",
    ),
    pytest.param(
        "conntrack-drops",
        growing(with_counters(quiet_node(), {"drop": 90}), drop=0, early_drop=0),
        {},
        {"severity": "warning", "observed": "drop 90 (CPU 0: 90) since nf_conntrack was loaded"},
        id="packets dropped, none of them just now",
    ),
]

NOT_RAISED = [
    pytest.param("conntrack-invalid-grows", quiet_node(), {}, id="growth was not measured"),
    pytest.param("conntrack-invalid-grows", growing(quiet_node(), invalid=0), {}, id="no growth"),
    pytest.param("conntrack-invalid-grows", growing(plain_node()), {}, id="no conntrack, no counters"),
    pytest.param(
        "conntrack-invalid",
        growing(with_counters(quiet_node(), {"invalid": 40}), invalid=23),
        {},
        id="conntrack-invalid-grows says it already",
    ),
]
