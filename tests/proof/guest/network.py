# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node, its pods and its Services, as kube-proxy sets them up. Runs in the guest, as root.

    build NODE IPVS_TCP_SECONDS CONNTRACK_ESTABLISHED_SECONDS
    pod NODE POD                       one more pod
    set NAMESPACE KEY=VALUE ...        sysctls of a namespace, as securityContext.sysctls sets a pod's

NODE and NAMESPACE are network namespaces, or "node" for the machine's own.
"""

import subprocess
import sys
from string import Template

NODE = "node"
VIP_IPVS = "10.96.0.10"
VIP_REUSE = "10.96.0.13"
VIP_DNAT_ONE = "10.96.0.20"
VIP_DNAT_TWO = "10.96.0.21"
VIP_DNAT_FLUSHED = "10.96.0.22"
PODS = {
    "c1": "10.1.0",
    "s1": "10.2.0",
    "s2": "10.3.0",
    "own": "10.4.0",
    "few": "10.5.0",
    "five": "10.6.0",
    "kube": "10.8.0",
    "new": "10.7.0",
}
"""Pods and their /24: an untouched client, two backends, some with sysctls of their own, a kubelet's, a later one."""
BACKENDS = [PODS["s1"] + ".2", PODS["s2"] + ".2"]
PORT, REUSE_PORT = 80, 8081
REAL_PORTS = [2222, 5432, 6379, 50051]
"""Of the real servers in s1: sshd, PostgreSQL, Redis, gRPC."""

RULES = Template("""
table ip proxy {
  chain services {
    ip daddr $one tcp dport 80 dnat to $s1
    ip daddr { $two, $flushed } tcp dport 80 dnat to numgen random mod 2 map { 0: $s1, 1: $s2 }
  }
  chain prerouting { type nat hook prerouting priority -100; jump services; }
  chain output { type nat hook output priority -100; jump services; }
  chain postrouting { type nat hook postrouting priority 100; ip saddr 10.96.0.0/16 masquerade; }
}
table ip lost {
  chain prerouting { type filter hook prerouting priority -310; }
  chain forward { type filter hook forward priority 0; }
}
""")


def run(*command, data=None):
    """Run a command to its end and return what it printed; its own words when it fails."""
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def inside(namespace):
    """The words that run a command in a namespace."""
    return [] if namespace == NODE else ["ip", "netns", "exec", namespace]


def set_sysctls(namespace, assignments):
    """Write sysctls in one namespace, now."""
    if assignments:
        run(*inside(namespace), "sysctl", "-q", "-w", *assignments)


def pod_name(node, pod):
    """The name of a pod's namespace: pods of a second node carry its name."""
    return pod if node == NODE else f"{node}-{pod}"


def ip_batch(namespace, lines):
    """Commands of ip(8) in one namespace."""
    run(*inside(namespace), "ip", "-batch", "-", data="\n".join(lines) + "\n")


def add_pods(node, pods):
    """Namespaces with one cable each to the node, which is their gateway."""
    ip_batch(NODE, [f"netns add {pod_name(node, pod)}" for pod in pods])
    cables = []
    for pod in pods:
        cables += [
            f"link add v-{pod} type veth peer name eth0 netns {pod_name(node, pod)}",
            f"addr add {PODS[pod]}.1/24 dev v-{pod}",
            f"link set v-{pod} up",
        ]
    ip_batch(node, cables)
    for pod in pods:
        address = f"addr add {PODS[pod]}.2/24 dev eth0"
        gateway = f"route add default via {PODS[pod]}.1"
        ip_batch(pod_name(node, pod), ["link set lo up", address, "link set eth0 up", gateway])


def ipvs_rules():
    """Virtual services as kube-proxy's IPVS mode makes them, in the words of ipvsadm -R."""
    pairs = [(VIP_IPVS, PORT, PORT, BACKENDS), (VIP_REUSE, PORT, REUSE_PORT, BACKENDS)]
    pairs += [(VIP_IPVS, port, port, BACKENDS[:1]) for port in REAL_PORTS]
    for vip, port, target, backends in pairs:
        yield f"-A -t {vip}:{port} -s rr"
        for backend in backends:
            yield f"-a -t {vip}:{port} -r {backend}:{target} -m -w 1"


def rules():
    """Services through conntrack's NAT, as kube-proxy's other modes make them, and a place to lose packets."""
    return RULES.substitute(
        one=VIP_DNAT_ONE, two=VIP_DNAT_TWO, flushed=VIP_DNAT_FLUSHED, s1=BACKENDS[0], s2=BACKENDS[1]
    )


def build(node, ipvs_tcp, established):
    """The whole node. The sysctls are those of kube-proxy, established is its conntrack.tcpEstablishedTimeout."""
    run("modprobe", "-a", "ip_vs", "ip_vs_rr", "nf_conntrack", "br_netfilter", "veth", "dummy")
    if node != NODE:
        run("ip", "netns", "add", node)
    dummy = ["link set lo up", "link add kube-ipvs0 type dummy", "link set kube-ipvs0 up"]
    ip_batch(node, [*dummy, *(f"addr add {vip}/32 dev kube-ipvs0" for vip in (VIP_IPVS, VIP_REUSE))])
    add_pods(node, [pod for pod in PODS if pod != "new"])
    run(*inside(node), "nft", "-f", "-", data=rules())
    run(*inside(node), "ipvsadm", "-R", data="\n".join(ipvs_rules()) + "\n")
    run(*inside(node), "ipvsadm", "--set", ipvs_tcp, "0", "0")
    set_sysctls(
        node,
        [
            "net.ipv4.ip_forward=1",
            "net.ipv4.vs.conntrack=1",
            "net.ipv4.vs.conn_reuse_mode=0",
            "net.netfilter.nf_conntrack_tcp_timeout_established=" + established,
        ],
    )


def main(verb, *words):
    """Do what the command line says."""
    if verb == "build":
        build(*words)
    elif verb == "pod":
        add_pods(words[0], words[1:])
    else:
        set_sysctls(words[0], words[1:])


if __name__ == "__main__":
    main(*sys.argv[1:])
