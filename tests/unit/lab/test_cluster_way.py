# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's way to kubelets: to a port of loopback by the node's address, and to nothing else."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real import control_plane

NODE = "192.0.2.1"
OK, REFUSED = b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
WAIT_SECONDS = 20


@pytest.fixture(name="kubelet")
def fixture_kubelet() -> Iterator[socket.socket]:
    """Who listens on loopback in the place of a kubelet."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WAIT_SECONDS)
        yield server


@pytest.fixture(name="way")
def fixture_way(tmp_path: Path, kubelet: socket.socket) -> Iterator[Path]:
    """The socket at which the program listens."""
    path = tmp_path / "way"
    command = [sys.executable, control_plane.WAY, path, f"{NODE}={kubelet.getsockname()[1]}"]
    with subprocess.Popen(command) as program:
        deadline = time.monotonic() + WAIT_SECONDS
        while not listens(path) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield path
        program.terminate()


def listens(path: Path) -> bool:
    """Whether one may connect: the socket has its path a little before."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def asked(way: Path, question: bytes) -> socket.socket:
    """A connection over which something was asked."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(WAIT_SECONDS)
    connection.connect(str(way))
    connection.sendall(question)
    return connection


def test_a_node_is_reached_at_its_port_here(way: Path, kubelet: socket.socket) -> None:
    with asked(way, f"CONNECT {NODE}:10250 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()) as api:
        there, _address = kubelet.accept()
        with there:
            assert api.recv(100) == OK
            api.sendall(b"logs?")
            assert there.recv(100) == b"logs?"
            there.sendall(b"logs")
            assert api.recv(100) == b"logs"


@pytest.mark.parametrize("question", [b"CONNECT 192.0.2.2:10250 HTTP/1.1", b"GET / HTTP/1.1", b""])
def test_nobody_else_is_reached(way: Path, question: bytes) -> None:
    with asked(way, question + b"\r\n\r\n") as api:
        assert api.recv(100) == REFUSED
