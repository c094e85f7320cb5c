# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of test__rules_*.py for Receive Packet Steering."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nics import nic, with_nics
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import quiet_node

APPLY = "Run the playbook kubenode.connections.apply"
MORE = "First see whether the NIC can have more queues (ethtool -l): they cost less. See docs/rps.md."
WHY = (
    "One CPU works on all packets of a receive queue. What it cannot take in time is late or dropped, and conntrack "
    "calls packets INVALID that come too late for their connection."
)


def growing(*nics, invalid=0, dropped=0, time_squeeze=0, **rps):
    """A node of four CPUs with these NICs, whose counters grew by so much while it was read."""
    growth = {
        "seconds": 1.0,
        "conntrack": {"invalid": invalid},
        "softnet": {"dropped": dropped, "time_squeeze": time_squeeze},
    }
    return {**with_nics(quiet_node(), *nics, **rps), "growth": growth}


UNSEEN = {**growing(dropped=1), "rps": None}

RAISED = [
    pytest.param(
        "rps-would-help",
        growing(nic(), dropped=12, time_squeeze=3, invalid=5),
        {},
        {
            "severity": "warning",
            "scope": "worker1",
            "observed": "received packets in 1.0 s: dropped 12, time_squeeze 3, INVALID 5; "
            "RPS is off on eth0 (1 queue, 4 CPUs)",
            "limit": None,
            "why": WHY,
            "remedy": f"Set keepalive_rps: auto. {APPLY}. {MORE}",
        },
        id="packets dropped",
    ),
    pytest.param(
        "rps-would-help",
        growing(nic(), nic("eth1", 2, operstate="unknown"), nic("eth2", 4), time_squeeze=1),
        {},
        {
            "severity": "info",
            "observed": "received packets in 1.0 s: time_squeeze 1; RPS is off on eth0 (1 queue, 4 CPUs), "
            "eth1 (2 queues, 4 CPUs)",
        },
        id="packets late, two NICs with fewer queues than CPUs",
    ),
    pytest.param(
        "rps-would-help",
        growing(nic(), nic("eth1", 2), invalid=1),
        {},
        {
            "severity": "info",
            "observed": "received packets in 1.0 s: INVALID 1; RPS is off on eth0 (1 queue, 4 CPUs)",
        },
        id="INVALID packets, which count for a single queue alone",
    ),
    pytest.param(
        "rps-would-help",
        growing(nic(), dropped=1),
        {"rps": "auto"},
        {"remedy": f"{APPLY}: it turns RPS on (keepalive_rps auto). {MORE}"},
        id="which the plan cures",
    ),
    pytest.param(
        "rps-would-help",
        UNSEEN,
        {},
        {
            "severity": "unknown",
            "observed": "received packets in 1.0 s: dropped 1; NICs and their queues were not seen",
            "why": f"{WHY} Whether several CPUs share the work is not known.",
            "remedy": "Run again as root (-e keepalive_become=true), outside of containers.",
        },
        id="NICs not seen",
    ),
]

NOT_RAISED = [
    pytest.param("rps-would-help", with_nics(quiet_node(), nic()), {}, id="growth was not measured"),
    pytest.param("rps-would-help", growing(nic()), {}, id="no growth"),
    pytest.param("rps-would-help", growing(nic("eth0", 4), dropped=9), {}, id="a queue for each CPU"),
    pytest.param("rps-would-help", growing(nic(mask="f"), dropped=9), {}, id="RPS is on"),
    pytest.param("rps-would-help", growing(nic(operstate="down"), dropped=9), {}, id="a NIC that is not in use"),
    pytest.param("rps-would-help", growing(nic("eth0", 2), invalid=9), {}, id="INVALID packets, and two queues"),
    pytest.param("rps-would-help", growing(nic(), dropped=9, cpus_online="0"), {}, id="one CPU"),
    pytest.param(
        "rps-would-help", {**growing(invalid=9), "rps": None}, {}, id="INVALID packets, and NICs were not seen"
    ),
]
