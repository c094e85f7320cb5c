# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on open connections to services, by name. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import UNSAFE, count, some, some_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import PROGRAMS
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import NODE, Process
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.ipvs import grpc_idle_seconds, is_ipvs
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import Judged

from . import cures, remedies
from .rule import APPLY, INFO, RAISE_IPVS, UNKNOWN, WARNING, Case, Found, Remedy, Rules, one_by_one, remedy

RULES = Rules()


@RULES.node("connections-armed-late", WARNING)
def _armed(case: Case) -> Found | None:
    """Open connections to services carry a keepalive timer from before the change, which ends after the limit."""
    late = [each for each in _judged(case) if each.counts.late and not _too_late_itself(each, case)]
    if not late:
        return None
    total = sum(each.counts.late for each in late)
    return Found(
        tell(
            "{connections} to services in {names}",
            connections=count(total, "open connection"),
            names=some_of(late, _late_name),
        ),
        "The timer is armed when a connection opens, and a lower sysctl does not change it. So these connections were "
        "opened before the change, or with a TCP_KEEPIDLE of their own.",
        cures.armed_late(
            case,
            "Restart these, or have them connect again. Nothing else needs it. Connections that they open from now on "
            "are kept.",
        ),
        case.pods_limit_text,
    )


@RULES.node("connections-idle-unseen", UNKNOWN)
def _idle_unseen(case: Case) -> Found | None:
    """Open connections to services whose old timer may end after the limit: how long they are idle was not seen."""
    unseen = [each for each in _judged(case) if each.idle_unseen]
    if not unseen:
        return None
    total = sum(each.idle_unseen for each in unseen)
    names = [f"{each.space.label} ({each.idle_unseen})" for each in unseen]
    return Found(
        tell(
            "{connections} to services cannot be judged: {names}",
            connections=count(total, "open connection"),
            names=some(names),
        ),
        "They were read from /proc/net/tcp, which tells what is left of their timer, but not how long they are idle. "
        "The keepalive in force is in time; a timer from before it may not be.",
        "Load tcp_diag (modprobe tcp_diag) and run again, or have them connect again.",
        case.pods_limit_text,
    )


@RULES.node("connections-lost", WARNING)
def _lost(case: Case) -> Found | None:
    """IPVS has forgotten open connections already; they are lost, and no keepalive brings them back."""
    lost = [each for each in _judged(case) if each.space.lost]
    if not lost:
        return None
    total = sum(each.space.lost for each in lost)
    names = [tell("{name} ({number})", name=each.space.label, number=each.space.lost) for each in lost]
    return Found(
        tell(
            "{connections} to services, of which IPVS has no entry: {names}",
            connections=count(total, "open connection"),
            names=some(names),
        ),
        "They were lost before this run. Their next packet is answered with a reset, or goes to another real server. "
        "They do not count as at risk, and an apply cannot bring them back.",
        "Have these programs connect again, or restart them.",
    )


def _too_late_itself(each: Judged, case: Case) -> bool:
    """Whether a finding on its keepalive says it already; that of the node's own namespace is on the node's sysctls."""
    return (case.node.own_verdict if each.space.kind == NODE else each.verdict) == UNSAFE


def _late_name(each: Judged) -> str:
    """With the processes in the node's own namespace: nobody restarts the node for a connection."""
    processes = dict.fromkeys(str(process) for process in each.armed_late)
    if not processes or each.space.kind != NODE:
        return tell("{name} ({number})", name=each.space.label, number=each.counts.late)
    return tell(
        "{name} ({number}): {processes}",
        name=each.space.label,
        number=each.counts.late,
        processes=joined(" and ", processes),
    )


@RULES.node("connections-without-keepalive", WARNING)
def _without(case: Case) -> Found | None:
    """Programs have connections to services without SO_KEEPALIVE, which no sysctl helps."""
    without = [each for each in _judged(case) if each.counts.without_keepalive]
    unlisted = case.observed.pods.unlisted_without_keepalive if case.observed.pods else 0
    if not (without or unlisted) or case.pods_limit is None:
        return None
    total = sum(each.counts.without_keepalive for each in without) + unlisted
    users = _users(without)
    if unlisted:
        users.append(partial(in_unlisted, unlisted))
    runtimes = [process.runtime for each in without for _service, process in each.processes_at_risk]
    programs = remedies.programs(runtimes, _period(case, case.pods_limit))
    return Found(
        tell(
            "{connections} without SO_KEEPALIVE: {users}",
            connections=count(total, "connection"),
            users=some_of(users, called, "; "),
        ),
        tell(
            "Without SO_KEEPALIVE the kernel never probes, whatever the sysctls say. If no data flows for "
            "{seconds} s, the connection is forgotten, {unless}.",
            seconds=case.pods_limit.seconds,
            unless=remedies.unless_probed(case.pods_limit.seconds),
        ),
        one_by_one(cures.without_keepalive(case, programs), _raise(case, runtimes)),
        case.pods_limit_text,
    )


@RULES.node("connections-unnamed", INFO)
def _unnamed(case: Case) -> Found | None:
    """Which programs have open connections could not be seen, or not of all."""
    problem = case.observed.problem(PROGRAMS)
    if problem is None:
        return None
    return Found(
        tell("{what}: {why}", what=problem.what, why=problem.why),
        "These connections are counted and judged all the same. The report cannot name their programs.",
        problem.do,
    )


def _judged(case: Case) -> Sequence[Judged]:
    return case.node.pods.each if case.node.pods else ()


def _users(without: Sequence[Judged]) -> list[Callable[[], str]]:
    """Each process with its service: who has to change what. A namespace where nobody is known has its number."""
    users: list[Callable[[], str]] = []
    for each in without:
        name = each.space.label
        found = [partial(user_of, name, process, service.name) for service, process in each.processes_at_risk]
        users += found or [partial(_number, name, each.counts.without_keepalive)]
    return users


def called(told: Callable[[], str]) -> str:
    return told()


def in_unlisted(number: int) -> str:
    return tell("{number} in namespaces that the node did not list", number=number)


def _number(name: str, number: int) -> str:
    return tell("{name}: {number}", name=name, number=number)


def user_of(name: str, process: Process, peer: str) -> str:
    """``shop/cart: 3 of python3 (4711) to 192.0.2.2:5432 [python]``"""
    return tell(
        "{name}: {number} of {process} to {peer} [{runtime}]"
        if process.runtime
        else "{name}: {number} of {process} to {peer}",
        name=name,
        number=process.without_keepalive,
        process=str(process),
        peer=peer,
        runtime=process.runtime,
    )


def _period(case: Case, limit: Limit) -> remedies.Period:
    """How often a program should ping: as the planned keepalive, where that is below the limit."""
    wanted = case.pods_keepalive
    return remedies.period(wanted.time if wanted else limit.seconds, limit.seconds)


def _raise(case: Case, runtimes: Sequence[str | None]) -> str | Remedy:
    """The other cure, where it is one: idle gRPC channels close their connection before IPVS forgets it."""
    idle = grpc_idle_seconds(runtimes)
    if case.pods_limit is None or not is_ipvs(case.pods_limit) or idle is None:
        return ""
    if case.policy.strategy == "raise_ipvs":
        return remedy(
            "{apply}: it raises the IPVS tcp timeout to at least {idle} s: by then idle gRPC channels have closed "
            "their connection.",
            apply=APPLY,
            idle=idle,
        )
    return remedy(
        "Or set {raise_ipvs}, which raises the IPVS tcp timeout to at least {idle} s: by then idle gRPC channels have "
        "closed their connection.",
        raise_ipvs=RAISE_IPVS,
        idle=idle,
    )
