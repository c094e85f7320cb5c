# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long TCP repeats unanswered data before it gives a dead peer up. Private to this collection."""

from __future__ import annotations

from .checked_values import Range

# TCP_RTO_MIN (HZ / 5) and TCP_RTO_MAX (120 * HZ) in include/net/tcp.h, in milliseconds.
_FIRST_MS = 200
_LONGEST_MS = 120_000
_DOUBLINGS = (_LONGEST_MS // _FIRST_MS).bit_length() - 1

KERNEL_RETRIES2 = 15
"""TCP_RETR2 in include/net/tcp.h."""

LOWEST_RETRIES2 = 3
"""TCP_RETR1: with fewer the kernel would give up before it asks for another route, after 1.4 s and less."""


def detection_ms(retries2: int) -> int:
    """After how many milliseconds without an answer data makes the kernel give up, for tcp_retries2 (0 to 255).

    The kernel compares the time since its first repetition with this sum of waits, each twice the one before, from
    200 ms to at most 120 s (tcp_model_timeout in net/ipv4/tcp_timer.c). Its documentation calls the sum hypothetical
    and a lower bound: the verdict falls at the first timer after it, and on a slow path the waits are longer.
    """
    doubled = min(retries2, _DOUBLINGS)
    return ((2 << doubled) - 1) * _FIRST_MS + (retries2 - doubled) * _LONGEST_MS


def retries2_for(seconds: int) -> int:
    """The largest tcp_retries2 that gives up within ``seconds`` (of DETECTION_SECONDS), never above the kernel's."""
    values = range(LOWEST_RETRIES2, KERNEL_RETRIES2 + 1)
    return max(value for value in values if detection_ms(value) <= seconds * 1000)


def detection_text(retries2: int) -> str:
    """detection_ms in words."""
    return f"{detection_ms(retries2) / 1000:.1f} s"


DETECTION_SECONDS = Range(
    -(-detection_ms(LOWEST_RETRIES2) // 1000),
    -(-detection_ms(KERNEL_RETRIES2) // 1000),
    f"what tcp_retries2 {KERNEL_RETRIES2}, the kernel's own, comes to",
    f"what tcp_retries2 {LOWEST_RETRIES2}, the lowest that is set here, comes to",
)
"""Detection times that can be had, in seconds."""
