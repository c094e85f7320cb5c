# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that gives running pods and containers a safe keepalive, each in its own network namespace. Private to this
collection."""

from typing import Callable, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import (
    KERNEL_DEFAULT,
    Keepalive,
    parse,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
    inet_diag,
    namespace_paths,
    namespaces,
    proc_tcp,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import tallies
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.running_pods import (
    Pod,
    containers_of,
    pods_of,
)

from ..originals import LiveRecord
from ..restorable import LiveTarget, live_target
from ..transaction import Step
from . import pod_keepalive, pod_notes
from .pod_keepalive import ENDED, UNREAD, Answer, NotTaken, Order, has_ours, mixtures, text


class Running(NamedTuple):
    """The running pods (or containers) by UID, and why there may be more of them (None: these are all)."""

    pods: Dict[str, Pod]
    hidden: Optional[str]


class PodsKeepalive(Step):
    """The keepalive ("time/intvl/probes") of the running pods that this run changes, by the UID of each.

    Wanted, it goes to pods that have the kernel's default, and to those that an earlier run gave a later one. Wanted
    None, those of earlier runs get back what they had. Pods in the node's own namespace have no keepalive of their own.
    Nor is one in a sandbox a part of this, whose TCP is not the kernel's.
    Each pod stands by itself. One that ends meanwhile is no part of this any more. One that cannot be read, or does not
    take or keep the value, is in ``not_taken`` instead; where something of ours may be in it, its record is kept.
    """

    area = "pods"
    noun = "pod"

    rearmed = False
    """Whether what pods have open was to be re-armed, which then is told with what became of that."""

    def __init__(
        self, records: Mapping[str, LiveRecord], wanted: Optional[Keepalive], find: Callable[[], Running]
    ) -> None:
        found, hidden = find() if records or wanted is not None else Running({}, None)
        records = {uid: record for uid, record in records.items() if not _is_of_another(record, found.get(uid))}
        pods = {uid: pod for uid, pod in found.items() if pod.sandbox is None or uid in records}
        self._sandboxed = sorted(pod.label for uid, pod in found.items() if uid not in pods and wanted is not None)
        missing = {uid: record for uid, record in records.items() if uid not in pods}
        self._records = records
        self._wanted = wanted
        self._hidden = (
            pod_notes.not_seen(hidden, len(missing), self.noun) if hidden and (wanted is not None or missing) else None
        )
        self._pods = {uid: pod for uid, pod in pods.items() if pod.keepalive is not None}
        self.not_taken = {
            uid: NotTaken(
                pod.label, uid, text(wanted) or str(records[uid].original), None, UNREAD, pod.error or "no reason given"
            )
            for uid, pod in pods.items()
            if pod.keepalive is None and (wanted is not None or uid in records)
        }
        self.targets = {
            uid: _in(
                pod,
                records.get(uid),
                _target(f"keepalive of {pod.label}", text(pod.keepalive), records.get(uid), wanted),
            )
            for uid, pod in self._pods.items()
        }
        gone = {} if hidden else {uid: LiveTarget(None, record, None, None) for uid, record in missing.items()}
        now = {uid: text(pod.keepalive) for uid, pod in self._pods.items()}
        self._orders = {
            uid: Order(self._pods[uid], str(target.after), now[uid])
            for uid, target in self.targets.items()
            if target.after != now[uid]
        }
        super().__init__(
            f"keepalive of running {self.noun}s",
            {uid: order.back for uid, order in self._orders.items()},
            {uid: order.wanted for uid, order in self._orders.items()},
        )
        self._undoing = False
        self._left: Dict[str, NotTaken] = {}
        self.targets.update(gone)

    def read(self) -> Dict[str, str]:
        """What the pods have that are a part of this step, after it was seen which still are."""
        again = pod_keepalive.take_back if self._undoing else pod_keepalive.keep
        self._settle(again({uid: self._orders[uid] for uid in self.after}))
        return dict(self.before if self._undoing else self.after)

    def apply(self) -> None:
        self._settle(pod_keepalive.give(self._orders))

    def undo(self) -> None:
        """Put each pod back; what cannot be is said by left()."""
        self._undoing = True
        given = {uid: order for uid, order in self._orders.items() if self._may_have_ours(uid)}
        self._settle(pod_keepalive.take_back(given))

    def left(self) -> List[str]:
        return pod_notes.left(list(self._left.values()), self.noun)

    def show(self, value: Mapping[str, str]) -> Dict[str, str]:
        return {self._pods[uid].label: keepalive for uid, keepalive in value.items()}

    def notes(self) -> List[str]:
        """What was not done, and what a person has to do for the connections that the pods have already."""
        found = [target.note for target in self.targets.values() if target.note]
        found += pod_notes.not_taken(list(self.not_taken.values()), self._wanted is None, self.noun)
        found += [self._hidden] if self._hidden else []
        found += pod_notes.sandboxed(self._sandboxed, self.noun)
        return found + ([] if self.rearmed else pod_notes.armed_late(self._armed_late(), self.noun))

    def planned(self) -> Dict[int, Keepalive]:
        """What the pods have by the end, by the inode of each namespace."""
        return {self._orders[uid].pod.inode: parse(keepalive) for uid, keepalive in self.after.items()}

    def _armed_late(self) -> Dict[str, str]:
        """How many open connections of a pod have a timer that ends later than one armed anew would, "" for none."""
        if self._wanted is None:
            return {}
        latest = self._wanted.time
        timers = pod_keepalive.in_each(lambda uid: timers_in(self._pods[uid]), self.after, lambda _why: None)
        return {self._pods[uid].label: _number(found, latest) for uid, found in timers.items()}

    def _may_have_ours(self, uid: str) -> bool:
        apart = self.not_taken.get(uid)
        return uid in self.before or (apart is not None and has_ours(apart.found, self._orders[uid]))

    def _settle(self, answers: Mapping[str, Answer]) -> None:
        """Only pods that have what they shall have stay a part of this step."""
        for uid, answer in answers.items():
            if answer.cause is not None:
                self.before.pop(uid, None)
                self.after.pop(uid, None)
                self._set_apart(uid, answer, self._orders[uid])

    def _set_apart(self, uid: str, answer: Answer, order: Order) -> None:
        if answer.cause == ENDED:
            self.targets[uid] = self.targets[uid]._replace(final=None)
            return
        apart = NotTaken(order.pod.label, uid, order.wanted, *answer)
        if not self._undoing:
            self.not_taken[uid] = apart
            self.targets[uid] = self.targets[uid]._replace(final=self._record(uid, answer.found, order))
        elif has_ours(answer.found, order):
            self._left[uid] = apart._replace(wanted=order.back)

    def _record(self, uid: str, found: Optional[str], order: Order) -> Optional[LiveRecord]:
        """What to remember of a pod that has not what it shall have: of one that somebody else has set, nothing."""
        if found == order.back:
            return self._records.get(uid)
        ahead = self.targets[uid].ahead
        if ahead is None or not has_ours(found, order):
            return None
        return ahead if found is None else ahead._replace(ours=tuple(dict.fromkeys([found, *ahead.ours])))


class ContainersKeepalive(PodsKeepalive):
    """The same for running containers outside of pods, by the engine and ID of each."""

    area = "containers"
    noun = "container"


def running_pods() -> Running:
    """The running pods of this node. Of the network namespaces that programs made within a pod none is entered."""
    spaces, hidden = namespaces.find()
    found, untold = pods_of(spaces)
    return Running(pod_keepalive.read(found), hidden or untold)


def running_containers() -> Running:
    """The same for containers outside of pods, those of users left out."""
    spaces, hidden = namespaces.find()
    found, untold = containers_of(spaces)
    return Running(pod_keepalive.read(found), hidden or untold)


def timers_in(pod: Pod) -> Optional[List[List[int]]]:
    """The keepalive timers of a pod: [seconds left, connections], the seconds as Tally rounds them. Enters it.

    A connection that resends right now is not among them: that timer hides the one of keepalive, so nobody can tell.
    """
    tally = tallies.Tally()
    try:
        if namespace_paths.enter(pod.inode, pod.ways):
            for found in proc_tcp.read():
                if found.timer == inet_diag.TIMER_KEEPALIVE:
                    tally.add_gap(tallies.gap(found))
    except OSError:
        return None
    return tally.gaps


def _number(timers: Optional[List[List[int]]], latest: int) -> str:
    if timers is None:
        return "number not known"
    return str(sum(number for seconds, number in timers if seconds > latest) or "")


def _is_of_another(record: LiveRecord, pod: Optional[Pod]) -> bool:
    """Whether a record is of an earlier namespace: a pod has its UID after a reboot, too, but a namespace anew."""
    return pod is not None and None not in (record.namespace, pod.namespace) and record.namespace != pod.namespace


def _in(pod: Pod, record: Optional[LiveRecord], target: LiveTarget) -> LiveTarget:
    """The target, whose records say which namespace they are of where this run makes them."""
    ahead, final = (
        each if each is None or each == record else each._replace(namespace=pod.namespace)
        for each in (target.ahead, target.final)
    )
    return target._replace(ahead=ahead, final=final)


def _target(name: str, now: str, record: Optional[LiveRecord], wanted: Optional[Keepalive]) -> LiveTarget:
    if wanted is None:
        return _half_known(now, live_target(name, now, record, None))
    # A pod with other values than a new namespace has was given them on purpose.
    if now != str(KERNEL_DEFAULT) and (record is None or now not in record.ours):
        return LiveTarget(now, record, None, None)
    if _no_later(now, wanted):
        return LiveTarget(now, record, record, None)
    return _half_known(now, live_target(name, now, record, str(wanted)))


def _half_known(now: str, target: LiveTarget) -> LiveTarget:
    """With what the pod can have in the middle of the three values known as ours, for a run that is killed there."""
    if target.ahead is None or target.after == now:
        return target
    ours = dict.fromkeys([*mixtures(now, str(target.after)), *target.ahead.ours])
    return target._replace(ahead=target.ahead._replace(ours=tuple(ours)))


def _no_later(now: str, wanted: Keepalive) -> bool:
    """Whether the first probe comes no later than the wanted one, nor does any of as many probes, nor the end."""
    time, intvl, probes = parse(now)
    end = time + intvl * max(probes, wanted.probes)
    return time <= wanted.time and end <= wanted.time + wanted.intvl * wanted.probes
