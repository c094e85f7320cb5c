# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node itself can do where no sysctl helps: the part of a remedy that comes first. Private to this collection.

Of a node of which nobody looked whether it can, nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.enforced import stays_in_force
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import Judged
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import ALL, NEVER

from .rule import APPLY, Case, Remedy, one_by_one, remedy, variable

ENFORCE = variable("keepalive_enforce: true")
REARM_ALL = variable("keepalive_open_connections: all")
REARM = variable("keepalive_open_connections: rearm")

_NO_REASON = "no reason was given"


def enforceable(case: Case, outside: bool) -> int:
    """How many connections without SO_KEEPALIVE keepalive helps, once they are opened again.

    It reaches no sandbox with TCP of its own, and does not count in a proxy.
    """
    unlisted = case.observed.pods.unlisted_without_keepalive if case.observed.pods and not outside else 0
    each = case.node.pods.each if case.node.pods else ()
    return unlisted + sum(_but_for_proxies(judged, case, outside) for judged in each if judged.space.sandbox is None)


def _but_for_proxies(judged: Judged, case: Case, outside: bool) -> int:
    counts, space = judged.outside_counts if outside else judged.counts, judged.space
    peers = [(to.destination, to.counts.without_keepalive) for to in judged.outside] if outside else []
    peers += [] if outside else [(each, each.without_keepalive) for each in space.services]
    proxied = sum(number for peer, number in peers if case.node.holding.has_proxy(space, peer))
    return counts.without_keepalive - proxied


def without_keepalive(case: Case, programs: str, outside: bool = False) -> Remedy:
    """What to do about connections without SO_KEEPALIVE, where ``programs`` says what to do in which program."""
    new = _for_new(case) if enforceable(case, outside) else ""
    first = one_by_one(new, _for_open(case, isinstance(new, Remedy) and APPLY in new.steps))
    there = tell("Or in the program, for {each}." if first.text else "In the program, for {each}.", each=programs)
    return one_by_one(first, there, why_not(case))


def _for_new(case: Case) -> Remedy | str:
    """Where nobody knows whether the node can, nothing is promised."""
    seen = case.observed.enforcement
    if seen is None or seen.possible is False:
        return ""
    if stays_in_force(case.observed, case.policy):
        return tell("New connections get {keepalive}, by keepalive_enforce.", keepalive=str(seen.attached))
    if case.node.settings.enforce:
        return remedy(
            "{apply}: by keepalive_enforce new connections then get their keepalive from the kernel."
            if seen.possible
            else "{apply}: by keepalive_enforce new connections then may get their keepalive from the kernel.",
            apply=APPLY,
        )
    return remedy(
        "Set {enforce}: the kernel then gives new connections their keepalive, whatever the program."
        if seen.possible
        else "Set {enforce}: the kernel then may give new connections their keepalive, whatever the program.",
        enforce=ENFORCE,
    )


def _for_open(case: Case, applied: bool) -> Remedy | str:
    seen = case.observed.rearming
    if seen is None or seen.possible is False or not any(each.without_keepalive for each in case.node.curable):
        return ""
    if case.policy.open_connections == ALL and applied:
        return "It gives it to these in place, without a restart."
    if case.policy.open_connections == ALL:
        return remedy("{apply}: it gives it to these in place, without a restart.", apply=APPLY)
    return remedy("For these set {rearm}: an apply then gives it to them in place, without a restart.", rearm=REARM_ALL)


def armed_late(case: Case, restart: str, outside: bool = False) -> Remedy:
    """What to do about connections whose timer ends too late; ``restart``: what helps where nothing re-arms them."""
    seen = case.observed.rearming
    if seen is None:
        return Remedy(restart)
    if seen.possible is False:
        cannot = tell("They cannot be re-armed in place: {reason}.", reason=seen.reason or _NO_REASON)
        return Remedy(sentences(restart, cannot))
    here = [each for each in case.node.curable if each.outside is outside]
    if not any(each.late for each in here):
        own = "They are not re-armed in place: their timers look like the programs' own."
        return Remedy(sentences(restart, own if any(each.own for each in here) else ""))
    how = remedy(
        "{apply}: it re-arms those that follow their namespace, in place, without a restart. What has a TCP_KEEPIDLE "
        "of its own is left alone: change it in the program.",
        apply=APPLY,
    )
    return one_by_one(remedy("Set {rearm}.", rearm=REARM) if case.policy.open_connections == NEVER else "", how)


def late_values(case: Case, late: Sequence[Judged], whose: str) -> Remedy | str:
    """What helps the new connections of namespaces whose values are too late, before the other ways; none: of any."""
    seen = case.observed.enforcement
    if seen is None or seen.possible is False or (late and all(each.space.sandbox for each in late)):
        return ""
    if case.node.settings.enforce and not stays_in_force(case.observed, case.policy):
        return remedy(
            "{apply}: by keepalive_enforce new connections, of {whose} too, then get theirs from the kernel."
            if seen.possible
            else "{apply}: by keepalive_enforce new connections, of {whose} too, then may get theirs from the kernel.",
            apply=APPLY,
            whose=whose,
        )
    if case.policy.enforce:
        return ""
    return remedy(
        "Set {enforce}: the kernel then gives new connections theirs, of {whose} too."
        if seen.possible
        else "Set {enforce}: the kernel then may give new connections theirs, of {whose} too.",
        enforce=ENFORCE,
        whose=whose,
    )


def why_not(case: Case) -> str:
    """The end of a remedy on a node that cannot enforce keepalive."""
    seen = case.observed.enforcement
    if seen is None or seen.possible is not False:
        return ""
    return tell("keepalive_enforce is no cure on this node: {reason}.", reason=seen.reason or _NO_REASON)
