# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many connections will soon be forgotten if they stay idle. Pure. Private to this collection."""

from typing import Dict, List

WITHIN_SECONDS = (60, 300, 900)
"""The questions: how many connections will be cut within so many seconds."""


class Counter:
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
