# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client's connection in a namespace of its choice, and what happens to it. Runs in the guest, as root."""

import ctypes
import errno
import os
import re
import socket
import subprocess
import time
import uuid

from network import NODE, inside
from server import OUTCOMES

CLONE_NEWNET = 0x40000000
PATIENCE_SECONDS = 30
"""So long a client waits for an answer before it counts as hanging; an answer takes milliseconds on an idle machine."""

LIBC = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    """Take this thread, and what it starts, into a network namespace."""
    path = "/proc/1/ns/net" if namespace == NODE else "/run/netns/" + namespace
    with open(path) as handle:
        if LIBC.setns(handle.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + path)


def output(*command, check=True):
    """What a command prints; CalledProcessError when it fails and check is true."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=check, text=True).stdout


def at_node(node, *command, check=True):
    """What a command prints that runs in a node's namespace, wherever this thread is."""
    return output("nsenter", "--net=/proc/1/ns/net", *inside(node), *command, check=check)


def name_of(error):
    """An error's name as errno.h has it; our own patience running out is "hangs"."""
    return "hangs" if error.errno is None else errno.errorcode.get(error.errno, str(error))


class Connection:
    """One connection of a case.

    The case's keys: from (namespace), to (address and port), node, keepalive (SO_KEEPALIVE, default true),
    options (as set() takes them), connect_seconds, source_port or ports
    (source ports nobody else uses: two connections that NAT makes alike would disturb each other).
    """

    def __init__(self, case):
        enter(case["from"])
        self.node = case.get("node", NODE)
        self.token = uuid.uuid4().hex
        self.socket = socket.socket(socket.AF_INET6 if ":" in case["to"][0] else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(case.get("keepalive", True)))
        self.set(case.get("options", {}))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("", case.get("source_port") or next(case["ports"])))
        self.socket.settimeout(case.get("connect_seconds", 4 * PATIENCE_SECONDS))
        started = time.monotonic()
        self.socket.connect(tuple(case["to"]))
        self.connect_seconds = time.monotonic() - started
        self.address, self.port = self.socket.getsockname()[:2]
        self.peer = case["to"][0]
        self.outgoing = f"ip saddr {self.address} ip daddr {self.peer} tcp sport {self.port}"
        self.incoming = f"ip daddr {self.address} tcp dport {self.port}"
        self.socket.settimeout(4 * PATIENCE_SECONDS)
        self.tell("name " + self.token)
        self.backend = self.ask()

    def set(self, options):
        """Options of TCP by their names, such as {"TCP_KEEPIDLE": 9}."""
        for name, value in options.items():
            self.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def tell(self, line):
        """Send a line to the server."""
        self.socket.sendall(line.encode() + b"\n")

    def hear(self, seconds=PATIENCE_SECONDS):
        """The server's next line, or what the client got instead of it."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(100).decode().strip() or "closed"
        except OSError as error:
            return name_of(error)

    def ask(self, line="ping"):
        """Send a line, return the answer or what the client got instead."""
        try:
            self.tell(line)
        except OSError as error:
            return name_of(error)
        return self.hear()

    def noted(self, what):
        """The server's note about this connection; None when there is none (yet)."""
        try:
            with open(os.path.join(OUTCOMES, f"{self.token}.{what}")) as record:
                return record.read()
        except FileNotFoundError:
            return None

    def await_note(self, what, seconds=8 * PATIENCE_SECONDS):
        """Wait until the server has left a note."""
        deadline = time.monotonic() + seconds
        while self.noted(what) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no note {what!r} of the server after {seconds} s")
            time.sleep(0.5)

    def server_outcome(self):
        """How the connection ended for the server; "open" when it did not."""
        return self.noted("end") or "open"

    def timer(self):
        """The timer that ss shows, such as keepalive,119min,0; empty where there is none."""
        shown = re.search(r"timer:\(([^)]*)\)", output("ss", "-tnoH", f"sport = :{self.port}"))
        return shown.group(1) if shown else ""

    def keepidle(self):
        """The keepalive time that getsockopt reports, seconds."""
        return self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)

    def tcp_info(self, *fields):
        """The 32-bit fields of these numbers in struct tcp_info, after its first 8 bytes (include/uapi/linux/tcp.h)."""
        info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        return [int.from_bytes(info[8 + 4 * field : 12 + 4 * field], "little") for field in fields]

    def rto_seconds(self):
        """The retransmission time-out of now (tcpi_rto), seconds."""
        return self.tcp_info(0)[0] / 1e6

    def silent_seconds(self):
        """How long nothing has come from the peer, neither data nor ACK (tcpi_last_data_recv, tcpi_last_ack_recv)."""
        return min(self.tcp_info(11, 12)) / 1e3

    def rule(self, chain, match, rest):
        """Add a rule about this connection to the node's table lost."""
        at_node(self.node, "nft", f"add rule ip lost {chain} {match} {rest}")

    def counted(self, chain, match):
        """How many packets the counter of a rule has seen."""
        shown = at_node(self.node, "nft", "list", "chain", "ip", "lost", chain)
        return int(re.search(re.escape(match) + r" .*packets (\d+)", shown).group(1))

    def lose_next(self, packets):
        """Lose exactly the next packets of the client, before conntrack and IPVS see them."""
        self.rule("prerouting", self.outgoing, f"numgen inc mod 65536 < {packets} counter drop")

    def lost(self):
        """How many packets lose_next has lost."""
        return self.counted("prerouting", self.outgoing)

    def count_invalid(self):
        """Count packets to the client that conntrack calls INVALID."""
        self.rule("forward", self.incoming, "ct state invalid counter")

    def invalid(self):
        """How many packets count_invalid has counted."""
        return self.counted("forward", self.incoming)

    def kill_peer(self):
        """From now on nothing comes back, as from a machine without power."""
        self.rule("prerouting", f"ip saddr {self.peer} {self.incoming}", "drop")

    def flush_conntrack(self):
        """Make the node forget this connection's conntrack entry, as conntrack -F does for all. It may have expired."""
        where = ["--orig-src", self.address, "--orig-port-src", str(self.port)]
        at_node(self.node, "conntrack", "-D", "-p", "tcp", *where, check=False)
