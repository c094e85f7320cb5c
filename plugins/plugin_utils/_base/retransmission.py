# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long TCP repeats unanswered data before it gives a dead peer up. Private to this collection."""

from __future__ import annotations

import bisect
import functools

from .checked_values import Range
from .keepalive_math import with_slack
from .messages import Message, tell

# TCP_RTO_MIN (HZ / 5) and TCP_RTO_MAX (120 * HZ) in include/net/tcp.h, in milliseconds.
_FIRST_MS = 200
_LONGEST_MS = 120_000
_DOUBLINGS = (_LONGEST_MS // _FIRST_MS).bit_length() - 1

_SHORTEST_RTO_MS = _FIRST_MS + 1
"""The smoothed round-trip time is added to TCP_RTO_MIN and the sum rounded up to a tick (__tcp_set_rto)."""

LOCAL_RTO_MS = 210
"""What a time-out is at most where the round trip takes no longer than 10 ms, or a tick: within a region."""

_RTO_STEPS_MS = (LOCAL_RTO_MS, 250, 300, 400, 600, 1000, 2000, 3000)

KERNEL_RETRIES2 = 15
"""TCP_RETR2 in include/net/tcp.h."""

LOWEST_RETRIES2 = 3
"""TCP_RETR1: with fewer the kernel would give up before it asks for another route, after 1.4 s and less."""


def detection_ms(retries2: int) -> int:
    """After how many milliseconds at the earliest the kernel gives unanswered data up, for tcp_retries2 (0 to 255).

    The kernel compares the time since its first repetition with this sum of waits, each twice the one before, from
    200 ms to at most 120 s (tcp_model_timeout in net/ipv4/tcp_timer.c). Its documentation calls the sum hypothetical
    and a lower bound: the verdict falls at the first timer after it, and on a slow path the waits are longer.
    """
    doubled = min(retries2, _DOUBLINGS)
    return ((2 << doubled) - 1) * _FIRST_MS + (retries2 - doubled) * _LONGEST_MS


@functools.lru_cache(maxsize=4096)
def latest_ms(retries2: int, rto_ms: int) -> int:
    """After how many milliseconds at the latest it does, on a connection with that retransmission time-out or less.

    A shorter time-out may be the later one: its timers miss the sum by a hair, and wait once more.
    """
    model_ms = detection_ms(retries2)
    shorter = range(min(_SHORTEST_RTO_MS, rto_ms), rto_ms)
    enough = (
        bisect.bisect_left(shorter, model_ms, key=functools.partial(_soonest_ms, timers))
        for timers in range(1, retries2 + 2)
    )
    missing_by_a_hair = {shorter[at - 1] for at in enough if at > 0}
    return max(_latest_ms(model_ms, rto) for rto in {rto_ms, *missing_by_a_hair})


def _soonest_ms(timers: int, rto_ms: int) -> int:
    """How long so many waits after the first repetition take, none of them late."""
    return sum(min(rto_ms << number, _LONGEST_MS) for number in range(1, timers + 1))


def _latest_ms(model_ms: int, rto_ms: int) -> int:
    """The kernel looks at the clock when its timer fires, at doubling intervals, each of them late by its slack."""
    soonest = latest = 0
    wait = rto_ms
    while soonest < model_ms:
        wait = min(2 * wait, _LONGEST_MS)
        soonest += wait
        latest = min(latest, model_ms) + with_slack(wait)
    return with_slack(rto_ms) + latest


def planning_rto_ms(seen_ms: int | None) -> int:
    """The time-out to reckon with: the one that was seen, rounded up to one of few, so that a plan does not waver."""
    seen = seen_ms or 0
    return next((step for step in _RTO_STEPS_MS if seen <= step), seen)


def retries2_for(seconds: int, rto_ms: int = LOCAL_RTO_MS) -> int:
    """The largest tcp_retries2 that surely gives up within ``seconds``, between the lowest and the kernel's."""
    values = range(LOWEST_RETRIES2, KERNEL_RETRIES2 + 1)
    return max((value for value in values if latest_ms(value, rto_ms) <= seconds * 1000), default=LOWEST_RETRIES2)


def detection_text(retries2: int, rto_ms: int = LOCAL_RTO_MS) -> Message:
    """Both bounds in words: ``between 102 and 122 s``."""
    soonest, latest = detection_ms(retries2) // 1000, -(-latest_ms(retries2, rto_ms) // 1000)
    return tell("between {soonest} and {latest} s", soonest=soonest, latest=latest)


DETECTION_SECONDS = Range(
    -(-latest_ms(LOWEST_RETRIES2, LOCAL_RTO_MS) // 1000),
    -(-latest_ms(KERNEL_RETRIES2, LOCAL_RTO_MS) // 1000),
    f"what tcp_retries2 {KERNEL_RETRIES2}, the kernel's own, comes to at most",
    f"what tcp_retries2 {LOWEST_RETRIES2}, the lowest that is set here, comes to at most",
)
"""Detection times that can be had, in seconds."""
