# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""etcd, kube-apiserver and kube-controller-manager on loopback of this machine, left running until they are ended.

There is no scheduler: every pod of ours says its node.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.tests.cluster.binaries import binaries
from ansible_collections.kubenode.connections.tests.cluster.real.layout import API, PLACES, PODS, SERVICES, VERSION
from ansible_collections.kubenode.connections.tests.lab.vm.config import LabError
from ansible_collections.kubenode.connections.tests.lab.vm.ssh import free_port
from ansible_collections.kubenode.connections.tests.lab.vm.tools import run, step

READY_SECONDS = 300
END_SECONDS = 60
USERS = {
    "admin": ("kubernetes-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    **{place.name: (f"system:node:{place.name}", "system:nodes") for place in PLACES},
}
"""Whose kubeconfig there is: the name and the group in the certificate."""


class Program:
    """A program that outlives who starts it. It is ours when its command line names our folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
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
        """Begin; does not wait."""
        with self.log.open("ab") as log:
            command = [binaries() / self.name, *options]
            process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        (self.folder / f"{self.name}.pid").write_text(str(process.pid))

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
    """The three programs, their certificates, and kubectl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "admin.conf"
        self.etcd, self.api, self.manager = (
            Program(folder, name) for name in ("etcd", "kube-apiserver", "kube-controller-manager")
        )

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

    def start(self) -> None:
        """A new cluster without anything in it."""
        with step("certificates"):
            self._certify()
        with step("etcd, kube-apiserver, kube-controller-manager"):
            self._run_etcd()
            self._run_api()
            self._until_ready()
            self._run_manager()

    def stop(self) -> None:
        """End them, and forget what was in the cluster; the API server before its store."""
        for program in (self.manager, self.api, self.etcd):
            program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kubectl(self, *arguments: str, data: str = "") -> str:
        """Run kubectl as the administrator, return what it prints. Raises LabError."""
        command = [binaries() / "kubectl", "--kubeconfig", self.kubeconfig, *arguments]
        return run(command, data=data.encode(), environment={"HOME": str(self.folder)}).decode()

    def get(self, *what: str) -> list[dict[str, Any]]:
        """Objects of the API server."""
        return list(json.loads(self.kubectl("get", *what, "--output=json"))["items"])

    def _certify(self) -> None:
        configuration = self.folder / "kubeadm.json"
        configuration.write_text(
            json.dumps(
                {
                    "apiVersion": "kubeadm.k8s.io/v1beta2",
                    "kind": "ClusterConfiguration",
                    "kubernetesVersion": VERSION,
                    "certificatesDir": str(self.folder / "pki"),
                    "controlPlaneEndpoint": f"{API}:{self.port}",
                    "apiServer": {"certSANs": ["127.0.0.1", "localhost"]},
                    "networking": {"serviceSubnet": SERVICES, "podSubnet": PODS},
                }
            )
        )
        kubeadm = [binaries() / "kubeadm"]
        for what in ("ca", "apiserver"):
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
            f"--service-cluster-ip-range={SERVICES}",
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
