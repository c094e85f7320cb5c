# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on counters that grew while the node was read. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import BE_LIBERAL
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed

from .rule import INFO, WARNING, Case, Found, Remedy, Rules, remedy, sets, variable

RULES = Rules()

_LIBERAL = variable("keepalive_be_liberal: true")


@RULES.node("conntrack-invalid-grows", WARNING)
def _invalid_grows(case: Case) -> Found | None:
    """Connection tracking calls packets INVALID right now. Info where be_liberal is on already."""
    node, number = case.observed, grown(case.observed, "invalid")
    if not number:
        return None
    liberal = node.number(BE_LIBERAL)
    observed = tell(
        "{number} more packets INVALID in {time}, {key} {value}",
        number=number,
        time=sample_text(node),
        key=BE_LIBERAL,
        value="not seen" if liberal is None else liberal,
    )
    if liberal:
        return Found(
            observed,
            "With be_liberal on only two kinds of packets are INVALID: resets out of the window, and broken packets. "
            "Those have a wrong checksum, impossible flags, or an ICMP error about an unknown connection.",
            "See which with sysctl net.netfilter.nf_conntrack_log_invalid=255 and the kernel's log, then set it back. "
            "Where NICs have one queue, spread the packets over CPUs (RPS): docs/rps.md.",
            severity=INFO,
        )
    return Found(
        observed,
        "An INVALID packet passes without NAT. The pod does not know its sender and resets a healthy connection.",
        _cure(case),
    )


def grown(node: Observed, counter: str) -> int:
    """By how much a conntrack counter grew while the node was read, 0 where that was not measured."""
    return node.growth.conntrack.get(counter, 0) if node.growth else 0


def sample_text(node: Observed) -> str:
    """How long the sample was: ``1.0 s``."""
    return tell("{seconds:.1f} s", seconds=node.growth.seconds) if node.growth else "an unknown time"


def _cure(case: Case) -> Remedy:
    wanted = case.node.settings.sysctls.get(BE_LIBERAL)
    if wanted == "1":
        return sets(case, BE_LIBERAL)
    if case.policy.be_liberal is False or wanted is not None:
        return remedy(
            "The variables ask for {key} 0: set {liberal}. See docs/invalid.md.", key=BE_LIBERAL, liberal=_LIBERAL
        )
    return remedy(
        "Set {liberal}. See docs/invalid.md for what keeps packets from being handled in time.", liberal=_LIBERAL
    )
