# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after the role ran twice: the file is there, and kubelet was restarted once where that was asked."""

from __future__ import annotations

import pytest
from testinfra.host import Host

FOLDER = "/etc/systemd/system/kubelet.service.d"
FILE = f"{FOLDER}/20-http2-health.conf"
SETS = "[Service]\nEnvironment=HTTP2_READ_IDLE_TIMEOUT_SECONDS=20\nEnvironment=HTTP2_PING_TIMEOUT_SECONDS=10\n"
WRITTEN = "# Written by the Ansible role kubenode.connections.kubelet_http2.\n"
asked = pytest.mark.parametrize("node", ["kubenode-asked"], indirect=True)
asked_not = pytest.mark.parametrize("node", ["kubenode-asked-not"], indirect=True)


def test_the_file_is_roots_and_readable(host: Host) -> None:
    file = host.file(FILE)
    assert (file.user, file.group, file.mode) == ("root", "root", 0o644)


def test_systemd_knows_the_file(host: Host) -> None:
    said = host.check_output("systemctl show --property=NeedDaemonReload,Environment kubelet.service").splitlines()
    assert "NeedDaemonReload=no" in said
    assert "HTTP2_READ_IDLE_TIMEOUT_SECONDS=20 HTTP2_PING_TIMEOUT_SECONDS=10" in " ".join(said)


@asked
def test_where_asked_kubelet_runs_with_the_variables(variables: dict[str, str]) -> None:
    assert variables == {"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "20", "HTTP2_PING_TIMEOUT_SECONDS": "10"}


@asked
def test_where_asked_kubelet_was_restarted_once(starts: int) -> None:
    assert starts == 2


@asked
def test_a_folder_that_was_made_is_remembered_in_the_file(host: Host, changed_entries: set[str]) -> None:
    assert host.file(FILE).content_string == f"{WRITTEN}# The folder of this file was made for it.\n{SETS}"
    assert changed_entries == {FOLDER, FILE}


@asked_not
def test_where_not_asked_kubelet_is_the_same_process(host: Host, variables: dict[str, str], starts: int) -> None:
    assert host.check_output("pgrep --exact kubelet") == host.check_output("cat /var/tmp/kubelet.pid")
    assert (variables, starts) == ({}, 1)


@asked_not
def test_a_folder_that_was_there_is_left_alone(host: Host, changed_entries: set[str]) -> None:
    assert host.file(FILE).content_string == WRITTEN + SETS
    assert changed_entries == {FILE}
