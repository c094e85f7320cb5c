# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-proxy and kubelet of a node, by their own words, as typed values. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import releases
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import flag, numbers, text


@dataclass(frozen=True)
class KubeProxy:
    """kube-proxy by its own words. ``ipvs_timeouts`` and ``conntrack`` are its configuration, 0 keeps a value.

    ``version`` such as v1.34.2, None where it was not told.
    """

    running: bool | None
    address: str | None
    mode: str | None
    error: str | None
    ipvs_timeouts: Mapping[str, int]
    conntrack: Mapping[str, int]
    version: str | None

    @property
    def raises_only(self) -> bool | None:
        """Whether it leaves a conntrack sysctl alone that is higher than its own value; None: nobody can tell.

        tcpBeLiberal came with 1.29, the release that writes in either direction again: served, it tells as much.
        """
        by_version = releases.raises_only(self.version)
        return False if by_version is None and "be_liberal" in self.conntrack else by_version


@dataclass(frozen=True)
class Kubelet:
    """kubelet of the node and its HTTP/2 health check; seconds are those in force, the defaults included."""

    running: bool | None
    version: str | None
    disable_http2: bool | None
    read_idle_timeout: int | None
    ping_timeout: int | None
    error: str | None
    standalone: bool | None = None


def parse_kube_proxy(kube_proxy: Mapping[str, object]) -> KubeProxy:
    return KubeProxy(
        running=flag(kube_proxy.get("running")),
        address=text(kube_proxy.get("address")),
        mode=text(kube_proxy.get("mode")),
        error=text(kube_proxy.get("error")),
        ipvs_timeouts=numbers(kube_proxy.get("ipvs_timeouts")),
        conntrack=numbers(kube_proxy.get("conntrack")),
        version=text(kube_proxy.get("version")),
    )


def parse_kubelet(kubelet: Mapping[str, object]) -> Kubelet:
    return Kubelet(
        running=flag(kubelet.get("running")),
        version=text(kubelet.get("version")),
        disable_http2=flag(kubelet.get("disable_http2")),
        read_idle_timeout=whole_number(kubelet.get("read_idle_timeout")),
        ping_timeout=whole_number(kubelet.get("ping_timeout")),
        error=text(kubelet.get("error")),
        standalone=flag(kubelet.get("standalone")),
    )
