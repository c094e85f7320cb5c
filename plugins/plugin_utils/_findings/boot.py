# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on what a reboot brings. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import BE_LIBERAL, module_for
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import keepalived_seconds
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import NodePlan
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import (
    IPVS_DEFAULTS,
    later_lines,
    tuned_remedy,
    value_at_start,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from .rule import APPLY, INFO, UNKNOWN, WARNING, Case, Found, Remedy, Rules, remedy, variable

RULES = Rules()

CONNTRACK_MAX = "net.netfilter.nf_conntrack_max"


@RULES.node("boot-value-differs", WARNING)
def _boot_value(case: Case) -> Found | None:
    """The keepalive is safe now and will not be after a reboot."""
    live, boot, limit, policy = case.observed.keepalive, case.observed.boot_keepalive, case.limit, case.policy
    if live is None or limit is None or not limit.keeps(live):
        return None
    if boot is None:
        return _boot_unknown(case.observed, live)
    if limit.is_kept_by(boot, policy) or (limit.keeps(boot) and not limit.is_kept_by(live, policy)):
        return None
    return Found(
        tell(
            "keepalive is {now} now and {then} after a reboot: {lines}",
            now=live,
            then=boot,
            lines=joined(", ", _deciding_lines(case.observed)),
        ),
        tell("After the reboot: {verdict}.", verdict=limit.verdict_text(boot, policy)),
        _remedy(case.observed, case.node, policy),
        limit.text,
    )


def _boot_unknown(node: Observed, live: Keepalive) -> Found:
    odd = [key for key in KEEPALIVE_KEYS if node.boot_source(key) and whole_number(node.boot_value(key)) is None]
    if odd:
        return Found(
            tell(
                "keepalive is {now} now; what it is after a reboot is not known: {lines}",
                now=live,
                lines=joined("; ", map(node.boot_text, odd)),
            ),
            "Only a whole number that stands in the file itself tells what it will be.",
            "Write a whole number there.",
            severity=UNKNOWN,
        )
    return Found(
        tell("keepalive is {now} now; what it is after a reboot could not be read", now=live),
        "A value that no file sets is lost at the next boot.",
        "Run again as root (-e keepalive_become=true).",
        severity=UNKNOWN,
    )


@RULES.node("boot-sysctl-differs", WARNING)
def _boot_sysctl(case: Case) -> Found | None:
    """Another sysctl that node_info reads has a value that no file, TuneD or kube-proxy sets again after a reboot."""
    keys = [key for key in case.observed.sysctls if _is_lost(key, case)]
    if not keys:
        return None
    sources = list(dict.fromkeys(source for key in keys if (source := case.observed.boot_source(key))))
    return Found(
        some([_now_and_then(key, case.observed) for key in keys], "; "),
        "Somebody set the value by hand, and it lasts until the reboot. Or a unit or program sets it that this "
        "collection does not look for.",
        tell(
            "To keep the value of now, put it into keepalive_sysctls, or change {sources}. Else set the other one now.",
            sources=joined(" and ", sources),
        )
        if sources
        else "To keep the value of now, put it into keepalive_sysctls. Else set the other one now.",
    )


def _now_and_then(key: str, node: Observed) -> str:
    source = node.boot_source(key)
    return tell(
        "{key} is {now} now and {then} after a reboot: {source} sets it"
        if source
        else "{key} is {now} now and {then} after a reboot: no file sets it",
        key=key,
        now=node.sysctls[key].value,
        then=node.boot_value(key),
        source=source,
    )


@RULES.node("boot-module-late", WARNING)
def _module_late(case: Case) -> Found | None:
    """A file sets a sysctl whose kernel module is loaded only after systemd-sysctl has run: no effect at boot."""
    late = {
        key: sysctl.boot
        for key, sysctl in case.observed.sysctls.items()
        if sysctl.boot and sysctl.boot.source and not sysctl.boot.in_time
    }
    if not late:
        return None
    modules = sorted({boot.module for boot in late.values() if boot.module})
    names, file = joined(" and ", modules), case.policy.modules_file
    lines = [f"{key} = {boot.value or boot.written} ({boot.source})" for key, boot in late.items()]
    return Found(
        tell("{lines}: not applied at boot", lines=some(lines, "; ")),
        tell(
            "{modules} is loaded after systemd-sysctl has run, which skips a missing key without an error.",
            modules=names,
        ),
        remedy("{apply}: it names {modules} in {file}, which is read earlier.", apply=APPLY, modules=names, file=file)
        if set(modules) <= set(case.node.settings.modules)
        else tell("Name {modules} in {file}, which is read earlier.", modules=names, file=file),
    )


@RULES.node("ipvs-timeout-not-kept", WARNING)
def _ipvs_not_kept(case: Case) -> Found | None:
    """IPVS timeouts were changed, and neither kube-proxy, our unit nor the plan sets them again after a reboot.

    Info where the limit of TCP connections does not get shorter by it.
    """
    node = case.observed
    lost = {
        cell: seconds
        for cell, seconds in (node.ipvs.timeouts or {}).items()
        if node.ipvs_on_path and seconds != IPVS_DEFAULTS[cell] and not _is_set_again(case, cell, seconds)
    }
    if not lost:
        return None
    shorter = lost.get("tcp", 0) > IPVS_DEFAULTS["tcp"]
    values = joined(
        ", ", [tell("IPVS {cell} {seconds} s", cell=cell, seconds=seconds) for cell, seconds in lost.items()]
    )
    defaults = joined(", ", [tell("{cell} {seconds} s", cell=cell, seconds=IPVS_DEFAULTS[cell]) for cell in lost])
    wanted = ", ".join(f"{cell}: {seconds}" for cell, seconds in lost.items())
    return Found(
        tell("{values}, set by hand or by a unit that this collection does not look for", values=values),
        sentences(
            tell("A reboot resets IPVS timeouts: {defaults}.", defaults=defaults),
            "The limit is then shorter, and may be too short." if shorter else "",
        ),
        remedy(
            "Keep it with {timeouts}, unless you know what sets it again at boot.",
            timeouts=variable(f"keepalive_ipvs_timeouts: {{{wanted}}}"),
        ),
        tell("{defaults} (the kernel's default)", defaults=defaults),
        severity=None if shorter else INFO,
    )


def _is_set_again(case: Case, cell: str, seconds: int) -> bool:
    """Whether the plan sets it, or somebody does after a boot."""
    node = case.observed
    return (
        cell in case.node.settings.ipvs_timeouts
        or value_at_start(node, f"IPVS {cell}") is not None
        or (node.ipvs.timeouts_at_boot or {}).get(cell) == seconds
        or keepalived_seconds(node, cell) is not None
    )


def _is_lost(key: str, case: Case) -> bool:
    """Whether a reboot gives it another value, nobody writes it later, and no other rule says so."""
    node = case.observed
    sysctl, after = node.sysctls[key], node.boot_value(key)
    if sysctl.value is None or sysctl.boot is None or after is None or after == sysctl.value:
        return False
    too_early = sysctl.boot.source is not None and not sysctl.boot.in_time
    line = None if node.others.conf_is_read else node.others.conf_lines.get(key)
    by_conf = line is not None and line.value != after
    said = key in KEEPALIVE_KEYS or (key == BE_LIBERAL and sysctl.value == "1") or too_early or by_conf
    if said or sysctl.boot.refused or key in case.node.settings.sysctls:
        return False
    return not _may_be_written(key, node) and (node.ipvs_on_path or module_for(key) != "ip_vs")


def _may_be_written(key: str, node: Observed) -> bool:
    """Whether kube-proxy sets it at its start, or may: its mode or its configuration was not read."""
    if value_at_start(node, key) is not None:
        return True
    if not node.kube_proxy.running:
        return node.kube_proxy.running is None
    conntrack = node.kube_proxy.conntrack
    unread = not conntrack or (key == CONNTRACK_MAX and "max" not in conntrack)
    return (unread and module_for(key) == "nf_conntrack") or node.mode == "unknown"


def _differing(observed: Observed) -> list[str]:
    return [key for key in KEEPALIVE_KEYS if observed.boot_value(key) != observed.sysctls[key].value]


def _deciding_lines(observed: Observed) -> Iterator[str]:
    for key in _differing(observed):
        source = observed.boot_source(key)
        yield observed.boot_text(key) if source else tell("no file sets {key}", key=key)


def _remedy(observed: Observed, node: NodePlan, policy: Policy) -> str | Remedy:
    tuned = [(line, key) for key in _differing(observed) if (line := observed.tuned_line(key))]
    if tuned:
        return tuned_remedy(observed, *tuned[0])
    later = later_lines(observed, _differing(observed), policy.sysctl_file)
    if later:
        return tell(
            "Change or remove {lines}. It is read after {file}, so it wins.",
            lines=joined(", ", later.values()),
            file=policy.sysctl_file,
        )
    if KEEPALIVE_KEYS[0] in node.settings.sysctls:
        return remedy("{apply}: it writes {file}.", apply=APPLY, file=policy.sysctl_file)
    return remedy("{apply}: it raises the limit.", apply=APPLY)
