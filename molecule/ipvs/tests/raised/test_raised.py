# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after apply with strategy raise_ipvs and be_liberal: the same before and after a reboot."""

from __future__ import annotations

from testinfra.host import Host

KEEPALIVE = {
    "linux-5-10": (600, 30, 9),
    "linux-6-1": (600, 30, 9),
    "linux-6-12": (600, 30, 9),
    "linux-7-2": (300, 20, 9),
}
"""What the first cure has set stays."""

SYSCTL_FILE = "/etc/sysctl.d/k8s.conf"
MODULES_FILE = "/etc/modules-load.d/k8s.conf"
UNIT = "/etc/systemd/system/kubenode-ipvs-timeouts.service"
KEEPALIVE_LINES = (
    b"net.ipv4.tcp_keepalive_time = 600\nnet.ipv4.tcp_keepalive_intvl = 30\nnet.ipv4.tcp_keepalive_probes = 9\n"
)
BE_LIBERAL_LINE = b"net.netfilter.nf_conntrack_tcp_be_liberal = 1\n"


def test_live_keepalive_is_as_before(live: tuple[int, int, int], node: str) -> None:
    assert live == KEEPALIVE[node]


def test_ipvs_waits_longer_than_the_keepalive_of_pods(values: dict[str, str]) -> None:
    """71/63 * (7200 + 2 * 75) seconds, rounded up."""
    assert values["IPVS"] == "8284 120 300"


def test_modules_are_loaded_before_the_sysctls_at_boot(host: Host, owners_files: dict[str, bytes]) -> None:
    assert host.file(MODULES_FILE).content == owners_files.get(MODULES_FILE, b"") + b"ip_vs\nnf_conntrack\n"


def test_sysctl_file_has_our_lines_after_every_byte_of_the_owners(
    host: Host, owners_files: dict[str, bytes], node: str
) -> None:
    keepalive = b"" if node == "linux-7-2" else KEEPALIVE_LINES
    assert host.file(SYSCTL_FILE).content == owners_files.get(SYSCTL_FILE, b"") + keepalive + BE_LIBERAL_LINE


def test_only_our_three_files_differ_below_etc(changed_below_etc: set[str]) -> None:
    assert changed_below_etc == {SYSCTL_FILE, MODULES_FILE, UNIT}


def test_boot_starts_our_unit(host: Host) -> None:
    assert host.check_output("systemctl is-enabled kubenode-ipvs-timeouts.service") == "enabled"


def test_a_pod_if_it_runs_is_not_touched(pod: str | None) -> None:
    assert pod in (None, "7200/75/9")
