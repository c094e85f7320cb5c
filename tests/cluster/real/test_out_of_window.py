# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets out of window reset a client of a port of its node, until apply cures it. The tests are one story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import DEPLOYMENTS, Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.node import MODULES
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import (
    ANSWERED,
    RESET,
    Run,
    deployed,
    identities,
    next_outcomes,
)
from ansible_collections.kubenode.connections.tests.lab.playbooks import observed
from ansible_collections.kubenode.connections.tests.proof.play import GUEST
from ansible_collections.kubenode.connections.tests.proof.tables_other import LIBERAL_KEY

TABLE = """Packets out of window, and a reboot
A client in a pod asks a port of its node; the server's pod is on the other node. After each answer the server sends one
packet ahead of the window, as under load. The owner's own cure is `nf_conntrack_tcp_be_liberal = 1` in `/etc/sysctl.d`;
nf_conntrack is loaded later than that is read. The role gets `keepalive_be_liberal: true`.
"""
BUSY = DEPLOYMENTS / "data/out-of-window.yaml"
PROGRAMS = GUEST, BUSY.with_name("busy_client.py"), DEPLOYMENTS / "client.py"
CLIENT = ("shop/client-busy-",)
OWNERS_CURE = "/etc/sysctl.d/99-owner.conf"
MODULES_AT_BOOT = "/etc/modules-load.d/cluster.conf"
LATE = ("nf_conntrack", "ip_vs", "ip_vs_rr")
SAMPLE_SECONDS = 20
"""For so long the audit counts: a few packets are out of window meanwhile."""


@pytest.fixture(name="node", scope="module", autouse=True)
def fixture_node(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The client's node, whose modules for connections are loaded by kube-proxy; afterwards at boot, as before."""
    node = cluster.nodes[0]
    vm = cluster.vm(node)
    vm.put(MODULES_AT_BOOT, "\n".join(each for each in MODULES if each not in LATE) + "\n")
    try:
        with deployed(cluster, BUSY, *PROGRAMS):
            yield node
    finally:
        Run(cluster, tmp_path_factory.mktemp("restored"))("restore")
        vm.put(MODULES_AT_BOOT, "\n".join(MODULES) + "\n")
        vm.run(["rm", "--force", OWNERS_CURE])
        vm.run(["sysctl", "-q", "-w", f"{LIBERAL_KEY}=0"])


def liberal(cluster: Cluster, node: str) -> str:
    """The value in force."""
    return cluster.run(node, ["sysctl", "-n", LIBERAL_KEY]).strip()


def answers(cluster: Cluster, count: int) -> list[str]:
    """What the client gets from now on, after a packet out of window each time."""
    return [answer for _keepalive, answer in next_outcomes(cluster, count, CLIENT)[0]]


def test_the_owners_own_cure_is_lost_at_boot(cluster: Cluster, node: str, run: Run) -> None:
    cluster.vm(node).put(OWNERS_CURE, f"{LIBERAL_KEY} = 1\n")
    cluster.reboot(node)
    assert liberal(cluster, node) == "0"
    lost = answers(cluster, 3)
    assert lost == [RESET] * 3
    run("audit", keepalive_sample_seconds=SAMPLE_SECONDS)
    assert observed("boot-module-late", run.document())
    assert observed("conntrack-invalid-grows", run.document())


def test_apply_cures_it_without_a_restart(cluster: Cluster, node: str, run: Run, record: Record) -> None:
    before = identities(cluster.pods())
    run("apply", keepalive_be_liberal=True)
    # The first question may come over a connection that was reset before.
    kept = answers(cluster, 4)[1:]
    assert kept == [ANSWERED] * 3
    assert identities(cluster.pods()) == before
    record(TABLE, "three questions, value 0 after a reboot", "Connection reset by peer", "answered", node=node)


def test_the_cure_stays_through_a_reboot(cluster: Cluster, node: str, run: Run, record: Record) -> None:
    cluster.reboot(node)
    assert liberal(cluster, node) == "1"
    kept = answers(cluster, 3)
    assert kept == [ANSWERED] * 3
    run("audit")
    assert [observed(each, run.document()) for each in ("boot-module-late", "be-liberal-not-kept")] == [[], []]
    record(TABLE, "the same after another reboot", "", "answered", node=node)
