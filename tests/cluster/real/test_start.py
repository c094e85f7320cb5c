# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README's Start on a real cluster: whom the audit names, and what apply and restore make of pods that run."""

from __future__ import annotations

import re

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
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


def test_the_audit_names_exactly_the_pods_at_risk(cluster: Cluster, run: Run) -> None:
    before = identities(cluster.pods())
    printed = " ".join(run("audit").split())
    for name in cluster.nodes:
        expected = at_risk(cluster.pods(), name)
        assert run.unsafe(name) == expected
        assert all(name in printed for name in expected)
    assert identities(cluster.pods()) == before


def test_apply_cures_running_pods_without_a_restart(cluster: Cluster, run: Run) -> None:
    *lost, kept = next_outcomes(cluster, 1, (*CLIENTS, TUNED))
    assert (lost, kept) == ([[(KERNEL, RESET)]] * len(CLIENTS), [(ON_PURPOSE, ANSWERED)])
    before = identities(cluster.pods())
    run("apply")
    # The first question may come over a connection that IPVS had forgotten before.
    assert [said[1] for said in next_outcomes(cluster, 2)] == [(PLANNED, ANSWERED)] * len(CLIENTS)
    assert identities(cluster.pods()) == before
    run("audit")
    assert [run.unsafe(name) for name in cluster.nodes] == [set(), set()]


def test_a_second_apply_changes_nothing_and_restore_gives_everything_back(cluster: Cluster, run: Run) -> None:
    assert set(re.findall(r"changed=(\d+)", run("apply"))) == {"0"}
    run("restore")
    assert {cluster.keepalive(cluster.pod(client)) for client in CLIENTS} == {KERNEL}
    run("audit")
    assert all(run.unsafe(name) == at_risk(cluster.pods(), name) for name in cluster.nodes)
