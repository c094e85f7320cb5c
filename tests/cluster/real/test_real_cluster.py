# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection on a real cluster, as a user meets it. The tests are one story, each begins where the last ended."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import NODES, Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import Object, container_id, label, node_of
from ansible_collections.kubenode.connections.tests.lab.playbooks import NODE_ITSELF, observed, rows_of
from ansible_collections.kubenode.connections.tests.proof.model import DERIVED
from ansible_collections.kubenode.connections.tests.proof.play import ansible_playbook

KERNEL = "7200/75/9"
PLANNED = "/".join(map(str, DERIVED))
ON_PURPOSE = "5/1/3"
"""Of the pod whose owner set safe values."""
CLIENTS = ("shop/client-one-", "shop/client-two-")
TUNED = "shop/tuned-"
ANSWERED, RESET = "answered", "ConnectionResetError"
WAIT_SECONDS = 300
OLDER, NEWER = NODES
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


class Run:
    """A run of a playbook over both nodes: what it printed, and its report."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder

    def __call__(self, playbook: str, **variables: Any) -> str:
        """One of the collection's by its name, or the text of one."""
        name = f"kubenode.connections.{playbook}"
        if "\n" in playbook:
            name = str(self.folder / "playbook.yml")
            Path(name).write_text(playbook)
        given = {"keepalive_report_dir": str(self.folder), "keepalive_report_formats": ["json"], **variables}
        return ansible_playbook(self.cluster.inventory, name, given)

    def document(self) -> dict[str, Any]:
        """The last report."""
        return dict(json.loads((self.folder / "report.json").read_text()))

    def unsafe(self, node: str) -> set[str]:
        """Whom the last report calls unsafe on a node, without the node itself."""
        rows = next(rows_of(each) for each in self.document()["nodes"] if each["name"] == node)
        return {name for name, row in rows.items() if row["verdict"] == "unsafe"} - {NODE_ITSELF}


@pytest.fixture(name="cluster", scope="module")
def fixture_cluster() -> Iterator[Cluster]:
    """The cluster; one that runs already is used and left running."""
    cluster = Cluster()
    found = cluster.is_up
    try:
        cluster.up()
        yield cluster
    finally:
        if not found:
            cluster.down()


@pytest.fixture(name="run")
def fixture_run(cluster: Cluster, tmp_path: Path) -> Run:
    """Run a playbook."""
    return Run(cluster, tmp_path)


def at_risk(pods: list[Object], node: str) -> set[str]:
    """Pods of a node with a network namespace of their own, whose keepalive nobody has set."""
    specs = {label(pod): pod["spec"] for pod in pods if node_of(pod) == node}
    return {
        name
        for name, spec in specs.items()
        if not spec.get("hostNetwork") and not (spec.get("securityContext") or {}).get("sysctls")
    }


def identities(pods: list[Object]) -> dict[str, tuple[str, str, int]]:
    """By which a restart would show."""
    return {
        label(pod): (pod["metadata"]["uid"], container_id(pod), pod["status"]["containerStatuses"][0]["restartCount"])
        for pod in pods
    }


def outcomes(cluster: Cluster, client: str, since: float, count: int) -> list[tuple[str, str]]:
    """Keepalive and answer of the next idle times of a client that begin after a moment."""
    pod = cluster.pod(client)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        said = [each for each in cluster.log(pod) if each.get("began", 0) > since]
        if len(said) >= count:
            return [(each["keepalive"], each["answer"]) for each in said[:count]]
        time.sleep(1)
    raise AssertionError(f"{label(pod)}: fewer than {count} idle times in {WAIT_SECONDS} s: {cluster.log(pod)}")


def now(cluster: Cluster, client: str) -> float:
    """The time by the clock of a client's node."""
    return float(cluster.vm(node_of(cluster.pod(client))).run(["date", "+%s.%N"]).stdout)


def next_outcomes(cluster: Cluster, count: int, clients: tuple[str, ...] = CLIENTS) -> list[list[tuple[str, str]]]:
    """The same of clients, from now on."""
    moments = {client: now(cluster, client) for client in clients}
    return [outcomes(cluster, client, moment, count) for client, moment in moments.items()]


def test_the_audit_names_exactly_the_pods_at_risk(cluster: Cluster, run: Run) -> None:
    before = identities(cluster.pods())
    printed = " ".join(run("audit").split())
    for name in NODES:
        expected = at_risk(cluster.pods(), name)
        assert run.unsafe(name) == expected
        assert all(name in printed for name in expected)
    assert identities(cluster.pods()) == before


def test_apply_cures_running_pods_without_a_restart(cluster: Cluster, run: Run) -> None:
    *lost, kept = next_outcomes(cluster, 1, (*CLIENTS, TUNED))
    assert (lost, kept) == ([[(KERNEL, RESET)]] * 2, [(ON_PURPOSE, ANSWERED)])
    before = identities(cluster.pods())
    run("apply")
    # The first question may come over a connection that IPVS had forgotten before.
    assert [said[1] for said in next_outcomes(cluster, 2)] == [(PLANNED, ANSWERED)] * 2
    assert identities(cluster.pods()) == before
    run("audit")
    assert [run.unsafe(name) for name in NODES] == [set(), set()]


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
    assert next_outcomes(cluster, 2, CLIENTS[1:]) == [[(PLANNED, ANSWERED)] * 2]


def test_after_a_reboot_node_and_pods_are_safe(cluster: Cluster, run: Run) -> None:
    cluster.reboot(NEWER)
    run("verify")
    pods = [pod for pod in cluster.pods() if label(pod) in at_risk(cluster.pods(), NEWER)]
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
    run("audit", keepalive_hosts=OLDER)
    assert observed("kubelet-check-slow", run.document())
    try:
        cluster.vm(OLDER).run(["sh", "-ec", STANDALONE])
        run("audit", keepalive_hosts=OLDER)
        assert observed("kubelet-check-slow", run.document()) == []
    finally:
        cluster.vm(OLDER).run(["sh", "-ec", WITH_API_SERVER])
