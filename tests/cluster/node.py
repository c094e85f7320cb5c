# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine of the lab with a real kube-proxy on it, which takes its Services from the API server."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.error
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.tests.cluster.binaries import binaries
from ansible_collections.kubenode.connections.tests.cluster.server import MERGE, Server
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm
from ansible_collections.kubenode.connections.tests.proof.play import guest, put_programs, start_server

CONFIG = "/etc/kubernetes/kube-proxy.yaml"
KUBECONFIG = "/etc/kubernetes/kube-proxy.kubeconfig"
PROGRAM = "/usr/local/bin/kube-proxy"
UNIT = f"""\
[Service]
ExecStart={PROGRAM} --config={CONFIG}
"""
ADDRESS = "10.96.0.10"
BACKENDS = ("10.2.0.2", "10.3.0.2")
READY_SECONDS = 120
SERVICES = "/api/v1/namespaces/default/services"
SLICES = "/apis/discovery.k8s.io/v1beta1/namespaces/default/endpointslices"
NODES = "/api/v1/nodes"
# From its first synchronisation on this is not 0: by then it has written everything.
SYNCED = r"^kubeproxy_sync_proxy_rules_last_timestamp_seconds [1-9]"
WAIT = f"""\
import re, time, urllib.request
def synced():
    try:
        metrics = urllib.request.urlopen("http://127.0.0.1:10249/metrics", timeout=5).read().decode()
    except OSError:
        return False
    return re.search({SYNCED!r}, metrics, re.MULTILINE)
while not synced():
    time.sleep(0.2)
"""


HOLD = f"""\
import socket, sys, time
held = [socket.create_connection(("{ADDRESS}", 80)) for _number in range(int(sys.argv[1]))]
time.sleep(100000)
"""


class Node:
    """A node with kube-proxy, a Service and its two backends."""

    def __init__(self, vm: Vm, server: Server) -> None:
        self.vm, self.server = vm, server

    def configure(self, mode: str = "ipvs", **fields: Any) -> None:
        """Write kube-proxy's configuration, and start it anew with it."""
        known = {"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": mode}
        connection = {"clientConnection": {"kubeconfig": KUBECONFIG}, "hostnameOverride": self.vm.name}
        lines = [f"{name}: {json.dumps(value)}" for name, value in {**known, **connection}.items()]
        for section, values in fields.items():
            lines += [f"{section}:", *(f"  {name}: {json.dumps(value)}" for name, value in values.items())]
        self.vm.put(CONFIG, "\n".join(lines) + "\n")
        self.restart()

    def restart(self) -> None:
        """Start kube-proxy anew, and wait until it has written everything."""
        self.vm.run(["systemctl", "restart", "kube-proxy.service"])
        self.vm.run(["timeout", str(READY_SECONDS), "python3", "-c", WAIT])

    def serve(self, backends: Sequence[str]) -> None:
        """Which backends the Service has, as the controller of endpoints would say."""
        endpoints = [{"addresses": [address], "conditions": {"ready": True}} for address in backends]
        self.server.call("PATCH", f"{SLICES}/web", {"endpoints": endpoints}, MERGE)

    def hold(self, connections: int) -> None:
        """Connections from the node to the Service that stay open."""
        self.vm.run(["systemd-run", "--quiet", "python3", "-c", HOLD, str(connections)])
        self.wait_for(
            f"ESTABLISHED {connections}", "ipvsadm -Lnc | awk '/ESTABLISHED/ {n++} END {print \"ESTABLISHED\", n}'"
        )

    def wait_for(self, text: str, command: str = "ipvsadm -Sn") -> None:
        """Until a command prints the text: by itself all rules of IPVS."""
        script = f'until {command} | grep -qF -e "$1"; do sleep 0.2; done'
        self.vm.run(["timeout", str(READY_SECONDS), "sh", "-c", script, "wait_for", text])

    def ipvs(self) -> str:
        """The IPVS timeouts in force: tcp tcpfin udp."""
        return self.vm.run(["ipvsadm", "-l", "--timeout"]).stdout.partition(": ")[2].strip()

    def sysctls(self, *keys: str) -> dict[str, str]:
        """The values in force."""
        return dict(zip(keys, self.vm.run(["sysctl", "-n", *keys]).stdout.split(), strict=True))


@contextlib.contextmanager
def running(server: Server, series: str) -> Iterator[Node]:
    """A machine with pods, kube-proxy and a way to the API server; ended afterwards."""
    lab = Lab("cluster")
    vm = lab.up([series])[0]
    try:
        vm.reset()
        with _tunnel(vm, server):
            yield _make(vm, server)
    finally:
        lab.down([series])


def _make(vm: Vm, server: Server) -> Node:
    put_programs(vm)
    vm.run(["mkdir", "-p", "/run/proof"])
    guest(vm, "network.py", "pod", "node", "c1", "s1", "s2")
    for name in ("s1", "s2"):
        start_server(vm, name, name)
    vm.put(PROGRAM, (binaries() / "kube-proxy").read_bytes(), 0o755)
    vm.put(KUBECONFIG, server.kubeconfig.read_text(), 0o600)
    vm.put("/etc/systemd/system/kube-proxy.service", UNIT)
    vm.run(["systemctl", "daemon-reload"])
    _create(server, NODES, {"metadata": {"name": vm.name}})
    status = {"status": {"addresses": [{"type": "InternalIP", "address": "10.1.0.1"}]}}
    server.call("PATCH", f"{NODES}/{vm.name}/status", status, MERGE)
    _create(server, SERVICES, {"metadata": {"name": "web"}, "spec": {"clusterIP": ADDRESS, "ports": [{"port": 80}]}})
    labels = {"name": "web", "labels": {"kubernetes.io/service-name": "web"}}
    ports = [{"name": "", "port": 80, "protocol": "TCP"}]
    _create(server, SLICES, {"metadata": labels, "addressType": "IPv4", "endpoints": [], "ports": ports})
    node = Node(vm, server)
    node.serve(BACKENDS)
    return node


def _create(server: Server, path: str, body: Mapping[str, Any]) -> None:
    """Make an object where it is not there yet."""
    try:
        server.call("GET", f"{path}/{body['metadata']['name']}")
    except urllib.error.HTTPError:
        server.call("POST", path, body)


@contextlib.contextmanager
def _tunnel(vm: Vm, server: Server) -> Iterator[None]:
    """Lead the API server's address to it in the machine, which has no other way out."""
    port = server.url.rpartition(":")[2]
    options = ["-N", "-o", "ControlPath=none", "-o", "ExitOnForwardFailure=yes", "-R", f"{port}:127.0.0.1:{port}"]
    program, *login = vm.ssh_command
    process = subprocess.Popen([program, *options, *login])
    try:
        yield
    finally:
        process.terminate()
        process.wait()
