# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How soon TCP would repeat data on the connections of a network namespace: pure. Private to this collection.

That is the retransmission time-out: the smoothed round-trip time and 200 ms or more (tcp_set_rto in the kernel's
net/ipv4/tcp_input.c). A dead peer is given up the later the longer it is.
"""

from typing import Dict, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket

_EXACT_BITS = 6
_PERCENT = 95


class RoundTrips:
    """The retransmission time-outs seen so far, in a number of steps that does not grow with the sockets."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: Dict[int, int] = {}

    def add(self, found: Socket) -> None:
        """Count a socket to another address; where data is under way, the time-out may be a doubled one."""
        if found.rto_ms is None or found.timer not in (inet_diag.TIMER_NONE, inet_diag.TIMER_KEEPALIVE):
            return
        if found.local == found.remote:
            return
        width = 1 << max(found.rto_ms.bit_length() - _EXACT_BITS, 0)
        step = -(-found.rto_ms // width) * width
        self._steps[step] = self._steps.get(step, 0) + 1

    def summary(self) -> Optional[Dict[str, int]]:
        """How many sockets, and in milliseconds, rounded up: what 95 of 100 of them stay within, and the longest."""
        sockets = sum(self._steps.values())
        seen = 0
        for step in sorted(self._steps):
            seen += self._steps[step]
            if seen * 100 >= sockets * _PERCENT:
                return {"sockets": sockets, "p95_ms": step, "max_ms": max(self._steps)}
        return None
