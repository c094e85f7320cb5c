# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes as they were prepared: before the first run, after check mode, after the file was taken back."""

from __future__ import annotations

from testinfra.host import Host


def test_kubelet_runs_without_the_variables(variables: dict[str, str]) -> None:
    assert variables == {}


def test_nothing_below_etc_was_added_or_removed(changed_entries: set[str]) -> None:
    assert changed_entries == set()


def test_systemd_needs_no_reload(host: Host) -> None:
    assert host.check_output("systemctl show --property=NeedDaemonReload --value kubelet.service") == "no"
