# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to tell of running pods whose keepalive was to be changed. Pure. Private to this collection."""

from typing import List, Mapping, Sequence

from .pod_keepalive import REFUSED, REWRITTEN, UNREAD, NotTaken

_MANY = 10
_AGAIN = "Run this again."
_KEPT = ", and what was there before stays recorded"


def not_taken(pods: Sequence[NotTaken], restoring: bool, noun: str = "pod") -> List[str]:
    """A note a cause, with the pods by name and the reason of the first of them. A noun says what they are."""
    return [
        _note(cause, sorted(each for each in pods if each.cause == cause), restoring, noun)
        for cause in (UNREAD, REFUSED, REWRITTEN)
        if any(each.cause == cause for each in pods)
    ]


def _note(cause: str, pods: Sequence[NotTaken], restoring: bool, noun: str) -> str:
    kept = _KEPT if restoring else ""
    whose, why = f"keepalive of {count(len(pods), f'running {noun}')}", pods[0].why
    if cause == UNREAD:
        return f"{whose} could not be read ({why}), so it was left as it is{kept}: {_names(pods)}. {_AGAIN}"
    if cause == REFUSED:
        return f"{whose} could not be written ({why}), so it was left alone{kept}: {_names(pods)}."
    done = "given back" if restoring else "set"
    return f"{whose} was {done} and did not stay: {_names(pods)}. Something else sets it: look in the {noun}."


def left(pods: Sequence[NotTaken], noun: str = "pod") -> List[str]:
    """What an undo could not put back; ``wanted`` is what was there before."""
    told = [
        f"keepalive of {each.pod}: {each.found or 'nobody knows it'}, before it was {each.wanted} ({each.why})."
        for each in sorted(pods)[:_MANY]
    ]
    return told + ([f"{count(len(pods) - _MANY, f'running {noun}')} more."] if len(pods) > _MANY else [])


def not_seen(why: str, missing: int, noun: str = "pod") -> str:
    """Why there may be more pods, of which so many have something of an earlier run."""
    kept = f", and what {count(missing, noun)} of an earlier run had before stays recorded" if missing else ""
    found = f"keepalive of running {noun}s: there may be more of them than can be seen ({why})"
    return f"{found}. Those were left as they are{kept}. {_AGAIN}"


def sandboxed(pods: Sequence[str], noun: str = "pod") -> List[str]:
    """What to tell of pods in a sandbox, which have TCP of their own."""
    if not pods:
        return []
    whose = f"keepalive of {count(len(pods), f'running {noun}')} in a sandbox (gVisor, a virtual machine)"
    todo = "Have their programs ask for keepalive themselves"
    return [f"{whose} was left alone, for their TCP is not this kernel's: {some(pods)}. {todo}."]


def armed_late(pods: Mapping[str, str], noun: str = "pod") -> List[str]:
    """For pods with the number of their connections whose timer ends too late, "" for none."""
    named = [f"{label} ({number} open)" for label, number in sorted(pods.items()) if number]
    if not named:
        return []
    todo = f"Restart these {noun}s, or have them connect again, where that matters"
    return [f"Connections that are open already keep the timer they were armed with. {todo}: {some(named)}."]


def some(names: Sequence[str]) -> str:
    return ", ".join(names[:_MANY]) + (f" and {len(names) - _MANY} more" if len(names) > _MANY else "")


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _names(pods: Sequence[NotTaken]) -> str:
    return some([f"{each.pod} (it has {each.found})" if each.found else each.pod for each in pods])
