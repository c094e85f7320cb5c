# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on packets that connection tracking calls INVALID, and on its table. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import BE_LIBERAL
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.connection_tables import Conntrack
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import kube_proxy_value

from .growth import grown, sample_text
from .rule import APPLY, CRITICAL, INFO, UNKNOWN, WARNING, Case, Found, Remedy, Rules, say, variable

RULES = Rules()

_MAX = "net.netfilter.nf_conntrack_max"

# Per cent of nf_conntrack_max.
_NEARLY_FULL = 80
_FULL = 95


@RULES.node("conntrack-invalid", INFO)
def _invalid(case: Case) -> Found | None:
    """Connection tracking called packets INVALID, and be_liberal is off."""
    conntrack, node = case.observed.conntrack, case.observed
    if not conntrack.loaded or node.number(BE_LIBERAL) != 0 or grown(node, "invalid"):
        return None
    if not conntrack.statistics:
        return Found(
            "the counters in /proc/net/stat/nf_conntrack were not seen",
            "Without them nobody can say whether packets are called INVALID.",
            "Compare conntrack -S now and a minute later: growth of invalid is what counts.",
            severity=UNKNOWN,
        )
    if not conntrack.counted("invalid"):
        return None
    return Found(
        f"{conntrack.counted('invalid')} packets INVALID since nf_conntrack was loaded "
        f"({_by_cpu(conntrack, 'invalid')}), {BE_LIBERAL} 0",
        "An INVALID packet passes without NAT. The pod does not know its sender and resets a healthy connection. "
        "The count alone proves nothing: growth between two readings, under load, is what counts.",
        _liberal_remedy(case),
    )


@RULES.node("be-liberal-not-kept", WARNING)
def _liberal_lost(case: Case) -> Found | None:
    """be_liberal is on now and off after a reboot."""
    node = case.observed
    boot = node.boot(BE_LIBERAL)
    if node.number(BE_LIBERAL) != 1 or boot is None or node.boot_value(BE_LIBERAL) == "1":
        return None
    # A line that comes too early is said by boot-module-late; kube-proxy's tcpBeLiberal sets it again at its start.
    if (boot.source and not boot.in_time) or kube_proxy_value(node, BE_LIBERAL) is not None:
        return None
    after = node.boot_text(BE_LIBERAL).replace(BE_LIBERAL, "it") if node.boot_source(BE_LIBERAL) else "no file sets it"
    return Found(
        f"{BE_LIBERAL} is 1 now; {after}, so it is {node.boot_value(BE_LIBERAL)} after a reboot",
        "Out-of-window packets are INVALID again after the reboot, and the resets come back.",
        say(APPLY, ".")
        if BE_LIBERAL in case.node.settings.sysctls
        else say("Set ", variable("keepalive_be_liberal: true"), ". ", APPLY, "."),
    )


@RULES.node("conntrack-nearly-full", WARNING)
def _nearly_full(case: Case) -> Found | None:
    """The table of connections is at 80 % of its maximum or more; from 95 % on it is critical."""
    conntrack = case.observed.conntrack
    # A maximum of 0 is none: __nf_conntrack_alloc in net/netfilter/nf_conntrack_core.c compares only where it is set.
    if not conntrack.loaded or conntrack.max == 0:
        return None
    if conntrack.count is None or conntrack.max is None:
        return Found(
            "the number of tracked connections, or its maximum, could not be read",
            "Nobody can say whether the table is about to be full.",
            "See the finding that says what could not be read.",
            severity=UNKNOWN,
        )
    percent = 100 * conntrack.count // conntrack.max
    if percent < _NEARLY_FULL:
        return None
    return Found(
        f"{conntrack.count} of {conntrack.max} entries, {percent} %",
        "In a full table idle connections are thrown out early and new ones dropped.",
        f"{_raise_max(case.observed)} First see with conntrack -L who fills it.",
        f"{_NEARLY_FULL} % is nearly full, {_FULL} % critical ({_MAX})",
        CRITICAL if percent >= _FULL else None,
    )


@RULES.node("conntrack-drops", WARNING)
def _drops(case: Case) -> Found | None:
    """Connection tracking dropped packets or threw entries out early (critical while it does), or lost races (info)."""
    conntrack = case.observed.conntrack
    counted = {name: conntrack.counted(name) for name in ("drop", "early_drop", "insert_failed")}
    if not any(counted.values()):
        return None
    lost = counted["drop"] or counted["early_drop"]
    now = grown(case.observed, "drop") + grown(case.observed, "early_drop")
    return Found(
        ", ".join(f"{name} {number} ({_by_cpu(conntrack, name)})" for name, number in counted.items() if number)
        + " since nf_conntrack was loaded"
        + (f", {now} of them in {sample_text(case.observed)} just now" if now else ""),
        "drop: packets lost for want of an entry. early_drop: entries thrown out of a full table. insert_failed: two "
        "packets raced for one entry and one was lost, such as UDP queries for DNS. Growth is what counts.",
        _raise_max(case.observed) if lost else "A few are normal. Where DNS is slow, run a DNS cache on each node.",
        severity=CRITICAL if now else None if lost else INFO,
    )


def _by_cpu(conntrack: Conntrack, counter: str) -> str:
    rows = [(row.get("cpu", number), row.get(counter, 0)) for number, row in enumerate(conntrack.statistics)]
    return some([f"CPU {cpu}: {number}" for cpu, number in rows if number])


def _liberal_remedy(case: Case) -> Remedy:
    if BE_LIBERAL in case.node.settings.sysctls:
        return say(APPLY, f": it sets {BE_LIBERAL} to {case.node.settings.sysctls[BE_LIBERAL]}.")
    return say(
        "Where it grows, set ",
        variable("keepalive_be_liberal: true"),
        "; then only resets out of the window are INVALID. "
        "The cause is often packet processing that cannot keep up, such as one queue for all packets of a NIC.",
    )


def _raise_max(node: Observed) -> str:
    if node.kube_proxy.conntrack.get("max_per_core"):
        return (
            "Raise conntrack.maxPerCore in kube-proxy's configuration, which sets the maximum at every start (role "
            "kubenode.connections.kube_proxy, max_per_core in kube_proxy_conntrack)."
        )
    return f"Raise {_MAX} with keepalive_sysctls (320 bytes of kernel memory an entry)."
