# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When gRPC channels without calls close themselves. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable

GRPC_TIMER_SECONDS = 60
"""More than a busy program's own timers are late by; the slack of the kernel's timer wheel is no measure for them."""

GRPC_IDLE_SECONDS = {"grpcio": 2 * 1800, "grpc-go": 1800, "java": 1800, "node": 1800}
"""After how many seconds at most without a call a gRPC channel closes its connection, by default.

30 minutes each. C-core looks only every 30 minutes whether there was a call since (idle_filter_state.cc, CheckTimer),
so that it may take twice as long; grpc-go, grpc-java and grpc-js count from the last call. An old C-core never does it.
"""


def grpc_idle_seconds(runtimes: Iterable[str | None]) -> int | None:
    """After how many seconds without a call the last gRPC channel of these has surely closed, None without gRPC."""
    found = [
        GRPC_IDLE_SECONDS[name]
        for runtime in runtimes
        if (name := (runtime or "").partition(" ")[0]) in GRPC_IDLE_SECONDS
    ]
    return max(found) + GRPC_TIMER_SECONDS if found else None
