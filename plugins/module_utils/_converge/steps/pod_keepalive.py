# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes and reads the keepalive of running pods, each by itself: no pod stops another. Private to this collection."""

import functools
import itertools
import time
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS, Keepalive, parse
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import child, namespace_paths, namespaces
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_sysctl, write_sysctl
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.running_pods import Pod

ENDED, REFUSED, REWRITTEN, UNREAD = "ended", "refused", "rewritten", "unread"
"""Why a pod has not what it shall have: it is gone, its namespace refuses, it writes itself, nobody could look."""

_CHILD_SECONDS = 5
_ALL_SECONDS = 60


class Order(NamedTuple):
    """A pod, the keepalive ("time/intvl/probes") that it shall have, and what it has without us."""

    pod: Pod
    wanted: str
    back: str


class Answer(NamedTuple):
    """What the pod has now, None where nobody knows; cause (one of the four) and why where it is not as it shall be."""

    found: Optional[str]
    cause: Optional[str] = None
    why: str = ""


class NotTaken(NamedTuple):
    """A pod that has not what it shall have, by its label and UID."""

    pod: str
    uid: str
    wanted: str
    found: Optional[str]
    cause: str
    why: str


def read(pods: Mapping[str, Pod]) -> Dict[str, Pod]:
    """The pods with what was read in them, without those that have ended. Why one could not be read is its error."""
    looks = in_each(lambda uid: _look(pods[uid]), pods, lambda why: (_unread(why), None))
    found = {uid: (Answer(*answer), namespace) for uid, (answer, namespace) in looks.items()}
    return {
        uid: pod._replace(
            keepalive=_numbers(answer.found), error=None if answer.found else answer.why, namespace=namespace
        )
        for uid, pod in pods.items()
        for answer, namespace in [found[uid]]
        if answer.cause != ENDED
    }


def give(orders: Mapping[str, Order]) -> Dict[str, Answer]:
    """Write what is wanted, read it back; from a pod that does not take or keep all of it take ours back."""
    return _answers(_give, orders)


def keep(orders: Mapping[str, Order]) -> Dict[str, Answer]:
    """Read again what was given; from a pod that has not kept all of it take ours back."""
    return _answers(_keep, orders)


def take_back(orders: Mapping[str, Order]) -> Dict[str, Answer]:
    """Bring back what the pod has without us, value by value; one that somebody else has written since stays."""
    return _answers(_take_back, orders)


def text(keepalive: Optional[Keepalive]) -> str:
    return "" if keepalive is None else str(keepalive)


def _numbers(keepalive: Optional[str]) -> Optional[Keepalive]:
    return parse(keepalive) if keepalive else None


def mixtures(back: str, wanted: str) -> List[str]:
    """What a pod can have that has taken some of the three values, or has given some of them back."""
    pairs = zip(back.split("/"), wanted.split("/"))
    found = dict.fromkeys("/".join(each) for each in itertools.product(*pairs))
    return [each for each in found if each not in (back, wanted)]


def has_ours(found: Optional[str], order: Order) -> bool:
    """Whether a value that we have written may be there still."""
    if found is None:
        return True
    return any(now == ours != back for now, ours, back in zip(*(each.split("/") for each in (found, *order[1:]))))


def in_each(work: Callable[[str], Any], uids: Iterable[str], missing: Callable[[str], Any]) -> Dict[str, Any]:
    """What the work gives for each pod, in a child, and in further ones for the pods that it did not come to.

    A child that comes to none hangs or dies at its first pod, which then has what ``missing`` gives for the reason.
    """
    found: Dict[str, Any] = {}
    rest = list(uids)
    end = time.monotonic() + _ALL_SECONDS
    while rest and time.monotonic() < end:
        values, problem = child.collect(functools.partial(_visit, work, rest), _CHILD_SECONDS)
        found.update(values)
        rest = rest[len(values) :]
        if not values:
            found[rest.pop(0)] = missing(f"the process that enters its network namespace {problem}")
    return dict(found, **dict.fromkeys(rest, missing(f"{_ALL_SECONDS} s were over before its turn came")))


def _visit(work: Callable[[str], Any], uids: List[str]) -> Iterator[Tuple[str, Any]]:
    for uid in uids:
        yield uid, work(uid)


def _answers(work: Callable[[Order], Answer], orders: Mapping[str, Order]) -> Dict[str, Answer]:
    found = in_each(lambda uid: work(orders[uid]), orders, _unread)
    return {uid: Answer(*answer) for uid, answer in found.items()}


def _unread(why: str) -> Answer:
    return Answer(None, UNREAD, why)


def _give(order: Order) -> Answer:
    problem = _enter(order.pod)
    if problem:
        return problem._replace(found=order.back)
    return _kept(order, _write(order.wanted, lambda _key: True))


def _keep(order: Order) -> Answer:
    return _enter(order.pod) or _kept(order, "")


def _kept(order: Order, refusal: str) -> Answer:
    answer = _found(order.wanted)
    if answer.cause is None or answer.found is None:
        return answer
    _restore(order)
    found = _found(order.back).found
    return Answer(found, REFUSED, refusal) if refusal else answer._replace(found=found)


def _take_back(order: Order) -> Answer:
    problem = _enter(order.pod)
    if problem:
        return problem
    refusal = _restore(order)
    found = _found(order.back)
    return found._replace(cause=REFUSED, why=refusal) if refusal and found.cause else found


def _look(pod: Pod) -> Tuple[Answer, Optional[str]]:
    """What a pod has, and what tells its namespace from any other."""
    problem = _enter(pod)
    if problem:
        return problem, None
    try:
        return _found(""), namespaces.own_identity()
    except OSError as error:
        return _unread(f"{error.filename}: {error.strerror or error}"), None


def _enter(pod: Pod) -> Optional[Answer]:
    """None once we are in the pod's namespace."""
    try:
        there = namespace_paths.enter(pod.inode, pod.ways)
    except OSError as error:
        return Answer(None, REFUSED, f"its network namespace cannot be entered: {error.strerror or error}")
    return None if there else Answer(None, ENDED)


def _found(wanted: str) -> Answer:
    try:
        found = text(namespaces.own_keepalive())
    except ValueError as error:
        return _unread(str(error))
    return Answer(found) if found == wanted else Answer(found, REWRITTEN, "something else sets it")


def _restore(order: Order) -> str:
    """Take back each value that is ours. The refusal, "" for none."""
    ours = dict(zip(KEYS, order.wanted.split("/")))
    return _write(order.back, lambda key: read_sysctl(key).value == ours[key])


def _write(values: str, which: Callable[[str], bool]) -> str:
    """Write those of the three values. The first refusal, "" for none."""
    refusals = []
    for key, value in zip(KEYS, values.split("/")):
        try:
            if which(key):
                write_sysctl(key, value)
        except OSError as error:
            refusals.append(f"{error.filename}: {error.strerror or error}")
    return refusals[0] if refusals else ""
