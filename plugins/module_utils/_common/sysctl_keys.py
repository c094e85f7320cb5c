# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of sysctls and what the collection knows about each. Private to this collection."""

import re
from typing import Dict, Iterable, List, NamedTuple, Optional

from . import keepalive


class Key(NamedTuple):
    """One managed sysctl: its dotted name, the kernel module that creates it, its first value (None: it varies)."""

    name: str
    module: Optional[str]
    default: Optional[str]


MODULES = ("br_netfilter", "ip_vs", "nf_conntrack")
"""The kernel modules the managed keys need."""

BRIDGE_KEYS = ("net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables")

BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
REUSE_MODE = "net.ipv4.vs.conn_reuse_mode"
EXPIRE_NODEST = "net.ipv4.vs.expire_nodest_conn"
EXPIRE_QUIESCENT = "net.ipv4.vs.expire_quiescent_template"
SLOPPY_TCP = "net.ipv4.vs.sloppy_tcp"
FLOW_ENTRIES = "net.core.rps_sock_flow_entries"
ESTABLISHED_KEY = "net.netfilter.nf_conntrack_tcp_timeout_established"
RETRIES2 = "net.ipv4.tcp_retries2"

_MODULE_BY_PREFIX = (
    ("net.bridge.", "br_netfilter"),
    ("net.ipv4.vs.", "ip_vs"),
    ("net.netfilter.nf_conntrack_", "nf_conntrack"),
    ("net.nf_conntrack_max", "nf_conntrack"),
)

# Kernel defaults: include/net/tcp.h, net/core/sysctl_net_core.c, net/bridge/br_netfilter_hooks.c,
# net/netfilter/ipvs/ip_vs_ctl.c, net/netfilter/nf_conntrack_proto_{tcp,udp}.c. None: it depends on memory or on the
# distribution.
_DEFAULTS = (
    *zip(keepalive.KEYS, map(str, keepalive.KERNEL_DEFAULT)),
    ("net.ipv4.tcp_retries2", "15"),
    ("net.ipv4.ip_forward", None),
    ("net.core.rps_sock_flow_entries", "0"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("net.ipv4.vs.conntrack", "0"),
    ("net.ipv4.vs.conn_reuse_mode", "1"),
    ("net.ipv4.vs.expire_nodest_conn", "0"),
    ("net.ipv4.vs.expire_quiescent_template", "0"),
    ("net.ipv4.vs.sloppy_tcp", "0"),
    ("net.netfilter.nf_conntrack_max", None),
    ("net.netfilter.nf_conntrack_tcp_be_liberal", "0"),
    ("net.netfilter.nf_conntrack_tcp_loose", "1"),
    ("net.netfilter.nf_conntrack_tcp_max_retrans", "3"),
    ("net.netfilter.nf_conntrack_tcp_timeout_established", "432000"),
    ("net.netfilter.nf_conntrack_tcp_timeout_close_wait", "60"),
    ("net.netfilter.nf_conntrack_tcp_timeout_max_retrans", "300"),
    ("net.netfilter.nf_conntrack_tcp_timeout_unacknowledged", "300"),
    ("net.netfilter.nf_conntrack_udp_timeout", "30"),
    ("net.netfilter.nf_conntrack_udp_timeout_stream", "120"),
)

_SWAP_SEPARATORS = str.maketrans("./", "/.")


def canonical(name: str) -> str:
    """The dotted form of a sysctl name, in which a dot inside a component is written as a slash.

    Follows sysctl.d(5): when the first separator is a slash, slashes separate and dots are literal, so
    ``net/ipv4/conf/eth0.100/x`` and ``net.ipv4.conf.eth0/100.x`` both give ``net.ipv4.conf.eth0/100.x``.
    Never raises: a name without a separator comes back as it is.
    """
    first = re.search(r"[./]", name)
    dotted = name.translate(_SWAP_SEPARATORS) if first and first.group() == "/" else name
    return ".".join(part for part in dotted.split(".") if part)


def components(name: str) -> List[str]:
    """The path components of a sysctl name below /proc/sys."""
    return [part.replace("/", ".") for part in canonical(name).split(".")]


def sysctl_path(name: str) -> str:
    """The file below /proc/sys that holds the key. Raises ValueError for a name that would leave /proc/sys."""
    parts = components(name)
    if not all(parts) or "\0" in name or any(part in (".", "..") for part in parts):
        raise ValueError(
            f"sysctl name: {name!r} is not a path below /proc/sys. Use a name such as net.ipv4.tcp_keepalive_time."
        )
    return "/proc/sys/" + "/".join(parts)


def module_for(name: str) -> Optional[str]:
    """The kernel module without which the key does not exist, or None where the kernel itself brings it."""
    dotted = canonical(name)
    for prefix, module in _MODULE_BY_PREFIX:
        if dotted.startswith(prefix):
            return module
    return None


KEYS: Dict[str, Key] = {name: Key(name, module_for(name), default) for name, default in _DEFAULTS}
"""Every sysctl the collection reads and may set, by dotted name."""

_SECRETS = ("tcp_fastopen_key", "stable_secret")
"""The last part of the names of what the kernel itself lets nobody but root read because it is a secret."""


def with_further(names: Iterable[str]) -> Dict[str, Key]:
    """KEYS, and these in their dotted form, but for secrets. Raises ValueError, as sysctl_path."""
    keys = dict(KEYS)
    for name in map(canonical, names):
        sysctl_path(name)
        if name not in keys and not name.endswith(_SECRETS):
            keys[name] = Key(name, module_for(name), None)
    return keys
