# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that gives running pods a safe keepalive, each in its own network namespace. Private to this collection."""

from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils import (
    _child,
    _inet_diag,
    _netns,
    _proc_tcp,
    _sockets,
)
from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._netns import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._originals import LiveRecord
from ansible_collections.kubenode.connections.plugins.module_utils._pod_rows import Pod, pods_of
from ansible_collections.kubenode.connections.plugins.module_utils._procfs import write_sysctl
from ansible_collections.kubenode.connections.plugins.module_utils._targets import LiveTarget, live_target
from ansible_collections.kubenode.connections.plugins.module_utils._transaction import Step

KERNEL_DEFAULT = "7200/75/9"
"""What a new network namespace has (include/net/tcp.h). A pod with other values was given them on purpose."""

_CHILD_SECONDS = 60
_MANY = 10
_AGAIN = "Run this again."


class Running(NamedTuple):
    """The running pods by UID, and why there may be more of them (None: these are all)."""

    pods: Dict[str, Pod]
    hidden: Optional[str]


class PodsKeepalive(Step):
    """The keepalive ("time/intvl/probes") of the running pods that this run changes, by the UID of each.

    Wanted, it goes to pods that have the kernel's default, and to those that an earlier run gave a later one. Wanted
    None, those of earlier runs get back what they had. Pods in the node's own namespace have no keepalive of their own.
    A pod that ends meanwhile is no part of it any more. One that cannot be read keeps its record, and a note names it.
    """

    area = "pods"

    def __init__(
        self, records: Mapping[str, LiveRecord], wanted: Optional[Keepalive], find: Callable[[], Running]
    ) -> None:
        pods, hidden = find() if records or wanted is not None else Running({}, None)
        missing = {uid: record for uid, record in records.items() if uid not in pods}
        unread = [pod for uid, pod in pods.items() if pod.keepalive is None and (wanted is not None or uid in records)]
        self._wanted = wanted
        self._pods = {uid: pod for uid, pod in pods.items() if pod.keepalive is not None}
        self._not_read = _not_read(unread, wanted)
        if hidden and (wanted is not None or missing):
            self._not_read.append(_not_seen(hidden, len(missing)))
        self.targets = {
            uid: _target(f"keepalive of {pod.label}", _text(pod.keepalive), records.get(uid), wanted)
            for uid, pod in self._pods.items()
        }
        gone = {} if hidden else {uid: LiveTarget(None, record, None, None) for uid, record in missing.items()}
        now = {uid: _text(pod.keepalive) for uid, pod in self._pods.items()}
        changing = [uid for uid, target in self.targets.items() if target.after != now[uid]]
        super().__init__(
            "keepalive of running pods",
            {uid: now[uid] for uid in changing},
            {uid: str(self.targets[uid].after) for uid in changing},
        )
        self.targets.update(gone)

    def read(self) -> Dict[str, str]:
        return self._visit(dict.fromkeys(self.after))

    def apply(self) -> None:
        self._visit(self.after)

    def undo(self) -> None:
        self._visit(self.before)

    def show(self, value: Mapping[str, str]) -> Dict[str, str]:
        return {self._pods[uid].label: text for uid, text in value.items()}

    def notes(self) -> List[str]:
        """What was not done, and what a person has to do for the connections that the pods have already."""
        late = sorted((self._pods[uid].label, self._armed_late(uid)) for uid in self.after)
        named = [f"{label} ({number} open)" for label, number in late if number]
        if not named:
            return self._not_read
        todo = "Restart these pods, or have them connect again, where that matters"
        note = f"Connections that are open already keep the timer they were armed with. {todo}: {_some(named)}."
        return [*self._not_read, note]

    def _armed_late(self, uid: str) -> str:
        """How many open connections have a timer that ends later than one armed anew would, "" for none."""
        if self._wanted is None:
            return ""
        timers = (self._pods[uid].inside or {}).get("timers")
        if timers is None:
            return "number not known"
        return str(sum(number for seconds, number in timers if seconds > self._wanted.time) or "")

    def _visit(self, wanted: Mapping[str, Optional[str]]) -> Dict[str, str]:
        """Write what is not None, return what each pod has then. Raises NodeError for the first that refuses."""
        pods = {uid: self._pods[uid] for uid in wanted}
        answers, error = _child.collect(lambda: _visit(pods, wanted), _CHILD_SECONDS)
        if error:
            raise NodeError(f"{self.name}: the process that enters their network namespaces {error}. Run again.")
        found = {}
        for uid, keepalive, problem in answers:
            if problem is not None:
                raise NodeError(f"keepalive of {self._pods[uid].label}: {problem}")
            if keepalive is None:
                self._forget(uid)
            else:
                found[uid] = keepalive
        return found

    def _forget(self, uid: str) -> None:
        for side in (self.before, self.after):
            side.pop(uid, None)
        self.targets[uid] = self.targets[uid]._replace(final=None)


def _text(keepalive: Optional[Keepalive]) -> str:
    return "/".join(str(number) for number in keepalive or ())


def running_pods() -> Running:
    """The running pods of this node, with the keepalive timers of their open connections."""
    found = _netns.read(inside=count_timers)
    unread = sum(space.keepalive is None for space in found.spaces)
    return Running(pods_of(found.spaces), found.error if found.unreadable > unread else None)


def count_timers(_pids: List[int]) -> Dict[str, Any]:
    """The keepalive timers of this network namespace: (seconds left, connections), the seconds as Tally rounds them.

    A connection that resends right now is not among them: that timer hides the one of keepalive, so nobody can tell.
    """
    tally = _sockets.Tally()
    try:
        for found in _proc_tcp.read():
            if found.timer == _inet_diag.TIMER_KEEPALIVE:
                tally.add_gap(_sockets.gap(found))
    except OSError:
        return {"timers": None}
    return {"timers": tally.gaps}


def _not_read(unread: Sequence[Pod], wanted: Optional[Keepalive]) -> List[str]:
    if not unread:
        return []
    pods = sorted(unread, key=lambda pod: pod.label)
    number = "1 running pod" if len(pods) == 1 else f"{len(pods)} running pods"
    kept = ", and what was there before stays recorded" if wanted is None else ""
    names = _some([pod.label for pod in pods])
    return [
        f"keepalive of {number} could not be read ({pods[0].error}), so it was left as it is{kept}: {names}. {_AGAIN}"
    ]


def _not_seen(why: str, missing: int) -> str:
    pods = "1 pod" if missing == 1 else f"{missing} pods"
    kept = f", and what {pods} of an earlier run had before stays recorded" if missing else ""
    found = f"keepalive of running pods: there may be more of them than can be seen ({why})"
    return f"{found}. Those were left as they are{kept}. {_AGAIN}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_MANY]) + (f" and {len(names) - _MANY} more" if len(names) > _MANY else "")


def _target(name: str, now: str, record: Optional[LiveRecord], wanted: Optional[Keepalive]) -> LiveTarget:
    if wanted is None:
        return live_target(name, now, record, None)
    if now != KERNEL_DEFAULT and (record is None or now not in record.ours):
        return LiveTarget(now, record, None, None)
    if _no_later(now, wanted):
        return LiveTarget(now, record, record, None)
    return live_target(name, now, record, _text(wanted))


def _no_later(now: str, wanted: Keepalive) -> bool:
    """Whether the first probe comes no later than the wanted one, nor does any of as many probes, nor the end."""
    time, intvl, probes = (int(number) for number in now.split("/"))
    end = time + intvl * max(probes, wanted.probes)
    return time <= wanted.time and end <= wanted.time + wanted.intvl * wanted.probes


def _visit(
    pods: Mapping[str, Pod], wanted: Mapping[str, Optional[str]]
) -> Iterator[Tuple[str, Optional[str], Optional[str]]]:
    """UID, what the pod has now (None: it has ended), and why it could not be done. Changes the namespace."""
    for uid, pod in pods.items():
        try:
            there = _netns.enter(pod.inode, pod.ways)
            if there and wanted[uid] is not None:
                _write(str(wanted[uid]))
            yield uid, _text(_netns.own_keepalive()) if there else None, None
        except OSError as error:
            yield uid, None, str(refused("its network namespace cannot be entered or written", error))
        except ValueError as error:
            yield uid, None, f"{error}. Run again."


def _write(text: str) -> None:
    for name, value in zip(Keepalive._fields, text.split("/")):
        write_sysctl("net.ipv4.tcp_keepalive_" + name, value)
