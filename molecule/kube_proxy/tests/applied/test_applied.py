# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after the role ran twice: the fields are set, and kube-proxy was restarted once where that was asked."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from testinfra.host import Host

FILE = "/etc/kubernetes/kube-proxy.conf"
RECORD = "/var/lib/kubenode.connections/kube-proxy.json"
asked = pytest.mark.parametrize("node", ["kubenode-asked"], indirect=True)
asked_not = pytest.mark.parametrize("node", ["kubenode-asked-not"], indirect=True)


def test_only_the_fields_differ_from_the_owners_file(host: Host, owners_text: bytes) -> None:
    expected = owners_text.replace(b"'15m0s'", b"'8284s'").replace(b"rr\n", b"rr\n    udpTimeout: 30s\n")
    expected = expected.replace(b"24h0m0s\n", b"24h0m0s\n  tcpBeLiberal: true\n")
    assert host.file(FILE).content == expected


def test_the_file_keeps_its_mode_and_owner(host: Host) -> None:
    file = host.file(FILE)
    assert (file.user, file.group, file.mode) == ("ansible", "adm", 0o640)


def test_what_it_said_before_is_kept_for_root(host: Host) -> None:
    record = host.file(RECORD)
    assert (record.user, record.mode) == ("root", 0o600)
    assert json.loads(record.content_string)["configurations"] == {
        FILE: {
            "conntrack.tcpBeLiberal": {"before": None, "ours": "true"},
            "ipvs.tcpTimeout": {"before": "'15m0s'", "ours": "'8284s'"},
            "ipvs.udpTimeout": {"before": None, "ours": "30s"},
        }
    }


@asked
def test_where_asked_kube_proxy_runs_with_the_values(running: dict[str, Any]) -> None:
    assert running["IPVS"] == {"TCPTimeout": "8284s", "TCPFinTimeout": "0s", "UDPTimeout": "30s"}
    assert running["Linux"]["Conntrack"]["TCPBeLiberal"] is True


@asked
def test_where_asked_kube_proxy_was_restarted_once(starts: int) -> None:
    assert starts == 2


@asked
def test_nothing_else_is_on_the_node(changed_entries: set[str]) -> None:
    assert changed_entries == {os.path.dirname(RECORD), RECORD}


@asked_not
def test_where_not_asked_kube_proxy_is_the_same_process(host: Host, running: dict[str, Any], starts: int) -> None:
    assert host.check_output("pgrep --exact kube-proxy") == host.check_output("cat /var/tmp/kube-proxy.pid")
    assert (running["IPVS"]["TCPTimeout"], starts) == ("15m0s", 1)


@asked_not
def test_the_backup_that_was_asked_for_is_the_owners_file(
    host: Host, owners_text: bytes, changed_entries: set[str]
) -> None:
    backups = changed_entries - {os.path.dirname(RECORD), RECORD}
    assert [host.file(path).content for path in backups] == [owners_text]
    assert all(path.startswith(FILE + ".") for path in backups)
