# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after apply with all features: the same before and after a reboot."""

from __future__ import annotations

import pytest
from testinfra.host import Host

SYSCTLS = {
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.bridge.bridge-nf-call-ip6tables": "1",
    "net.core.rps_sock_flow_entries": "32768",
    "net.ipv4.tcp_retries2": "8",
    "net.ipv4.vs.conn_reuse_mode": "1",
    "net.ipv4.vs.expire_nodest_conn": "1",
    "net.ipv4.vs.expire_quiescent_template": "1",
    "net.ipv4.vs.sloppy_tcp": "0",
    "net.netfilter.nf_conntrack_tcp_be_liberal": "1",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait": "3600",
}

QUEUE = "/sys/class/net/eth0/queues/rx-0"


@pytest.mark.parametrize("key", SYSCTLS)
def test_sysctl_is_as_asked_for(host: Host, key: str) -> None:
    """After a boot only where its module was there before systemd-sysctl."""
    assert host.check_output(f"sysctl -n {key}") == SYSCTLS[key]


def test_ipvs_forgets_closed_and_udp_connections_sooner(ipvs_timeouts: str | None) -> None:
    assert ipvs_timeouts == "Timeout (tcp tcpfin udp): 900 60 200"


def test_both_processors_work_on_the_packets_of_the_nic(host: Host) -> None:
    assert host.file(f"{QUEUE}/rps_cpus").content_string.strip() == "3"
    assert host.file(f"{QUEUE}/rps_flow_cnt").content_string.strip() == "32768"
