# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README's failures look like to those who meet them, by real programs in pods, and what its two commands do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import DEPLOYMENTS, Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import label, node_of
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import (
    ANSWERED,
    KERNEL,
    PLANNED,
    RESET,
    Run,
    at_risk,
    deployed,
    identities,
    next_outcomes,
)
from ansible_collections.kubenode.connections.tests.proof.model import RESET_WORDS
from ansible_collections.kubenode.connections.tests.proof.play import GUEST

DATA = DEPLOYMENTS / "data/data.yaml"
PROGRAMS = GUEST, DATA.with_name("program.py"), DEPLOYMENTS / "client.py"
FORGOTTEN = """Real programs, idle for longer than IPVS remembers
Each client asks, is idle for 15 s, and asks again over the same connection. psql asks for keepalive, as libpq does.
redis-py and gRPC never ask: they need `keepalive_enforce: true`. The collector is a DaemonSet with `hostNetwork`."""
ASKS = ("shop/psql-",)
NEVER_ASK = ("shop/redis-py-", "shop/grpc-client-")


@pytest.fixture(name="data", scope="module", autouse=True)
def fixture_data(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """PostgreSQL, Redis, gRPC, and their clients. Their programs are those of the lab's machines."""
    cluster.vm(cluster.nodes[0])
    with deployed(cluster, DATA, *PROGRAMS):
        yield
        Run(cluster, tmp_path_factory.mktemp("reports"))("restore")


def collectors(cluster: Cluster) -> tuple[str, ...]:
    """The pods of the DaemonSet, one on each node."""
    found = {node_of(pod): label(pod) for pod in cluster.pods() if label(pod).startswith("shop/collector-")}
    return tuple(found[node] for node in cluster.nodes)


def is_reset(answer: str) -> bool:
    """Whether a client says so, in whatever words."""
    return answer == RESET or RESET_WORDS.holds([{"got": answer}])


def test_programs_that_ask_for_keepalive_are_cured_by_apply(cluster: Cluster, run: Run, record: Record) -> None:
    clients = (*ASKS, *collectors(cluster))
    lost = next_outcomes(cluster, 1, clients)
    assert all(values == KERNEL and is_reset(answer) for ((values, answer),) in lost)
    before = identities(cluster.pods())
    run("audit")
    assert [run.unsafe(node) for node in cluster.nodes] == [at_risk(cluster.pods(), node) for node in cluster.nodes]
    run("apply")
    # The first question may come over a connection that IPVS had forgotten before.
    kept = [said[1:] for said in next_outcomes(cluster, 2, clients)]
    assert kept == [[(PLANNED, ANSWERED)]] * len(clients)
    assert identities(cluster.pods()) == before
    for words, client, *seen in zip(("psql", "the collector", "the collector"), clients, lost, kept, strict=True):
        record(FORGOTTEN, words, *seen, node=node_of(cluster.pod(client)))


def test_programs_that_never_ask_are_cured_by_enforcement(cluster: Cluster, run: Run, record: Record) -> None:
    run("apply")
    lost = next_outcomes(cluster, 1, NEVER_ASK)
    assert all(values == PLANNED and is_reset(answer) for ((values, answer),) in lost)
    before = identities(cluster.pods())
    run("apply", keepalive_enforce=True, keepalive_open_connections="all")
    kept = [said[1:] for said in next_outcomes(cluster, 2, NEVER_ASK)]
    assert kept == [[(PLANNED, ANSWERED)]] * len(NEVER_ASK)
    assert identities(cluster.pods()) == before
    for words, client, *seen in zip(("redis-py", "gRPC (Python)"), NEVER_ASK, lost, kept, strict=True):
        record(FORGOTTEN, words, *seen, node=node_of(cluster.pod(client)))
