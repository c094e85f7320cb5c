# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers on loopback that answer like a kube-proxy, wrongly, slowly or not at all."""

import json
import socket
import threading
import time

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import find
from ansible_collections.kubenode.connections.plugins.module_utils._observe import kube_proxy

CONFIG = {"Mode": "ipvs", "IPVS": {"TCPTimeout": "12s"}, "ClientConnection": {"Kubeconfig": "/etc/secret"}}
TIMEOUTS = {"tcp": 12, "tcpfin": 0, "udp": 0}
TIMEOUT_SECONDS = 0.6


class Server:
    """Listens on loopback and hands each connection, with the path that is asked for, to answer(connection, path)."""

    def __init__(self, answer, family=socket.AF_INET, host="127.0.0.1"):
        self._answer = answer
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, 0))
        self._socket.listen(5)
        self.port = self._socket.getsockname()[1]
        self.requests = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.daemon = True

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_details):
        self._stopped.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self):
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            with connection:
                try:
                    request = connection.recv(65536)
                    self.requests.append(request)
                    self._answer(connection, request.split(b" ")[1].decode(), self._stopped)
                except OSError:
                    pass  # the client has had enough


def http(body, status="200 OK", head=""):
    """An answer of that body to every path, or for a mapping to each of its paths."""

    def answer(connection, path, _stopped):
        content = body[path] if isinstance(body, dict) else body
        connection.sendall(f"HTTP/1.0 {status}\r\n{head}\r\n".encode() + content)

    return answer


def raw(data):
    return lambda connection, _path, _stopped: connection.sendall(data)


def silent(_connection, _path, stopped):
    stopped.wait(10)


def dripping(connection, _path, stopped):
    for byte in b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 1000:
        connection.sendall(bytes([byte]))
        if stopped.wait(0.1):
            return


def endless(connection, _path, stopped):
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    while not stopped.is_set():
        connection.sendall(b"x" * 65536)


def headers(count, answer=b"HTTP/1.1 200 OK\r\n"):
    return raw(answer + b"X: y\r\n" * count)


GOOD = {
    "/proxyMode": b"ipvs",
    "/configz": json.dumps({"kubeproxy.config.k8s.io": CONFIG}).encode(),
    "/metrics": b'kubernetes_build_info{git_version="v1.31.2"} 1\n',
}


def ask(server, host="127.0.0.1"):
    started = time.monotonic()
    seen = kube_proxy.read(find(kube_proxy.WANTED), f"{host}:{server.port}", TIMEOUT_SECONDS)
    assert time.monotonic() - started < TIMEOUT_SECONDS + 20
    return seen
