# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run cases side by side: a JSON list of cases on stdin, a JSON list of results on stdout. Runs in the guest, as root.

The argument is the first source port; connections take it and those that follow.

A case is a mapping: kind (a function of KINDS), count (connections alike, default 1), and what the kind needs.
A result is a mapping: connections, the list of their results, each a mapping whose "got" says what the client got;
stalled, for how many seconds at most the machine stood still meanwhile, as a guest does whose host is busy.
"""

import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from connection import PATIENCE_SECONDS, Connection, at_node, enter
from network import BACKENDS, NODE, PORT, REUSE_PORT, VIP_REUSE
from somebody import CGROUPS, names

ANSWERS = ("s1", "s2", "spoken")
CHAT_SECONDS = 2
TICK_SECONDS = 0.05
ATTEMPTS = 5


def verdict(heard):
    """An answer is an answer, whoever gives it."""
    return "answered" if heard in ANSWERS else heard


def connect(case):
    """A connection that has had its first answer; tried again where a busy machine was slower than the limit."""
    for _attempt in range(ATTEMPTS):
        connection = Connection(case)
        if connection.backend in ANSWERS:
            return connection
        connection.socket.close()
    raise TimeoutError(f"no first answer in {ATTEMPTS} attempts")


def idle(case):
    """Say something, be silent for case["idle"] seconds, say something again (with first: server it is its turn)."""
    connection = connect(case)
    while case.get("chat_until") and not reads(*case["chat_until"]):
        time.sleep(CHAT_SECONDS)
        if connection.ask() not in ANSWERS:  # the machine stood still for longer than the limit
            connection.socket.close()
            connection = connect(case)
    if case.get("lose"):
        connection.lose_next(case["lose"])
    connection.set(case.get("afterwards", {}))
    result = {"keepidle": connection.keepidle()} if case.get("show_timer") or case.get("show_time") else {}
    if case.get("show_timer"):
        result["timer"] = connection.timer()
    if case.get("first") == "server":
        connection.tell(f"speak {case['idle']}")
        result["got"] = verdict(connection.hear(case["idle"] + PATIENCE_SECONDS))
    else:
        time.sleep(case["idle"])
        if case.get("flush"):
            connection.flush_conntrack()
        result["got"] = verdict(connection.ask())
    if case.get("lose"):
        result["lost"] = connection.lost()
    return dict(result, server=connection.server_outcome())


def reads(path, content):
    """Whether a file is there and says that."""
    try:
        with open(path) as file:
            return file.read().strip() == content
    except FileNotFoundError:
        return False


def stray(case):
    """The server's side sends a packet out of window; then the client goes on as always."""
    connection = connect(case)
    connection.count_invalid()
    connection.tell("stray " + case["stray"])
    connection.await_note("stray")
    time.sleep(PATIENCE_SECONDS / 5)
    server = connection.server_outcome()
    return {"got": verdict(connection.ask()), "server": server, "invalid": connection.invalid()}


def dead(case):
    """The peer dies; how long until the client is told, at most case["wait"] seconds. With write: data is in flight."""
    connection = connect(case)
    rto = connection.rto_seconds()
    connection.kill_peer()
    started = time.monotonic() - (0 if case["write"] else connection.silent_seconds())
    if case["write"]:
        connection.tell("ping")
    got = connection.hear(case["wait"])
    return {"got": got, "seconds": round(time.monotonic() - started, 1), "rto": rto}


def program(case):
    """A real client (programs.py) says something, is silent, says something again; in a cgroup of its own or not."""
    enter(case["from"])
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs.py")
    words = [case["program"], str(case["idle"]), *case.get("chat_until", ())]
    done = subprocess.run(
        [*in_cgroup(case.get("cgroup")), sys.executable, here, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return {"got": done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "no output"}


def in_cgroup(path):
    """The words that run a command in a cgroup below the root, which is made if need be and stays."""
    if not path:
        return []
    folder = CGROUPS + path
    os.makedirs(folder, exist_ok=True)
    return ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', folder]


def reuse(case):
    """Ports of connections to s1 are used again after s1 got weight 0 and died."""
    node, backend = case.get("node", NODE), case["backend"]
    case = dict(case, to=[VIP_REUSE, PORT])
    ports = range(case["first_port"], case["first_port"] + 8)
    ports = [port for port in ports if one_connection(dict(case, source_port=port))["got"] == "s1"]
    weigh(node, 0)
    at_node(
        backend,
        "nft",
        "add table ip gone; add chain ip gone in { type filter hook input priority 0; }; "
        f"add rule ip gone in tcp dport {REUSE_PORT} drop",
    )
    try:
        return [one_connection(dict(case, source_port=port, connect_seconds=case["wait"])) for port in ports]
    finally:
        at_node(backend, "nft", "delete table ip gone")
        weigh(node, 1)


def weigh(node, weight):
    """Give s1 a weight, as kube-proxy does with a pod that terminates."""
    at_node(
        node, "ipvsadm", "-e", "-t", f"{VIP_REUSE}:{PORT}", "-r", f"{BACKENDS[0]}:{REUSE_PORT}", "-m", "-w", str(weight)
    )


def sysctl(case):
    """The value of a sysctl in a namespace, now."""
    return {"got": at_node(case["from"], "sysctl", "-n", case["key"]).strip()}


def programs(_case):
    """Whose programs the kernel runs for new connections, by their names."""
    return {"got": ", ".join(names()) or "none"}


def priority(case):
    """What somebody else's program has set on a new connection (somebody.py)."""
    return {"got": str(connect(case).socket.getsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY))}


def one_connection(case):
    """Connect, learn who answers, let the server close first (so that the port is free at once)."""
    try:
        connection = Connection(case)
    except TimeoutError:
        return {"got": "hangs", "seconds": case["connect_seconds"]}
    connection.ask("bye")
    connection.socket.close()
    return {"got": connection.backend, "seconds": round(connection.connect_seconds, 3)}


KINDS = {each.__name__: each for each in (idle, stray, dead, program, reuse, sysctl, programs, priority)}


class Stalls(threading.Thread):
    """Watches the clock: when the machine stood still, and for how long."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = [(time.monotonic(), 0.0)]
        self.start()

    def run(self):
        """Note every tick that comes late."""
        while True:
            due = time.monotonic() + TICK_SECONDS
            time.sleep(TICK_SECONDS)
            late = time.monotonic() - due
            if late > TICK_SECONDS:
                self.seen.append((due, late))

    def longest(self, since):
        """The longest standstill in seconds since a time of the monotonic clock."""
        return max((late for due, late in self.seen if due + late >= since), default=0.0)


def run(case):
    """All connections of a case, side by side."""
    count, started = case.get("count", 1), time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        results = list(pool.map(answer, [case] * count))
    connections = results[0] if isinstance(results[0], list) else results
    return {"connections": connections, "stalled": round(case["stalls"].longest(started), 2)}


def answer(case):
    """One connection's result; what went wrong on the way is a result, too."""

    def work():
        try:
            results.append(KINDS[case["kind"]](case))
        except Exception as error:  # pylint: disable=broad-except
            results.append({"got": f"{type(error).__name__}: {error}"})

    results = []
    thread = threading.Thread(target=work)  # of its own, because it changes its namespace
    thread.start()
    thread.join()
    return results[0]


def main(first_port):
    """All cases side by side."""
    threading.stack_size(256 * 1024)
    shared = {"ports": itertools.count(int(first_port)), "stalls": Stalls()}
    cases = [dict(case, **shared) for case in json.load(sys.stdin)]
    with ThreadPoolExecutor(len(cases)) as pool:
        json.dump(list(pool.map(run, cases)), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
