# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on packets that connection tracking calls INVALID, and on its table. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import BE_LIBERAL
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.connection_tables import Conntrack
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Boot, Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import kube_proxy_value

from .growth import grown, sample_text
from .rule import APPLY, CRITICAL, INFO, UNKNOWN, WARNING, Case, Found, Remedy, Rules, remedy, sets, variable

RULES = Rules()

_LIBERAL = variable("keepalive_be_liberal: true")

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
        tell(
            "{number} packets INVALID since nf_conntrack was loaded ({cpus}), {key} 0",
            number=conntrack.counted("invalid"),
            cpus=_by_cpu(conntrack, "invalid"),
            key=BE_LIBERAL,
        ),
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
    return Found(
        tell(
            "{key} is 1 now; {who}, so it is {value} after a reboot",
            key=BE_LIBERAL,
            who=_who_sets_it(node, boot),
            value=node.boot_value(BE_LIBERAL),
        ),
        "Out-of-window packets are INVALID again after the reboot, and the resets come back.",
        remedy("{apply}.", apply=APPLY)
        if BE_LIBERAL in case.node.settings.sysctls
        else remedy("Set {liberal}. {apply}.", liberal=_LIBERAL, apply=APPLY),
    )


def _who_sets_it(node: Observed, boot: Boot) -> str:
    source = node.boot_source(BE_LIBERAL)
    if not source:
        return "no file sets it"
    if boot.refused and node.tuned_line(BE_LIBERAL) is None:
        return tell("{source} sets it to {value} (which the kernel refuses)", source=source, value=boot.written)
    value = node.boot_value(BE_LIBERAL) or "something that depends on the machine"
    return tell("{source} sets it to {value}", source=source, value=value)


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
        tell("{number} of {most} entries, {percent} %", number=conntrack.count, most=conntrack.max, percent=percent),
        "In a full table new connections are dropped. What nobody has answered yet, and what is being closed, is "
        "thrown out for them; established connections stay.",
        sentences(_raise_max(case.observed), "First see with conntrack -L who fills it."),
        tell("{nearly} % is nearly full, {full} % critical ({key})", nearly=_NEARLY_FULL, full=_FULL, key=_MAX),
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
    counters = [
        tell("{counter} {number} ({cpus})", counter=name, number=number, cpus=_by_cpu(conntrack, name))
        for name, number in counted.items()
        if number
    ]
    return Found(
        tell(
            "{counters} since nf_conntrack was loaded, {now} of them in {time} just now"
            if now
            else "{counters} since nf_conntrack was loaded",
            counters=joined(", ", counters),
            now=now,
            time=sample_text(case.observed),
        ),
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
        return sets(case, BE_LIBERAL)
    return remedy(
        "Where it grows, set {liberal}; then only resets out of the window are INVALID. The cause is often packet "
        "processing that cannot keep up, such as one queue for all packets of a NIC.",
        liberal=_LIBERAL,
    )


def _raise_max(node: Observed) -> str:
    if node.kube_proxy.conntrack.get("max_per_core"):
        return (
            "Raise conntrack.maxPerCore in kube-proxy's configuration, which sets the maximum at every start (role "
            "kubenode.connections.kube_proxy, max_per_core in kube_proxy_conntrack)."
        )
    return tell("Raise {key} with keepalive_sysctls (320 bytes of kernel memory an entry).", key=_MAX)
