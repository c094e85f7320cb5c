# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths that forget connections: NAT to an address outside, a proxy that ends TCP, IPVS. Runs in the guest, as root.

    build IPVS ESTABLISHED RELAY              a node, its pods (a JSON list on stdin, see pods.py), and what is beyond
    open                                      start the programs of the pods, return when they hold their connections
    use                                       have these used once more, print what came of it: a JSON list for each pod
    hold POD CASES                            in a pod: its connections
    serve PORT TIME INTVL PROBES              a server that probes its clients; all 0: it does not
    relay PORT ADDRESS ADDRESS_PORT SECONDS   a proxy that ends TCP and cuts after so long without payload

IPVS, ESTABLISHED and RELAY are the limits of IPVS, of the node's connection tracking and of the proxy, in seconds.

A case of hold is one of connection.py, without its namespace. With "set" these sysctls of the pod are set before it,
with "chats" it says something all the time until there is the file QUIET.
"""

import glob
import json
import os
import select
import socket
import sys
import threading
import time

import network
import pods
import server
from network import BACKENDS, PORT, VIP_IPVS
from run_cases import connect, verdict

OUTSIDE, OUTSIDE_NETWORK = "outside", "203.0.113"
RELAY, RELAY_NETWORK = "relay", "10.4.0"
POOLER_PORT, RELAY_PORT, PROBING_PORT, SILENT_PORT = 6432, 7000, 8101, 8102
SILENT = ("0", "0", "0")
PROBING = ("4", "1", "3")
"""A server's keepalive: time, intvl, probes."""
QUIET, USE = "/run/proof/quiet", "/run/proof/use"
"""The files that end the chat of connections, and that have all of them used."""
CHAT_SECONDS = 3
SERVERS = (
    (OUTSIDE, POOLER_PORT, SILENT),
    ("s1", PORT, SILENT),
    ("s2", PORT, SILENT),
    ("s1", PROBING_PORT, PROBING),
    ("s1", SILENT_PORT, SILENT),
)
FIRST_PORT = 21000 + int(time.monotonic()) % 1000 * 30
"""Of a pod's connections; those of an earlier run are not used again."""
WAIT_SECONDS = 180
NAT = """
table ip beyond {
  chain postrouting { type nat hook postrouting priority 100; oifname "v-outside" masquerade fully-random; }
}
"""
"""As kube-proxy and the CNI plugins masquerade."""


def build(ipvs_tcp, established, relay_seconds):
    """The node of pods.py, a network that it masquerades for, a proxy, and servers that probe or do not."""
    pods.ESTABLISHED_SECONDS = established
    pods.BACKENDS.update({OUTSIDE: OUTSIDE_NETWORK, RELAY: RELAY_NETWORK})
    pods.build(ipvs_tcp)
    network.run("nft", "-f", "-", data=NAT)
    network.run("ipvsadm", "-R", data="\n".join(services()) + "\n")
    for namespace, port, keepalive in SERVERS:
        begin(namespace, "serve", port, *keepalive)
    begin(RELAY, "relay", RELAY_PORT, BACKENDS[0], PORT, relay_seconds)


def services():
    """Virtual services with one server each, in the words of ipvsadm -R."""
    for port in (PROBING_PORT, SILENT_PORT):
        yield f"-A -t {VIP_IPVS}:{port} -s rr"
        yield f"-a -t {VIP_IPVS}:{port} -r {BACKENDS[0]}:{port} -m -w 1"


def begin(namespace, *words):
    """Leave a program of this file running."""
    words = [sys.executable, os.path.abspath(__file__), *map(str, words)]
    network.run("systemd-run", "--quiet", *network.inside(namespace), *words)


def programs():
    """The pods with a program, by the name of their namespace."""
    with open(pods.STATE) as state:
        return {pod["netns"]: pod for pod in json.load(state) if pod["program"]}


def open_all():
    """Start the programs, wait until each holds its connections. Those of an earlier run have ended."""
    for name in (*glob.glob("/run/proof/*.held"), *glob.glob("/run/proof/*.used"), USE, QUIET):
        if os.path.exists(name):
            os.remove(name)
    for pod in programs().values():
        pods.start(pod, "program", [sys.executable, os.path.join(pods.HERE, pod["program"][0]), *pod["program"][1:]])
    for name in programs():
        wait_for(f"/run/proof/{name}.held")


def use():
    """Have them used, all at once."""
    with open(USE, "w"):
        pass
    results = {}
    for name in programs():
        wait_for(f"/run/proof/{name}.used")
        with open(f"/run/proof/{name}.used") as answer:
            results[name] = json.load(answer)
    json.dump(results, sys.stdout)


def wait_for(path):
    """Wait for a file."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise SystemExit(f"{path}: not there after {WAIT_SECONDS} s. See /run/proof.")
        time.sleep(0.2)


def write(path, value):
    """A file that is there as a whole."""
    with open(path + ".new", "w") as new:
        json.dump(value, new)
    os.rename(path + ".new", path)


def hold(pod, cases):
    """Connections that had an answer, the timers that they were armed with, and what came of each at its next use."""
    held = [opened(pod, FIRST_PORT + number, case) for number, case in enumerate(json.loads(cases))]
    chats = {connection: "" for connection, _armed, case in held if case.get("chats")}
    write(f"/run/proof/{pod}.held", len(held))
    while not os.path.exists(USE):
        for connection in chats if not os.path.exists(QUIET) else ():
            chats[connection] = verdict(connection.ask())
        time.sleep(CHAT_SECONDS)
    results = [dict(used(connection, armed), chat=chats.get(connection)) for connection, armed, _case in held]
    write(f"/run/proof/{pod}.used", results)


def opened(pod, port, case):
    """A connection, its timer, and its case."""
    network.set_sysctls(pod, case.get("set", []))
    connection = connect(dict(case, **{"from": pod, "source_port": port}))
    return connection, connection.timer(), case


def used(connection, armed):
    """What came of it, and the keepalive time that getsockopt says before that."""
    return {"keepidle": connection.keepidle(), "armed": armed, "got": verdict(connection.ask())}


def keepalive(connection, values):
    """Have a socket probe; those that it accepts do as it does."""
    if values != SILENT:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in zip((socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT), values, strict=True):
            connection.setsockopt(socket.IPPROTO_TCP, option, int(value))


def listening(port, values):
    """A socket that listens."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keepalive(listener, values)
    listener.bind(("", int(port)))
    listener.listen(16)
    return listener


def serve(port, *values):
    """The server of the proofs, with keepalive or without."""
    os.makedirs(server.OUTCOMES, exist_ok=True)
    listener = listening(port, values)
    while True:
        threading.Thread(target=server.serve, args=(listener.accept()[0], "s1"), daemon=True).start()


def relay(port, address, address_port, seconds):
    """A proxy. Both of its own sides probe in time, so that nothing but its idle timer ends a connection."""
    listener = listening(port, PROBING)
    while True:
        client = listener.accept()[0]
        target = socket.socket()
        keepalive(target, PROBING)
        target.connect((address, int(address_port)))
        threading.Thread(target=pass_on, args=(client, target, float(seconds)), daemon=True).start()


def pass_on(client, target, seconds):
    """Pass payload on until there was none for so long, or a side has closed."""
    with client, target:
        while True:
            ready = select.select([client, target], [], [], seconds)[0]
            for side in ready:
                data = side.recv(65536)
                if not data:
                    return
                (target if side is client else client).sendall(data)
            if not ready:
                return


VERBS = {"build": build, "open": open_all, "hold": hold, "use": use, "serve": serve, "relay": relay}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
