# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints and kube-proxy that are replaced under clients: reused ports, connections that are open."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kube_proxy import KubeProxy
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import Object, label, node_of
from ansible_collections.kubenode.connections.tests.cluster.real.layout import NAMESPACE
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import ANSWERED, RESET, Run, until
from ansible_collections.kubenode.connections.tests.lab.playbooks import observed

REUSED = """A rollout under load
Clients on each node open a connection for each question and use the same ports again, while all pods of a Service are
replaced (`kubectl rollout restart`; the old ones serve for 10 s more). Before: `conn_reuse_mode` is 0, as kube-proxy of
this release sets it at every start, so that `auto` leaves it alone. The role gets `keepalive_conn_reuse_mode: "1"`.
kube-proxy sets `expire_nodest_conn` to 1.
"""
REPLACED = "What is replaced under open connections"
REUSE_MODE, EXPIRE = "net.ipv4.vs.conn_reuse_mode", "net.ipv4.vs.expire_nodest_conn"
CLIENTS = ("shop/client-two-", "shop/client-one-")
"""In whose pods, one on each node, our clients run."""
LOAD, IDLE = (Path(__file__).with_name(f"{name}.py").read_text() for name in ("load", "idle"))
ADDRESS = "10.96.0.30"
GRACE_SECONDS = 10
DRAINS_SECONDS = 45
AFTERWARDS_SECONDS = 10
"""For so long the load goes on once the old pods are gone."""
LABELS = {"name": "rolled"}
USR, PROGRAMS = ({"name": name, "mountPath": f"/{name}", "readOnly": True} for name in ("usr", "programs"))
POD = {
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "terminationGracePeriodSeconds": GRACE_SECONDS,
    "containers": [
        {
            "name": "main",
            "image": "localhost/tools:1",
            "imagePullPolicy": "Never",
            "command": ["python3", "/programs/server.py", "80"],
            "volumeMounts": [USR, PROGRAMS],
            "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1, "timeoutSeconds": 5},
        }
    ],
    "volumes": [
        {"name": "usr", "hostPath": {"path": "/usr"}},
        {"name": "programs", "configMap": {"name": "programs"}},
    ],
}
WHERE = {"name": "rolled", "namespace": NAMESPACE}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": WHERE,
    "spec": {
        "replicas": 2,
        "strategy": {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}},
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": POD},
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": WHERE,
    "spec": {"clusterIP": ADDRESS, "selector": LABELS, "ports": [{"port": 80}]},
}

# Asks over one connection every half second until it ends: who answered, how it ended.
HOLD = """
import http.client, json, sys, time
held, pods, answers, began = http.client.HTTPConnection(sys.argv[1], 80, timeout=20), set(), 0, time.monotonic()
held.connect()
held.auto_open = 0
try:
    while True:
        held.request("GET", "/")
        answer = held.getresponse()
        answer.read()
        pods.add(answer.headers["Server"])
        answers += 1
        time.sleep(0.5)
except (OSError, http.client.HTTPException) as error:
    seconds = time.monotonic() - began
    print(json.dumps({"pods": sorted(pods), "answers": answers, "seconds": seconds, "end": type(error).__name__}))
"""
# Who answers to so many new connections.
ASK = """
import sys, urllib.request
for _number in range(int(sys.argv[2])):
    with urllib.request.urlopen(f"http://{sys.argv[1]}", timeout=20) as answer:
        print(answer.headers["Server"])
"""


class Rolled:
    """A Service with two pods, and clients of it in pods of each node."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.ports = count(20000, 100)

    def pods(self) -> set[str]:
        """The servers' names, those that terminate too."""
        return {label(pod).partition("/")[2] for pod in self.cluster.pods() if label(pod).startswith("shop/rolled-")}

    def clients(self) -> list[Object]:
        return [self.cluster.pod(name) for name in CLIENTS]

    def under_load(self) -> dict[str, Object]:
        """What came of the clients' connections on each node, while all pods of the Service were replaced."""
        clients, port, before = self.clients(), next(self.ports), self.pods()
        stop = f"/tmp/{uuid4()}"
        with ThreadPoolExecutor(len(clients)) as pool:
            program = ("python3", "-c", LOAD, ADDRESS, str(port), stop)
            said = [pool.submit(self.cluster.in_pod, client, *program) for client in clients]
            try:
                self.restart()
                until(lambda: not before & self.pods(), "the old pods gone")
                time.sleep(AFTERWARDS_SECONDS)
            finally:
                for client in clients:
                    self.cluster.in_pod(client, "touch", stop)
        return {node_of(client): json.loads(each.result()) for client, each in zip(clients, said, strict=True)}

    def restart(self) -> None:
        """New pods in the place of the old ones."""
        what = (f"--namespace={NAMESPACE}", "deployment/rolled")
        self.cluster.kubectl("rollout", "restart", *what)
        self.cluster.kubectl("rollout", "status", *what)

    def end(self, seconds: int) -> None:
        """Have all servers terminate, which takes so long, for they heed no signal; others come in their place."""
        options = (f"--namespace={NAMESPACE}", f"--grace-period={seconds}", "--wait=false")
        self.cluster.kubectl("delete", "pod", *options, *sorted(self.pods()))

    def active(self, node: str) -> int:
        """How many connections stand."""
        return sum(self.weights(node).values())

    def weights(self, node: str, wanted: str = "") -> dict[str, int]:
        """How many connections stand to each real server: to those of a weight, or all."""
        lines = self.cluster.run(node, ["ipvsadm", "-Ln", "-t", f"{ADDRESS}:80"]).splitlines()
        words = [line.split() for line in lines if "Masq" in line]
        return {server: int(active) for _arrow, server, _masq, weight, active, _over in words if wanted in ("", weight)}


@pytest.fixture(name="rolled", scope="module")
def fixture_rolled(cluster: Cluster) -> Iterator[Rolled]:
    """It, there for these tests only."""
    for node in cluster.nodes:
        cluster.vm(node)
    objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": [DEPLOYMENT, SERVICE]})
    cluster.kubectl("apply", "--filename=-", data=objects)
    rolled = Rolled(cluster)
    try:
        cluster.until_pods_run()
        until(lambda: all(len(rolled.weights(node, "1")) == 2 for node in cluster.nodes), "real servers on each node")
        yield rolled
    finally:
        cluster.kubectl("delete", "--filename=-", data=objects)
        cluster.until_pods_run()


@pytest.fixture(name="proxy", scope="module")
def fixture_proxy(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeProxy]:
    """kube-proxy of the cluster; its sysctls as it leaves them afterwards."""
    proxy = KubeProxy(cluster, Run(cluster, tmp_path_factory.mktemp("proxy")))
    found = {key: proxy.sysctl(key)[cluster.nodes[0]] for key in (REUSE_MODE, EXPIRE)}
    yield proxy
    proxy.set(found)


def shown(said: Object) -> str:
    """In words."""
    failed = ", ".join(f"{number} {name}" for name, number in sorted(said["failed"].items())) or "none failed"
    return f"of {said['asked']} connections: {failed}; {said['delayed']} delayed"


def failed(said: Mapping[str, Object]) -> int:
    """How many connections failed on all nodes."""
    return sum(sum(each["failed"].values()) for each in said.values())


@pytest.mark.parametrize("expire", [0, 1])
def test_ports_that_are_reused_during_a_rollout(
    cluster: Cluster, rolled: Rolled, proxy: KubeProxy, run: Run, record: Record, expire: int
) -> None:
    proxy.set({REUSE_MODE: 0, EXPIRE: expire})
    off = rolled.under_load()
    run("audit")
    named = [bool(observed(each, run.document())) for each in ("conn-reuse-mode-off", "expire-nodest-off")]
    assert named == [True, expire == 0]
    run("apply", keepalive_conn_reuse_mode="1")
    on = rolled.under_load()
    run("restore")
    assert (failed(off) > 0, failed(on)) == (expire == 0, 0), (off, on)
    for node in cluster.nodes:
        record(REUSED, f"`expire_nodest_conn` {expire}", shown(off[node]), shown(on[node]), node=node)


def test_a_pod_that_terminates_serves_its_open_connections_and_gets_no_new_ones(
    cluster: Cluster, rolled: Rolled, record: Record
) -> None:
    client = cluster.pod(CLIENTS[1])
    node, old = node_of(client), rolled.pods()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(cluster.in_pod, client, "python3", "-c", HOLD, ADDRESS)
        until(lambda: rolled.active(node) > 0, "a connection")
        rolled.end(DRAINS_SECONDS)
        until(lambda: 1 in rolled.weights(node, "0").values(), "a real server with weight 0 and a connection")
        until(lambda: len(rolled.weights(node, "1")) == len(old), "new pods in their place")
        new = rolled.pods() - old
        asked = cluster.in_pod(client, "python3", "-c", ASK, ADDRESS, "8").split()
        drains = rolled.weights(node, "0")
        said = json.loads(held.result())
    assert (set(asked), 1 in drains.values()) == (new, True)
    assert set(said["pods"]) < old
    assert said["seconds"] > DRAINS_SECONDS / 2
    seen = (
        f"{said['answers']} answers over {said['seconds']:.0f} s, until it ended; 8 new connections: all to other pods"
    )
    record(REPLACED, f"a pod terminates for {DRAINS_SECONDS} s: weight 0", seen, node=node)


def test_kube_proxy_starts_anew_and_connections_stay(
    cluster: Cluster, rolled: Rolled, proxy: KubeProxy, record: Record
) -> None:
    clients, stop = rolled.clients(), f"/tmp/{uuid4()}"
    with ThreadPoolExecutor(len(clients)) as pool:
        idle = [pool.submit(cluster.in_pod, client, "python3", "-c", IDLE, ADDRESS, stop) for client in clients]
        try:
            until(lambda: all(rolled.active(node) for node in cluster.nodes), "connections on each node")
            for node in cluster.nodes:
                proxy.kill(node)
        finally:
            for client in clients:
                cluster.in_pod(client, "touch", stop)
        said = [json.loads(each.result()) for each in idle]
    assert said == [[RESET, ANSWERED]] * len(clients)
    for node in cluster.nodes:
        row = "kube-proxy ends and starts anew; before: idle without probes, after: with a keepalive of 5/1/3"
        record(REPLACED, row, "Connection reset by peer", ANSWERED, node=node)
