# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the cluster ask of it: run a playbook, whom its report names, what idle clients saw."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import Object, container_id, label, node_of
from ansible_collections.kubenode.connections.tests.lab.playbooks import NODE_ITSELF, rows_of
from ansible_collections.kubenode.connections.tests.proof.model import DERIVED
from ansible_collections.kubenode.connections.tests.proof.play import ansible_playbook

KERNEL = "7200/75/9"
PLANNED = "/".join(map(str, DERIVED))
ON_PURPOSE = "5/1/3"
"""Of the pod whose owner set safe values."""
CLIENTS = tuple(f"shop/client-{name}-" for name in ("one", "two", "six", "port"))
"""On the newer node but the second; by IPv6; by a port of the nodes."""
TUNED = "shop/tuned-"
ANSWERED, RESET = "answered", "ConnectionResetError"
WAIT_SECONDS = 300
STANDSTILL_SECONDS = 1.5
"""A machine that stood still for longer is no measure of timers that are seconds long."""


class Run:
    """A run of a playbook over both nodes: what it printed, and its report."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder

    def __call__(self, playbook: str, *options: str, **variables: Any) -> str:
        """One of the collection's by its name, or the text of one; options of ansible-playbook."""
        name = f"kubenode.connections.{playbook}"
        if "\n" in playbook:
            name = str(self.folder / "playbook.yml")
            Path(name).write_text(playbook)
        given = {"keepalive_report_dir": str(self.folder), "keepalive_report_formats": ["json"], **variables}
        return ansible_playbook(self.cluster.inventory, name, given, *options)

    def document(self) -> dict[str, Any]:
        """The last report."""
        return dict(json.loads((self.folder / "report.json").read_text()))

    def unsafe(self, node: str) -> set[str]:
        """Whom the last report calls unsafe on a node, without the node itself."""
        rows = next(rows_of(each) for each in self.document()["nodes"] if each["name"] == node)
        return {name for name, row in rows.items() if row["verdict"] == "unsafe"} - {NODE_ITSELF}


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
    """Keepalive and answer of the next idle times of a client that begin after a moment, but those of a standstill."""
    pod = cluster.pod(client)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        said = [
            each for each in cluster.log(pod) if each.get("began", 0) > since and each["stood"] < STANDSTILL_SECONDS
        ]
        if len(said) >= count:
            return [(each["keepalive"], each["answer"]) for each in said[:count]]
        time.sleep(1)
    raise AssertionError(f"{label(pod)}: fewer than {count} idle times in {WAIT_SECONDS} s: {cluster.log(pod)}")


def is_armed(cluster: Cluster, pod: Object) -> bool:
    """Whether the last idle time of a client was survived with the kernel's keepalive in its namespace."""
    said = [each for each in cluster.log(pod) if "answer" in each]
    return bool(said) and (said[-1]["keepalive"], said[-1]["answer"]) == (KERNEL, ANSWERED)


def now(cluster: Cluster, client: str) -> float:
    """The time by the clock of a client's node."""
    return float(cluster.run(node_of(cluster.pod(client)), ["date", "+%s.%N"]))


def next_outcomes(cluster: Cluster, count: int, clients: tuple[str, ...] = CLIENTS) -> list[list[tuple[str, str]]]:
    """The same of clients, from now on."""
    moments = {client: now(cluster, client) for client in clients}
    return [outcomes(cluster, client, moment, count) for client, moment in moments.items()]


@contextmanager
def deployed(cluster: Cluster, manifest: Path, *programs: Path) -> Iterator[None]:
    """What a manifest has, for as long as it is needed; programs, and those of folders, as its ConfigMap proof."""
    files = [f"--from-file={each}" for each in programs]
    where = ["--namespace=shop", "configmap", "proof"]
    proof = cluster.kubectl("create", *where, *files, "--dry-run=client", "--output=yaml")
    cluster.kubectl("apply", "--filename=-", data=proof)
    cluster.kubectl("apply", f"--filename={manifest}")
    try:
        cluster.until_pods_run()
        yield
    finally:
        cluster.kubectl("delete", f"--filename={manifest}")
        cluster.kubectl("delete", *where)
        cluster.until_pods_run()


def until(condition: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not after {seconds} s"
        time.sleep(0.5)
