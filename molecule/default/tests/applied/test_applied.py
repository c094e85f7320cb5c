# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after apply: safe below the load balancer's 350 seconds, now and after a boot, and nothing else touched."""

from __future__ import annotations

import pytest
from testinfra.host import Host

DERIVED = (233, 11, 9)
"""Two thirds of 350 seconds, a thirtieth, and the kernel's own nine probes: 71/63 * (233 + 2 * 11) = 287 <= 350."""

KEEPALIVE = {
    "kubenode-cp": DERIVED,
    "kubenode-worker1": DERIVED,
    "kubenode-worker2": (200, 10, 9),
}
SYSCTL_FILE = "/etc/sysctl.d/k8s.conf"
MODULES_FILE = "/etc/modules-load.d/k8s.conf"


@pytest.fixture(scope="session")
def bridged(host: Host) -> bool:
    """Whether the machine has br_netfilter: only then the node gets the bridge's two keys and their module."""
    return bool(host.file("/proc/sys/net/bridge").exists)


def test_live_keepalive_is_safe(live: tuple[int, int, int], node: str) -> None:
    assert live == KEEPALIVE[node]


def test_keepalive_after_a_boot_is_safe(at_boot: tuple[int, int, int], node: str) -> None:
    assert at_boot == KEEPALIVE[node]


def test_only_our_two_files_differ_below_etc(changed_below_etc: set[str], node: str, bridged: bool) -> None:
    ours = {SYSCTL_FILE, MODULES_FILE} if bridged else {SYSCTL_FILE}
    at_risk = node != "kubenode-worker2"
    assert changed_below_etc == (ours if at_risk else set())


@pytest.mark.parametrize("node", ["kubenode-cp"], indirect=True)
def test_owners_file_keeps_every_other_byte(host: Host, owners_files: dict[str, bytes]) -> None:
    edited = owners_files[SYSCTL_FILE].replace(
        b"-net/ipv4/tcp_keepalive_time = 1800\n", b"-net/ipv4/tcp_keepalive_time = 233\n"
    )
    added = b"net.ipv4.tcp_keepalive_intvl = 11\nnet.ipv4.tcp_keepalive_probes = 9\n"
    assert host.file(SYSCTL_FILE).content == edited + added


@pytest.mark.parametrize("node", ["kubenode-worker1"], indirect=True)
def test_new_file_has_our_lines_alone(host: Host, bridged: bool) -> None:
    keepalive = (
        "net.ipv4.tcp_keepalive_time = 233\nnet.ipv4.tcp_keepalive_intvl = 11\nnet.ipv4.tcp_keepalive_probes = 9\n"
    )
    bridge = "net.bridge.bridge-nf-call-iptables = 1\nnet.bridge.bridge-nf-call-ip6tables = 1\n"
    file = host.file(SYSCTL_FILE)
    assert file.content_string == keepalive + (bridge if bridged else "")
    assert (file.user, file.group, file.mode) == ("root", "root", 0o644)


@pytest.mark.parametrize("node", ["kubenode-cp", "kubenode-worker1"], indirect=True)
def test_module_of_the_bridge_keys_is_loaded_at_boot(host: Host, bridged: bool) -> None:
    file = host.file(MODULES_FILE)
    assert (file.content_string if file.exists else "") == ("br_netfilter\n" if bridged else "")
