# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to re-arm the open connections at risk of a node. Needs root, and Linux 5.6 or later.

Real are the sockets, the processes that have them open, and the timers. The node is a namespace of its own, new in each
round, because a connection that has been re-armed is at risk no more.
"""

import argparse
import fcntl
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import time
from collections import defaultdict

from figures import Part, Table, run, say, spread

SIOCSIFFLAGS = 0x8914
IFF_UP = 1
NODE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
HERE, THERE = "192.0.2.1", "192.0.2.2"
PLANNED = {"time": 600, "intvl": 30, "probes": 9}
WAYS = ("nothing to do", "check mode", "re-armed", "once more, all is well")

MODULE = """
import json, sys
from ansible.module_utils import basic
from ansible_collections.kubenode.connections.plugins.modules import node_settings
basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.loads(sys.argv[1])}).encode()
basic._ANSIBLE_PROFILE = "legacy"  # as Ansible's own wrapper sets it, from ansible-core 2.19 on
node_settings.main()
"""


def bench(full: bool, rounds: int) -> Part:
    """One process with many connections, and many with few."""
    number = 10000 if full else 200
    costs: dict[tuple[int, str], list[tuple[float, float]]] = defaultdict(list)
    for _round in range(rounds):
        for processes in (1, 50):
            command = [*NODE, sys.executable, __file__, str(number), str(processes)]
            told = json.loads(run(command, os.environ).output.splitlines()[-1])
            for way in WAYS:
                costs[processes, way].append(tuple(told[way]))
    rows = []
    for (processes, way), taken in costs.items():
        seconds, processor = zip(*taken, strict=True)
        say(f"rearmed: {number} connections, processes: {processes}, {way}: {spread(seconds)} s")
        rows.append([f"{processes} process{'es' * (processes > 1)}, {way}", spread(seconds), spread(processor)])
    words = f"`node_settings` with {number:,} open connections at risk in one network namespace:"
    return Part({"rearmed": f"{words}\n\n{Table(['', 'seconds', 'CPU seconds'], rows)}"})


def main() -> None:
    """Open the connections and re-arm them in this node of its own; print as JSON what it took, by the way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("connections", type=int, help="at risk")
    parser.add_argument("processes", type=int, help="that have them open")
    options = parser.parse_args()
    become_a_node()
    for number in range(options.processes):
        start(options.connections // options.processes, 1000 + number)  # below the ports of clients
    wanted = options.connections // options.processes * options.processes
    costs = {way: settings(way == "check mode", way != "nothing to do") for way in WAYS}
    counts = [cost[2] for cost in costs.values()]
    if counts != [None, wanted, wanted, 0]:
        raise SystemExit(f"re-armed were {counts} in turn, expected none, {wanted}, {wanted} and 0")
    print(json.dumps({way: cost[:2] for way, cost in costs.items()}))


def become_a_node() -> None:
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for path in ("/etc/sysctl.d", "/etc/modules-load.d", "/run", "/var/lib"):
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", path], check=True)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    for address in (HERE, THERE):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    _now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def start(connections: int, port: int) -> None:
    """Start a process with so many connections to a port of its own, whose other ends a child of it has."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            kept = open_connections(connections, port)
            os.write(writing, b"r")
            while kept:
                time.sleep(3600)
        finally:
            os._exit(1)
    os.close(writing)
    if os.read(reading, 1) != b"r":
        raise SystemExit("the connections could not be opened: see what is printed above")
    os.close(reading)


def open_connections(number: int, port: int) -> list[socket.socket]:
    listener = socket.create_server((THERE, port), backlog=1024)
    if os.fork() == 0:
        accepted = [listener.accept()[0] for _number in range(number)]
        while accepted:
            time.sleep(3600)
    kept = []
    for _number in range(number):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.bind((HERE, 0))
        client.connect(listener.getsockname())
        kept.append(client)
    return kept


def settings(check: bool, rearm: bool) -> tuple[float, float, int | None]:
    """Seconds and CPU seconds of one execution of node_settings, and how many connections it says it re-armed."""
    given = {"open_connections": {**PLANNED, "outside_limit": 900}} if rearm else {}
    arguments = json.dumps({**given, "_ansible_check_mode": check})
    cost = run([sys.executable, "-c", MODULE, arguments], os.environ)
    told = json.loads(cost.output.splitlines()[-1])
    done = told["open_connections"]
    return cost.seconds, cost.processor_seconds, done["rearmed"] if done else None


if __name__ == "__main__":
    main()
