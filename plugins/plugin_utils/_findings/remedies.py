# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a program asks for keepalive itself, by its runtime. Private to this collection.

What the node itself can do is in cures.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.ipvs import GRPC_IDLE_SECONDS

GRPC_SERVER_MIN_SECONDS = 300
"""A gRPC server ends a connection that pings more often without data (too_many_pings, grpc/doc/keepalive.md)."""

_PING_SPARE_SECONDS = 30


@dataclass(frozen=True)
class Period:
    """How often to ping below a limit: whole seconds."""

    seconds: int
    limit_seconds: int

    @property
    def too_often(self) -> bool:
        """Whether the limit asks for more pings than a gRPC server takes by default."""
        return self.limit_seconds <= GRPC_SERVER_MIN_SECONDS + _PING_SPARE_SECONDS

    @property
    def short_seconds(self) -> int:
        """For what sets time and interval alike: soon enough although two probes in a row are lost."""
        return max(1, min(self.seconds, keepalive_math.without_slack(self.limit_seconds) // 3))

    @property
    def grpc_seconds(self) -> int:
        return self.seconds if self.too_often else max(self.seconds, GRPC_SERVER_MIN_SECONDS)


_SERVERS = (("Redis", 300), ("Go", 15))
"""How often servers probe by default: tcp-keepalive of redis.conf since 3.2.1, net.ListenConfig of Go since 1.13."""


def period(planned_seconds: int, limit_seconds: int) -> Period:
    """How often a program should ping: as the planned keepalive, where that is below the limit."""
    soon = planned_seconds if planned_seconds < limit_seconds else max(1, 2 * limit_seconds // 3)
    return Period(soon, limit_seconds)


def unless_probed(limit_seconds: int) -> str:
    """A probe of either end refreshes what is between them, and that of a server is not seen: the end of a sentence."""
    soon = [
        tell("{name} every {seconds} s", name=name, seconds=seconds)
        for name, seconds in _SERVERS
        if seconds < limit_seconds
    ]
    if not soon:
        return "unless the server probes"
    return tell("unless the server probes ({servers} by default)", servers=joined(", ", soon))


_LINES: dict[str, Callable[[Period], str]] = {
    "grpcio": lambda every: tell(
        "gRPC C-core (Python, C++, Ruby, PHP): channel arguments grpc.keepalive_time_ms={ms}, "
        "grpc.keepalive_permit_without_calls=1, grpc.http2.max_pings_without_data=0",
        ms=every.grpc_seconds * 1000,
    ),
    "grpc-go": lambda every: tell(
        "grpc-go: keepalive.ClientParameters{{Time: {seconds} * time.Second, PermitWithoutStream: true}}, "
        "and no dialer with KeepAlive: -1",
        seconds=every.grpc_seconds,
    ),
    "go": lambda every: tell(
        "Go: net.Dialer{{KeepAlive: {seconds} * time.Second}} (up to Go 1.22 it is the time and the "
        "interval of probes, from 1.23 on the time alone), or no KeepAlive at all for Go's own 15 s, not -1",
        seconds=every.short_seconds,
    ),
    "java": lambda every: tell(
        "Java: tcpKeepAlive=true for a JDBC driver; grpc-java keepAliveTime({grpc}, SECONDS)"
        ".keepAliveWithoutCalls(true); OkHttp pingInterval({seconds}, SECONDS) for HTTP/2",
        grpc=every.grpc_seconds,
        seconds=every.seconds,
    ),
    "node": lambda every: tell(
        "Node: socket.setKeepAlive(true, {ms}); grpc-js: channel options 'grpc.keepalive_time_ms': "
        "{grpc_ms}, 'grpc.keepalive_permit_without_calls': 1; node-postgres: keepAlive: true. "
        "ioredis, node-redis from 6, mysql2 and the MongoDB driver ask for it by themselves, unless told not to",
        ms=every.seconds * 1000,
        grpc_ms=every.grpc_seconds * 1000,
    ),
    "dotnet": lambda every: tell(
        ".NET: SocketsHttpHandler with KeepAlivePingDelay = TimeSpan.FromSeconds({seconds}) and "
        "KeepAlivePingPolicy = Always",
        seconds=every.grpc_seconds,
    ),
    "python": lambda _every: (
        "Python: redis-py before 8 socket_keepalive=True, psycopg keepalives=1, kafka-python "
        "socket_options=[(SOL_SOCKET, SO_KEEPALIVE, 1)], else sock.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1). redis-py "
        "from 8, asyncpg and PyMongo ask for it by themselves, unless told not to"
    ),
    "envoy": lambda every: tell(
        "Envoy: upstream_connection_options: {{tcp_keepalive: {{keepalive_time: {seconds}}}}} in the cluster",
        seconds=every.seconds,
    ),
}


def kind(runtime: str | None) -> str | None:
    """The runtime without its version, None where the table does not have it."""
    name = (runtime or "").partition(" ")[0]
    return name if name in _LINES else None


def programs(runtimes: Iterable[str | None], every: Period) -> str:
    """The lines of configuration in one; for a runtime that was not recognised where there are none."""
    return joined("; for ", lines(list(runtimes) or [None], every))


def lines(runtimes: Iterable[str | None], every: Period) -> list[str]:
    """One line of configuration for each different runtime, in the order of the table."""
    found = {kind(runtime) for runtime in runtimes}
    known = [line(every) for name, line in _LINES.items() if name in found]
    if None in found:
        known.append(_unknown(every))
    if every.too_often and found & set(GRPC_IDLE_SECONDS):
        known.append(_permit(every))
    return known


def _permit(every: Period) -> str:
    return tell(
        "a gRPC server: permit pings every {seconds} s (by default {default} s)",
        seconds=every.seconds,
        default=GRPC_SERVER_MIN_SECONDS,
    )


def _unknown(every: Period) -> str:
    return tell(
        "one whose runtime was not recognised: SO_KEEPALIVE on the socket, or pings of its protocol "
        "(Rust tonic: Endpoint::tcp_keepalive(Some(Duration::from_secs({seconds}))))",
        seconds=every.seconds,
    )
