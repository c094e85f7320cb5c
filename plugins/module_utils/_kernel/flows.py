# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections of any table of the kernel: their ends, how many are cut when, the largest of many. Private to this
collection."""

import heapq
from typing import Any, Dict, List, Tuple

Address = Tuple[bytes, int]
"""A packed IP address (4 or 16 bytes) and a port."""

WITHIN_SECONDS = (60, 300, 900)
"""The questions: how many connections will be cut within so many seconds."""


class SecondsLeft:
    """Counts connections by the seconds that are left of them."""

    __slots__ = ("_by_second",)

    def __init__(self) -> None:
        self._by_second: List[int] = [0] * (WITHIN_SECONDS[-1] + 1)

    def add(self, seconds: int) -> None:
        """Count one connection with so many seconds left (0 or more)."""
        if seconds <= WITHIN_SECONDS[-1]:
            self._by_second[seconds] += 1

    def within(self) -> Dict[str, int]:
        """The connections that have at most 60, 300 and 900 seconds left, each number as text for JSON."""
        return {str(limit): sum(self._by_second[: limit + 1]) for limit in WITHIN_SECONDS}


def keep_largest(heap: List[Any], new: Any, most: int) -> None:
    """Add to a heap of the largest, so many at most."""
    if len(heap) < most:
        heapq.heappush(heap, new)
    elif new > heap[0]:
        heapq.heapreplace(heap, new)


def endpoint(address: str, port: int) -> str:
    """10.96.0.10:80 or [fd00:96::10]:80."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
