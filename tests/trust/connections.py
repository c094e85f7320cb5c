# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running pod with open connections, which says itself what each of them has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import cgroups

UID = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"
NUMBER = 3
"""So many of its connections asked for keepalive; one more did not."""

_CONTAINER = "5c" * 32
_PROGRAM = """
import json, socket, subprocess, sys
for command in ("link set lo up", "address add 192.0.2.1/32 dev lo", "address add 192.0.2.2/32 dev lo"):
    subprocess.check_call(["ip", *command.split()])
server = socket.create_server(("192.0.2.2", 5432))
IP, SOCKET = socket.IPPROTO_TCP, socket.SOL_SOCKET
OPTIONS = (SOCKET, socket.SO_KEEPALIVE), *((IP, each) for each in (
    socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT))
for line in sys.stdin:
    if line.strip():
        clients, servers = [], []
        for asked in json.loads(line):
            client = socket.socket()
            client.setsockopt(*OPTIONS[0], asked)
            client.bind(("192.0.2.1", 0))
            client.connect(("192.0.2.2", 5432))
            clients.append(client)
            servers.append(server.accept()[0])
    print(json.dumps([[client.getsockopt(*option) for option in OPTIONS] for client in clients]), flush=True)
"""
"""Of each line that it reads it opens these connections instead, with SO_KEEPALIVE or without; then it tells them."""


class Connections:
    """Those of a pod."""

    def __init__(self) -> None:
        self._program = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        cgroup = Path(f"{cgroups.mounted_at()}/kubepods/pod{UID}/{_CONTAINER}")
        cgroup.mkdir(parents=True)
        (cgroup / "cgroup.procs").write_text(str(self._program.pid), encoding="ascii")

    def renew(self) -> list[list[int]]:
        """Others in their place, which nobody has touched."""
        return self._ask(json.dumps([1] * NUMBER + [0]))

    def read(self) -> list[list[int]]:
        """SO_KEEPALIVE, time, interval and probes of each."""
        return self._ask("")

    def _ask(self, line: str) -> list[list[int]]:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(line + "\n")
        self._program.stdin.flush()
        return json.loads(self._program.stdout.readline())
