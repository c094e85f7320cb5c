# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who in the cluster: names, addresses, folders. One place to change each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible_collections.kubenode.connections.tests.lab.vm.config import cache
from ansible_collections.kubenode.connections.tests.lab.vm.qemu import host_name

LAB = "cluster-real"
NAMESPACE = "shop"
"""Of the deployments."""
VERSION = "v1.20.2"
MEMORY_MIB = 2048
IPVS_SECONDS = 10
"""So soon does IPVS forget an idle connection: the lowest limit that the role accepts."""

SERVICES = ("10.96.0.0/16", "fd00:96::/112")
DNS = "10.96.0.10"
"""Nobody answers there."""
PODS = ("10.244.0.0/16", "fd00:244::/56")
"""IPv4 and IPv6 of both."""
API = "10.0.3.100"
"""The API server as the nodes see it: QEMU leads it to the host's loopback."""
API_CARD = "10.0.3.15/24"
KUBELET_PORT = 10250
FEATURES = {"IPv6DualStack": True}
"""Pods and Services with IPv6 beside IPv4 are asked for by name in this release."""


@dataclass(frozen=True)
class Place:
    """A node: its kernel, its addresses on the wire between the nodes, the addresses of its pods."""

    series: str
    address: str
    address_6: str
    pods: tuple[str, str]

    @property
    def name(self) -> str:
        """In Kubernetes, in the guest and in the inventory."""
        return host_name(self.series)


PLACES = (
    Place("5.10", "192.168.50.1", "fd00:50::1", ("10.244.1.0/24", "fd00:244:0:1::/64")),
    Place("6.1", "192.168.50.2", "fd00:50::2", ("10.244.2.0/24", "fd00:244:0:2::/64")),
)
"""Two, for the wire between them has two ends."""


def folder() -> Path:
    """The control plane's certificates, data and logs."""
    return cache() / "cluster"


def other(place: Place) -> Place:
    """The node at the other end of the wire."""
    return next(each for each in PLACES if each != place)
