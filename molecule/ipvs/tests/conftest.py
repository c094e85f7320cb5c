# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel of a node has of IPVS and conntrack. Nothing here loads a module (ipvsadm does)."""

from __future__ import annotations

import pytest
from testinfra.host import Host

KEEPALIVE = "sysctl -n net.ipv4.tcp_keepalive_time net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes"
BE_LIBERAL = "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal"


@pytest.fixture(scope="session")
def ipvs_timeouts(host: Host) -> str | None:
    """What ipvsadm says about the timeouts in seconds; None while IPVS is not loaded."""
    return host.check_output("ipvsadm -l --timeout") if host.file("/proc/net/ip_vs").exists else None


@pytest.fixture(scope="session")
def be_liberal(host: Host) -> str | None:
    """Whether conntrack lets packets out of the window pass ("1"); None while conntrack is not loaded."""
    file = host.file(BE_LIBERAL)
    return file.content_string.strip() if file.exists else None


@pytest.fixture(scope="session")
def unit_is_active(host: Host) -> bool:
    """Whether the unit that sets the IPVS timeouts at boot is there and has done so."""
    return host.run("systemctl is-active --quiet kubenode-ipvs-timeouts.service").succeeded


@pytest.fixture(scope="session")
def pod(host: Host) -> str | None:
    """The keepalive in the pod's network namespace; None where no pod runs, as after a reboot."""
    if not host.file("/run/netns/pod").exists:
        return None
    return "/".join(host.check_output(f"ip netns exec pod {KEEPALIVE}").split())
