# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule that offers Receive Packet Steering. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.rps import gaining, sized

from .growth import grown, sample_text
from .rule import APPLY, INFO, UNKNOWN, WARNING, Case, Found, Remedy, Rules, one_by_one, remedy, variable

RULES = Rules()

_WHY = (
    "One CPU works on all packets of a receive queue. What it cannot take in time is late or dropped, and conntrack "
    "calls packets INVALID that come too late for their connection."
)


@RULES.node("rps-would-help", INFO)
def _would_help(case: Case) -> Found | None:
    """Packets are late (warning: dropped) or INVALID, and a NIC without RPS has fewer queues than CPUs."""
    node = case.observed
    late, lost, invalid = _softnet(node, "time_squeeze"), _softnet(node, "dropped"), grown(node, "invalid")
    if not (late or lost or invalid):
        return None
    if node.rps is None:
        return _unseen(node) if late or lost else None
    nics = [nic for nic in gaining(node.rps) if nic.operstate != "down"]
    if not (late or lost):
        nics = [nic for nic in nics if len(nic.queues) == 1]
    if not nics:
        return None
    return Found(
        tell(
            "received packets in {time}: {counters}; RPS is off on {nics}",
            time=sample_text(node),
            counters=_counted(node),
            nics=some([sized(node.rps, nic) for nic in nics]),
        ),
        _WHY,
        _remedy(case),
        severity=WARNING if lost else None,
    )


def _unseen(node: Observed) -> Found:
    return Found(
        tell(
            "received packets in {time}: {counters}; NICs and their queues were not seen",
            time=sample_text(node),
            counters=_counted(node),
        ),
        sentences(_WHY, "Whether several CPUs share the work is not known."),
        "Run again as root (-e keepalive_become=true), outside of containers.",
        severity=UNKNOWN,
    )


def _softnet(node: Observed, counter: str) -> int:
    return node.growth.softnet.get(counter, 0) if node.growth else 0


def _counted(node: Observed) -> str:
    """What grew, by the kernel's names for it."""
    numbers = {
        "dropped": _softnet(node, "dropped"),
        "time_squeeze": _softnet(node, "time_squeeze"),
        "INVALID": grown(node, "invalid"),
    }
    return ", ".join(f"{name} {number}" for name, number in numbers.items() if number)


def _remedy(case: Case) -> Remedy:
    more = "First see whether the NIC can have more queues (ethtool -l): they cost less. See docs/rps.md."
    if case.node.settings.rps and case.node.settings.rps.rows:
        on = remedy("{apply}: it turns RPS on (keepalive_rps {wish}).", apply=APPLY, wish=case.policy.rps)
        return one_by_one(on, more)
    return one_by_one(remedy("Set {auto}. {apply}.", auto=variable("keepalive_rps: auto"), apply=APPLY), more)
