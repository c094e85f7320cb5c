# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the finding proxy-on-path says, with real sockets: a proxy that ends TCP counts payload, not probes."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time

import pytest

IDLE_SECONDS = 3

PROXY = """
import select, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
server = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
client, _ = listener.accept()
to_server = socket.create_connection(server.getsockname())
behind, _ = server.accept()
while True:
    readable, _, _ = select.select([client, to_server, behind], [], [], float(sys.argv[1]))
    if not readable:
        sys.exit()
    for each in readable:
        data = each.recv(100)
        if not data:
            sys.exit()
        (to_server if each is client else behind if each is behind else client).sendall(data)
"""
"""Relays, and echoes behind itself, until nothing was sent for so many seconds."""


@pytest.fixture
def probing():
    """A connection through the proxy whose keepalive is 1/1/9: a probe every second."""
    proxy = subprocess.Popen([sys.executable, "-c", PROXY, str(IDLE_SECONDS)], stdout=subprocess.PIPE, text=True)
    with proxy, socket.create_connection(("127.0.0.1", int(proxy.stdout.readline()))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 9)):
            client.setsockopt(socket.IPPROTO_TCP, option, value)
        client.settimeout(IDLE_SECONDS * 3)
        yield client
        proxy.kill()


def answered_seconds_ago(client):
    """When the last ACK came (tcpi_last_ack_recv, after eight flags and twelve fields)."""
    milliseconds = struct.unpack_from("8B13I", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104))[8 + 12]
    return milliseconds / 1000


def test_probes_are_answered_and_the_proxy_cuts_the_connection_all_the_same(probing):
    start = time.monotonic()
    time.sleep(IDLE_SECONDS - 0.5)
    assert answered_seconds_ago(probing) < IDLE_SECONDS / 2
    assert probing.recv(1) == b""
    assert IDLE_SECONDS - 0.5 <= time.monotonic() - start < IDLE_SECONDS + 1


def test_payload_keeps_it(probing):
    for _ in range(4):
        time.sleep(IDLE_SECONDS / 3)
        probing.sendall(b"ping")
        assert probing.recv(4) == b"ping"
