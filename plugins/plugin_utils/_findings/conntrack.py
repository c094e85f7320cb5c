# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on connection tracking. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import BE_LIBERAL
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.connection_tables import Conntrack
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import kube_proxy_value

from .growth import grown, sample_text
from .rule import APPLY, CRITICAL, INFO, UNKNOWN, WARNING, Case, Found, Remedy, Rules, say, variable

RULES = Rules()

_ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
_LOOSE = "net.netfilter.nf_conntrack_tcp_loose"
_MAX = "net.netfilter.nf_conntrack_max"
_MAX_RETRANS = "net.netfilter.nf_conntrack_tcp_max_retrans"
_CAP = "net.netfilter.nf_conntrack_tcp_timeout_max_retrans"

# Per cent of nf_conntrack_max.
_NEARLY_FULL = 80
_FULL = 95

_CLOSE_WAIT = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
_CLOSE_WAIT_SECONDS = 3600
"""tcpCloseWaitTimeout where nobody sets it (pkg/proxy/apis/config/v1alpha1/defaults.go), since kubernetes#32551."""

_SHORTEST_ESTABLISHED_SECONDS = 7440
"""RFC 5382, REQ-5: a NAT must keep an idle TCP connection for 2 hours and 4 minutes at least."""


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
    source = node.boot_source(BE_LIBERAL)
    after = f"{source} sets it to {node.boot_value(BE_LIBERAL) or boot.value}" if source else "no file sets it"
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


@RULES.node("conntrack-loose-off", INFO)
def _loose_off(case: Case) -> Found | None:
    """tcp_loose is 0: a connection whose entry is gone is never picked up again."""
    if not case.observed.conntrack.loaded or case.observed.number(_LOOSE) != 0:
        return None
    return Found(
        f"{_LOOSE} 0 ({_decider(case.observed, _LOOSE)})",
        "Once an entry has timed out or was flushed, all further packets of that connection are INVALID and it hangs "
        "without an error. With 1 it is picked up again, though maybe sent to another backend, which resets it.",
        say(
            "Where it is not wanted, ",
            variable(f"keepalive_sysctls: {{{_LOOSE}: 1}}"),
            ". Either way keepalive below the limit keeps it.",
        ),
    )


@RULES.node("conntrack-established-short", INFO)
def _established_short(case: Case) -> Found | None:
    """Connection tracking forgets idle connections sooner than RFC 5382 lets a NAT do."""
    seconds = case.observed.conntrack.established
    if not case.observed.conntrack.loaded or seconds is None or seconds >= _SHORTEST_ESTABLISHED_SECONDS:
        return None
    return Found(
        f"{_ESTABLISHED} {seconds} s ({_decider(case.observed, _ESTABLISHED)})",
        f"Connections that keep the kernel's keepalive of {KERNEL_DEFAULT}, those of pods for example, are forgotten "
        "before their first probe.",
        "Take the value back where it is not on purpose; the plan stays below it either way.",
        f"{_SHORTEST_ESTABLISHED_SECONDS} s (RFC 5382, REQ-5)",
    )


@RULES.node("conntrack-close-wait-short", INFO)
def _close_wait_short(case: Case) -> Found | None:
    """A connection of which one end has closed its half is forgotten sooner than kube-proxy wants it by default."""
    node, seconds = case.observed, case.observed.conntrack.close_wait
    on_path = node.mode in ("iptables", "nftables")  # IPVS has 60 s of its own, which nobody can set
    if not node.conntrack.loaded or not on_path or seconds is None or seconds >= _CLOSE_WAIT_SECONDS:
        return None
    written = kube_proxy_value(node, _CLOSE_WAIT)
    later = f" {written} brings {written.value} s." if written is not None and written.undoes(str(seconds)) else ""
    return Found(
        f"{_CLOSE_WAIT} {seconds} s ({_decider(node, _CLOSE_WAIT)})",
        f"A client that closes its half and waits longer than {seconds} s for the answer never gets it. Keepalive does "
        "not come that soon.",
        say(
            "Where programs do that, ",
            variable(f"keepalive_sysctls: {{{_CLOSE_WAIT}: {_CLOSE_WAIT_SECONDS}}}"),
            f".{later}",
        ),
        f"{_CLOSE_WAIT_SECONDS} s (kube-proxy's own default)",
    )


@RULES.node("conntrack-retransmission-cap", WARNING)
def _cap(case: Case) -> Found | None:
    """Unanswered probes bring conntrack to its cap, and the next one comes after that. Info: only in longer outages."""
    node, lost = case.observed, case.policy.lost_probes
    keepalive, most, cap = _in_force(case), node.number(_MAX_RETRANS), node.number(_CAP)
    if not node.conntrack.loaded or keepalive is None or most is None or cap is None:
        return None
    gap = keepalive.silence_seconds(lost) if most == 0 else keepalive.intvl
    if keepalive.probes <= most or keepalive_math.with_slack(gap) <= cap:
        return None
    if lost < most:
        return _cap_in_outage(keepalive, most, cap)
    return Found(
        f"keepalive {keepalive}: {gap} s, with timer slack {keepalive_math.with_slack(gap)} s, to the next probe after "
        f"{most} unanswered; conntrack then waits {cap} s",
        f"After {_MAX_RETRANS} equal segments without an answer conntrack forgets the connection after {_CAP}, "
        "however long its established timeout is. Probes are such segments.",
        f"Lower keepalive_intvl to {keepalive_math.without_slack(cap)} or less, or keepalive_lost_probes below {most}."
        if most
        else f"Set {_MAX_RETRANS} back to 3, the kernel's default: 0 puts the cap on every connection.",
        f"{cap} s ({_CAP})",
    )


def _cap_in_outage(keepalive: Keepalive, most: int, cap: int) -> Found:
    silent = keepalive.silence_seconds(most)
    return Found(
        f"keepalive {keepalive}: after {keepalive.time} + {most} x {keepalive.intvl} = {silent} s of silence {most} "
        f"probes are unanswered, the next comes {keepalive.intvl} s later, with timer slack "
        f"{keepalive_math.with_slack(keepalive.intvl)} s; conntrack waits {cap} s",
        f"An outage that swallows {most} probes ends a connection whose other end is well: conntrack then forgets it "
        f"after {_CAP}, although keepalive would go on until {keepalive.verdict_seconds} s.",
        f"Lower keepalive_intvl to {keepalive_math.without_slack(cap)} or less where longer outages are to be "
        "survived.",
        f"{cap} s ({_CAP})",
        INFO,
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


def _decider(node: Observed, key: str) -> str:
    """Who set the live value, as far as the files tell."""
    boot = node.boot(key)
    return boot.source if boot and boot.source else "no file sets it"


def _in_force(case: Case) -> Keepalive | None:
    """The keepalive of the node once its settings are in force."""
    return case.plan.keepalive if KEEPALIVE_KEYS[0] in case.node.settings.sysctls else case.observed.keepalive
