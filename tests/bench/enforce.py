# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What enforced keepalive costs a new connection: with and without it, a few hundred connections in turn. Needs root.

Client and server are processes in two network namespaces with a cable between them, for loopback is left alone. There
is a pair of them in each of two control groups, which are made here. Our program is attached to one of the two, never
to the root of this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from figures import Part, Table, ratios, run, say, spread

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, sock_ops

KEEPALIVE = Keepalive(600, 30, 9)
CLONE_NEWNET = 0x40000000
TURN = 250
"""Connections of one of the two, before it is the other's turn."""
WITHOUT, WITH = "without", "with enforced keepalive"
CABLES = {WITHOUT: ("192.0.2.1", "192.0.2.2"), WITH: ("192.0.2.5", "192.0.2.6")}
"""The two addresses of each cable: the client's and the server's."""
PORT = 5000
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER that ends a connection by a reset, so that its port is free at once."""
HEADER = ["", "connections a second", "connect, median, µs", "connect, 99 of 100, µs", "first answer, median, µs"]
FIGURES = ("rate", "connect", "slow", "answer")


def bench(full: bool, rounds: int) -> Part:
    """The smallest size takes a second."""
    connections = 10_000 if full else TURN
    say(f"enforce: {connections:,} connections with and without, {rounds} round{'s' * (rounds > 1)}")
    output = run([sys.executable, __file__, str(connections), str(rounds)], os.environ).output
    told = json.loads(output.splitlines()[-1])
    for way, figures in told["figures"].items():
        say(f"  {way}: {statistics.median(figures['rate']):,.0f} connections a second")
    return Part({"enforce": _text(told)})


def main() -> int:
    """Print as JSON what each of the two took in each round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("connections", type=int)
    parser.add_argument("rounds", type=int)
    options = parser.parse_args()
    if os.environ.get("KUBENODE_BENCH") != "inside":
        command = ["unshare", "--net", "--mount", sys.executable, *sys.argv]
        return subprocess.call(command, env=dict(os.environ, KUBENODE_BENCH="inside"))
    code = sock_ops.code_of(sock_ops.program(KEEPALIVE))
    with groups() as folders, contextlib.ExitStack() as ends:
        attach(folders[WITH], code)
        for way, (_client, address) in CABLES.items():
            lay_cable(ends.enter_context(Worker(folders[way], serve, address, apart=True)).pid, *CABLES[way])
        clients = {way: ends.enter_context(Worker(folders[way], call, CABLES[way][1])) for way in CABLES}
        figures: dict[str, dict[str, list[float]]] = {way: {name: [] for name in FIGURES} for way in CABLES}
        for number in range(options.rounds):
            for way, each in measured(clients, options.connections, number).items():
                for name, value in each.items():
                    figures[way][name].append(value)
    print(json.dumps({**vars(options), "instructions": len(code) // 8, "figures": figures}))
    return 0


def measured(clients: Mapping[str, Worker], connections: int, number: int) -> dict[str, dict[str, float]]:
    """One round: turn by turn, beginning with the other one each time."""
    times: dict[str, list[list[float]]] = {way: [] for way in clients}
    order = list(clients) if number % 2 == 0 else list(clients)[::-1]
    for _turn in range(0, connections, TURN):
        for way in order:
            keepalive, rows = clients[way].ask(min(TURN, connections))
            if keepalive != int(way == WITH):
                raise SystemExit(f"{way}: SO_KEEPALIVE of a connection is {keepalive}.")
            times[way] += rows
    return {way: summed(rows) for way, rows in times.items()}


def summed(rows: Sequence[Sequence[float]]) -> dict[str, float]:
    """Of the seconds of each connection: until it was there, until its first answer, and until it was closed."""
    connect, answer, whole = ([1e6 * each for each in column] for column in zip(*rows, strict=True))
    return {
        "rate": 1e6 * len(rows) / sum(whole),
        "connect": statistics.median(connect),
        "slow": statistics.quantiles(connect, n=100)[-1],
        "answer": statistics.median(answer),
    }


@contextlib.contextmanager
def groups() -> Iterator[dict[str, str]]:
    """The folders of two new control groups of version 2, which go away with what is attached to them."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        subprocess.run(["mount", "-t", "cgroup2", "none", name], check=True)
        own = Path(name, f"kubenode-bench-{os.getpid()}")
        folders = {WITHOUT: own / "without", WITH: own / "with"}
        try:
            for folder in folders.values():
                folder.mkdir(parents=True)
            yield {way: str(folder) for way, folder in folders.items()}
        finally:
            for folder in (*folders.values(), own):
                folder.rmdir()
            subprocess.run(["umount", name], check=True)


def attach(folder: str, code: bytes) -> None:
    """Have our program run for the connections of a control group."""
    cgroup = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    program = bpf.load(code, sock_ops.name_of(KEEPALIVE))
    bpf.attach(cgroup, program)
    os.close(program)
    os.close(cgroup)


class Worker:
    """A process in a control group, in a network namespace of its own or not, that answers numbers with JSON."""

    def __init__(self, group: str, work: Any, address: str, *, apart: bool = False) -> None:
        questions, self._questions = os.pipe()
        answers, theirs = os.pipe()
        self._answers = os.fdopen(answers)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                Path(group, "cgroup.procs").write_text("0", encoding="ascii")
                if apart and ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "unshare")
                os.write(theirs, b'"ready"\n')
                work(address, os.fdopen(questions), theirs)
            finally:
                os._exit(1)
        if self._answer() != "ready":
            raise SystemExit("A worker did not start: see what is printed above.")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_error: object) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def ask(self, number: int) -> Any:
        """The answer to a number."""
        os.write(self._questions, f"{number}\n".encode())
        return self._answer()

    def _answer(self) -> Any:
        line = self._answers.readline()
        if not line:
            raise SystemExit("A worker ended: see what is printed above.")
        return json.loads(line)


def lay_cable(pid: int, client: str, server: str) -> None:
    """A cable from this network namespace to that of a process."""
    name = f"cable{pid}"
    ends = [f"link add {name} type veth peer name eth0 netns {pid}", f"addr add {client}/30 dev {name}"]
    ip([], *ends, f"link set {name} up")
    ip(["nsenter", f"--target={pid}", "--net"], f"addr add {server}/30 dev eth0", "link set eth0 up")


def ip(enter: Sequence[str], *lines: str) -> None:
    """Commands of ip(8) in one namespace."""
    subprocess.run([*enter, "ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


def serve(_address: str, _questions: Any, _answers: int) -> None:
    """One connection after the other: a byte, a byte back."""
    with socket.socket() as listener:
        listener.bind(("", PORT))
        listener.listen(16)
        while True:
            with listener.accept()[0] as connection, contextlib.suppress(ConnectionResetError):
                connection.sendall(connection.recv(1))
                connection.recv(1)


def call(server: str, questions: Any, answers: int) -> None:
    """So many connections, one after the other: of each its times in seconds, and SO_KEEPALIVE of the last one."""
    for line in questions:
        rows, keepalive = [], 0
        for _number in range(int(line)):
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                begin = time.perf_counter()
                client.connect((server, PORT))
                there = time.perf_counter()
                client.sendall(b".")
                client.recv(1)
                answered = time.perf_counter()
                keepalive = client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            rows.append((there - begin, answered - there, time.perf_counter() - begin))
        data = json.dumps([int(bool(keepalive)), rows]).encode() + b"\n"
        while data:
            data = data[os.write(answers, data) :]


def _text(told: Mapping[str, Any]) -> str:
    """What was measured, and the table."""
    figures = told["figures"]
    rows = [[way, *(spread(figures[way][name]) for name in FIGURES)] for way in (WITHOUT, WITH)]
    differences = [_difference(ratios(figures[WITH][name], figures[WITHOUT][name])) for name in FIGURES]
    words = (
        f"{told['connections']:,} connections one after the other, each with a byte and its answer, with and without "
        f"our program of {told['instructions']} instructions, in turns of {TURN}."
    )
    return f"{words}\n\n{Table(HEADER, [*rows, ['difference', *differences]])}"


def _difference(times: Sequence[float]) -> str:
    """In per cent: the median of the rounds, with the lowest and the highest."""
    low, middle, high = (f"{100 * each - 100:+.0f} %" for each in (min(times), statistics.median(times), max(times)))
    return middle if len(times) == 1 else f"{middle} ({low} to {high})"


if __name__ == "__main__":
    sys.exit(main())
