# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on keepalive that a node enforces for new connections. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import bpf_reads_keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import Enforcement
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import CONTAINER, POD

from .cures import ENFORCE, enforceable
from .rule import APPLY, INFO, UNKNOWN, WARNING, Case, Found, Remedy, Rules, one_by_one, remedy, variable

RULES = Rules()

_OFF = variable("keepalive_enforce: false")
_NO_REASON = "no reason was given"

_WHAT_IT_IS = (
    "A small program in the kernel (BPF, sock_ops) gives each new connection of the node the planned keepalive and "
    "SO_KEEPALIVE, for programs that never ask for it and for pods to come, too. Connections that are open are not "
    "its business."
)
_REPLACES = "Before Linux 6.1 options which a program sets before it connects are replaced."


@RULES.node("enforce-possible", INFO)
def _possible(case: Case) -> Found | None:
    """The node could enforce keepalive for every new connection, which would cure some of what is at risk there."""
    seen = case.observed.enforcement
    if seen is None or seen.possible is not True or seen.ours or case.policy.enforce:
        return None
    told = _curable(case)
    if not told:
        return None
    return Found(
        tell("it would cure {each}", each=joined(" and ", told)),
        sentences(
            _WHAT_IT_IS, "" if bpf_reads_keepalive(case.observed.kernel) else _REPLACES, _others_text(seen.others)
        ),
        remedy("Set {enforce}. {apply}. See docs/enforce.md.", enforce=ENFORCE, apply=APPLY),
        case.pods_limit_text,
    )


def _others_text(number: int) -> str:
    if not number:
        return ""
    return tell(
        "{programs} of others, attached in the same place, stays there."
        if number == 1
        else "{programs} of others, attached in the same place, stay there.",
        programs=count(number, "program"),
    )


def _curable(case: Case) -> list[str]:
    """What of the node opens connections that are at risk, and that the kernel could give a keepalive."""
    pods = case.node.pods
    if pods is None or case.pods_limit is None:
        return []
    late = [(kind, sum(each.space.sandbox is None for each in pods.unsafe_of(kind))) for kind in (POD, CONTAINER)]
    texts: list[str] = [
        tell("{which} with a keepalive that is too late", which=count(number, kind)) for kind, number in late if number
    ]
    without = enforceable(case, outside=False) + enforceable(case, outside=True)
    opened = tell(
        "{connections} without SO_KEEPALIVE, once their programs connect again",
        connections=count(without, "connection"),
    )
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
        reason if known else tell("whether the node can is not known: {reason}", reason=reason),
        "Without it, programs that never ask for keepalive and pods to come are at risk on this node as before.",
        _otherwise() if known else _to_know(seen),
        severity=None if known else UNKNOWN,
    )


def _to_know(seen: Enforcement | None) -> str | Remedy:
    if seen is None:
        return "Run again with node_info of this version."
    if seen.obstacle == "rights":
        return "Run again as root (-e keepalive_become=true). An apply that cannot do it changes nothing."
    return remedy("Only an apply tells. Where it fails, which changes nothing, set {off} for this host.", off=_OFF)


def _otherwise() -> Remedy:
    return remedy(
        "Give pods theirs by the role pod_defaults, and have programs ask for keepalive themselves. With {off} for "
        "this host this is no finding.",
        off=_OFF,
    )


@RULES.node("enforce-not-at-boot", WARNING)
def _not_at_boot(case: Case) -> Found | None:
    """Keepalive is enforced for new connections now, and will not be after a reboot, or with other values."""
    seen = case.observed.enforcement
    if seen is None or seen.attached is None or seen.kept_at_boot:
        return None
    return Found(
        tell("{now} now; after a reboot {then}", now=str(seen.attached), then=_after_boot(seen)),
        "A program in the kernel is gone after a reboot. A systemd unit attaches it again.",
        _attach_again(seen, case),
    )


def _after_boot(seen: Enforcement) -> str:
    if not seen.systemd:
        return "nothing: the node has no systemd"
    if seen.boot is None:
        return "nothing: no unit attaches it"
    return str(seen.boot) if seen.enabled else "nothing: the unit that attaches it is not enabled"


def _attach_again(seen: Enforcement, case: Case) -> str | Remedy:
    if not seen.systemd:
        return "Run /etc/kubenode.connections/enforce.py at boot, before kubelet and the container runtime."
    return _apply(case, remedy("{apply}: it writes and enables the unit.", apply=APPLY))


@RULES.node("enforce-not-in-force", WARNING)
def _not_in_force(case: Case) -> Found | None:
    """Keepalive is to be enforced by what an earlier run left there, and it is not, or too late for the limit."""
    seen, limit = case.observed.enforcement, case.pods_limit
    if seen is None or not seen.ours:
        return None
    if not seen.attached_known:
        return None
    if seen.attached is None:
        observed = tell(
            "nothing is attached; the unit of this collection would attach {keepalive}"
            if seen.systemd
            else "nothing is attached; the script of this collection would attach {keepalive}",
            keepalive=str(seen.boot),
        )
    elif not seen.exact:
        observed = tell(
            "{keepalive}, but not by the program of this version with these values", keepalive=str(seen.attached)
        )
    elif limit is not None and not limit.keeps(seen.attached.keepalive):
        observed = tell(
            "{keepalive}: {sum}",
            keepalive=str(seen.attached),
            sum=limit.sum_text(seen.attached.keepalive, case.policy),
        )
    else:
        return None
    return Found(
        observed,
        "New connections of programs that never ask for keepalive, and of pods to come, are at risk as without it.",
        _apply(case, remedy("{apply}: it attaches it.", apply=APPLY)),
        limit.text if limit else None,
    )


def _apply(case: Case, brings: Remedy) -> Remedy:
    """With keepalive_enforce false an apply takes away what is there; else it leaves a node alone that cannot do it."""
    seen = case.observed.enforcement
    if seen is not None and seen.possible is False:
        off = remedy("Set {off} for this host.", off=_OFF) if case.policy.enforce else ""
        return one_by_one(off, remedy("{apply}: it takes away what is there.", apply=APPLY))
    if case.policy.enforce:
        return brings
    return one_by_one(remedy("Set {enforce}.", enforce=ENFORCE), brings, "With false it takes away what is there.")
