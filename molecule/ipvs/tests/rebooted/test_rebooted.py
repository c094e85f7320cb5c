# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after a reboot, before kube-proxy starts: what they have, the boot gave them."""

from __future__ import annotations

from testinfra.host import Host


def test_kube_proxy_has_not_started_again(host: Host) -> None:
    assert not host.file("/sys/class/net/kube-ipvs0").exists


def test_ipvs_is_not_loaded(ipvs_timeouts: str | None) -> None:
    assert ipvs_timeouts is None


def test_conntrack_is_not_loaded(be_liberal: str | None) -> None:
    assert be_liberal is None


def test_no_pod_runs(pod: str | None) -> None:
    assert pod is None
