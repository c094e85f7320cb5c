# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reading the sockets of all pods and IPVS's tables costs, next to ss and ipvsadm. Real sockets; needs root.

Run it as ``python3 tests/bench/sockets.py --help`` says. It prints a table and judges nothing: a machine that is busy
is slow.
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
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COLLECTIONS = os.path.join(ROOT, ".build", "dev")
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
SERVICES = 10

OURS = """
import json, os, sys
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_tables
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import namespaces as netns
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import sockets as tcp_sockets
table, ask = sys.argv[1], sys.argv[2] == "netlink"
names = {(bytes([127, 96, 0, last]), 80): "127.96.0.%d:80" % last for last in range(1, %d + 1)}
inside = lambda pids: tcp_sockets.as_plain(tcp_sockets.read(names, ask and inet_diag.loads_nothing(), pids))
rows = [space.inside for space in netns.read(inside=inside).spaces] if ask or sys.argv[2] == "proc" else []
ipvs_tables._CONNECTIONS = table
connections = sum(ipvs_tables.read_connections()[0].counts["TCP"].values()) if table else 0
print(json.dumps([sum(row["connections"] for row in rows), sum(row["without_keepalive"] for row in rows), connections,
                  sum(sum(p["without_keepalive"] for p in s["processes"]) for row in rows for s in row["services"])]))
""".replace("%d + 1", f"{SERVICES} + 1")

VIRTUAL_SERVICES = """
import json, sys
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import services as ipvs_services
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_tables
ipvs_services._SERVICES = sys.argv[1]
if sys.argv[2] == "ours":
    seen = ipvs_services.read()[0]
    names = ipvs_services.read_destinations(seen.addresses, seen.marks, "ipvs").names
    told = dict(ipvs_services.as_plain(seen), names=None)
else:
    with open(sys.argv[1]) as table:
        services = list(ipvs_tables.parse_services(table))
    told = [dict(each._asdict(), real_servers=[each._asdict() for each in each.real_servers]) for each in services]
print(len(json.dumps(told)))
"""


class Cost(NamedTuple):
    """What a command took: seconds on the clock and on the processor, the peak of its memory, and what it printed."""

    name: str
    seconds: float
    processor_seconds: float
    peak_mib: float
    output: str


def main() -> int:
    """Make the namespaces and the sockets, read them in each way, print what it took."""
    options = parse_arguments()
    if os.environ.get("KUBENODE_BENCH") != "inside":
        return isolate()
    pairs = options.sockets // options.namespaces // 2
    allow_files(2 * pairs + 100)
    pids = [start_pod(pairs) for _number in range(options.namespaces)]
    with tempfile.NamedTemporaryFile("w", suffix=".ip_vs_conn") as table:
        write_table(table, options.ipvs_connections)
        costs = [cost for _round in range(options.rounds) for cost in measure(pids, table.name)]
    report(options, best(costs))
    with tempfile.NamedTemporaryFile("w", suffix=".ip_vs") as table:
        write_services(table, options.ipvs_services, options.real_servers)
        costs = [cost for _round in range(options.rounds) for cost in measure_services(table.name)]
    report_services(options, best(costs))
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--namespaces", type=int, default=20, help="pods, a network namespace each (250 for a full node)"
    )
    parser.add_argument("--sockets", type=int, default=4000, help="established sockets of all pods (100000)")
    parser.add_argument("--ipvs-connections", type=int, default=10000, help="lines of the IPVS table (100000)")
    parser.add_argument("--ipvs-services", type=int, default=10000, help="virtual services of the IPVS table (10000)")
    parser.add_argument("--real-servers", type=int, default=10, help="real servers of each of them (10)")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many runs of each way counts")
    return parser.parse_args()


def isolate() -> int:
    """Run again where no other namespace or process is visible, so that others don't count; it all ends with us."""
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", sys.executable, *sys.argv]
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


def write_table(table, lines: int) -> None:
    """As ip_vs_conn_seq_show in the kernel's net/netfilter/ipvs/ip_vs_conn.c prints the connections."""
    table.write("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n")
    for number in range(lines):
        source = f"0A01{number >> 8 & 0xFFFF:04X} {1024 + number % 60000:04X}"
        table.write(f"TCP {source} 0A60000A 0050 0A020002 1F90 ESTABLISHED {number % 900:7d}\n")
    table.flush()


def write_services(table, services: int, real_servers: int) -> None:
    """As ip_vs_info_seq_show in the kernel's net/netfilter/ipvs/ip_vs_ctl.c prints them; each tenth one drains."""
    table.write("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n")
    table.write("  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n")
    for service in range(services):
        table.write(f"TCP  0A{0x600000 + service:06X}:0050 rr  \n")
        for server in range(real_servers):
            place = f"0A{service * real_servers + server & 0x5FFFFF:06X}:1F90"
            table.write(f"  -> {place}      Masq    {int(server % 10 != 9):<6} {3:<10} {1:<10}\n")
    table.flush()


def measure_services(table: str) -> list[Cost]:
    return [
        run(
            "ours: in numbers, with what sockets are matched with",
            [sys.executable, "-c", VIRTUAL_SERVICES, table, "ours"],
        ),
        run("every service and real server as JSON", [sys.executable, "-c", VIRTUAL_SERVICES, table, "all"]),
    ]


def measure(pids: list[int], table: str) -> list[Cost]:
    each = "; ".join(f"nsenter --net=/proc/{pid}/ns/net ss -tnoi" for pid in pids)
    ours = [sys.executable, "-c", OURS]
    costs = [
        run("all of ours: sockets (sock_diag), processes, IPVS table", [*ours, table, "netlink"]),
        run("ours: sockets (sock_diag), processes", [*ours, "", "netlink"]),
        run("ours: sockets (/proc/net/tcp), processes", [*ours, "", "proc"]),
        run("ours: IPVS table", [*ours, table, "none"]),
        run("Python with nothing to do", [*ours, "", "none"]),
    ]
    if shutil.which("ss"):
        costs.append(run("ss -tnoi in each namespace, output thrown away", ["sh", "-c", each], throw_away=True))
    if shutil.which("ipvsadm") and os.path.exists("/proc/net/ip_vs_conn"):
        costs.append(run("ipvsadm -Lnc, output thrown away", ["ipvsadm", "-Lnc"], throw_away=True))
    return costs


def run(name: str, command: list[str], throw_away: bool = False) -> Cost:
    environment = dict(os.environ, PYTHONPATH=COLLECTIONS)
    before = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL if throw_away else subprocess.PIPE, text=True
    )
    output = "" if process.stdout is None else process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    if status:
        raise SystemExit(f"{name}: ended with wait status {status}")
    return Cost(name, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def best(costs: list[Cost]) -> list[Cost]:
    """The quickest run of each way, in the order in which they were measured first."""
    found: dict[str, Cost] = {}
    for cost in costs:
        before: Cost | None = found.get(cost.name)
        if before is None or cost.processor_seconds < before.processor_seconds:
            found[cost.name] = cost
    return list(found.values())


def report(options: argparse.Namespace, costs: list[Cost]) -> None:
    sockets, without, connections, named = json.loads(costs[0].output)
    print(
        f"{options.namespaces} namespaces, {sockets} established sockets seen, {without} without keepalive to services"
    )
    print(
        f"({named} of them with the name of their process), {connections} IPVS connections; Python "
        f"{sys.version.split()[0]}, Linux {os.uname().release}, best of {options.rounds}.\n"
    )
    print_costs(costs)


def report_services(options: argparse.Namespace, costs: list[Cost]) -> None:
    sizes = " and ".join(f"{int(cost.output):,}" for cost in costs)
    print(f"\n{options.ipvs_services} virtual services with {options.real_servers} real servers each; {sizes} bytes.\n")
    print_costs(costs)


def print_costs(costs: list[Cost]) -> None:
    print(f"{'':58}{'seconds':>9}{'CPU s':>9}{'peak MiB':>10}")
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # a process begins as a copy of this one
    for cost in costs:
        peak = f"{cost.peak_mib:.1f}" if cost.peak_mib > floor else f"< {floor:.0f}"
        print(f"{cost.name:58}{cost.seconds:9.2f}{cost.processor_seconds:9.2f}{peak:>10}")


if __name__ == "__main__":
    sys.exit(main())
