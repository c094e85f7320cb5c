# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPVS and conntrack in other network namespaces than the node's own. Run: pytest tests/lab/test_namespaces.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, observed
from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS, Lab, Vm

SERIES = (next(iter(KERNELS)), "6.1")

SWARM = """
mkdir -p /run/docker/netns
for name in ingress_sbox lb_1; do
    touch /run/docker/netns/$name
    unshare --net=/run/docker/netns/$name ip link set lo up
done
inside() { nsenter --net=/run/docker/netns/$1 "${@:2}"; }
inside ingress_sbox ipvsadm -A -f 256 -s rr
inside ingress_sbox ipvsadm -a -f 256 -r 10.0.0.5 -m
inside ingress_sbox ipvsadm --set 300 60 60
inside lb_1 ipvsadm -A -f 257 -s rr
"""
"""As Docker Swarm has it: the namespaces have names and no process, the services firewall marks."""

OTHERS = """
ip netns add dns
ip netns exec dns ipvsadm -A -u 10.96.0.10:53
ip netns exec dns ipvsadm --set 20 20 20
ip netns add quiet
systemd-run --quiet --unit=lvs unshare -n sh -ec '
    ipvsadm -A -t 192.0.2.1:80; ipvsadm --set 600 60 60; exec sleep 3600'
systemd-run --quiet --unit=proxy unshare -n sh -ec '
    ip link set lo up
    sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=500
    nft "add table t; add chain t c { type filter hook output priority 0; }; add rule t c ct state established accept"
    exec python3 -c "
import socket, time
server = socket.create_server((\\"127.0.0.1\\", 80))
client = socket.create_connection(server.getsockname())
time.sleep(3600)"'
for unit in lvs proxy; do
    comm=/proc/$(systemctl show -P MainPID $unit)/comm
    timeout 60 sh -c "until grep -qE '^(sleep|python3)' $comm; do sleep 0.2; done"
done
"""
"""A service for UDP only with short timeouts, LVS in a process, connection tracking as with a sidecar."""

FOR_NO_TCP = """
ipvsadm -A -u 10.96.0.10:53
ipvsadm -A --sctp-service 10.96.0.11:2905
ipvsadm --set 30 30 30
"""


@pytest.fixture(scope="module", params=SERIES)
def node(request: pytest.FixtureRequest) -> Iterator[Vm]:
    lab = Lab("namespaces")
    yield lab.up([request.param])[0]
    lab.down()


def test_each_namespace_has_its_own_limits(node: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(node, tmp_path)
    node.run(["ip", "netns", "add", "before"])
    playbooks.audit()
    assert modules(node) & {"ip_vs", "inet_diag", "tcp_diag"} == set()
    assert playbooks.node()["limits"] == []

    node.run(["modprobe", "ip_vs"])
    playbooks.audit()
    assert (playbooks.node()["verdict"], observed("limit-unknown", playbooks.document())) == ("safe", [])
    assert "IPVS is not on the path" in " ".join(playbooks.node()["notes"])

    node.run(["bash", "-ec", SWARM])
    printed = playbooks.audit()
    assert limits(playbooks) == {
        (300, "IPVS tcp in network namespace ingress_sbox"),
        (900, "IPVS tcp in network namespace lb_1"),
    }
    assert playbooks.node()["verdict"] == "unsafe"
    assert playbooks.node()["ipvs"]["timeouts"] == {"tcp": 900, "tcpfin": 120, "udp": 300}
    assert "IPVS is not on the path" not in printed
    assert observed("ip-vs-idle", playbooks.document()) == []

    node.run(["bash", "-ec", OTHERS])
    playbooks.audit()
    told = {(seconds, name.partition(" (")[0]) for seconds, name in limits(playbooks)}
    assert told >= {
        (300, "IPVS tcp in network namespace ingress_sbox"),
        (500, "conntrack established in the network namespace of process python3"),
        (600, "IPVS tcp in the network namespace of process sleep"),
    }
    assert not [each for each in told if "dns" in each[1] or "quiet" in each[1]]

    playbooks.run("apply")
    assert playbooks.node()["verdict"] == "safe"
    assert playbooks.node()["keepalive"]["live"]["latest_seconds"] <= 300


def test_services_for_other_protocols_than_tcp_are_no_limit(node: Vm, tmp_path: Path) -> None:
    node.reset()
    playbooks = Playbooks(node, tmp_path)
    node.run(["bash", "-ec", FOR_NO_TCP])
    playbooks.audit()
    assert [name for _seconds, name in limits(playbooks) if name.startswith("IPVS")] == []
    assert playbooks.node()["ipvs"]["on_path"] is False


def modules(vm: Vm) -> set[str]:
    return {line.split()[0] for line in vm.run(["cat", "/proc/modules"]).stdout.splitlines()}


def limits(playbooks: Playbooks) -> set[tuple[int, str]]:
    """But for that of the node's own connection tracking, which comes with ip_vs."""
    seen = {(each["seconds"], each["name"]) for each in playbooks.node()["limits"]}
    return seen - {(432000, "conntrack established")}
