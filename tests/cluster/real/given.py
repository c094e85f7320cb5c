# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of the user's own in the place of ours: KUBENODE_CLUSTER is its kubeconfig."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.images import TOOLS, archive
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import Kubectl
from ansible_collections.kubenode.connections.tests.cluster.real.layout import IPVS_SECONDS, NAMESPACE
from ansible_collections.kubenode.connections.tests.lab.vm import LabError, Vm
from ansible_collections.kubenode.connections.tests.lab.vm.tools import run

KUBECONFIG = "KUBENODE_CLUSTER"
INVENTORY = "KUBENODE_CLUSTER_INVENTORY"
IMAGE = "/var/tmp/kubenode-tools.tar"


def cluster() -> Cluster:
    """The cluster of the tests: the given one, or ours."""
    given = os.environ.get(KUBECONFIG)
    return Given(Path(given), Path(os.environ.get(INVENTORY, ""))) if given else Cluster()


class Given(Cluster):
    """It runs, and goes on running; only the namespace of the tests comes and goes."""

    where, static_pods = (f"--namespace={NAMESPACE}",), 0

    def __init__(self, kubeconfig: Path, inventory: Path) -> None:
        program = shutil.which("kubectl")
        if not program or not kubeconfig.is_file() or not inventory.is_file():
            raise LabError(
                f"{KUBECONFIG}: kubectl and two files expected, the kubeconfig in it ({kubeconfig}) and the "
                f"inventory of the nodes in {INVENTORY} ({inventory}). Install kubectl, name both files."
            )
        self._kubectl, self._inventory = Kubectl(Path(program), kubeconfig), inventory
        self.nodes = tuple(each["metadata"]["name"] for each in self._kubectl.get("nodes"))[-2:]

    @property
    def kubectl(self) -> Kubectl:
        return self._kubectl

    @property
    def inventory(self) -> Path:
        return self._inventory

    @property
    def is_up(self) -> bool:
        return bool(self.kubectl.get("pods", *self.where))

    def vm(self, node: str) -> Vm:
        pytest.skip(f"{node} is no machine of the lab: this test reboots it or changes what runs there.")

    def run(self, node: str, command: Sequence[str]) -> str:
        return self._ansible(node, "ansible.builtin.raw", shlex.join(command)).partition(">>\n")[2]

    def up(self) -> None:
        if self.is_up:
            self.until_pods_run()
            return
        self._check_timeouts()
        for node in self.nodes:
            self._import_image(node)
        self.deploy()

    def down(self) -> None:
        self.kubectl("delete", "namespace", NAMESPACE)

    def put_static_pod(self) -> None:
        """None: its folder is the administrator's."""

    def _check_timeouts(self) -> None:
        for node in self.nodes:
            timeouts = self.run(node, ["ipvsadm", "-l", "--timeout"]).split()
            if str(IPVS_SECONDS) not in timeouts:
                raise LabError(
                    f"{node}: IPVS timeouts {' '.join(timeouts)}, tcp {IPVS_SECONDS} expected. Set mode ipvs and "
                    f"ipvs.tcpTimeout {IPVS_SECONDS}s in the ConfigMap kube-proxy, and restart kube-proxy."
                )

    def _import_image(self, node: str) -> None:
        file = self.inventory.parent / "kubenode-tools.tar"
        file.write_bytes(archive(b"", [TOOLS]))
        try:
            self._ansible(node, "ansible.builtin.copy", f"src={file} dest={IMAGE} mode=0600")
        finally:
            file.unlink()
        self.run(node, ["ctr", "--namespace", "k8s.io", "images", "import", IMAGE])
        self.run(node, ["rm", IMAGE])

    def _ansible(self, node: str, module: str, arguments: str) -> str:
        program = Path(sys.executable).with_name("ansible")
        return run([program, node, "-i", self.inventory, "--become", "-m", module, "-a", arguments]).decode()
