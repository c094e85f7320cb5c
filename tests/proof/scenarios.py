# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which machine, under which limits and with which role variables the tables are filled."""

from __future__ import annotations

from ansible_collections.kubenode.connections.tests.proof.model import (
    ESTABLISHED,
    FORGOTTEN_AT_BOOT,
    IN_USE,
    KEYS,
    LIMIT,
    REBOOTED,
    RESTORED,
    Scenario,
)
from ansible_collections.kubenode.connections.tests.proof.play import SERVERS
from ansible_collections.kubenode.connections.tests.proof.tables_enforced import (
    BROUGHT_BACK,
    ENFORCED_LIMIT,
    EXCLUDED_PORT,
    LEFT_ALONE,
    NEVER_ASK,
    OPEN_ALL,
    OPEN_REARM,
)
from ansible_collections.kubenode.connections.tests.proof.tables_idle import (
    BOUNDARY,
    FORGOTTEN,
    OTHER_CURE,
    REAL_CLIENTS,
)
from ansible_collections.kubenode.connections.tests.proof.tables_other import (
    DEAD_PEER_SECONDS,
    LIBERAL_KEY,
    LOST_AT_BOOT,
    MISPLACED,
    PEER_DEAD,
    RESCHEDULED,
    REUSED,
)

TOO_LATE = tuple(f"{key}={value}" for key, value in zip(KEYS, IN_USE, strict=True))
"""The keepalive of nodes and pods that cannot be touched, now and at boot."""

SCENARIOS = (
    Scenario(
        "limits of seconds",
        LIMIT,
        ESTABLISHED,
        {
            "keepalive_be_liberal": True,
            "keepalive_conn_reuse_mode": "auto",
            "keepalive_dead_peer_seconds": DEAD_PEER_SECONDS,
            "keepalive_open_connections": "never",
        },
        (FORGOTTEN, BOUNDARY, MISPLACED, REUSED, RESCHEDULED, PEER_DEAD, REAL_CLIENTS),
        given={
            "few": ("net.ipv4.tcp_retries2=3",),
            "five": ("net.ipv4.tcp_retries2=5",),
            "n2": ("net.ipv4.vs.expire_nodest_conn=1",),
        },
    ),
    Scenario(
        "raise_ipvs",
        LIMIT,
        86400,
        {"keepalive_strategy": "raise_ipvs"},
        (OTHER_CURE,),
        given=dict.fromkeys(("node", "c1", "s1", "s2", "own", "few", "five", "kube"), TOO_LATE),
        files={"/etc/sysctl.d/50-site.conf": "".join(f"{line}\n" for line in TOO_LATE)},
    ),
    Scenario(
        "reboot",
        900,
        86400,
        {"keepalive_be_liberal": True},
        (LOST_AT_BOOT,),
        files={"/etc/sysctl.d/90-liberal.conf": f"{LIBERAL_KEY} = 1\n"},
        reboots=True,
    ),
    Scenario(
        "enforced",
        ENFORCED_LIMIT,
        86400,
        {
            "keepalive_enforce": True,
            "keepalive_enforce_exclude_cgroups": [f"/{SERVERS}", LEFT_ALONE],
            "keepalive_enforce_exclude_ports": [EXCLUDED_PORT],
            "keepalive_open_connections": "all",
        },
        (NEVER_ASK, OPEN_ALL),
    ),
    Scenario(
        "enforced and given back",
        ENFORCED_LIMIT,
        86400,
        {"keepalive_enforce": True},
        (OPEN_REARM, BROUGHT_BACK),
        somebody=True,
        further=(REBOOTED, RESTORED, FORGOTTEN_AT_BOOT),
    ),
)
