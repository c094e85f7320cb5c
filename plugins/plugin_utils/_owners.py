# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else writes a value: a file at boot, kube-proxy at its next start. Private to this collection."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._kernel import kube_proxy_forces_reuse_off
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits import kube_proxy_ipvs_seconds
from ansible_collections.kubenode.connections.plugins.plugin_utils._model import Settings
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy import (
    IPVS_CELLS,
    KEEPALIVE_KEYS,
    REUSE_MODE,
)

KERNEL = "kernel default"

IPVS_DEFAULTS = {"tcp": 900, "tcpfin": 120, "udp": 300}
"""In seconds; tcp_timeouts in net/netfilter/ipvs/ip_vs_proto_tcp.c, udp_timeouts in ip_vs_proto_udp.c."""

# KubeProxyConfiguration's names (pkg/proxy/apis/config/types.go).
IPVS_FIELDS = {"tcp": "ipvs.tcpTimeout", "tcpfin": "ipvs.tcpFinTimeout", "udp": "ipvs.udpTimeout"}

# What kube-proxy writes at every start where its configuration is not 0 (pkg/proxy/conntrack/sysctls.go):
# sysctl -> our name of the field, kube-proxy's name, unit.
_CONNTRACK_FIELDS = {
    "net.netfilter.nf_conntrack_tcp_timeout_established": ("tcp_established", "conntrack.tcpEstablishedTimeout", "s"),
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait": ("tcp_close_wait", "conntrack.tcpCloseWaitTimeout", "s"),
    "net.netfilter.nf_conntrack_tcp_be_liberal": ("be_liberal", "conntrack.tcpBeLiberal", ""),
}

# What kube-proxy sets in ipvs mode, whatever its configuration says (pkg/proxy/ipvs/proxier.go, NewProxier).
_ALWAYS_IN_IPVS_MODE = {
    "net.ipv4.vs.conntrack": "1",
    "net.ipv4.vs.expire_nodest_conn": "1",
    "net.ipv4.vs.expire_quiescent_template": "1",
    "net.ipv4.ip_forward": "1",
}


@dataclass(frozen=True)
class KubeProxyValue:
    """What kube-proxy writes to a key at its next start, and what decides that."""

    value: str
    source: str
    configurable: bool = True

    def __str__(self) -> str:
        return f"kube-proxy at its next start ({self.source})"


def kube_proxy_value(node: Observed, key: str) -> KubeProxyValue | None:
    """What kube-proxy will write to a sysctl, or to an IPVS timeout (``IPVS tcp``); None where it leaves it alone."""
    if key.startswith("IPVS "):
        cell = key[len("IPVS ") :]
        seconds = kube_proxy_ipvs_seconds(node, cell)
        return KubeProxyValue(str(seconds), f"{IPVS_FIELDS[cell]} {seconds}s") if seconds is not None else None
    if node.mode == "ipvs" and key in _ALWAYS_IN_IPVS_MODE:
        always = _ALWAYS_IN_IPVS_MODE[key]
        return KubeProxyValue(always, f"it always sets {always} in ipvs mode", False)
    if node.mode == "ipvs" and key == REUSE_MODE and kube_proxy_forces_reuse_off(node.kernel):
        return KubeProxyValue("0", "it always sets 0 in ipvs mode on kernels from 4.1 to below 5.9", False)
    field, name, unit = _CONNTRACK_FIELDS.get(key, ("", "", ""))
    number = node.kube_proxy.conntrack.get(field)
    return KubeProxyValue(str(number), f"{name} {number}{unit}") if number else None


def later_lines(node: Observed, keys: Iterable[str], file: str) -> dict[str, str]:
    """The keys, with ``FILE:LINE``, that a file read after ``file`` decides at boot.

    Files are read in the order of their names, whatever their directory, and the last assignment wins: sysctl.d(5).
    """
    boots = {key: node.sysctls[key].boot for key in keys if key in node.sysctls}
    return {
        key: boot.source
        for key, boot in boots.items()
        if boot and boot.file and boot.source and posixpath.basename(boot.file) > posixpath.basename(file)
    }


def owners_of(node: Observed, settings: Settings) -> dict[str, str]:
    """Who decides each value that matters here: the keepalive, what the settings set, the IPVS timeouts."""
    keys = dict.fromkeys([*KEEPALIVE_KEYS, *settings.sysctls])
    owners = {key: _sysctl_owner(node, key) for key in keys}
    if node.ipvs_on_path:
        owners.update({f"IPVS {cell}": _ipvs_owner(node, cell) for cell in IPVS_CELLS})
    return owners


def _sysctl_owner(node: Observed, key: str) -> str:
    kube_proxy = kube_proxy_value(node, key)
    if kube_proxy is not None:
        return str(kube_proxy)
    boot = node.sysctls[key].boot if key in node.sysctls else None
    if boot is None:
        return "not seen"
    return boot.source or KERNEL


def _ipvs_owner(node: Observed, cell: str) -> str:
    kube_proxy = kube_proxy_value(node, f"IPVS {cell}")
    if kube_proxy is not None:
        return str(kube_proxy)
    if node.ipvs.timeouts is None:
        return "not seen"
    return KERNEL if node.ipvs.timeouts[cell] == IPVS_DEFAULTS[cell] else "set by hand or by a unit, lost at a reboot"
