# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after apply with all features: the same before and after a reboot."""

from __future__ import annotations

from typing import Any

from testinfra.host import Host

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import BRIDGE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import VARIABLES

FURTHER = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
"""Of keepalive_sysctls."""

QUEUE = "/sys/class/net/eth0/queues/rx-0"


def test_every_sysctl_that_a_variable_sets_was_asked_for(planned: dict[str, Any], node: str) -> None:
    keepalive = set() if node == "linux-7-2" else set(KEEPALIVE_KEYS)
    assert set(planned["sysctls"]) == {*VARIABLES, *BRIDGE_KEYS, FURTHER, *keepalive}


def test_ipvs_forgets_closed_and_udp_connections_sooner(values: dict[str, str]) -> None:
    assert values["IPVS"] == "900 60 200"


def test_both_processors_work_on_the_packets_of_the_nic(host: Host) -> None:
    assert host.file(f"{QUEUE}/rps_cpus").content_string.strip() == "3"
    assert host.file(f"{QUEUE}/rps_flow_cnt").content_string.strip() == "32768"
