# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on who else writes a value: files and kube-proxy. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS as IPVS_CELLS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import BRIDGE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.other_writers import SYSCTL_CONF
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import (
    IPVS_FIELDS,
    kube_proxy_value,
    kube_proxy_wish,
    later_lines,
    turned_off,
)

from .rule import APPLY, INFO, WARNING, Case, Found, Rules, say, variable

RULES = Rules()

_EDIT = (
    "in kube-proxy's configuration (ConfigMap kube-system/kube-proxy, config.conf), then restart it: "
    "kubectl -n kube-system rollout restart daemonset kube-proxy"
)
_ROLE = "The role kubenode.connections.kube_proxy does both: {}, kube_proxy_configmap: true, kube_proxy_rollout: true"


@RULES.node("ipvs-owner-kube-proxy", WARNING)
def _ipvs_owner(case: Case) -> Found | None:
    """At its next start kube-proxy sets an IPVS timeout to something else than is there or planned."""
    lost = {
        cell: seconds
        for cell, seconds in wanted_timeouts(case).items()
        if _overwritten(case.observed, f"IPVS {cell}", str(seconds))
    }
    if not lost:
        return None
    values = ", ".join(
        f"IPVS {cell} {seconds} s against {kube_proxy_value(case.observed, f'IPVS {cell}')}"
        for cell, seconds in lost.items()
    )
    todo = ", ".join(f"{IPVS_FIELDS[cell]}: {seconds}s" for cell, seconds in lost.items())
    by_role = ", ".join(f"{cell}: {seconds}" for cell, seconds in lost.items())
    return Found(
        values,
        "kube-proxy writes its configured IPVS timeouts at every start; 0s in it would leave them alone.",
        f"Set {todo} {_EDIT}. {_ROLE.format(f'kube_proxy_ipvs_timeouts: {{{by_role}}}')}.",
    )


@RULES.node("sysctl-owner-kube-proxy", WARNING)
def _sysctl_owner(case: Case) -> Found | None:
    """kube-proxy sets a planned sysctl to another value at its next start."""
    settings = case.node.settings.sysctls
    lost = {
        key: written
        for key, value in settings.items()
        if (written := kube_proxy_value(case.observed, key)) is not None and written.undoes(value)
    }
    if not lost:
        return None
    values = ", ".join(f"{key} {settings[key]} against {written}" for key, written in lost.items())
    by_role = ", ".join(kube_proxy_wish(key, settings[key]) for key, each in lost.items() if each.configurable)
    role = _ROLE.format(f"kube_proxy_conntrack: {{{by_role}}}")
    change = f"Change it {_EDIT}. {role}. Or drop" if by_role else "kube-proxy has no option for it: drop"
    return Found(
        values,
        "kube-proxy writes these sysctls at every start, so the planned value does not stay."
        + _by_version(case.observed, lost),
        f"{change} it from the keepalive_ variables.",
    )


@RULES.node("sysctl-owner-file", WARNING)
def _file_owner(case: Case) -> Found | None:
    """A file that is read after ours sets a planned sysctl to another value at boot."""
    wanted = case.node.settings.sysctls
    later = later_lines(case.observed, wanted, case.policy.sysctl_file)
    lines = [
        f"{case.observed.boot_text(key)} instead of {wanted[key]}"
        for key in later
        if case.observed.boot_value(key) != wanted[key]
    ]
    if not lines:
        return None
    return Found(
        "; ".join(lines),
        "Files are read in the order of their names. This one comes after "
        f"{case.policy.sysctl_file}, so it wins at boot.",
        "Change or remove that line, then apply.",
    )


@RULES.node("bridge-calls-off", INFO)
def _bridge_off(case: Case) -> Found | None:
    """A line of a file keeps packets on bridges from iptables, and the plan leaves it so."""
    bridge = case.observed.modules.get("br_netfilter")
    lines = {key: line for key in BRIDGE_KEYS if (line := turned_off(case.observed, key))}
    if not lines or bridge is None or not (bridge.loaded or bridge.at_boot):
        return None
    if any(case.node.settings.sysctls.get(key) == "1" for key in lines):
        return None
    return Found(
        "; ".join(f"{line} sets {key} to 0" for key, line in lines.items()),
        "Packets between two pods on one bridge then pass neither iptables nor IPVS nor connection tracking: a pod "
        "that reaches one on its own node by a Service gets no answer. With a network that needs no bridge it is "
        "harmless, and somebody wanted it so: auto leaves it.",
        say(
            "Nothing, if that is on purpose. Else set ", variable("keepalive_bridge_nf_call: always"), ". ", APPLY, "."
        ),
    )


@RULES.node("ip-vs-idle", INFO)
def _ip_vs_idle(case: Case) -> Found | None:
    """ip_vs is loaded and handles no TCP connection in any network namespace, so its timeouts are not a limit."""
    node = case.observed
    if not node.ipvs.loaded or node.ipvs_on_path or node.ipvs_elsewhere is not False:
        return None
    return Found(
        f"ip_vs is loaded, kube-proxy mode {node.mode}, no virtual service{' for TCP' if node.ipvs.services else ''}",
        "kube-proxy loads ip_vs in other modes too, to clean up. Its timeouts are not on the path.",
        "Nothing has to be done.",
    )


def wanted_timeouts(case: Case) -> dict[str, int]:
    """The IPVS timeouts that are planned, and else those that are there; in the order of ipvsadm."""
    timeouts = {**(case.observed.ipvs.timeouts or {}), **case.node.settings.ipvs_timeouts}
    return {cell: timeouts[cell] for cell in IPVS_CELLS if cell in timeouts}


def _overwritten(observed: Observed, key: str, value: str) -> bool:
    written = kube_proxy_value(observed, key)
    return written is not None and written.undoes(value)


def _by_version(observed: Observed, lost: Iterable[str]) -> str:
    """In which direction this release writes conntrack's (kubernetes#103174, #120448)."""
    if not any(key.startswith("net.netfilter.") for key in lost):
        return ""
    version, raises = observed.kube_proxy.version, observed.kube_proxy.raises_only
    if raises is None:
        return " Its version was not seen: v1.23 to v1.28 only raise values of conntrack, all others lower them too."
    if raises:
        return f" {version} only raises values of conntrack."
    return f" {version or 'This release'} lowers values of conntrack, too (v1.23 to v1.28 only raise them)."


@RULES.node("sysctl-conf-not-read", WARNING)
def _sysctl_conf(case: Case) -> Found | None:
    """A key stands in /etc/sysctl.conf, which nobody reads at boot here, and the boot gives it another value."""
    node = case.observed
    lines = {} if node.others.conf_is_read else node.others.conf_lines
    lost = {key: line for key, line in lines.items() if key in node.sysctls and node.boot_value(key) != line.value}
    if not lost:
        return None
    texts = [
        f"{line.source} sets {key} to {line.value}, a boot to {node.boot_value(key) or 'what the kernel chooses'}"
        for key, line in lost.items()
    ]
    planned = set(lost) <= set(case.node.settings.sysctls)
    return Found(
        some(texts, "; "),
        f"systemd-sysctl reads sysctl.d only, and nothing there is a link to {SYSCTL_CONF} (Debian has none since 13). "
        "sysctl -p and sysctl --system read it by hand: then the value lasts until the reboot.",
        say(APPLY, f": it writes {case.policy.sysctl_file}. Then remove the lines.")
        if planned
        else "Move the lines to a file in /etc/sysctl.d.",
    )
