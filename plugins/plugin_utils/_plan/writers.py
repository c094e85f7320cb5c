# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else writes a value: a file or TuneD at boot, kube-proxy and others at their start. Private."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS as IPVS_CELLS
from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import (
    KERNEL_DEFAULTS,
    KUBE_PROXY_FIELDS,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.kube_proxy_config import CONNTRACK_FIELDS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import (
    BE_LIBERAL,
    EXPIRE_NODEST,
    EXPIRE_QUIESCENT,
    REUSE_MODE,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import (
    MAX_CAP,
    MAX_CAPPED_SINCE,
    MAX_RAISED_SINCE,
    kube_proxy_forces_reuse_off,
    since,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import (
    keepalived_seconds,
    kube_proxy_ipvs_seconds,
    kube_router_seconds,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.other_writers import SYSCTL_CONF, Line

from .types import Settings

KERNEL = "kernel default"

TUNED_CONF = "/etc/tuned/tuned-main.conf"

IPVS_DEFAULTS = KERNEL_DEFAULTS._asdict()
"""The kernel's own, in seconds."""

IPVS_FIELDS = {cell: f"ipvs.{name}" for cell, name in KUBE_PROXY_FIELDS.items()}

_MAX = "net.netfilter.nf_conntrack_max"

# What kube-proxy writes at every start where its configuration is not 0 (pkg/proxy/conntrack/sysctls.go):
# sysctl -> our name of the field, what decides it, unit.
_CONNTRACK_FIELDS = {
    **{
        key: (name, f"conntrack.{CONNTRACK_FIELDS[name]}", unit)
        for key, name, unit in (
            ("net.netfilter.nf_conntrack_tcp_timeout_established", "tcp_established", "s"),
            ("net.netfilter.nf_conntrack_tcp_timeout_close_wait", "tcp_close_wait", "s"),
            ("net.netfilter.nf_conntrack_udp_timeout", "udp", "s"),
            ("net.netfilter.nf_conntrack_udp_timeout_stream", "udp_stream", "s"),
            (BE_LIBERAL, "be_liberal", ""),
        )
    },
    _MAX: ("max", "", ""),
}

# What kube-proxy sets in ipvs mode, whatever its configuration says (pkg/proxy/ipvs/proxier.go, NewProxier).
_ALWAYS_IN_IPVS_MODE = {
    "net.ipv4.vs.conntrack": "1",
    EXPIRE_NODEST: "1",
    EXPIRE_QUIESCENT: "1",
    "net.ipv4.ip_forward": "1",
}


# What kube-router sets where it forwards Services, on every kernel; there is no option for any of them
# (pkg/controllers/proxy/network_services_controller.go, Run).
_BY_KUBE_ROUTER = {"net.ipv4.vs.conntrack": "1", EXPIRE_NODEST: "1", EXPIRE_QUIESCENT: "1", REUSE_MODE: "0"}


@dataclass(frozen=True)
class ValueAtStart:
    """What kube-proxy, or another (``who``), writes to a key at its next start, and what decides that.

    ``raises_only``: it leaves a value alone that is higher already (v1.23 to v1.28, for conntrack); None: nobody knows.
    """

    value: str
    source: str
    configurable: bool = True
    raises_only: bool | None = False
    who: str = "kube-proxy"

    def __str__(self) -> str:
        return str(self.text)

    @property
    def text(self) -> Message:
        if self.raises_only:
            return tell("{who} at its next start ({source}, where that is higher)", who=self.who, source=self.source)
        if self.raises_only is None:
            return tell(
                "{who} at its next start ({source}, by some releases only where that is higher)",
                who=self.who,
                source=self.source,
            )
        return tell("{who} at its next start ({source})", who=self.who, source=self.source)

    def undoes(self, value: str) -> bool:
        """Whether it writes something else over ``value``, as far as anybody knows."""
        if self.value == value:
            return False
        now, written = whole_number(value), whole_number(self.value)
        higher = now is not None and written is not None and now > written
        return not (higher and self.raises_only)


def kube_proxy_value(node: Observed, key: str) -> ValueAtStart | None:
    """What kube-proxy will write to a sysctl, or to an IPVS timeout (``IPVS tcp``); None where it leaves it alone."""
    if key.startswith("IPVS "):
        cell = key[len("IPVS ") :]
        seconds = kube_proxy_ipvs_seconds(node, cell)
        return ValueAtStart(str(seconds), f"{IPVS_FIELDS[cell]} {seconds}s") if seconds is not None else None
    if node.mode == "ipvs" and key in _ALWAYS_IN_IPVS_MODE:
        always = _ALWAYS_IN_IPVS_MODE[key]
        return ValueAtStart(always, tell("it always sets {value} in ipvs mode", value=always), False)
    if node.mode == "ipvs" and key == REUSE_MODE and kube_proxy_forces_reuse_off(node.kernel, node.kube_proxy.version):
        return ValueAtStart("0", "it always sets 0 in ipvs mode on this kernel", False)
    field, name, unit = _CONNTRACK_FIELDS.get(key, ("", "", ""))
    number = node.kube_proxy.conntrack.get(field)
    if not number:
        return None
    raises = node.kube_proxy.raises_only
    if key == _MAX and since(node.kube_proxy.version, MAX_CAPPED_SINCE):
        number = max(min(number, MAX_CAP), node.kube_proxy.conntrack.get("min", 0))
        raises = True if since(node.kube_proxy.version, MAX_RAISED_SINCE) else None
    source = _max_source(number) if key == _MAX else f"{name} {number}{unit}"
    return ValueAtStart(str(number), source, raises_only=raises)


def _max_source(number: int) -> Message:
    per_core, least = CONNTRACK_FIELDS["max_per_core"], CONNTRACK_FIELDS["min"]
    return tell("conntrack.{per_core} and {least} give {value}", per_core=per_core, least=least, value=number)


def kube_router_value(node: Observed, key: str) -> ValueAtStart | None:
    """What kube-router will write to a sysctl, or to an IPVS timeout (``IPVS tcp``); None where it leaves it alone."""
    if node.others.kube_router is None:
        return None
    if key.startswith("IPVS "):
        cell = key[len("IPVS ") :]
        seconds = kube_router_seconds(node, cell)
        source = f"--service-{cell}-timeout {seconds}s"
        return None if seconds is None else ValueAtStart(str(seconds), source, who="kube-router")
    value = _BY_KUBE_ROUTER.get(key)
    if value is None:
        return None
    return ValueAtStart(value, tell("it always sets {value}", value=value), False, who="kube-router")


def value_at_start(node: Observed, key: str) -> ValueAtStart | None:
    """What kube-proxy or kube-router will write to a key."""
    return kube_proxy_value(node, key) or kube_router_value(node, key)


def kube_proxy_wish(key: str, value: str) -> str:
    """What to say in ``kube_proxy_conntrack`` of the role kube_proxy, so that kube-proxy does not undo a sysctl."""
    name = _CONNTRACK_FIELDS[key][0]
    if key == _MAX:
        return "max_per_core: 0"
    return f"{name}: {'true' if value == '1' else 'false'}" if key == BE_LIBERAL else f"{name}: {value}"


def later_lines(node: Observed, keys: Iterable[str], file: str) -> dict[str, str]:
    """The keys, with ``FILE:LINE``, that a file read after ``file`` decides at boot.

    Files are read in the order of their names, whatever their directory, and the last assignment wins: sysctl.d(5).
    """
    boots = {key: node.boot(key) for key in keys}
    return {
        key: boot.source
        for key, boot in boots.items()
        if boot and boot.file and boot.source and posixpath.basename(boot.file) > posixpath.basename(file)
    }


def turned_off(node: Observed, key: str) -> str | None:
    """The line of a file or of TuneD that sets a bridge key to 0: somebody's wish, for no run of ours writes that."""
    boot, tuned = node.boot(key), node.tuned_line(key)
    if tuned is not None:
        return node.boot_source(key) if tuned.value == "0" else None
    return boot.source if boot is not None and boot.value == "0" else None


def tuned_remedy(node: Observed, line: Line, key: str) -> str:
    """What to do where TuneD decides the value of a key, by the line that does."""
    if line.source.startswith(SYSCTL_CONF):
        return tell("Change or remove {line}: TuneD applies that file last.", line=line.source)
    tuned = node.others.tuned
    change = tell("Change {line}.", line=line.source)
    if tuned is not None and line.source.startswith("/usr/"):
        change = tell(
            "Set it in a profile of your own that includes {profile}, and have tuned-adm load that.",
            profile=tuned.profile,
        )
    if tuned is not None and tuned.reapplies and key in tuned.excluded:
        return tell(
            "{change} Or take {key} out of reapply_sysctl_exclude in {file}, then restart TuneD.",
            change=change,
            key=key,
            file=TUNED_CONF,
        )
    if tuned is not None and tuned.reapplies:
        return change
    return tell(
        "{change} Or let sysctl.d win: reapply_sysctl = 1 in {file}, then restart TuneD.",
        change=change,
        file=TUNED_CONF,
    )


def owners_of(node: Observed, settings: Settings) -> dict[str, str]:
    """Who decides each value that matters here: the keepalive, what the settings set, the IPVS timeouts."""
    keys = dict.fromkeys([*KEEPALIVE_KEYS, *settings.sysctls])
    owners = {key: _sysctl_owner(node, key) for key in keys}
    if node.ipvs_on_path:
        owners.update({f"IPVS {cell}": _ipvs_owner(node, cell) for cell in IPVS_CELLS})
    return owners


def _sysctl_owner(node: Observed, key: str) -> str:
    at_start = value_at_start(node, key)
    if at_start is not None:
        return at_start.text
    if node.boot(key) is None:
        return "not seen"
    return node.boot_source(key) or KERNEL


def _ipvs_owner(node: Observed, cell: str) -> str:
    at_start = value_at_start(node, f"IPVS {cell}")
    if at_start is not None:
        return at_start.text
    if node.others.keepalived is not None and keepalived_seconds(node, cell) is not None:
        source = node.others.keepalived.source
        seconds = keepalived_seconds(node, cell)
        return tell(
            "keepalived at its next start or reload ({source}, {cell} {seconds})",
            source=source,
            cell=cell,
            seconds=seconds,
        )
    if node.ipvs.timeouts is None:
        return "not seen"
    return KERNEL if node.ipvs.timeouts[cell] == IPVS_DEFAULTS[cell] else "set by hand or by a unit, lost at a reboot"
