# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings of IPVS do to connections, and connections for an audit to see. Runs in the guest, as root.

build      a node as network.py makes it, with Services of its own for what is measured here
measure    what happens to connections under the settings of now, as JSON
busy       a real server that drains, and packets out of window all the time, until a file is there; see BUSY, QUIET
drains     how long the entries of the real server that drains still last, as JSON: seconds by state
"""

import itertools
import json
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from connection import Connection, at_node, enter
from network import BACKENDS, NODE, PORT, VIP_DNAT_ONE, VIP_IPVS, build, run
from run_cases import verdict

CLIENT = "c1"
GONE_PORT, LAST_GONE_PORT, FORGOTTEN_PORT, AFFINE_PORT, DRAINING_PORT, DNS_PORT = 8001, 8002, 8003, 8004, 8005, 53
ADDRESSES = {"s1": BACKENDS[0], "s2": BACKENDS[1]}
BUSY, QUIET = "/run/proof/busy", "/run/proof/quiet"
IPVS_TCP_SECONDS, FORGET_SECONDS = "900", "1"
ESTABLISHED_SECONDS = "86400"
SAME_KIND = 8
PAUSE_SECONDS = 12
"""Longer than shortened timeouts of FIN_WAIT and UDP, a fraction of the kernel's own; an answer takes milliseconds."""
PATIENCE_SECONDS = 100
PORTS = itertools.count(20000 + int(time.monotonic()) % 1000 * 30)
"""Of the client; those of an earlier run are not used again."""


def services():
    """Virtual services in the words of ipvsadm -R; each measurement has its own, so that none disturbs another."""
    for port in (LAST_GONE_PORT, FORGOTTEN_PORT, DRAINING_PORT):
        yield from service("-t", port, BACKENDS[:1])
    yield from service("-t", GONE_PORT, BACKENDS)
    yield from service("-t", AFFINE_PORT, BACKENDS, "-p", "300")
    yield from service("-u", DNS_PORT, BACKENDS)


def service(protocol, port, backends, *options):
    """One of them: round robin, as kube-proxy's."""
    yield " ".join(["-A", *virtual(port, protocol), "-s", "rr", *options])
    for backend in backends:
        yield " ".join(["-a", *virtual(port, protocol), *real(backend), "-m", "-w", "1"])


def virtual(port, protocol="-t"):
    """A virtual service in the words of ipvsadm."""
    return [protocol, f"{VIP_IPVS}:{port}"]


def real(backend):
    """A real server in the words of ipvsadm."""
    return ["-r", f"{backend}:{PORT}"]


def weigh(port, backend, weight):
    """Give a real server a weight, as kube-proxy does with a pod that terminates."""
    at_node(NODE, "ipvsadm", "-e", *virtual(port), *real(backend), "-m", "-w", str(weight))


def connect(port, vip=VIP_IPVS):
    """A connection of the client that has had its first answer."""
    return Connection({"from": CLIENT, "to": [vip, port], "ports": PORTS})


def entries(**wanted):
    """The node's connections of IPVS with these columns, the client's alone: mappings."""
    found = []
    with open("/proc/1/net/ip_vs_conn") as table:
        for line in table:
            protocol, _client, port, _vip, virtual_port, server, _server_port, state, expires = line.split()[:9]
            if protocol in ("TCP", "UDP"):
                entry = {"protocol": protocol, "port": int(port, 16), "virtual_port": int(virtual_port, 16)}
                entry.update(server=server, state=state, expires=int(expires))
                found.append(entry)
    return [entry for entry in found if all(entry[name] == value for name, value in wanted.items())]


def wait_until(holds, what):
    """Wait for what must happen."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not after {PATIENCE_SECONDS} s")
        time.sleep(0.2)


def forgotten():
    """What clients get on connections that IPVS has forgotten, by the number of real servers."""
    ports = {"one": FORGOTTEN_PORT, "two": PORT}
    connections = {name: [connect(port) for _number in range(SAME_KIND)] for name, port in ports.items()}
    at_node(NODE, "ipvsadm", "--set", FORGET_SECONDS, "0", "0")
    for connection in itertools.chain(*connections.values()):
        connection.ask()  # a timeout counts from the next packet on
    for connection in itertools.chain(*connections.values()):
        wait_until(lambda port=connection.port: not entries(port=port), f"IPVS forgets port {connection.port}")
    at_node(NODE, "ipvsadm", "--set", IPVS_TCP_SECONDS, "0", "0")
    # One server's after the other's, so that not all get their own again from round robin.
    in_order = {name: sorted(group, key=lambda each: each.backend) for name, group in connections.items()}
    return {name: sorted({verdict(each.ask()) for each in group}) for name, group in in_order.items()}


def removed():
    """What a client gets whose real server is taken away, one of two."""
    return take_away(GONE_PORT)


def last_removed():
    """The same with the only one."""
    return take_away(LAST_GONE_PORT)


def take_away(port):
    connection = connect(port)
    place = [*virtual(port), *real(ADDRESSES[connection.backend])]
    at_node(NODE, "ipvsadm", "-d", *place)
    connection.tell("ping")
    got = verdict(connection.hear(PAUSE_SECONDS))
    at_node(NODE, "ipvsadm", "-a", *place, "-m")
    return got


def affine():
    """Whether a client with session affinity stays at its real server when that gets weight 0."""
    first = connect(AFFINE_PORT).backend
    weigh(AFFINE_PORT, ADDRESSES[first], 0)
    second = connect(AFFINE_PORT).backend
    weigh(AFFINE_PORT, ADDRESSES[first], 1)
    return "stays" if second == first else "goes to another"


def fin_wait():
    """A connection that the server has closed first: its state, its seconds, and whether IPVS still knows it later."""
    connection = connect(PORT)
    connection.ask("bye")
    entry = entries(port=connection.port)[0]
    time.sleep(PAUSE_SECONDS)
    return {"state": entry["state"], "seconds": entry["expires"], "later": bool(entries(port=connection.port))}


def udp():
    """Two datagrams from one port with a pause: the seconds of the first, whether one server gets both."""
    enter(CLIENT)
    port = next(PORTS)
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.bind(("", port))
        seen = []
        for pause in (PAUSE_SECONDS, 0):
            client.sendto(b"?", (VIP_IPVS, DNS_PORT))
            wait_until(lambda: entries(protocol="UDP", port=port), "IPVS sees the datagram")
            seen += entries(protocol="UDP", port=port)
            time.sleep(pause)
    return {"seconds": seen[0]["expires"], "same_server": seen[0]["server"] == seen[1]["server"]}


def serving():
    """Whether the real servers listen yet."""
    enter(CLIENT)
    try:
        for backend in BACKENDS:
            socket.create_connection((backend, PORT), PATIENCE_SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


def measure():
    """All of them; what needs another timeout meanwhile comes first."""
    wait_until(serving, "the servers listen")
    result = {"forgotten": forgotten()}
    kinds = (removed, last_removed, affine, fin_wait, udp)
    with ThreadPoolExecutor(len(kinds)) as pool:
        running = {each.__name__: pool.submit(each) for each in kinds}
        return dict(result, **{name: future.result() for name, future in running.items()})


def busy():
    """Of a real server that drains one connection is live, and one has been closed by the server."""
    live, closed = connect(DRAINING_PORT), connect(DRAINING_PORT)
    closed.ask("bye")
    weigh(DRAINING_PORT, BACKENDS[0], 0)
    while not os.path.exists(QUIET):
        stray = connect(PORT, VIP_DNAT_ONE)
        stray.tell("stray ahead")
        time.sleep(0.3)
        stray.socket.close()
        with open(BUSY, "w"):
            pass  # it is there from the first one on
    weigh(DRAINING_PORT, BACKENDS[0], 1)
    live.socket.close()


def main(verb):
    """Do what the command line says."""
    if verb == "build":
        build(NODE, IPVS_TCP_SECONDS, ESTABLISHED_SECONDS)
        run("ipvsadm", "-R", data="\n".join(services()) + "\n")
    elif verb == "busy":
        busy()
    elif verb == "drains":
        json.dump({entry["state"]: entry["expires"] for entry in entries(virtual_port=DRAINING_PORT)}, sys.stdout)
    else:
        json.dump(measure(), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
