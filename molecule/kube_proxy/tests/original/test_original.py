# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes as they were prepared: before the first run, after check mode, after the file was given back."""

from __future__ import annotations

from typing import Any

from testinfra.host import Host


def test_the_file_is_its_owners_byte_for_byte(host: Host, owners_text: bytes) -> None:
    assert host.file("/etc/kubernetes/kube-proxy.conf").content == owners_text


def test_kube_proxy_runs_with_what_its_owner_wrote_unless_nobody_restarted_it(running: dict[str, Any]) -> None:
    assert running["IPVS"] == {"TCPTimeout": "15m0s", "TCPFinTimeout": "0s", "UDPTimeout": "0s"}
    assert running["Linux"]["Conntrack"]["TCPBeLiberal"] is False


def test_nothing_was_added_or_removed(changed_entries: set[str]) -> None:
    assert changed_entries == set()


def test_no_text_of_a_node_was_taken_for_a_template(host: Host) -> None:
    assert not host.file("/tmp/templated").exists
