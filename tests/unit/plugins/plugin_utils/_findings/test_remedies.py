# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive, is_safe
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.remedies import Period, kind, lines

EVERY = Period(600, 900)


@pytest.mark.parametrize(
    ("runtime", "known"),
    [
        pytest.param("grpc-go 1.59.0", "grpc-go", id="with a version"),
        pytest.param("java", "java", id="without one"),
        pytest.param("cobol", None, id="not in the table"),
        pytest.param(None, None, id="not recognised"),
    ],
)
def test_the_runtime_without_its_version(runtime, known):
    assert kind(runtime) == known


@pytest.mark.parametrize(
    ("period", "grpc", "too_often"),
    [
        pytest.param(Period(600, 900), 600, False, id="a limit of IPVS"),
        pytest.param(Period(233, 350), 300, False, id="no more often than a gRPC server takes"),
        pytest.param(Period(220, 331), 300, False, id="just long enough for that"),
        pytest.param(Period(220, 330), 220, True, id="a second shorter"),
    ],
)
def test_how_often_a_grpc_channel_pings(period, grpc, too_often):
    assert (period.grpc_seconds, period.too_often) == (grpc, too_often)


@pytest.mark.parametrize(
    ("runtimes", "said"),
    [
        pytest.param(
            ["go"],
            [
                (
                    "Go: net.Dialer{KeepAlive: 266 * time.Second} (up to Go 1.22 it is the time and the interval of "
                    "probes, "
                    "from 1.23 on the time alone), or no KeepAlive at all for Go's own 15 s, not -1"
                )
            ],
            id="Go",
        ),
        pytest.param(
            ["java", "java 17"],
            [
                (
                    "Java: tcpKeepAlive=true for a JDBC driver; grpc-java keepAliveTime(600, SECONDS)"
                    ".keepAliveWithoutCalls(true); OkHttp pingInterval(600, SECONDS) for HTTP/2"
                )
            ],
            id="Java, once",
        ),
        pytest.param(
            ["dotnet"],
            [
                (
                    ".NET: SocketsHttpHandler with KeepAlivePingDelay = TimeSpan.FromSeconds(600) and "
                    "KeepAlivePingPolicy = Always"
                )
            ],
            id=".NET",
        ),
        pytest.param(
            ["python", None],
            [
                (
                    "Python: redis-py before 8 socket_keepalive=True, psycopg keepalives=1, kafka-python "
                    "socket_options=[(SOL_SOCKET, SO_KEEPALIVE, 1)], else sock.setsockopt(SOL_SOCKET, SO_KEEPALIVE, "
                    "1). "
                    "redis-py from 8, asyncpg and PyMongo ask for it by themselves, unless told not to"
                ),
                (
                    "one whose runtime was not recognised: SO_KEEPALIVE on the socket, or pings of its protocol (Rust "
                    "tonic: Endpoint::tcp_keepalive(Some(Duration::from_secs(600))))"
                ),
            ],
            id="Python, and one that is not known last",
        ),
        pytest.param(
            ["envoy"],
            ["Envoy: upstream_connection_options: {tcp_keepalive: {keepalive_time: 600}} in the cluster"],
            id="Envoy",
        ),
    ],
)
def test_what_to_configure(runtimes, said):
    assert lines(runtimes, EVERY) == said


@pytest.mark.parametrize("limit", [10, 60, 240, 350, 900, 86400])
def test_what_go_sets_for_time_and_interval_alike_survives_two_lost_probes(limit):
    short = Period(2 * limit // 3, limit).short_seconds
    assert is_safe(Keepalive(short, short, 9), limit)


def test_drivers_that_ask_by_themselves_are_named():
    (node,) = lines(["node"], EVERY)
    assert node.endswith(
        "; node-postgres: keepAlive: true. ioredis, node-redis from 6, mysql2 and the MongoDB driver ask for it by "
        "themselves, unless told not to"
    )
