# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on keepalived, TuneD and /etc/sysctl.conf as owners of a value. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._ipvs_cells import CELLS as IPVS_CELLS
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits import keepalived_seconds
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed_owners import SYSCTL_CONF
from ansible_collections.kubenode.connections.plugins.plugin_utils._owners import tuned_remedy
from ansible_collections.kubenode.connections.plugins.plugin_utils._page import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._rule import (
    APPLY,
    WARNING,
    Case,
    Found,
    Rules,
    say,
)

RULES = Rules()


@RULES.node("ipvs-owner-keepalived", WARNING)
def _keepalived(case: Case) -> Found | None:
    """At its next start or reload keepalived sets an IPVS timeout to something else than is there or planned."""
    node, live = case.observed, case.observed.ipvs.timeouts or {}
    if node.others.keepalived is None or not node.ipvs_on_path:
        return None
    wanted = {cell: case.node.settings.ipvs_timeouts.get(cell, live.get(cell)) for cell in IPVS_CELLS}
    lost = {
        cell: seconds
        for cell, seconds in wanted.items()
        if seconds is not None and keepalived_seconds(node, cell) not in (None, seconds)
    }
    if not lost:
        return None
    source = node.others.keepalived.source
    values = [f"IPVS {cell} {seconds} s against {keepalived_seconds(node, cell)} s" for cell, seconds in lost.items()]
    words = " ".join(f"{cell} {seconds}" for cell, seconds in lost.items())
    return Found(
        f"{', '.join(values)} by keepalived ({source})",
        "keepalived sets its lvs_timeouts at every start and reload; a timeout that they leave out stays as it is.",
        f"Set {words} in lvs_timeouts ({source}), then systemctl reload keepalived. Or leave it out there.",
    )


@RULES.node("sysctl-owner-tuned", WARNING)
def _tuned(case: Case) -> Found | None:
    """TuneD sets a planned sysctl to another value at its start, which comes after systemd-sysctl."""
    node, file = case.observed, case.policy.sysctl_file
    lost = {
        key: line
        for key, value in case.node.settings.sysctls.items()
        if (line := node.others.tuned_line(key, file, value)) is not None and line.value != value
    }
    if not lost or node.others.tuned is None:
        return None
    wanted = case.node.settings.sysctls
    lines = [
        f"{line.source} sets {key} to {line.value or 'something that depends on the machine'} instead of {wanted[key]}"
        for key, line in lost.items()
    ]
    reapplies = node.others.tuned.reapplies
    return Found(
        f"TuneD, profile {node.others.tuned.profile}: {some(lines, '; ')}",
        f"TuneD starts after systemd-sysctl. It then applies /run/sysctl.d, /etc/sysctl.d and {SYSCTL_CONF} again, so "
        f"that {file} does not come last."
        if reapplies
        else "TuneD starts after systemd-sysctl, and reapply_sysctl is 0, so that its profile wins.",
        tuned_remedy(node, next(iter(lost.values()))),
    )


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
