# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection on a real cluster, as a user meets it. The tests are one story, each begins where the last ended."""

from __future__ import annotations

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import label
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
from ansible_collections.kubenode.connections.tests.lab.playbooks import observed

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
DROP_IN = "/run/systemd/system/kubelet.service.d/standalone.conf"
STANDALONE = f"""
mkdir -p $(dirname {DROP_IN})
exec >{DROP_IN}
echo '[Service]'
echo 'ExecStart='
sed -n 's/ --kubeconfig=[^ ]*/ --authentication-token-webhook=false --authorization-mode=AlwaysAllow/p' \\
    /etc/systemd/system/kubelet.service
systemctl daemon-reload
systemctl restart kubelet.service
"""
"""kubelet runs static pods alone."""
WITH_API_SERVER = f"""
rm {DROP_IN}
systemctl daemon-reload
systemctl restart kubelet.service
"""


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


def test_a_pod_made_later_is_at_risk_and_enforcement_cures_it(cluster: Cluster, run: Run) -> None:
    cluster.roll_out("client-one")
    assert next_outcomes(cluster, 1, CLIENTS[:1]) == [[(KERNEL, RESET)]]
    run("apply", keepalive_enforce=True, keepalive_pods=False)
    cluster.roll_out("client-one")
    assert next_outcomes(cluster, 2, CLIENTS[:1]) == [[(KERNEL, ANSWERED)] * 2]
    run("apply")


def test_pods_made_later_begin_with_the_keepalive_by_the_cni_plugin(cluster: Cluster, run: Run) -> None:
    run(POD_DEFAULTS)
    assert cluster.keepalive(cluster.roll_out("client-two")) == PLANNED
    assert next_outcomes(cluster, 2, CLIENTS[1:2]) == [[(PLANNED, ANSWERED)] * 2]


def test_after_a_reboot_node_and_pods_are_safe(cluster: Cluster, run: Run) -> None:
    newer = cluster.nodes[-1]
    cluster.reboot(newer)
    run("verify")
    pods = [pod for pod in cluster.pods() if label(pod) in at_risk(cluster.pods(), newer)]
    assert {cluster.keepalive(pod) for pod in pods} == {PLANNED}
    assert next_outcomes(cluster, 2, CLIENTS[:1]) == [[(PLANNED, ANSWERED)] * 2]


def test_restore_gives_everything_back(cluster: Cluster, run: Run) -> None:
    assert cluster.keepalive(cluster.pod("shop/web-a-")) == PLANNED
    run("restore")
    run(NO_POD_DEFAULTS)
    assert cluster.keepalive(cluster.pod("shop/web-a-")) == KERNEL
    assert cluster.keepalive(cluster.roll_out("client-one")) == KERNEL
    assert next_outcomes(cluster, 1, CLIENTS[:1]) == [[(KERNEL, RESET)]]


def test_a_kubelet_without_an_api_server_is_not_warned_of_one(cluster: Cluster, run: Run) -> None:
    older = cluster.nodes[0]
    run("audit", keepalive_hosts=older)
    assert observed("kubelet-check-slow", run.document())
    try:
        cluster.run(older, ["sh", "-ec", STANDALONE])
        run("audit", keepalive_hosts=older)
        assert observed("kubelet-check-slow", run.document()) == []
    finally:
        cluster.run(older, ["sh", "-ec", WITH_API_SERVER])
