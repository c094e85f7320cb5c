# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods made after an apply, by each way that gives them keepalive, through a reboot. One story: in this order."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import label
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import (
    ANSWERED,
    CLIENTS,
    KERNEL,
    PLANNED,
    RESET,
    Run,
    at_risk,
    next_outcomes,
)

POD_DEFAULTS = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: kubenode.connections.keepalive, tasks_from: audit}
    - ansible.builtin.include_role: {name: kubenode.connections.pod_defaults}
"""
NO_POD_DEFAULTS = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: kubenode.connections.pod_defaults, tasks_from: restore}
"""
MANIFESTS = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: kubenode.connections.keepalive, tasks_from: audit}
    - ansible.builtin.include_role: {name: kubenode.connections.pod_defaults}
      vars: {pod_defaults_way: manifests, pod_defaults_manifests_dir: FOLDER}
"""


TABLE = """Pods made after the apply
The same clients, in pods that were created afterwards."""
ONE = CLIENTS[:1]


def test_a_pod_made_after_an_apply_is_at_risk_and_enforcement_cures_it(
    cluster: Cluster, run: Run, record: Record
) -> None:
    run("apply")
    cluster.roll_out("client-one")
    (lost,) = next_outcomes(cluster, 1, ONE)
    assert lost == [(KERNEL, RESET)]
    run("apply", keepalive_enforce=True, keepalive_pods=False)
    cluster.roll_out("client-one")
    (kept,) = next_outcomes(cluster, 2, ONE)
    assert kept == [(KERNEL, ANSWERED)] * 2
    record(TABLE, "enforced keepalive, keepalive_enforce", lost, kept, node=cluster.nodes[-1])
    run("apply")


def test_pods_made_later_begin_with_the_keepalive_by_the_cni_plugin(cluster: Cluster, run: Run, record: Record) -> None:
    run(POD_DEFAULTS)
    assert cluster.keepalive(cluster.roll_out("client-two")) == PLANNED
    (kept,) = next_outcomes(cluster, 2, CLIENTS[1:2])
    assert kept == [(PLANNED, ANSWERED)] * 2
    record(TABLE, "CNI plugin tuning, role pod_defaults", "", kept, node=cluster.nodes[0])


def test_after_a_reboot_node_and_pods_are_safe(cluster: Cluster, run: Run, record: Record) -> None:
    newer = cluster.nodes[-1]
    cluster.reboot(newer)
    run("verify")
    pods = [pod for pod in cluster.pods() if label(pod) in at_risk(cluster.pods(), newer)]
    assert {cluster.keepalive(pod) for pod in pods} == {PLANNED}
    (kept,) = next_outcomes(cluster, 2, ONE)
    assert kept == [(PLANNED, ANSWERED)] * 2
    record(TABLE, "the node rebooted, then verify", "", kept, node=newer)


def test_restore_gives_everything_back(cluster: Cluster, run: Run, record: Record) -> None:
    assert cluster.keepalive(cluster.pod("shop/web-a-")) == PLANNED
    run("restore")
    run(NO_POD_DEFAULTS)
    assert cluster.keepalive(cluster.pod("shop/web-a-")) == KERNEL
    assert cluster.keepalive(cluster.roll_out("client-one")) == KERNEL
    (lost,) = next_outcomes(cluster, 1, ONE)
    assert lost == [(KERNEL, RESET)]
    record(TABLE, "restore", "", lost, node=cluster.nodes[-1])


def test_a_patch_of_the_manifest_gives_its_pods_the_keepalive(
    cluster: Cluster, run: Run, record: Record, tmp_path: Path
) -> None:
    run(MANIFESTS.replace("FOLDER", str(tmp_path)))
    patch = ["patch", "--namespace=shop", "deployment/client-one"]
    cluster.kubectl(*patch, f"--patch={(tmp_path / 'pod-sysctls-patch.yaml').read_text()}")
    cluster.until_pods_run()
    (kept,) = next_outcomes(cluster, 2, ONE)
    assert kept == [(PLANNED, ANSWERED)] * 2
    record(TABLE, "a patch of the manifest, pod_defaults_way: manifests", "", kept, node=cluster.nodes[-1])
    cluster.kubectl(*patch, "--type=json", '--patch=[{"op": "remove", "path": "/spec/template/spec/securityContext"}]')
    cluster.until_pods_run()
    assert cluster.keepalive(cluster.pod("shop/client-one-")) == KERNEL
