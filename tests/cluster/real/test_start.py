# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README's Start on a real cluster: whom the audit names, and what apply and restore make of pods that run."""

from __future__ import annotations

import re

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import node_of
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import (
    ANSWERED,
    CLIENTS,
    KERNEL,
    ON_PURPOSE,
    PLANNED,
    RESET,
    TUNED,
    Run,
    at_risk,
    identities,
    next_outcomes,
)

TABLE = """Start
Two commands: audit and apply. Clients ask over one connection, are idle for 15 s, and ask again."""
WAYS = ("a Service with one endpoint", "a Service with two endpoints", "a Service with IPv6", "a port of the node")


def test_the_audit_names_exactly_the_pods_at_risk(cluster: Cluster, run: Run, record: Record) -> None:
    before = identities(cluster.pods())
    printed = " ".join(run("audit").split())
    for name in cluster.nodes:
        expected = at_risk(cluster.pods(), name)
        assert run.unsafe(name) == expected
        assert all(name in printed for name in expected)
        record(TABLE, "pods that the audit calls unsafe", f"{len(expected)}, by name: all and no others", node=name)
    assert identities(cluster.pods()) == before


def test_apply_cures_running_pods_without_a_restart(cluster: Cluster, run: Run, record: Record) -> None:
    *lost, on_purpose = next_outcomes(cluster, 1, (*CLIENTS, TUNED))
    assert (lost, on_purpose) == ([[(KERNEL, RESET)]] * len(CLIENTS), [(ON_PURPOSE, ANSWERED)])
    before = identities(cluster.pods())
    run("apply")
    # The first question may come over a connection that IPVS had forgotten before.
    kept = [said[1:] for said in next_outcomes(cluster, 2)]
    assert kept == [[(PLANNED, ANSWERED)]] * len(CLIENTS)
    assert identities(cluster.pods()) == before
    run("audit")
    assert [run.unsafe(name) for name in cluster.nodes] == [set(), set()]
    for way, client, *seen in zip(WAYS, CLIENTS, lost, kept, strict=True):
        record(TABLE, f"idle over {way}", *seen, node=node_of(cluster.pod(client)))


def test_a_second_apply_changes_nothing_and_restore_gives_everything_back(cluster: Cluster, run: Run) -> None:
    assert set(re.findall(r"changed=(\d+)", run("apply"))) == {"0"}
    run("restore")
    assert {cluster.keepalive(cluster.pod(client)) for client in CLIENTS} == {KERNEL}
    run("audit")
    assert all(run.unsafe(name) == at_risk(cluster.pods(), name) for name in cluster.nodes)
