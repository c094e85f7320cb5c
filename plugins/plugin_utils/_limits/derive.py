# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the limit and the policy to a keepalive that is below it. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import (
    ARTICLE,
    KERNEL_DEFAULT,
    Keepalive,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from .limits import IPVS_TCP, SHORTEST_LIMIT_REASON, SHORTEST_LIMIT_SECONDS, Limit


@dataclass(frozen=True)
class _Room:
    """The seconds there are: ``safe`` for time + lost probes * intvl, ``decided`` for time + probes * intvl."""

    safe: int
    decided: int | None  # None: it need not be decided in time


def derive(limit: Limit | None, policy: Policy) -> Keepalive:
    """The keepalive for the limit: the user's own values untouched, the others worked out around them.

    Two thirds of the limit for time, a thirtieth for intvl, both at most the policy's ceilings, and nine probes; where
    there is no room, intvl gives way, then time, then probes. The result is safe below the limit and, as far as the
    user's own values allow it, decided in time. Without a limit: the ceilings. Raises PlanError where nothing is safe.
    """
    if policy.profile == "article":
        keepalive = ARTICLE
    elif limit is None:
        keepalive = _fit(policy, policy.time_ceiling, policy.intvl_ceiling, None)
    else:
        keepalive = _below(limit, policy)
    if limit is not None:
        _require_room(limit, policy)
        _require_safe(keepalive, limit, policy)
    return keepalive


def reasons(keepalive: Keepalive, limit: Limit | None, policy: Policy) -> dict[str, str]:
    """Why time, intvl and probes are what they are, one sentence each, without a full stop."""
    return {
        "time": _reason("time", keepalive.time, _two_thirds(limit, policy), policy.time_ceiling, limit, policy),
        "intvl": _reason("intvl", keepalive.intvl, _thirtieth(limit, policy), policy.intvl_ceiling, limit, policy),
        "probes": _probes_reason(keepalive, limit, policy),
    }


def _below(limit: Limit, policy: Policy) -> Keepalive:
    _require_room(limit, policy)
    room = limit.seconds - policy.margin
    time = min(policy.time_ceiling, room * 2 // 3)
    intvl = min(policy.intvl_ceiling, max(1, room // 30))
    safe = keepalive_math.without_slack(room)
    keepalive = _fit(policy, time, intvl, _Room(safe, room - 1))
    if policy.own_names and not keepalive_math.decided_in_time(keepalive, limit.seconds):
        # The user's own values leave no room for a verdict; staying below the limit matters more.
        return _fit(policy, time, intvl, _Room(safe, None))
    return keepalive


def _fit(policy: Policy, time: int, intvl: int, room: _Room | None) -> Keepalive:
    """The wished time and intvl, shrunk into the room; what the user set stays."""
    time, intvl = policy.time or time, policy.intvl or intvl
    lost, fewest = policy.lost_probes, policy.probes or policy.lost_probes + 1
    if room is None:
        return Keepalive(time, intvl, policy.probes or max(KERNEL_DEFAULT.probes, fewest))
    if policy.intvl is None:
        intvl = max(1, min(intvl, *_shares(room, time, lost, fewest)))
    if policy.time is None:
        time = max(1, min(time, room.safe - lost * intvl, (room.decided or time + fewest * intvl) - fewest * intvl))
    most = max(KERNEL_DEFAULT.probes, fewest)
    if room.decided is not None:
        most = max(fewest, min(most, (room.decided - time) // intvl))
    return Keepalive(time, intvl, policy.probes or most)


def _shares(room: _Room, time: int, lost: int, fewest: int) -> list[int]:
    """The largest intvl by each of the two bounds."""
    shares = [(room.safe - time) // lost if lost else room.safe]
    if room.decided is not None:
        shares.append((room.decided - time) // fewest)
    return shares


def _require_room(limit: Limit, policy: Policy) -> None:
    if limit.seconds < SHORTEST_LIMIT_SECONDS:
        raise PlanError(
            f"{limit.whose}: {limit.seconds} s is below {SHORTEST_LIMIT_SECONDS} s ({SHORTEST_LIMIT_REASON}). "
            f"{_how_to_raise(limit)}"
        )
    if limit.seconds - policy.margin < SHORTEST_LIMIT_SECONDS:
        raise PlanError(
            f"keepalive_margin: {policy.margin} s leaves {limit.seconds - policy.margin} s of {limit}, "
            f"below {SHORTEST_LIMIT_SECONDS} s ({SHORTEST_LIMIT_REASON}). Lower keepalive_margin."
        )


def _how_to_raise(limit: Limit) -> str:
    """Where the user said it: no plan is made for one that a node shows by itself (limits.NodeLimits.shown)."""
    if limit.node is None:
        return "Raise it there, or correct keepalive_middleboxes."
    return f"Raise it in {'keepalive_ipvs_timeouts' if limit.name == IPVS_TCP else 'keepalive_sysctls'}."


def _require_safe(keepalive: Keepalive, limit: Limit, policy: Policy) -> None:
    if limit.is_kept_by(keepalive, policy):
        return
    text = limit.sum_text(keepalive, policy)
    if policy.profile == "article":
        raise PlanError(f"keepalive_profile: article is {keepalive}: {text}. Use keepalive_profile: derived.")
    if policy.own_names:
        own = ", ".join(policy.own_names)
        raise PlanError(f"{own}: {text}. Lower {own}, or leave it unset to have it worked out.")
    raise PlanError(f"keepalive_lost_probes: {policy.lost_probes} is too many: {text}. Lower keepalive_lost_probes.")


def _two_thirds(limit: Limit | None, policy: Policy) -> tuple[int | None, str]:
    return (limit.seconds - policy.margin) * 2 // 3 if limit else None, "two thirds"


def _thirtieth(limit: Limit | None, policy: Policy) -> tuple[int | None, str]:
    return max(1, (limit.seconds - policy.margin) // 30) if limit else None, "a thirtieth"


def _reason(
    name: str, value: int, share: tuple[int | None, str], ceiling: int, limit: Limit | None, policy: Policy
) -> str:
    own = _own_reason(name, policy)
    if own or limit is None:
        return own or tell("{ceiling}: no limit asks for less", ceiling=f"keepalive_{name}_ceiling")
    room = limit.text
    if policy.margin:
        room = tell("{limit} less keepalive_margin {margin}", limit=room, margin=policy.margin)
    if value == share[0]:
        return tell("{share} of {room}", share=share[1], room=room)
    if value == ceiling:
        source = "the kernel's own value" if value == getattr(KERNEL_DEFAULT, name) else f"keepalive_{name}_ceiling"
        return tell("{source}, less than {share} of {room}", source=source, share=share[1], room=room)
    return tell("less than {share} of {room}, which leaves room for the other values", share=share[1], room=room)


def _own_reason(name: str, policy: Policy) -> str | None:
    if policy.profile == "article":
        return "keepalive_profile article"
    return tell("{name} as you set it", name=f"keepalive_{name}") if getattr(policy, name) is not None else None


def _probes_reason(keepalive: Keepalive, limit: Limit | None, policy: Policy) -> str:
    why = _own_reason("probes", policy)
    if why is None and keepalive.probes > KERNEL_DEFAULT.probes:
        why = tell("one more than keepalive_lost_probes {lost}", lost=policy.lost_probes)
    if why is None:
        why = "the kernel's own number" if keepalive.probes == KERNEL_DEFAULT.probes else "as many as fit"
    return joined("; ", [why, _given_up(keepalive.verdict_seconds, limit)])


def _given_up(after: int, limit: Limit | None) -> Message:
    if limit is None:
        return tell("a dead peer is typically given up after {seconds} s", seconds=after)
    if after < limit.seconds:
        return tell(
            "a dead peer is typically given up after {seconds} s, before {limit}", seconds=after, limit=limit.text
        )
    return tell(
        "a dead peer is typically given up after {seconds} s, not before {limit}", seconds=after, limit=limit.text
    )
