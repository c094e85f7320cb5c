# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that gives running pods a safe keepalive, each in its own network namespace. Private to this collection."""

from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils import _child, _inet_diag, _netns, _proc_tcp
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


class PodsKeepalive(Step):
    """The keepalive ("time/intvl/probes") of the running pods that this run changes, by the UID of each.

    Wanted, it goes to pods that have the kernel's default or what an earlier run gave them; wanted None, those get
    back what they had. Pods in the node's own namespace have no keepalive of their own. A pod that ends meanwhile is no
    part of it any more.
    """

    area = "pods"

    def __init__(
        self, records: Mapping[str, LiveRecord], wanted: Optional[Keepalive], find: Callable[[], Dict[str, Pod]]
    ) -> None:
        pods = find() if records or wanted is not None else {}
        self._pods = {uid: pod for uid, pod in pods.items() if pod.keepalive is not None}
        text = None if wanted is None else _text(wanted)
        self.targets = {
            uid: _target(f"keepalive of {pod.label}", _text(pod.keepalive), records.get(uid), text)
            for uid, pod in self._pods.items()
        }
        gone = {uid: LiveTarget(None, record, None, None) for uid, record in records.items() if uid not in pods}
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
        """What a person has to do for the connections that the pods have already."""
        timers = sorted((self._pods[uid].label, self._timers(uid)) for uid in self.after)
        named = [f"{label} ({number} open)" for label, number in timers if number]
        if not named:
            return []
        names = ", ".join(named[:_MANY]) + (f" and {len(named) - _MANY} more" if len(named) > _MANY else "")
        todo = "Restart these pods, or have them connect again, where that matters"
        return [f"Connections that are open already keep the timer they were armed with. {todo}: {names}."]

    def _timers(self, uid: str) -> str:
        """How many open connections have a timer, "" for none."""
        number = (self._pods[uid].inside or {}).get("timers")
        return "number not known" if number is None else str(number or "")

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


def running_pods() -> Dict[str, Pod]:
    """The running pods of this node by UID, with how many of their open connections have a timer."""
    return pods_of(_netns.read(inside=count_timers).spaces)


def count_timers(_pids: List[int]) -> Dict[str, Any]:
    """The established connections of this network namespace with a timer: one that resends hides that of keepalive."""
    try:
        return {"timers": sum(found.timer != _inet_diag.TIMER_NONE for found in _proc_tcp.read())}
    except OSError:
        return {"timers": None}


def _target(name: str, now: str, record: Optional[LiveRecord], wanted: Optional[str]) -> LiveTarget:
    if wanted is None or now == KERNEL_DEFAULT or (record is not None and now in record.ours):
        return live_target(name, now, record, wanted)
    return LiveTarget(now, record, None, None)


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
