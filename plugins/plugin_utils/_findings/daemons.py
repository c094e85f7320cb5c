# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on daemons that write a value beside kube-proxy: kube-router, keepalived, TuneD. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import keepalived_seconds
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.other_writers import SYSCTL_CONF, Tuned
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import kube_router_value, tuned_remedy

from .rule import WARNING, Case, Found, Rules
from .writers import against, seconds_against, wanted_timeouts

RULES = Rules()


@RULES.node("ipvs-owner-kube-router", WARNING)
def _ipvs_kube_router(case: Case) -> Found | None:
    """At its next start kube-router sets an IPVS timeout to something else than is there or planned."""
    lost = {
        cell: (seconds, written)
        for cell, seconds in wanted_timeouts(case).items()
        if (written := kube_router_value(case.observed, f"IPVS {cell}")) is not None and written.undoes(str(seconds))
    }
    if not lost:
        return None
    todo = " ".join(f"--service-{cell}-timeout={seconds}s" for cell, (seconds, _written) in lost.items())
    return Found(
        joined(", ", [seconds_against(cell, seconds, written) for cell, (seconds, written) in lost.items()]),
        "kube-router writes the IPVS timeouts of its flags at every start; without a flag it leaves one alone.",
        tell(
            "Set {flags} in the arguments of kube-router's container (DaemonSet kube-system/kube-router), which starts "
            "it anew. Or leave the flags out there.",
            flags=todo,
        ),
    )


@RULES.node("sysctl-owner-kube-router", WARNING)
def _sysctl_kube_router(case: Case) -> Found | None:
    """kube-router sets a planned sysctl to another value at its next start."""
    lost = {
        key: (value, written)
        for key, value in case.node.settings.sysctls.items()
        if (written := kube_router_value(case.observed, key)) is not None and written.undoes(value)
    }
    if not lost:
        return None
    return Found(
        joined(", ", [against(key, value, written) for key, (value, written) in lost.items()]),
        "kube-router writes these sysctls at every start, so the planned value does not stay.",
        "kube-router has no option for it: drop it from the keepalive_ variables.",
    )


@RULES.node("ipvs-owner-keepalived", WARNING)
def _keepalived(case: Case) -> Found | None:
    """At its next start or reload keepalived sets an IPVS timeout to something else than is there or planned."""
    node = case.observed
    if node.others.keepalived is None or not node.ipvs_on_path:
        return None
    lost = {
        cell: seconds
        for cell, seconds in wanted_timeouts(case).items()
        if keepalived_seconds(node, cell) not in (None, seconds)
    }
    if not lost:
        return None
    source = node.others.keepalived.source
    values = [
        tell(
            "IPVS {cell} {seconds} s against {other} s",
            cell=cell,
            seconds=seconds,
            other=keepalived_seconds(node, cell),
        )
        for cell, seconds in lost.items()
    ]
    return Found(
        tell("{values} by keepalived ({source})", values=joined(", ", values), source=source),
        "keepalived sets its lvs_timeouts at every start and reload; a timeout that they leave out stays as it is.",
        tell(
            "Set {timeouts} in lvs_timeouts ({source}), then systemctl reload keepalived. Or leave it out there.",
            timeouts=" ".join(f"{cell} {seconds}" for cell, seconds in lost.items()),
            source=source,
        ),
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
        tell(
            "{source} sets {key} to {value} instead of {wanted}",
            source=line.source,
            key=key,
            value=line.value or "something that depends on the machine",
            wanted=wanted[key],
        )
        for key, line in lost.items()
    ]
    key, line = next(iter(lost.items()))
    return Found(
        tell("TuneD, profile {profile}: {lines}", profile=node.others.tuned.profile, lines=some(lines, "; ")),
        _why_tuned(node.others.tuned, key, file),
        tuned_remedy(node, line, key),
    )


def _why_tuned(tuned: Tuned, key: str, file: str) -> str:
    if not tuned.reapplies:
        return "TuneD starts after systemd-sysctl, and reapply_sysctl is 0, so that its profile wins."
    if key in tuned.excluded:
        return tell(
            "TuneD starts after systemd-sysctl. It then applies /run/sysctl.d, /etc/sysctl.d and {conf} again, but not "
            "what reapply_sysctl_exclude leaves out, so that its profile wins there.",
            conf=SYSCTL_CONF,
        )
    return tell(
        "TuneD starts after systemd-sysctl. It then applies /run/sysctl.d, /etc/sysctl.d and {conf} again, so that "
        "{file} does not come last.",
        conf=SYSCTL_CONF,
        file=file,
    )
