# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When connection tracking forgets, and when it has no room. Runs in the guest, as root.

build       a node as network.py makes it; connection tracking leaves the SSH of this machine alone
measure     cases as run_cases.py takes them, with the kinds below
crowd       fill the table with answered connections, and knock until QUIET is there; what came of it is in CROWD_IS
strangers   fill it with datagrams that nobody answers, then knock; what came of it, as JSON
"""

import itertools
import json
import os
import re
import socket
import sys
import time

import run_cases
from connection import PATIENCE_SECONDS, Connection, at_node, name_of
from network import NODE, PODS, PORT, VIP_DNAT_ONE, build, run
from run_cases import verdict

ESTABLISHED_SECONDS, IPVS_SECONDS = "86400", "900"
CLIENT, CROWD, STRANGERS, KNOCKS = "c1", 20, 2000, 5
BUCKETS, FEW = "net.netfilter.nf_conntrack_buckets", 1024
"""So few that an entry to throw out is found near the place of the new one, where alone the kernel looks."""
QUIET, CROWDED, CROWD_IS = "/run/proof/quiet", "/run/proof/crowded", "/run/proof/crowd.json"
COUNT, MAX = "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"
KNOCK_SECONDS = 3
PORTS = itertools.count(40000)
"""Of the client, beside those of run_cases.py."""
TICK_SECONDS, ACKNOWLEDGED_SECONDS = 0.2, 1
ALL = 65535
"""Of the packets to a client: more than there are."""
UDP_TIMEOUT, UDP_SECONDS = "net.netfilter.nf_conntrack_udp_timeout", 600
"""So long that none of these ends by itself meanwhile."""
UNTRACKED_SSH = """
table inet lab {
  chain in { type filter hook prerouting priority -301; tcp dport 22 notrack; }
  chain out { type filter hook output priority -301; tcp sport 22 notrack; }
}
"""


class Tracked(Connection):
    """A connection, and what the node's connection tracking remembers of it."""

    def seconds(self):
        """For how many seconds still, None where it is forgotten."""
        where = ["--orig-src", self.address, "--orig-port-src", str(self.port)]
        found = re.search(r"^tcp +6 (\d+) ", at_node(self.node, "conntrack", "-L", "-p", "tcp", *where, check=False))
        return int(found.group(1)) if found else None

    def lose_answers(self, packets):
        """Lose exactly the next packets to the client, before connection tracking sees them."""
        self.rule("prerouting", self.incoming, f"numgen inc mod 65536 < {packets} counter drop")

    def lost_answers(self):
        """How many lose_answers has lost."""
        return self.counted("prerouting", self.incoming)


def outage(case):
    """So many answers to keepalive probes are lost: the seconds left after each, and what the client gets later.

    Each is read when the next answer is due but for a moment: a second probe would have come by then.
    """
    connection = Tracked(case)
    connection.lose_answers(case["answers"])
    left = []
    for number in range(1, case["answers"] + 1):
        deadline = time.monotonic() + case["patience"]
        while connection.lost_answers() < number and time.monotonic() < deadline:
            time.sleep(TICK_SECONDS)
        left.append(connection.seconds())
    time.sleep(case["patience"])
    return {"left": left, "later": connection.seconds(), "got": verdict(connection.ask())}


def unanswered(case):
    """Data is not acknowledged: the seconds left before, and after retransmissions. With flush: forgotten before it."""
    connection = Tracked(case)
    connection.lose_answers(ALL)
    if case.get("flush"):
        connection.flush_conntrack()
    before = connection.seconds()
    connection.tell("ping")
    time.sleep(case["wait"])
    return {"got": "sent", "before": before, "left": connection.seconds()}


def half_closed(case):
    """The client closes its half, and the server speaks later."""
    connection = Tracked(case)
    connection.tell(f"speak {case['wait']}")
    time.sleep(ACKNOWLEDGED_SECONDS)
    connection.socket.shutdown(socket.SHUT_WR)
    time.sleep(ACKNOWLEDGED_SECONDS)
    left = connection.seconds()
    return {"left": left, "got": verdict(connection.hear(case["wait"] + PATIENCE_SECONDS))}


def flushed(case):
    """Connection tracking has forgotten the connection, and the client goes on."""
    connection = Tracked(case)
    connection.flush_conntrack()
    return {"got": verdict(connection.ask()), "later": connection.seconds()}


run_cases.KINDS.update({each.__name__: each for each in (outage, unanswered, half_closed, flushed)})


def set_on_node(key, value):
    """A sysctl of the node, whatever namespace this thread is in."""
    at_node(NODE, "sysctl", "-q", "-w", f"{key}={value}")


def knock():
    """Try to open one connection more: what the client gets."""
    case = {"from": CLIENT, "to": [VIP_DNAT_ONE, PORT], "ports": PORTS, "connect_seconds": KNOCK_SECONDS}
    try:
        Connection(case).socket.close()
    except OSError as error:
        return name_of(error)
    return "connected"


def hold(connections):
    """Connections that have had an answer, and nothing else in the table."""
    at_node(NODE, "conntrack", "-F")
    return [Connection({"from": CLIENT, "to": [VIP_DNAT_ONE, PORT], "ports": PORTS}) for _n in range(connections)]


def fill():
    """From now on there is no room for one entry more."""
    set_on_node(MAX, at_node(NODE, "sysctl", "-n", COUNT).strip())


def answers(connections):
    """What connections get now."""
    return sorted({verdict(each.ask()) for each in connections})


def crowd():
    """The answered connections are idle while others knock; the maximum may be raised meanwhile."""
    held = hold(CROWD)
    fill()
    knocked = []
    while not os.path.exists(QUIET):
        knocked.append(knock())
        time.sleep(TICK_SECONDS)
        with open(CROWDED, "w"):
            pass  # it is there from the first one on
    with open(CROWD_IS + ".new", "w") as file:
        json.dump({"knocked": [got for got, _alike in itertools.groupby(knocked)], "held": answers(held)}, file)
    os.rename(CROWD_IS + ".new", CROWD_IS)


def dropped_early():
    """Entries that the node has thrown out of a full table so far."""
    return sum(map(int, re.findall(r"early_drop=(\d+)", at_node(NODE, "conntrack", "-S"))))


def strangers():
    """A new connection takes the place of an entry that nobody has answered."""
    set_on_node(BUCKETS, FEW)
    set_on_node(UDP_TIMEOUT, UDP_SECONDS)
    held = hold(CROWD)
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for port in range(1, STRANGERS + 1):
            sender.sendto(b"?", (PODS["own"] + ".2", port))
    fill()
    before = dropped_early()
    knocked = [knock() for _n in range(KNOCKS)]
    thrown_out = dropped_early() - before
    json.dump({"knocked": knocked, "thrown_out": thrown_out, "held": answers(held)}, sys.stdout)


def make():
    """The node."""
    build(NODE, IPVS_SECONDS, ESTABLISHED_SECONDS)
    run("nft", "-f", "-", data=UNTRACKED_SSH)


if __name__ == "__main__":
    verbs = {"build": make, "measure": run_cases.main, "crowd": crowd, "strangers": strangers}
    verbs[sys.argv[1]](*sys.argv[2:])
