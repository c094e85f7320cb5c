# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after apply without any option: safe below IPVS's 900 seconds, and nothing else touched."""

from __future__ import annotations

from testinfra.host import Host

DERIVED = (600, 30, 9)
"""Two thirds of 900 seconds, a thirtieth, and the kernel's own nine probes: 71/63 * (600 + 2 * 30) = 744 <= 900."""

KEEPALIVE = {
    "linux-5-10": DERIVED,
    "linux-6-1": DERIVED,
    "linux-6-12": DERIVED,
    "linux-7-2": (300, 20, 9),
}
SYSCTL_FILE = "/etc/sysctl.d/k8s.conf"
OUR_LINES = b"net.ipv4.tcp_keepalive_time = 600\nnet.ipv4.tcp_keepalive_intvl = 30\nnet.ipv4.tcp_keepalive_probes = 9\n"


def test_live_keepalive_is_safe(live: tuple[int, int, int], node: str) -> None:
    assert live == KEEPALIVE[node]


def test_only_our_file_differs_below_etc(changed_below_etc: set[str], node: str) -> None:
    at_risk = node != "linux-7-2"
    assert changed_below_etc == ({SYSCTL_FILE} if at_risk else set())


def test_our_lines_come_after_every_byte_of_the_owners(host: Host, owners_files: dict[str, bytes], node: str) -> None:
    file, ours = host.file(SYSCTL_FILE), OUR_LINES if node != "linux-7-2" else b""
    assert (file.content if file.exists else b"") == owners_files.get(SYSCTL_FILE, b"") + ours


def test_a_pod_if_it_runs_has_the_plans_keepalive(pod: str | None) -> None:
    assert pod in (None, "600/30/9")
