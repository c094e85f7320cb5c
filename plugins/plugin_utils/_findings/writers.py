# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on who else writes a value: files and kube-proxy. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS as IPVS_CELLS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import BRIDGE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.other_writers import SYSCTL_CONF
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import (
    IPVS_FIELDS,
    ValueAtStart,
    kube_proxy_value,
    kube_proxy_wish,
    later_lines,
    turned_off,
)

from .rule import APPLY, INFO, WARNING, Case, Found, Rules, remedy, variable

RULES = Rules()


@RULES.node("ipvs-owner-kube-proxy", WARNING)
def _ipvs_owner(case: Case) -> Found | None:
    """At its next start kube-proxy sets an IPVS timeout to something else than is there or planned."""
    lost = {
        cell: (seconds, written)
        for cell, seconds in wanted_timeouts(case).items()
        if (written := _overwritten(case.observed, f"IPVS {cell}", str(seconds)))
    }
    if not lost:
        return None
    values = [seconds_against(cell, seconds, written) for cell, (seconds, written) in lost.items()]
    todo = ", ".join(f"{IPVS_FIELDS[cell]}: {seconds}s" for cell, (seconds, _written) in lost.items())
    by_role = ", ".join(f"{cell}: {seconds}" for cell, (seconds, _written) in lost.items())
    return Found(
        joined(", ", values),
        "kube-proxy writes its configured IPVS timeouts at every start; 0s in it would leave them alone.",
        sentences(
            tell(
                "Set {timeouts} in kube-proxy's configuration (ConfigMap kube-system/kube-proxy, config.conf), then "
                "restart it: kubectl -n kube-system rollout restart daemonset kube-proxy.",
                timeouts=todo,
            ),
            _by_role(f"kube_proxy_ipvs_timeouts: {{{by_role}}}"),
        ),
    )


def against(key: str, value: object, written: ValueAtStart) -> str:
    """What is there or planned, and who undoes it."""
    return tell("{key} {value} against {written}", key=key, value=value, written=written.text)


def seconds_against(cell: str, seconds: int, written: ValueAtStart) -> str:
    """The same of an IPVS timeout."""
    return tell("IPVS {cell} {seconds} s against {written}", cell=cell, seconds=seconds, written=written.text)


def _by_role(wishes: str) -> str:
    return tell(
        "The role kubenode.connections.kube_proxy does both: {wishes}, kube_proxy_configmap: true, "
        "kube_proxy_rollout: true.",
        wishes=wishes,
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
    by_role = ", ".join(kube_proxy_wish(key, settings[key]) for key, each in lost.items() if each.configurable)
    change = sentences(
        "Change it in kube-proxy's configuration (ConfigMap kube-system/kube-proxy, config.conf), then restart it: "
        "kubectl -n kube-system rollout restart daemonset kube-proxy.",
        _by_role(f"kube_proxy_conntrack: {{{by_role}}}"),
        "Or drop it from the keepalive_ variables.",
    )
    return Found(
        joined(", ", [against(key, settings[key], written) for key, written in lost.items()]),
        sentences(
            "kube-proxy writes these sysctls at every start, so the planned value does not stay.",
            _by_version(case.observed, lost),
        ),
        change if by_role else "kube-proxy has no option for it: drop it from the keepalive_ variables.",
    )


@RULES.node("sysctl-owner-file", WARNING)
def _file_owner(case: Case) -> Found | None:
    """A file that is read after ours sets a planned sysctl to another value at boot."""
    wanted = case.node.settings.sysctls
    later = later_lines(case.observed, wanted, case.policy.sysctl_file)
    lines = [
        tell("{line} instead of {wanted}", line=case.observed.boot_text(key), wanted=wanted[key])
        for key in later
        if case.observed.boot_value(key) != wanted[key]
    ]
    if not lines:
        return None
    return Found(
        joined("; ", lines),
        tell(
            "Files are read in the order of their names. This one comes after {file}, so it wins at boot.",
            file=case.policy.sysctl_file,
        ),
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
        joined(
            "; ",
            [tell("{source} sets {key} to {value}", source=line, key=key, value=0) for key, line in lines.items()],
        ),
        "Packets between two pods on one bridge then pass neither iptables nor IPVS nor connection tracking: a pod "
        "that reaches one on its own node by a Service gets no answer. With a network that needs no bridge it is "
        "harmless, and somebody wanted it so: auto leaves it.",
        remedy(
            "Nothing, if that is on purpose. Else set {always}. {apply}.",
            always=variable("keepalive_bridge_nf_call: always"),
            apply=APPLY,
        ),
    )


@RULES.node("ip-vs-idle", INFO)
def _ip_vs_idle(case: Case) -> Found | None:
    """ip_vs is loaded and handles no TCP connection in any network namespace, so its timeouts are not a limit."""
    node = case.observed
    if not node.ipvs.loaded or node.ipvs_on_path or node.ipvs_elsewhere is not False:
        return None
    return Found(
        tell(
            "ip_vs is loaded, kube-proxy mode {mode}, no virtual service for TCP"
            if node.ipvs.services
            else "ip_vs is loaded, kube-proxy mode {mode}, no virtual service",
            mode=node.mode,
        ),
        "kube-proxy loads ip_vs in other modes too, to clean up. Its timeouts are not on the path.",
        "Nothing has to be done.",
    )


def wanted_timeouts(case: Case) -> dict[str, int]:
    """The IPVS timeouts that are planned, and else those that are there; in the order of ipvsadm."""
    timeouts = {**(case.observed.ipvs.timeouts or {}), **case.node.settings.ipvs_timeouts}
    return {cell: timeouts[cell] for cell in IPVS_CELLS if cell in timeouts}


def _overwritten(observed: Observed, key: str, value: str) -> ValueAtStart | None:
    """What kube-proxy writes instead of the value, if it does."""
    written = kube_proxy_value(observed, key)
    return written if written is not None and written.undoes(value) else None


def _by_version(observed: Observed, lost: Iterable[str]) -> str:
    """In which direction this release writes conntrack's (kubernetes#103174, #120448)."""
    if not any(key.startswith("net.netfilter.") for key in lost):
        return ""
    version, raises = observed.kube_proxy.version, observed.kube_proxy.raises_only
    if raises is None:
        return "Its version was not seen: v1.23 to v1.28 only raise values of conntrack, all others lower them too."
    if raises:
        return tell("{version} only raises values of conntrack.", version=version)
    if not version:
        return "This release lowers values of conntrack, too (v1.23 to v1.28 only raise them)."
    return tell("{version} lowers values of conntrack, too (v1.23 to v1.28 only raise them).", version=version)


@RULES.node("sysctl-conf-not-read", WARNING)
def _sysctl_conf(case: Case) -> Found | None:
    """A key stands in /etc/sysctl.conf, which nobody reads at boot here, and the boot gives it another value."""
    node = case.observed
    lines = {} if node.others.conf_is_read else node.others.conf_lines
    lost = {key: line for key, line in lines.items() if key in node.sysctls and node.boot_value(key) != line.value}
    if not lost:
        return None
    texts = [
        tell(
            "{source} sets {key} to {value}, a boot to {other}",
            source=line.source,
            key=key,
            value=line.value,
            other=node.boot_value(key) or "what the kernel chooses",
        )
        for key, line in lost.items()
    ]
    planned = set(lost) <= set(case.node.settings.sysctls)
    return Found(
        some(texts, "; "),
        tell(
            "systemd-sysctl reads sysctl.d only, and nothing there is a link to {file} (Debian has none since 13). "
            "sysctl -p and sysctl --system read it by hand: then the value lasts until the reboot.",
            file=SYSCTL_CONF,
        ),
        remedy("{apply}: it writes {file}. Then remove the lines.", apply=APPLY, file=case.policy.sysctl_file)
        if planned
        else "Move the lines to a file in /etc/sysctl.d.",
    )
