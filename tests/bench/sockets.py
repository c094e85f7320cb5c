# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node_info costs on a node with many pods, sockets and Services, next to ss and ipvsadm. Needs root.

The sockets are real, in network namespaces that are the pods. The tables of IPVS are files as the kernel prints them,
which node_info is told to read: a kernel with IPVS is not needed, and none could be filled so quickly.
"""

import argparse
import ctypes
import fcntl
import json
import os
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import payload
from figures import Cost, Part, Table, run, say, spread

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
SERVICES = 10
EMPTY = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")

NODE_INFO = """
import sys
archive, connections, virtual_services = sys.argv[1:]
sys.path.insert(0, archive)
from ansible.module_utils import basic
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_tables, modules
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import services
from ansible_collections.kubenode.connections.plugins.modules import node_info
ipvs_tables._CONNECTIONS = connections
modules._MARKS["ip_vs"] = services._SERVICES = virtual_services
basic._ANSIBLE_ARGS = b'{"ANSIBLE_MODULE_ARGS": {"sample_seconds": 0}}'
basic._ANSIBLE_PROFILE = "legacy"  # as Ansible's own wrapper sets it, from ansible-core 2.19 on
node_info.main()
"""


def bench(full: bool, rounds: int) -> Part:
    """A full node, and a small one."""
    small = {"pods": 4, "sockets": 40, "ipvs-connections": 100, "ipvs-services": 100, "real-servers": 2}
    options = {} if full else small
    say("node: " + (", ".join(f"{number} {name}" for name, number in options.items()) or "full tables"))
    given = [f"--{name}={number}" for name, number in options.items()]
    with tempfile.NamedTemporaryFile(suffix=".zip") as archive:
        archive.write(payload.sent(full)["kubenode.connections.node_info"].archive)
        archive.flush()
        output = run([sys.executable, __file__, archive.name, *given, f"--rounds={rounds}"], os.environ).output
    told = json.loads(output.splitlines()[-1])
    for name, costs in told["costs"].items():
        say(f"  {name}: {min(seconds for seconds, _cpu, _peak in costs):.2f} s")
    return Part({"node": _text(told)})


def main() -> int:
    """Make the namespaces and the sockets, read them in each way in turn, print as JSON what it took."""
    options = parse_arguments()
    if os.environ.get("KUBENODE_BENCH") != "inside":
        return isolate()
    pairs = options.sockets // options.pods // 2
    allow_files(2 * pairs + 100)
    pids = [start_pod(pairs) for _number in range(options.pods)]
    costs = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        connections, services = Path(name, "ip_vs_conn"), Path(name, "ip_vs")
        write_connections(connections, options.ipvs_connections)
        write_services(services, options.ipvs_services, options.real_servers)
        each_pod = Path(name, "ss.sh")
        each_pod.write_text("".join(f"nsenter --net=/proc/{pid}/ns/net ss -tno\n" for pid in pids), encoding="ascii")
        for _round in range(options.rounds):
            for way, command in ways(options.archive, connections, services, each_pod).items():
                cost = run(command)
                costs[way].append((cost.seconds, cost.processor_seconds, cost.peak_mib))
                check(way, cost, options)
    # A process begins as a copy of this one: nothing below its own peak can be seen.
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**vars(options), "costs": costs, "floor": floor}))
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", help="node_info and all that it imports, as Ansible sends it")
    parser.add_argument("--pods", type=int, default=250, help="network namespaces")
    parser.add_argument("--sockets", type=int, default=100000, help="established sockets of all pods")
    parser.add_argument("--ipvs-connections", type=int, default=100000, help="lines of IPVS's table of connections")
    parser.add_argument("--ipvs-services", type=int, default=10000, help="virtual services of IPVS")
    parser.add_argument("--real-servers", type=int, default=10, help="real servers of each of them")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each way, in turn")
    return parser.parse_args()


def isolate() -> int:
    """Run again where no other namespace or process is visible, so that others don't count; it all ends with us."""
    command = [*EMPTY, sys.executable, *sys.argv]
    return subprocess.call(command, env=dict(os.environ, KUBENODE_BENCH="inside"))


def allow_files(number: int) -> None:
    """Let a process have that many files open."""
    _now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, number), max(most, number)))


def start_pod(pairs: int) -> int:
    """A process in a network namespace of its own, with so many connections to virtual services; its process ID."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            kept = open_pairs(pairs)
            os.write(writing, b"r")
            while kept:
                time.sleep(3600)
        finally:
            os._exit(1)
    os.close(writing)
    if os.read(reading, 1) != b"r":
        raise SystemExit("a pod could not be made: run as root, and see what is printed above")
    os.close(reading)
    return pid


def open_pairs(pairs: int) -> list[socket.socket]:
    """Both ends of each connection; a third of the clients has no keepalive. Changes the network namespace."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    listener = socket.socket()
    listener.bind(("0.0.0.0", 80))
    listener.listen(16)
    kept = [listener]
    for number in range(pairs):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(number % 3 != 0))
        client.connect((f"127.96.0.{number % SERVICES + 1}", 80))
        kept += [client, listener.accept()[0]]
    return kept


def write_connections(path: Path, lines: int) -> None:
    """As ip_vs_conn_seq_show in the kernel's net/netfilter/ipvs/ip_vs_conn.c prints the connections."""
    with path.open("w", encoding="ascii") as table:
        table.write("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n")
        for number in range(lines):
            source = f"0A01{number >> 8 & 0xFFFF:04X} {1024 + number % 60000:04X}"
            table.write(f"TCP {source} 7F600001 0050 0A020002 1F90 ESTABLISHED {number % 900:7d}\n")


def write_services(path: Path, services: int, real_servers: int) -> None:
    """As ip_vs_info_seq_show in the kernel's net/netfilter/ipvs/ip_vs_ctl.c prints them; each tenth one drains."""
    with path.open("w", encoding="ascii") as table:
        table.write("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n")
        table.write("  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n")
        for service in range(services):
            table.write(f"TCP  {0x7F600001 + service:08X}:0050 rr  \n")
            for server in range(real_servers):
                place = f"0A{service * real_servers + server & 0x5FFFFF:06X}:1F90"
                table.write(f"  -> {place}      Masq    {int(server % 10 != 9):<6} {3:<10} {1:<10}\n")


def ways(archive: str, connections: Path, services: Path, each_pod: Path) -> dict[str, list[str]]:
    """By name, what is run in each round."""
    node_info = [sys.executable, "-I", "-c", NODE_INFO, archive]
    found = {
        "node_info": [*node_info, str(connections), str(services)],
        "node_info, sockets without IPVS": [*node_info, "/nowhere", "/nowhere"],
        "node_info on an empty node": [*EMPTY, *node_info, "/nowhere", "/nowhere"],
        "`ss -tno` in each pod": ["sh", "-c", f"sh {each_pod} > /dev/null"],
    }
    if shutil.which("ipvsadm") and os.path.exists("/proc/net/ip_vs_conn"):
        found["`ipvsadm -Lnc`"] = ["sh", "-c", "ipvsadm -Lnc > /dev/null"]
    return found


def check(way: str, cost: Cost, options: argparse.Namespace) -> None:
    """A reading that saw nothing costs nothing."""
    if way == "node_info":
        node = json.loads(cost.output)["node"]
        seen = node["pods"]["totals"]["to_services"], sum(node["ipvs"]["connections"]["TCP"].values())
        expected = options.sockets // options.pods // 2 * options.pods, options.ipvs_connections
        if seen != expected:
            raise SystemExit(
                f"node_info saw {seen} connections to Services and in IPVS, expected {expected}: {node['problems']}"
            )


def _text(told: dict[str, Any]) -> str:
    """What was read, and the table of what it took."""
    names = ("pods", "sockets", "ipvs_services", "real_servers", "ipvs_connections")
    pods, sockets, services, servers, connections = (f"{told[name]:,}" for name in names)
    words = (
        f"{pods} pods with {sockets} established sockets, {services} virtual services of IPVS with {servers} real "
        f"servers each, {connections} IPVS connections."
    )
    if "`ipvsadm -Lnc`" not in told["costs"]:
        words += " `ipvsadm -Lnc` was not measured: this machine has no ipvsadm, or its kernel no IPVS."
    rows = []
    for way, costs in told["costs"].items():
        seconds, processor, peaks = zip(*costs, strict=True)
        peak = spread(peaks) if min(peaks) > 1.05 * told["floor"] else f"below {told['floor']:.0f}"
        rows.append([way, spread(seconds), spread(processor), peak])
    return f"{words}\n\n{Table(['', 'seconds', 'CPU seconds', 'peak, MiB'], rows)}"


if __name__ == "__main__":
    sys.exit(main())
