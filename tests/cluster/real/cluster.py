# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as a whole: brought up, asked, ended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible_collections.kubenode.connections.tests.cluster.real import layout, node
from ansible_collections.kubenode.connections.tests.cluster.real.control_plane import ControlPlane
from ansible_collections.kubenode.connections.tests.cluster.real.disk import disk
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import (
    Kubectl,
    Object,
    container_id,
    is_ready,
    label,
    node_of,
)
from ansible_collections.kubenode.connections.tests.cluster.real.layout import PLACES, Place
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, LabError, Vm
from ansible_collections.kubenode.connections.tests.lab.vm.qemu import Hardware
from ansible_collections.kubenode.connections.tests.lab.vm.ssh import free_port
from ansible_collections.kubenode.connections.tests.lab.vm.tools import step

DEPLOYMENTS = Path(__file__).parent / "deployments"
STATIC = Path(__file__).parent / "static.yaml"
WAIT_SECONDS = 600


class Cluster:
    """Two machines of the lab and a control plane on this machine."""

    nodes = tuple(place.name for place in PLACES)
    """The one with the older kernel, and the one with the newer, which has the static pod."""
    where, static_pods = ("--all-namespaces",), 1
    """Where all pods are ours, and how many of them nobody has asked the API server for."""

    def __init__(self) -> None:
        self.plane = ControlPlane(layout.folder())
        self.lab = Lab(layout.LAB)

    @property
    def kubectl(self) -> Kubectl:
        """As the administrator."""
        return self.plane.kubectl

    @property
    def inventory(self) -> Path:
        """Of both nodes."""
        return self.lab.inventory

    @property
    def is_up(self) -> bool:
        """Whether all of it runs."""
        return bool(self.plane.api.pid) and all(self.vm(name).pid for name in self.nodes)

    def vm(self, node: str) -> Vm:
        """The machine of a node."""
        return self.lab.vm(next(place.series for place in PLACES if place.name == node))

    def run(self, node: str, command: Sequence[str]) -> str:
        """What a command prints that root runs on a node."""
        return self.vm(node).run(command).stdout

    def up(self) -> None:
        """A new cluster with its deployments; one that runs already is left as it is."""
        if self.is_up:
            self.until_pods_run()
            return
        self.down()
        programs = disk()
        kubelets = {place: free_port() for place in PLACES}
        self.plane.start({place.address: port for place, port in kubelets.items()})
        self.lab = Lab(layout.LAB, self._hardware(programs, kubelets))
        self.lab.up([place.series for place in PLACES])
        with step("containerd and kubelet on both nodes"), ThreadPoolExecutor(len(PLACES)) as pool:
            list(pool.map(lambda place: node.furnish(self.lab.vm(place.series), place, self.plane), PLACES))
        with step("nodes ready"):
            self._until(self._nodes_ready, "nodes ready")
        self.deploy()

    def deploy(self) -> None:
        """Bring the deployments in, and wait until all their pods run."""
        with step("pods running"):
            self._until(lambda: bool(self.kubectl.get("serviceaccounts")), "the service account of pods")
            self._put_deployments()
            self.put_static_pod()
            self.until_pods_run()

    def down(self) -> None:
        """End exactly what up started."""
        self.lab.down()
        self.plane.stop()

    def pods(self) -> list[Object]:
        """All pods as the API server shows them."""
        return self.kubectl.get("pods", "--all-namespaces")

    def pods_run(self) -> bool:
        """Whether all pods that there should be are ready, and those of before are gone."""
        deployments, daemons, pods = (self.kubectl.get(kind, *self.where) for kind in ("deploy", "daemonset", "pod"))
        replicas = sum(each["spec"]["replicas"] for each in deployments)
        wanted = replicas + len(daemons) * len(self.nodes) + self.static_pods
        return len(pods) == wanted and all(map(is_ready, pods))

    def until_pods_run(self) -> None:
        """Wait for it. Raises LabError."""
        self._until(self.pods_run, "pods running")

    def pod(self, name: str) -> Object:
        """A pod by the beginning of its name, as namespace/name."""
        found = [pod for pod in self.pods() if label(pod).startswith(name)]
        if len(found) != 1:
            raise LabError(f"Pods {name}: {len(found)}, one expected: {[label(pod) for pod in self.pods()]}")
        return found[0]

    def keepalive(self, pod: Object) -> str:
        """time/intvl/probes in force in the network namespace of a pod."""
        task = f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{container_id(pod)}/init.pid"
        command = ["nsenter", f"--net=/proc/$(cat {task})/ns/net", "sysctl", "-n", *node.KEEPALIVE]
        return "/".join(self.run(node_of(pod), ["sh", "-c", " ".join(command)]).split())

    def roll_out(self, deployment: str) -> Object:
        """A new pod in the place of the old one, once it runs and the old one is gone."""
        self.kubectl("rollout", "restart", "--namespace=shop", f"deployment/{deployment}")
        self.kubectl("rollout", "status", "--namespace=shop", f"deployment/{deployment}")
        self.until_pods_run()
        return self.pod(f"shop/{deployment}-")

    def reboot(self, name: str) -> None:
        """A real reboot of a node, until its pods have been started anew and are ready."""
        before = self._containers(name)
        self.vm(name).reboot()
        self._until(lambda: not before & self._containers(name) and self.pods_run(), "pods running after the reboot")

    def _containers(self, name: str) -> set[str]:
        return {container_id(pod) for pod in self.pods() if node_of(pod) == name}

    def log(self, pod: Object) -> list[Object]:
        """What our program in a pod has said, a line each, by kubectl logs."""
        namespace, name = label(pod).split("/")
        text = self.kubectl("logs", f"--namespace={namespace}", name)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def in_pod(self, pod: Object, *command: str) -> str:
        """What a command prints in a pod."""
        namespace, name = label(pod).split("/")
        return self.kubectl("exec", f"--namespace={namespace}", name, "--", *command)

    def _put_deployments(self) -> None:
        """The manifests name the nodes of our own cluster."""
        manifests = self.kubectl("kustomize", str(DEPLOYMENTS))
        for place, name in zip(PLACES, self.nodes, strict=True):
            manifests = manifests.replace(f"nodeName: {place.name}", f"nodeName: {name}")
        self.kubectl("apply", "--filename=-", data=manifests)

    def _hardware(self, programs: Path, kubelets: Mapping[Place, int]) -> dict[str, Hardware]:
        ports = free_port(), free_port()
        ends = (ports, ports[::-1])
        return {
            place.series: node.hardware(place, programs, self.plane.port, kubelets[place], end)
            for place, end in zip(PLACES, ends, strict=True)
        }

    def _nodes_ready(self) -> bool:
        return [is_ready(each) for each in self.kubectl.get("nodes")] == [True] * len(PLACES)

    def put_static_pod(self) -> None:
        """Renamed into place: kubelet reads what is there at any time."""
        vm = self.vm(self.nodes[-1])
        vm.put(f"{node.MANIFESTS}.new", STATIC.read_text())
        vm.run(["mv", f"{node.MANIFESTS}.new", f"{node.MANIFESTS}/{STATIC.name}"])

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                pods = [f"{label(pod)} {pod['status'].get('phase')}" for pod in self.pods()]
                raise LabError(f"Cluster: not {what} after {WAIT_SECONDS} s: {', '.join(pods) or 'no pods'}.")
            time.sleep(1)
