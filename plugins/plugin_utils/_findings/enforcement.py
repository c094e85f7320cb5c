# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on keepalive that a node enforces for new connections. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import bpf_reads_keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import Enforcement
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import CONTAINER, POD

from .cures import ENFORCE, enforceable
from .rule import APPLY, INFO, UNKNOWN, WARNING, Case, Found, Remedy, Rules, say, variable

RULES = Rules()

_OFF = variable("keepalive_enforce: false")
_SEE = " See docs/enforce.md."
_NO_REASON = "no reason was given"


@RULES.node("enforce-possible", INFO)
def _possible(case: Case) -> Found | None:
    """The node could enforce keepalive for every new connection, which would cure some of what is at risk there."""
    seen = case.observed.enforcement
    if seen is None or seen.possible is not True or seen.ours or case.policy.enforce:
        return None
    told = _curable(case)
    if not told:
        return None
    stays = "stays" if seen.others == 1 else "stay"
    replaced = " Before Linux 6.1 options which a program sets before it connects are replaced."
    told_others = f" {count(seen.others, 'program')} of others, attached in the same place, {stays} there."
    return Found(
        f"it would cure {' and '.join(told)}",
        "A small program in the kernel (BPF, sock_ops) gives each new connection of the node the planned keepalive and "
        "SO_KEEPALIVE, for programs that never ask for it and for pods to come, too. Connections that are open are not "
        f"its business.{'' if bpf_reads_keepalive(case.observed.kernel) else replaced}"
        f"{told_others if seen.others else ''}",
        say("Set ", ENFORCE, ". ", APPLY, f".{_SEE}"),
        case.pods_limit_text,
    )


def _curable(case: Case) -> list[str]:
    """What of the node opens connections that are at risk, and that the kernel could give a keepalive."""
    pods = case.node.pods
    if pods is None or case.pods_limit is None:
        return []
    late = [(kind, sum(each.space.sandbox is None for each in pods.unsafe_of(kind))) for kind in (POD, CONTAINER)]
    texts = [f"{count(number, kind)} with a keepalive that is too late" for kind, number in late if number]
    without = enforceable(case, outside=False) + enforceable(case, outside=True)
    opened = f"{count(without, 'connection')} without SO_KEEPALIVE, once their programs connect again"
    return [*texts, *([opened] if without else [])]


@RULES.node("enforce-impossible", WARNING)
def _impossible(case: Case) -> Found | None:
    """Keepalive is to be enforced for every new connection, and the node cannot do it (unknown: nobody could tell)."""
    seen = case.observed.enforcement
    if not case.policy.enforce or (seen is not None and (seen.possible is True or seen.attached is not None)):
        return None
    known = seen is not None and seen.possible is False
    reason = (seen.reason if seen else "node_info did not look") or _NO_REASON
    return Found(
        reason if known else f"whether the node can is not known: {reason}",
        "Without it, programs that never ask for keepalive and pods to come are at risk on this node as before.",
        _otherwise() if known else say(_to_know(seen)),
        severity=None if known else UNKNOWN,
    )


def _to_know(seen: Enforcement | None) -> str | Remedy:
    if seen is None:
        return "Run again with node_info of this version."
    if seen.obstacle == "rights":
        return "Run again as root (become: true). An apply that cannot do it changes nothing."
    return say("Only an apply tells. Where it fails, which changes nothing, set ", _OFF, " for this host.")


def _otherwise() -> Remedy:
    return say(
        "Give pods theirs by the role pod_defaults, and have programs ask for keepalive themselves. With ",
        _OFF,
        " for this host this is no finding.",
    )


@RULES.node("enforce-not-at-boot", WARNING)
def _not_at_boot(case: Case) -> Found | None:
    """Keepalive is enforced for new connections now, and will not be after a reboot, or with other values."""
    seen = case.observed.enforcement
    if seen is None or seen.attached is None or seen.kept_at_boot:
        return None
    return Found(
        f"{seen.attached} now; after a reboot {_after_boot(seen)}",
        "A program in the kernel is gone after a reboot. A systemd unit attaches it again.",
        _attach_again(seen, case),
    )


def _after_boot(seen: Enforcement) -> str:
    if not seen.systemd:
        return "nothing: the node has no systemd"
    if seen.boot is None:
        return "nothing: no unit attaches it"
    return str(seen.boot) if seen.enabled else "nothing: the unit that attaches it is not enabled"


def _attach_again(seen: Enforcement, case: Case) -> Remedy:
    if not seen.systemd:
        return say("Run /etc/kubenode.connections/enforce.py at boot, before kubelet and the container runtime.")
    return _apply(case, "writes and enables the unit")


@RULES.node("enforce-not-in-force", WARNING)
def _not_in_force(case: Case) -> Found | None:
    """Keepalive is to be enforced by what an earlier run left there, and it is not, or too late for the limit."""
    seen, limit = case.observed.enforcement, case.pods_limit
    if seen is None or not seen.ours:
        return None
    if not seen.attached_known:
        return None
    if seen.attached is None:
        boot = "unit" if seen.systemd else "script"
        observed = f"nothing is attached; the {boot} of this collection would attach {seen.boot}"
    elif not seen.exact:
        observed = f"{seen.attached}, but not by the program of this version with these values"
    elif limit is not None and not limit.keeps(seen.attached.keepalive):
        observed = f"{seen.attached}: {limit.sum_text(seen.attached.keepalive, case.policy)}"
    else:
        return None
    return Found(
        observed,
        "New connections of programs that never ask for keepalive, and of pods to come, are at risk as without it.",
        _apply(case, "attaches it"),
        str(limit) if limit else None,
    )


def _apply(case: Case, what: str) -> Remedy:
    """With keepalive_enforce false an apply takes away what is there; else it leaves a node alone that cannot do it."""
    seen = case.observed.enforcement
    if seen is not None and seen.possible is False:
        off = say("Set ", _OFF, " for this host. ") if case.policy.enforce else ""
        return say(off, APPLY, ": it takes away what is there.")
    if case.policy.enforce:
        return say(APPLY, f": it {what}.")
    return say("Set ", ENFORCE, ". ", APPLY, f": it {what}. With false it takes away what is there.")
