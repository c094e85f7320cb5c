# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after a reboot, before kube-proxy starts: what they have, the boot gave them."""

from __future__ import annotations

from testinfra.host import Host

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import MODULES


def test_kube_proxy_has_not_started_again(host: Host) -> None:
    assert not host.file("/sys/class/net/kube-ipvs0").exists


def test_modules_are_those_that_the_owners_boot_loads(values: dict[str, str], left: dict[str, str]) -> None:
    ours = {f"module {name}" for name in MODULES}
    assert ours & values.keys() == ours & left.keys()


def test_no_pod_runs(pod: str | None) -> None:
    assert pod is None
