# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes as they were prepared: before the first run, after check mode, after everything was taken back."""

from __future__ import annotations

import pytest
from testinfra.host import Host


@pytest.mark.parametrize("node", ["kubenode-cni"], indirect=True)
def test_a_new_pod_has_the_kernels_keepalive(new_pod: tuple[int, ...]) -> None:
    assert new_pod == (7200, 75, 9)


def test_every_file_is_the_owners(host: Host, owners_files: dict[str, bytes], changed_below_etc: set[str]) -> None:
    assert changed_below_etc == set()
    assert {path: host.file(path).content for path in owners_files} == owners_files


def test_nothing_is_left_of_ours(host: Host) -> None:
    assert not host.file("/var/lib/kubenode.connections").exists


@pytest.mark.parametrize("node", ["kubenode-kubelet"], indirect=True)
def test_nobody_restarted_kubelet(same_process: bool) -> None:
    assert same_process
