# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on when connection tracking forgets a connection, and what comes of it. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import (
    kube_proxy_value,
    kube_proxy_wish,
)

from .rule import INFO, WARNING, Case, Found, Rules, one_by_one, remedy, variable
from .writers import against

RULES = Rules()

_ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
_LOOSE = "net.netfilter.nf_conntrack_tcp_loose"
_MAX_RETRANS = "net.netfilter.nf_conntrack_tcp_max_retrans"
_CAP = "net.netfilter.nf_conntrack_tcp_timeout_max_retrans"

_CLOSE_WAIT = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
_TIMEOUTS = (
    _ESTABLISHED,
    _CLOSE_WAIT,
    "net.netfilter.nf_conntrack_udp_timeout",
    "net.netfilter.nf_conntrack_udp_timeout_stream",
)
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
        tell("{key} 0 ({who})", key=_LOOSE, who=_decider(case.observed, _LOOSE)),
        "Once an entry has timed out or was flushed, all further packets of that connection are INVALID and it hangs "
        "without an error. With 1 it is picked up again, though maybe sent to another backend, which resets it.",
        remedy(
            "If you do not want that, set {loose}. In both cases a keepalive below the limit keeps the connection.",
            loose=variable(f"keepalive_sysctls: {{{_LOOSE}: 1}}"),
        ),
    )


@RULES.node("conntrack-established-short", INFO)
def _established_short(case: Case) -> Found | None:
    """Connection tracking forgets idle connections sooner than RFC 5382 lets a NAT do."""
    seconds = case.observed.conntrack.established
    if not case.observed.conntrack.loaded or seconds is None or seconds >= _SHORTEST_ESTABLISHED_SECONDS:
        return None
    return Found(
        _seconds_text(case.observed, _ESTABLISHED, seconds),
        tell(
            "Connections that keep the kernel's keepalive of {default}, those of pods for example, are forgotten "
            "before their first probe.",
            default=KERNEL_DEFAULT,
        ),
        "Raise it, unless it is so on purpose. The plan stays below it in both cases.",
        tell("{seconds} s ({source})", seconds=_SHORTEST_ESTABLISHED_SECONDS, source="RFC 5382, REQ-5"),
    )


@RULES.node("conntrack-close-wait-short", INFO)
def _close_wait_short(case: Case) -> Found | None:
    """A connection of which one end has closed its half is forgotten sooner than kube-proxy wants it by default."""
    node, seconds = case.observed, case.observed.conntrack.close_wait
    on_path = node.mode in ("iptables", "nftables")  # IPVS has 60 s of its own, which nobody can set
    if not node.conntrack.loaded or not on_path or seconds is None or seconds >= _CLOSE_WAIT_SECONDS:
        return None
    written = kube_proxy_value(node, _CLOSE_WAIT)
    later = ""
    if written is not None and written.undoes(str(seconds)):
        later = tell("{who} sets {seconds} s.", who=written.text, seconds=written.value)
    longer = variable(f"keepalive_sysctls: {{{_CLOSE_WAIT}: {_CLOSE_WAIT_SECONDS}}}")
    return Found(
        _seconds_text(node, _CLOSE_WAIT, seconds),
        tell(
            "A client that closes its half and waits longer than {seconds} s for the answer never gets it. Keepalive "
            "does not come that soon.",
            seconds=seconds,
        ),
        one_by_one(remedy("If programs do that, set {longer}.", longer=longer), later),
        tell("{seconds} s (kube-proxy's own default)", seconds=_CLOSE_WAIT_SECONDS),
    )


def _seconds_text(node: Observed, key: str, seconds: int) -> str:
    return tell("{key} {seconds} s ({who})", key=key, seconds=seconds, who=_decider(node, key))


@RULES.node("conntrack-retransmission-cap", WARNING)
def _cap(case: Case) -> Found | None:
    """Unanswered probes bring conntrack to its cap, and the next one comes after that. Info: only in longer outages."""
    node, lost = case.observed, case.policy.lost_probes
    keepalive, most, cap = _in_force(case), node.number(_MAX_RETRANS), node.number(_CAP)
    if not node.conntrack.loaded or keepalive is None or most is None or cap is None:
        return None
    gap = keepalive.silence_seconds(lost) if most == 0 else keepalive.intvl
    # The first probe is one segment, and each of the next ones repeats it: the one after so many brings the cap.
    capping = most + 1 if most else 0
    if keepalive.probes <= capping or keepalive_math.with_slack(gap) <= cap:
        return None
    if lost < capping:
        return _cap_in_outage(keepalive, capping, cap)
    return Found(
        tell(
            "keepalive {keepalive}: {gap} s, with timer slack {slack} s, to the next probe after {capping} unanswered; "
            "conntrack then waits {cap} s",
            keepalive=keepalive,
            gap=gap,
            slack=keepalive_math.with_slack(gap),
            capping=capping,
            cap=cap,
        ),
        tell(
            "After a segment and {key} equal ones without an answer conntrack forgets the connection after {cap}, "
            "however long its established timeout is. Probes are such segments.",
            key=_MAX_RETRANS,
            cap=_CAP,
        ),
        tell(
            "Lower keepalive_intvl to {intvl} or less, or keepalive_lost_probes below {capping}.",
            intvl=keepalive_math.without_slack(cap),
            capping=capping,
        )
        if most
        else tell("Set {key} back to 3, the kernel's default: 0 puts the cap on every connection.", key=_MAX_RETRANS),
        tell("{seconds} s ({source})", seconds=cap, source=_CAP),
    )


def _cap_in_outage(keepalive: Keepalive, capping: int, cap: int) -> Found:
    repeats, silent = capping - 1, keepalive.time + (capping - 1) * keepalive.intvl
    return Found(
        tell(
            "keepalive {keepalive}: after {total} s of silence {capping} probes are unanswered, the next comes {intvl} "
            "s later, with timer slack {slack} s; conntrack waits {cap} s",
            keepalive=keepalive,
            total=f"{keepalive.time} + {repeats} x {keepalive.intvl} = {silent}",
            capping=capping,
            intvl=keepalive.intvl,
            slack=keepalive_math.with_slack(keepalive.intvl),
            cap=cap,
        ),
        tell(
            "An outage that swallows {capping} probes ends a connection whose other end is well: conntrack then "
            "forgets it after {cap}, although keepalive would go on until {verdict} s.",
            capping=capping,
            cap=_CAP,
            verdict=keepalive.verdict_seconds,
        ),
        tell(
            "To survive longer outages, lower keepalive_intvl to {intvl} or less.",
            intvl=keepalive_math.without_slack(cap),
        ),
        tell("{seconds} s ({source})", seconds=cap, source=_CAP),
        INFO,
    )


@RULES.node("conntrack-timeout-not-kept", WARNING)
def _not_kept(case: Case) -> Found | None:
    """A timeout of connection tracking was set by hand, and kube-proxy sets another one at its next start."""
    node, planned = case.observed, case.node.settings.sysctls
    lost = {
        key: written
        for key in _TIMEOUTS
        if key not in planned
        and (now := _now(node, key)) is not None
        and str(now) != KEYS[key].default
        and (written := kube_proxy_value(node, key)) is not None
        and written.undoes(str(now))
    }
    if not lost:
        return None
    return Found(
        joined(", ", [against(key, _now(node, key), written) for key, written in lost.items()]),
        "kube-proxy writes these at every start. So they were set since, by hand or by something that runs later, and "
        "do not stay.",
        tell(
            "Set {wishes} in kube_proxy_conntrack of the role kubenode.connections.kube_proxy, or 0 to have kube-proxy "
            "leave them alone. Or take the values back.",
            wishes=", ".join(kube_proxy_wish(key, str(_now(node, key))) for key in lost),
        ),
    )


def _now(node: Observed, key: str) -> int | None:
    """The timeout in force, None where conntrack is not there or it was not seen."""
    if not node.conntrack.loaded:
        return None
    seen = {_ESTABLISHED: node.conntrack.established, _CLOSE_WAIT: node.conntrack.close_wait}
    return seen[key] if key in seen else node.number(key)


def _decider(node: Observed, key: str) -> str:
    """Who set the live value, as far as the files tell."""
    boot = node.boot(key)
    return boot.source if boot and boot.source else "no file sets it"


def _in_force(case: Case) -> Keepalive | None:
    """The keepalive of the node once its settings are in force."""
    return case.node.planned if KEEPALIVE_KEYS[0] in case.node.settings.sysctls else case.observed.keepalive
