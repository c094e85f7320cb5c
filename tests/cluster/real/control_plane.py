# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""etcd and the programs of the control plane on loopback of this machine, left running until they are ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.tests.cluster.binaries import binaries
from ansible_collections.kubenode.connections.tests.cluster.real.images import REPOSITORY
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import Kubectl
from ansible_collections.kubenode.connections.tests.cluster.real.layout import (
    API,
    FEATURES,
    IPVS_SECONDS,
    PLACES,
    PODS,
    SERVICES,
    VERSION,
)
from ansible_collections.kubenode.connections.tests.lab.vm.config import LabError
from ansible_collections.kubenode.connections.tests.lab.vm.ssh import free_port
from ansible_collections.kubenode.connections.tests.lab.vm.tools import run, step

WAY = Path(__file__).with_name("way.py")
READY_SECONDS = 300
END_SECONDS = 60
USERS = {
    "admin": ("kubernetes-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    **{place.name: (f"system:node:{place.name}", "system:nodes") for place in PLACES},
}
"""Whose kubeconfig there is: the name and the group in the certificate."""


class Program:
    """A program that outlives who starts it. It is ours when its command line names our folder."""

    def __init__(self, folder: Path, name: str, command: Sequence[str | Path] = ()) -> None:
        """The command is the binary of that name, if no other is given."""
        self.folder, self.name, self.command = folder, name, command
        self.log = folder / f"{name}.log"

    @property
    def pid(self) -> int | None:
        """Its process while it runs."""
        try:
            pid = int((self.folder / f"{self.name}.pid").read_text())
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if self.name.encode() in arguments and os.fsencode(self.folder) in arguments else None

    def start(self, *options: str) -> None:
        """Begin; waits only until the kernel tells its command line."""
        with self.log.open("ab") as log:
            command = [*(self.command or [binaries() / self.name]), *options]
            process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        (self.folder / f"{self.name}.pid").write_text(str(process.pid))
        while self.pid is None and process.poll() is None:
            time.sleep(0.01)

    def stop(self) -> None:
        """End it, by force where it does not go."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + END_SECONDS
            pid = self.pid
            while pid and time.monotonic() < deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                time.sleep(0.2)
                pid = self.pid
        (self.folder / f"{self.name}.pid").unlink(missing_ok=True)


class ControlPlane:
    """The programs, their certificates, and who may use them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "admin.conf"
        self.etcd, self.api, self.manager, self.scheduler = (
            Program(folder, name) for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
        )
        self.way = Program(folder, WAY.stem, [sys.executable, WAY])

    @property
    def kubectl(self) -> Kubectl:
        """As the administrator."""
        return Kubectl(binaries() / "kubectl", self.kubeconfig)

    @property
    def port(self) -> int:
        """Of the API server, chosen once for the life of the folder."""
        file = self.folder / "port"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(str(free_port()))
        return int(file.read_text())

    def kubeconfig_of(self, user: str) -> str:
        """As it is used on a node."""
        return (self.folder / f"{user}.conf.node").read_text()

    def start(self, kubelets: Mapping[str, int]) -> None:
        """A new cluster without anything in it but kube-proxy. The port here of the kubelet at each address."""
        with step("certificates"):
            self._certify()
        with step("etcd, kube-apiserver, kube-controller-manager, kube-scheduler"):
            self._run_etcd()
            self.way.start(str(self._socket), *(f"{address}={port}" for address, port in kubelets.items()))
            self._run_api()
            self._until_ready()
            self._run_manager()
            self._run_scheduler()
        self._add_kube_proxy()

    def stop(self) -> None:
        """End them, and forget what was in the cluster; the API server before its store."""
        for program in (self.scheduler, self.manager, self.api, self.way, self.etcd):
            program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _certify(self) -> None:
        configuration = self._configuration
        configuration.write_text("\n---\n".join(map(json.dumps, self._documents())))
        kubeadm = [binaries() / "kubeadm"]
        for what in ("ca", "apiserver", "apiserver-kubelet-client"):
            run([*kubeadm, "init", "phase", "certs", what, "--config", configuration])
        run([*kubeadm, "init", "phase", "certs", "sa", "--cert-dir", self.folder / "pki"])
        for user, (name, group) in USERS.items():
            organization = ["--org", group] if group else []
            arguments = ["alpha", "kubeconfig", "user", "--config", configuration, "--client-name", name]
            text = run([*kubeadm, *arguments, *organization]).decode()
            text = text[text.index("apiVersion:") :]
            for file, address in ((f"{user}.conf.node", API), (f"{user}.conf", "127.0.0.1")):
                path = self.folder / file
                path.touch(mode=0o600)
                path.write_text(text.replace(f"https://{API}:", f"https://{address}:"))

    @property
    def _configuration(self) -> Path:
        return self.folder / "kubeadm.yaml"

    def _documents(self) -> list[dict[str, Any]]:
        """What an administrator gives to kubeadm init."""
        cluster = {
            "apiVersion": "kubeadm.k8s.io/v1beta2",
            "kind": "ClusterConfiguration",
            "kubernetesVersion": VERSION,
            "imageRepository": REPOSITORY,
            "certificatesDir": str(self.folder / "pki"),
            "controlPlaneEndpoint": f"{API}:{self.port}",
            "apiServer": {"certSANs": ["127.0.0.1", "localhost"]},
            "networking": {"serviceSubnet": ",".join(SERVICES), "podSubnet": ",".join(PODS)},
            "featureGates": FEATURES,
        }
        kube_proxy = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "ipvs",
            "featureGates": FEATURES,
            "ipvs": {"tcpTimeout": f"{IPVS_SECONDS}s"},
        }
        return [cluster, kube_proxy]

    @property
    def _socket(self) -> Path:
        return self.folder / "way"

    def _add_kube_proxy(self) -> None:
        """kubeadm's own, with what its image would bring: the node's programs, and the protocols' names for ipset."""
        options = ["--config", self._configuration, "--kubeconfig", self.kubeconfig]
        run([binaries() / "kubeadm", "init", "phase", "addon", "kube-proxy", *options])
        patch = [
            {"op": "add", "path": f"/spec/template/spec/{where}/-", "value": value}
            for path in ("/usr", "/etc/alternatives", "/etc/protocols")
            for name in [path.strip("/").replace("/", "-")]
            for where, value in (
                ("volumes", {"name": name, "hostPath": {"path": path}}),
                ("containers/0/volumeMounts", {"name": name, "mountPath": path, "readOnly": True}),
            )
        ]
        what = ["--namespace=kube-system", "daemonset/kube-proxy", "--type=json"]
        self.kubectl("patch", *what, f"--patch={json.dumps(patch)}")

    def _run_etcd(self) -> None:
        clients, peers = (f"http://127.0.0.1:{free_port()}" for _number in range(2))
        (self.folder / "store").write_text(clients)
        self.etcd.start(
            "--unsafe-no-fsync",
            f"--data-dir={self.folder / 'data'}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
        )

    def _run_api(self) -> None:
        pki = self.folder / "pki"
        egress = self.folder / "egress.json"
        egress.write_text(json.dumps(_to_nodes(self._socket)))
        self.api.start(
            f"--etcd-servers={(self.folder / 'store').read_text()}",
            "--bind-address=127.0.0.1",
            f"--advertise-address={API}",
            f"--secure-port={self.port}",
            f"--client-ca-file={pki}/ca.crt",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki}/sa.pub",
            f"--service-account-signing-key-file={pki}/sa.key",
            f"--service-cluster-ip-range={','.join(SERVICES)}",
            f"--feature-gates={_gates()}",
            f"--egress-selector-config-file={egress}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged",
        )

    def _run_manager(self) -> None:
        pki = self.folder / "pki"
        self.manager.start(
            f"--kubeconfig={self.folder / 'controller-manager.conf'}",
            f"--root-ca-file={pki}/ca.crt",
            f"--service-account-private-key-file={pki}/sa.key",
            "--use-service-account-credentials",
            f"--feature-gates={_gates()}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--port=0",
            f"--secure-port={free_port()}",
        )

    def _run_scheduler(self) -> None:
        self.scheduler.start(
            f"--kubeconfig={self.folder / 'scheduler.conf'}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--port=0",
            f"--secure-port={free_port()}",
        )

    def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            if self.api.pid is None or time.monotonic() > deadline:
                raise LabError(f"kube-apiserver: not ready. See {self.api.log} and {self.etcd.log}.")
            time.sleep(0.5)

    def _ready(self) -> bool:
        try:
            return self.kubectl("get", "--raw", "/readyz") == "ok"
        except LabError:
            return False


def _gates() -> str:
    return ",".join(f"{name}={str(value).lower()}" for name, value in FEATURES.items())


def _to_nodes(socket: Path) -> dict[str, Any]:
    """That the API server asks there for every connection to a node."""
    connection = {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": str(socket)}}}
    return {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [{"name": "cluster", "connection": connection}],
    }
