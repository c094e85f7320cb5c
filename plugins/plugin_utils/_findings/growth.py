# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on counters that grew while the node was read. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import BE_LIBERAL
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed

from .rule import APPLY, INFO, WARNING, Case, Found, Remedy, Rules, say, variable

RULES = Rules()

_LIBERAL = variable("keepalive_be_liberal: true")


@RULES.node("conntrack-invalid-grows", WARNING)
def _invalid_grows(case: Case) -> Found | None:
    """Connection tracking calls packets INVALID right now. Info where be_liberal is on already."""
    node, number = case.observed, grown(case.observed, "invalid")
    if not number:
        return None
    liberal = node.number(BE_LIBERAL)
    observed = (
        f"{number} more packets INVALID in {sample_text(node)}, "
        f"{BE_LIBERAL} {'not seen' if liberal is None else liberal}"
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
    return f"{node.growth.seconds:.1f} s" if node.growth else "an unknown time"


def _cure(case: Case) -> Remedy:
    wanted = case.node.settings.sysctls.get(BE_LIBERAL)
    if wanted == "1":
        return say(APPLY, f": it sets {BE_LIBERAL} to 1.")
    if case.policy.be_liberal is False or wanted is not None:
        return say(f"The variables ask for {BE_LIBERAL} 0: set ", _LIBERAL, ". See docs/invalid.md.")
    return say("Set ", _LIBERAL, ". See docs/invalid.md for what keeps packets from being handled in time.")
