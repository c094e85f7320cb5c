# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kube-proxy of the cluster: kubeadm's ConfigMap and DaemonSet, and what its pods have written on the nodes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import Object, container_id, label, node_of
from ansible_collections.kubenode.connections.tests.cluster.real.story import Run, until
from ansible_collections.kubenode.connections.tests.lab.playbooks import changed

CONFIG = "config.conf"
WHERE = "--namespace=kube-system"
ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
ROLE = """
- hosts: all
  gather_facts: false
  serial: 1
  roles: [kubenode.connections.kube_proxy]
"""
# From its first synchronisation on this is not 0: by then it has written everything.
SYNCED = re.compile(r"^kubeproxy_sync_proxy_rules_last_timestamp_seconds [1-9]", re.MULTILINE)
METRICS = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:10249/metrics', timeout=9).read().decode())"


class KubeProxy:
    """It as a whole."""

    def __init__(self, cluster: Cluster, run: Run) -> None:
        self.cluster, self.run = cluster, run

    def change(self, *options: str, **variables: Any) -> tuple[str, int]:
        """What the role says, white space folded, and how many tasks changed something on either node."""
        known = {
            "kube_proxy_configmap": True,
            "kube_proxy_kubeconfig": str(self.cluster.kubectl.kubeconfig),
            "kube_proxy_rollout": True,
        }
        said = self.run(ROLE, *options, **{**known, **variables})
        return " ".join(said.split()), sum(changed(line) for line in said.splitlines() if " changed=" in line)

    def configmap(self) -> Object:
        """Without what the API server counts."""
        found = dict(json.loads(self.cluster.kubectl("get", WHERE, "configmap/kube-proxy", "--output=json")))
        for counted in ("managedFields", "resourceVersion"):
            found["metadata"].pop(counted, None)
        return found

    def replace(self, old: str, new: str) -> None:
        """Change a line of the configuration, as by kubectl edit."""
        text = self.configmap()["data"][CONFIG]
        assert old in text
        patch = json.dumps({"data": {CONFIG: text.replace(old, new)}})
        self.cluster.kubectl("patch", WHERE, "configmap/kube-proxy", "--type=merge", f"--patch={patch}")

    def pods(self) -> dict[str, Object]:
        """The pod of each node."""
        return {node_of(pod): pod for pod in self.cluster.pods() if label(pod).startswith("kube-system/kube-proxy-")}

    def renew(self, *nodes: str) -> None:
        """A new pod on each of these nodes. The old ones would not end before their grace is over."""
        names = [pod["metadata"]["name"] for node, pod in self.pods().items() if node in nodes]
        self.cluster.kubectl("delete", "pod", WHERE, "--grace-period=1", *names)
        self.wait()

    def wait(self) -> None:
        """Until the pods of now are those that there should be, and each has written everything."""
        self.cluster.kubectl("rollout", "status", WHERE, "daemonset/kube-proxy")
        until(self._synced, "kube-proxy on all nodes")

    def kill(self, node: str) -> None:
        """End its process on a node; kubelet starts the container of the same pod anew."""
        before = container_id(self.pods()[node])
        self.cluster.run(node, ["pkill", "--exact", "kube-proxy"])
        until(lambda: container_id(self.pods()[node]) not in ("", before), "a new container of kube-proxy")
        self.wait()

    def _synced(self) -> bool:
        command = ["sh", "-c", f'python3 -c "{METRICS}" || true']
        return all(SYNCED.search(self.cluster.run(node, command)) for node in self.cluster.nodes)

    def timeouts(self) -> dict[str, str]:
        """The IPVS timeouts in force on each node: tcp tcpfin udp."""
        command = ["ipvsadm", "-l", "--timeout"]
        return {node: self.cluster.run(node, command).partition(": ")[2].strip() for node in self.cluster.nodes}

    def sysctl(self, key: str) -> dict[str, str]:
        """A sysctl in force on each node."""
        return {node: self.cluster.run(node, ["sysctl", "-n", key]).strip() for node in self.cluster.nodes}

    def set(self, values: Mapping[str, object]) -> None:
        """Write sysctls on all nodes."""
        for node in self.cluster.nodes:
            self.cluster.run(node, ["sysctl", "-q", "-w", *(f"{key}={value}" for key, value in values.items())])
