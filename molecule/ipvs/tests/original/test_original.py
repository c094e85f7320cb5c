# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes as their owners left them: before the first apply, after check mode, after restore, after a reboot."""

from __future__ import annotations

from testinfra.host import Host

KEEPALIVE = {
    "linux-5-10": (7200, 75, 9),
    "linux-6-1": (3600, 75, 9),
    "linux-6-12": (7200, 75, 9),
    "linux-7-2": (300, 20, 9),
}
"""What the owners' files say, else the kernel's defaults."""


def test_live_keepalive_is_the_owners(live: tuple[int, int, int], node: str) -> None:
    assert live == KEEPALIVE[node]


def test_owners_files_are_the_same_byte_for_byte(host: Host, owners_files: dict[str, bytes]) -> None:
    assert {path: host.file(path).content for path in owners_files} == owners_files


def test_no_file_below_etc_was_added_changed_or_removed(changed_below_etc: set[str]) -> None:
    assert changed_below_etc == set()


def test_nothing_is_remembered_about_the_node(host: Host) -> None:
    assert not host.file("/var/lib/kubenode.connections").exists


def test_no_unit_of_ours_is_left(host: Host, unit_is_active: bool) -> None:
    assert not unit_is_active
    assert host.run("systemctl cat kubenode-ipvs-timeouts.service").failed


def test_a_pod_if_it_runs_has_the_kernels_keepalive(pod: str | None) -> None:
    assert pod in (None, "7200/75/9")
