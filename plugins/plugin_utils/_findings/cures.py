# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node itself can do where no sysctl helps: the part of a remedy that comes first. Private to this collection.

Of a node of which nobody looked whether it can, nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import Enforcement
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.enforced import stays_in_force
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import Judged
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import ALL, NEVER

from .rule import APPLY, Case, Remedy, say, variable

ENFORCE = variable("keepalive_enforce: true")
REARM_ALL = variable("keepalive_open_connections: all")
REARM = variable("keepalive_open_connections: rearm")

_WITHOUT = "without a restart"
_OWN = " What has a TCP_KEEPIDLE of its own is left alone: change it in the program."


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


def without_keepalive(case: Case, in_the_program: str, outside: bool = False) -> Remedy:
    """What to do about connections without SO_KEEPALIVE, where ``in_the_program`` says what to do there."""
    new = _for_new(case) if enforceable(case, outside) else ""
    first = say(new, _for_open(case, isinstance(new, Remedy) and APPLY in new.steps))
    if not first.text:
        return say(in_the_program, why_not(case))
    return say(first, "Or i", in_the_program[1:], why_not(case))


def _for_new(case: Case) -> Remedy | str:
    seen = case.observed.enforcement
    if seen is None or seen.possible is False:
        return ""
    if stays_in_force(case.observed, case.policy):
        return f"New connections get {seen.attached}, by keepalive_enforce. "
    if case.node.settings.enforce:
        return say(APPLY, f": by keepalive_enforce new connections then {_get(seen)} their keepalive from the kernel. ")
    return say(
        "Set ", ENFORCE, f": the kernel then {_gives(seen)} new connections their keepalive, whatever the program. "
    )


def _get(seen: Enforcement) -> str:
    """Where nobody knows whether the node can, nothing is promised."""
    return "get" if seen.possible else "may get"


def _gives(seen: Enforcement) -> str:
    return "gives" if seen.possible else "may give"


def _for_open(case: Case, applied: bool) -> Remedy | str:
    seen = case.observed.rearming
    if seen is None or seen.possible is False or not any(each.without_keepalive for each in case.node.curable):
        return ""
    if case.policy.open_connections == ALL:
        return say("It" if applied else say(APPLY, ": it"), f" gives it to these in place, {_WITHOUT}. ")
    return say("For these set ", REARM_ALL, f": an apply then gives it to them in place, {_WITHOUT}. ")


def armed_late(case: Case, restart: str, outside: bool = False) -> Remedy:
    """What to do about connections whose timer ends too late; ``restart``: what helps where nothing re-arms them."""
    seen = case.observed.rearming
    if seen is None:
        return say(restart)
    if seen.possible is False:
        return say(restart, f" They cannot be re-armed in place: {seen.reason or 'no reason was given'}.")
    here = [each for each in case.node.curable if each.outside is outside]
    if not any(each.late for each in here):
        own = " They are not re-armed in place: their timers look like the programs' own."
        return say(restart, own if any(each.own for each in here) else "")
    how = f": it re-arms those that follow their namespace, in place, {_WITHOUT}.{_OWN}"
    if case.policy.open_connections == NEVER:
        return say("Set ", REARM, ". ", APPLY, how)
    return say(APPLY, how)


def late_values(case: Case, late: Sequence[Judged], whose: str) -> Remedy | str:
    """What helps the new connections of namespaces whose values are too late, before the other ways; none: of any."""
    seen = case.observed.enforcement
    if seen is None or seen.possible is False or (late and all(each.space.sandbox for each in late)):
        return ""
    if case.node.settings.enforce and not stays_in_force(case.observed, case.policy):
        return say(
            APPLY, f": by keepalive_enforce new connections, of {whose} too, then {_get(seen)} theirs from the kernel. "
        )
    if case.policy.enforce:
        return ""
    return say("Set ", ENFORCE, f": the kernel then {_gives(seen)} new connections theirs, of {whose} too. ")


def why_not(case: Case) -> str:
    """The end of a remedy on a node that cannot enforce keepalive."""
    seen = case.observed.enforcement
    if seen is None or seen.possible is not False:
        return ""
    return f" keepalive_enforce is no cure on this node: {seen.reason or 'no reason was given'}."
