# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on when connection tracking forgets a connection, and what comes of it. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import kube_proxy_value

from .rule import INFO, WARNING, Case, Found, Rules, say, variable

RULES = Rules()

_ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
_LOOSE = "net.netfilter.nf_conntrack_tcp_loose"
_MAX_RETRANS = "net.netfilter.nf_conntrack_tcp_max_retrans"
_CAP = "net.netfilter.nf_conntrack_tcp_timeout_max_retrans"

_CLOSE_WAIT = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
_CLOSE_WAIT_SECONDS = 3600
"""tcpCloseWaitTimeout where nobody sets it (pkg/proxy/apis/config/v1alpha1/defaults.go), since kubernetes#32551."""

_SHORTEST_ESTABLISHED_SECONDS = 7440
"""RFC 5382, REQ-5: a NAT must keep an idle TCP connection for 2 hours and 4 minutes at least."""


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
            "If you do not want that, set ",
            variable(f"keepalive_sysctls: {{{_LOOSE}: 1}}"),
            ". In both cases a keepalive below the limit keeps the connection.",
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
        "Raise it, unless it is so on purpose. The plan stays below it in both cases.",
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
    later = f" {written} sets {written.value} s." if written is not None and written.undoes(str(seconds)) else ""
    return Found(
        f"{_CLOSE_WAIT} {seconds} s ({_decider(node, _CLOSE_WAIT)})",
        f"A client that closes its half and waits longer than {seconds} s for the answer never gets it. Keepalive does "
        "not come that soon.",
        say(
            "If programs do that, set ",
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
        f"To survive longer outages, lower keepalive_intvl to {keepalive_math.without_slack(cap)} or less.",
        f"{cap} s ({_CAP})",
        INFO,
    )


def _decider(node: Observed, key: str) -> str:
    """Who set the live value, as far as the files tell."""
    boot = node.boot(key)
    return boot.source if boot and boot.source else "no file sets it"


def _in_force(case: Case) -> Keepalive | None:
    """The keepalive of the node once its settings are in force."""
    return case.node.planned if KEEPALIVE_KEYS[0] in case.node.settings.sysctls else case.observed.keepalive
