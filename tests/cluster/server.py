# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server of its own on loopback, without nodes and controllers, and the few calls that the tests make."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.tests.cluster.binaries import binaries

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: "{url}", insecure-skip-tls-verify: true}}}}]
users: [{{name: test, user: {{token: "{token}"}}}}]
contexts: [{{name: test, context: {{cluster: test, user: test}}}}]
current-context: test
"""
MERGE = "application/merge-patch+json"


class Server:
    """A running API server. ``kubeconfig`` names it and has the rights of an administrator."""

    def __init__(self, url: str, token: str, kubeconfig: Path) -> None:
        self.url, self.token, self.kubeconfig = url, token, kubeconfig

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """The answer of a call in JSON. Raises urllib.error.HTTPError."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        # It is on loopback, has made its certificate itself, and takes a token that is good for nothing else.
        trusting = ssl._create_unverified_context()  # noqa: S323
        with urllib.request.urlopen(request, timeout=60, context=trusting) as answer:  # noqa: S310
            return json.load(answer)

    def answers(self) -> bool:
        """Whether it is ready."""
        try:
            return bool(self.call("GET", "/api/v1/namespaces/kube-system"))
        except (OSError, ValueError):
            return False


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Run etcd and kube-apiserver with their data in ``folder``, and end them afterwards."""
    programs, token = binaries(), secrets.token_hex(16)
    store, peers, port = _free_ports(3)
    (folder / "tokens.csv").write_text(f"{token},test,test,system:masters\n")
    key, public = folder / "sa.key", folder / "sa.pub"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    url, kubeconfig = f"https://127.0.0.1:{port}", folder / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG.format(url=url, token=token))
    clients, members = f"http://127.0.0.1:{store}", f"http://127.0.0.1:{peers}"
    etcd = [programs / "etcd", "--data-dir", folder / "etcd", "--listen-peer-urls", members]
    etcd += ["--listen-client-urls", clients, "--advertise-client-urls", clients]
    api = [programs / "kube-apiserver", "--etcd-servers", clients, "--secure-port", str(port)]
    api += ["--bind-address", "127.0.0.1", "--cert-dir", folder / "certs", "--token-auth-file", folder / "tokens.csv"]
    api += ["--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", public]
    api += ["--service-account-signing-key-file", key, "--authorization-mode", "RBAC", "--allow-privileged"]
    api += ["--service-cluster-ip-range", "10.96.0.0/16"]
    server = Server(url, token, kubeconfig)
    with _process(etcd, folder / "etcd.log"), _process(api, folder / "kube-apiserver.log") as process:
        deadline = time.monotonic() + 180
        while not server.answers():
            assert process.poll() is None, f"kube-apiserver ended: see {folder}/kube-apiserver.log"
            assert time.monotonic() < deadline, f"kube-apiserver is not ready: see {folder}/kube-apiserver.log"
            time.sleep(0.5)
        yield server


@contextlib.contextmanager
def _process(command: list[object], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _number in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
