# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections of pods, and what keepalive their sockets have. Runs in the guest, as root.

pod NAME NUMBER     a namespace with a cable to the node, 10.9.NUMBER.2 and fd09:NUMBER::2
connect CASE        a connection from the node or a pod to another; prints what both ends have, as JSON
first FILE          make a pod, connect from it, and write to FILE what both ends have: what a kubelet would do at boot

A case is a mapping: from, to (namespaces, "node" for the machine's own), address, port; before, after (options that the
client sets before it connects, and afterwards: [level, option, value]).
An end is a list: SO_KEEPALIVE, time, intvl, probes, SO_PRIORITY.
"""

import json
import socket
import sys
import threading

from connection import enter
from network import NODE, run

PORT = 8000
FIRST = {"from": "first", "to": NODE, "address": "10.9.77.1"}
OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
    (socket.SOL_SOCKET, socket.SO_PRIORITY),
)


def pod(name, number):
    """A pod's network as a runtime makes it."""
    run("ip", "netns", "add", name)
    run("ip", "link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
    for where, device, last in (([], f"v-{name}", "1"), (["-n", name], "eth0", "2")):
        run("ip", *where, "address", "add", f"10.9.{number}.{last}/24", "dev", device)
        run("ip", *where, "address", "add", f"fd09:{number}::{last}/64", "dev", device, "nodad")
        run("ip", *where, "link", "set", device, "up")
    run("ip", "-n", name, "link", "set", "lo", "up")


def connect(case):
    """The two ends of a new connection."""
    listener = inside(case["to"], listen, case)
    client, end = inside(case["from"], call, case)
    accepted = listener.accept()[0]
    server = options_of(accepted)
    for each in (client, accepted, listener):
        each.close()
    return {"client": end, "server": server}


def inside(namespace, function, case):
    """What a function gives in a network namespace; its sockets stay there."""

    def work():
        enter(namespace)
        given.append(function(case))

    given = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return given[0]


def listen(case):
    """A server."""
    listener = socket.socket(family(case))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((case["address"], case.get("port", PORT)))
    listener.listen(1)
    return listener


def call(case):
    """A client that has connected, and what its socket has in the end."""
    client = socket.socket(family(case))
    for option in case.get("before", ()):
        client.setsockopt(*option)
    client.connect((case["address"], case.get("port", PORT)))
    for option in case.get("after", ()):
        client.setsockopt(*option)
    return client, options_of(client)


def family(case):
    return socket.AF_INET6 if ":" in case["address"] else socket.AF_INET


def options_of(sock):
    return [sock.getsockopt(*option) for option in OPTIONS]


def first(path):
    """The first pod of a boot, and its first connection."""
    pod("first", "77")
    with open(path, "w") as result:
        json.dump(connect(FIRST), result)


if __name__ == "__main__":
    verb, words = sys.argv[1], sys.argv[2:]
    if verb == "connect":
        print(json.dumps(connect(json.loads(words[0]))))
    else:
        {"pod": pod, "first": first}[verb](*words)
