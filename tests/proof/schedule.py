# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the kernel gives a peer up: the retransmission schedule and the keepalive sum, as pure functions."""

from __future__ import annotations

RTO_MIN_SECONDS = 0.2
RTO_MAX_SECONDS = 120.0
"""TCP_RTO_MIN and TCP_RTO_MAX, include/net/tcp.h."""


def model_seconds(retries: int) -> float:
    """What tcp_retries2 stands for: the time that so many retransmissions take at the smallest time-out.

    Source: tcp_model_timeout() in net/ipv4/tcp_timer.c; 924.6 s for 15 (Documentation/networking/ip-sysctl.rst).
    """
    return sum(min(RTO_MIN_SECONDS * 2.0**step, RTO_MAX_SECONDS) for step in range(retries + 1))


def give_up_seconds(retries: int, rto: float) -> float:
    """Seconds from sending until ETIMEDOUT for a connection whose retransmission time-out starts with rto seconds.

    The kernel looks at the clock each time the retransmission timer fires, and gives up when the time since the first
    retransmission has reached model_seconds (retransmits_timed_out() in net/ipv4/tcp_timer.c).
    """
    interval = now = first = rto
    while now - first < model_seconds(retries):
        interval = min(2 * interval, RTO_MAX_SECONDS)
        now += interval
    return now


def latest_seconds(retries: int, rto: float) -> float:
    """As give_up_seconds, with each timer as late as the timer wheel makes it: 8/63 of its length (timer.c)."""
    late = 71 / 63
    soonest = latest = 0.0
    interval = rto
    while soonest < model_seconds(retries):
        interval = min(2 * interval, RTO_MAX_SECONDS)
        soonest += interval
        latest = min(latest, model_seconds(retries)) + late * interval
    return late * rto + latest


def keepalive_seconds(time: int, intvl: int, probes: int) -> int:
    """Seconds of silence after which an idle connection to a dead peer is given up (tcp_keepalive_timer())."""
    return time + intvl * probes
