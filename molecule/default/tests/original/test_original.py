# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes as their owners left them: before the first apply, after check mode, after restore."""

from __future__ import annotations

from testinfra.host import Host

KEEPALIVE = {
    "kubenode-cp": (1800, 60, 9),
    "kubenode-worker1": (7200, 75, 9),
    "kubenode-worker2": (200, 10, 9),
}
"""What the owners' files say, else the kernel's defaults."""


def test_live_keepalive_is_the_owners(live: tuple[int, int, int], node: str) -> None:
    assert live == KEEPALIVE[node]


def test_keepalive_after_a_boot_is_the_owners(at_boot: tuple[int, int, int], node: str) -> None:
    assert at_boot == KEEPALIVE[node]


def test_owners_files_are_the_same_byte_for_byte(host: Host, owners_files: dict[str, bytes]) -> None:
    assert {path: host.file(path).content for path in owners_files} == owners_files


def test_no_file_below_etc_was_added_changed_or_removed(changed_below_etc: set[str]) -> None:
    assert changed_below_etc == set()


def test_nothing_is_remembered_about_the_node(host: Host) -> None:
    assert not host.file("/var/lib/kubenode.connections").exists
