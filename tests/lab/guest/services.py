# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of IPVS by IPv6 and at a port of the node, with pods of pods.py as clients. Runs in the guest, as root.

    build LIMIT        a node whose IPVS timeout is LIMIT seconds, its Services, and its pods, a JSON list on stdin
    serve              in the backend: a server for both families

The programs of the pods are those of paths.py, which opens and uses their connections, too.
"""

import os
import socket
import sys
import threading

import network
import pods
import server

BACKEND = "s1"
VIP6, NODE_ADDRESS, NODE_PORT = "fd00:96::10", "10.2.0.1", 30080
PREFIXES = "fd00:{number:x}::"
"""Of each pod's IPv6 network, by its number; the node has 1 in it, the pod 2."""


def build(limit):
    """What kube-proxy does for a node of two families, with one of its addresses for the node port."""
    pods.build(limit)
    network.run("sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1")
    network.ip_batch(network.NODE, [f"addr add {VIP6}/128 dev kube-ipvs0 nodad"])
    for number, name in enumerate(network.PODS, 1):
        prefix = PREFIXES.format(number=number)
        network.ip_batch(network.NODE, [f"addr add {prefix}1/64 dev v-{name} nodad"])
        own = [f"addr add {prefix}2/64 dev eth0 nodad", f"route add default via {prefix}1"]
        network.ip_batch(name, own)
    network.run("ipvsadm", "-R", data="\n".join(services()) + "\n")
    program = [sys.executable, os.path.abspath(__file__), "serve"]
    network.run("systemd-run", "--quiet", *network.inside(BACKEND), *program)


def services():
    """Virtual services in the words of ipvsadm -R."""
    number = list(network.PODS).index(BACKEND) + 1
    six = f"[{VIP6}]:{network.PORT}", f"[{PREFIXES.format(number=number)}2]:{network.PORT}"
    for virtual, real in (six, (f"{NODE_ADDRESS}:{NODE_PORT}", f"{network.BACKENDS[0]}:{network.PORT}")):
        yield f"-A -t {virtual} -s rr"
        yield f"-a -t {virtual} -r {real} -m -w 1"


def serve():
    """The server of the proofs."""
    os.makedirs(server.OUTCOMES, exist_ok=True)
    listener = socket.create_server(("", network.PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        threading.Thread(target=server.serve, args=(listener.accept()[0], BACKEND), daemon=True).start()


VERBS = {"build": build, "serve": serve}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
