# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real kube-proxy 1.20 in ipvs mode writes on real kernels, what the audit says of it, and the cures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.cluster.node import BACKENDS, CONFIG, Node, running
from ansible_collections.kubenode.connections.tests.cluster.server import Server
from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, changed, observed
from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS
from ansible_collections.kubenode.connections.tests.proof.model import (
    AFTER,
    ANSWERED,
    BEFORE,
    HEADS,
    IDLE,
    IPVS,
    LIMIT,
    RESET,
    Row,
    Scenario,
    Table,
    idle,
)
from ansible_collections.kubenode.connections.tests.proof.play import run_cases

SERIES = (next(iter(KERNELS)), next(reversed(KERNELS)))
"""The oldest kernel and the newest."""
ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
WRITTEN = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.vs.conntrack": "1",
    "net.ipv4.vs.conn_reuse_mode": "0",
    "net.ipv4.vs.expire_nodest_conn": "1",
    "net.ipv4.vs.expire_quiescent_template": "1",
    ESTABLISHED: "86400",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait": "3600",
}
"""By kube-proxy at its start. Of this release conn_reuse_mode is 0 on every kernel."""
ROW = Row("node", {BEFORE: idle("node", IPVS, IDLE, RESET), AFTER: idle("node", IPVS, 5 * LIMIT, ANSWERED)})
SCENARIO = Scenario("kube-proxy", LIMIT, 86400, {}, (Table("kube-proxy", "", HEADS, (ROW,)),))
ROLE = """
- hosts: all
  gather_facts: false
  roles: [kubenode.connections.kube_proxy]
"""


@pytest.fixture(name="node", scope="module", params=SERIES)
def fixture_node(request: pytest.FixtureRequest, server: Server) -> Iterator[Node]:
    """A node with kube-proxy, one kernel after the other."""
    with running(server, request.param) as node:
        yield node


@pytest.fixture(name="playbooks")
def fixture_playbooks(node: Node, tmp_path: Path) -> Playbooks:
    """The playbooks over the node."""
    (tmp_path / "role.yml").write_text(ROLE)
    return Playbooks(node.vm, tmp_path)


def change(playbooks: Playbooks, **variables: Any) -> int:
    """How many tasks of the role kube_proxy changed something."""
    known = {"kube_proxy_config_file": CONFIG, "kube_proxy_restart_service": True}
    return changed(playbooks.run(f"{playbooks.folder}/role.yml", **known, **variables))


def measure(node: Node, stage: str) -> None:
    """The connections of that stage, and what must come of them."""
    for results in run_cases(node.vm, SCENARIO, stage, print).values():
        assert ROW.runs[stage].expect.holds(results), f"{node.vm.name}, {stage}: {results}"


def test_the_audit_foresees_what_kube_proxy_writes(node: Node, playbooks: Playbooks) -> None:
    node.configure()
    assert node.sysctls(*WRITTEN) == WRITTEN
    wanted = {"keepalive_sysctls": {ESTABLISHED: 7200}, "keepalive_conn_reuse_mode": "1"}
    playbooks.run("audit", **wanted, keepalive_expire_nodest_conn=False)
    seen, document = playbooks.node(), playbooks.document()
    assert (seen["mode"], seen["kube_proxy"]["version"]) == ("ipvs", "v1.20.2")
    assert observed("ipvs-mode-deprecated", document) == ["kube-proxy v1.20.2, mode ipvs"]
    (owner,) = observed("sysctl-owner-kube-proxy", document)
    for key, planned in (
        (ESTABLISHED, 7200),
        ("net.ipv4.vs.conn_reuse_mode", 1),
        ("net.ipv4.vs.expire_nodest_conn", 0),
    ):
        assert f"{key} {planned} against kube-proxy at its next start" in owner
        node.vm.run(["sysctl", "-q", "-w", f"{key}={planned}"])
    node.restart()
    assert node.sysctls(*WRITTEN) == WRITTEN


def test_an_idle_connection_through_kube_proxys_service(node: Node, playbooks: Playbooks) -> None:
    node.configure(ipvs={"tcpTimeout": f"{LIMIT}s"})
    assert node.ipvs() == f"{LIMIT} 120 300"
    measure(node, BEFORE)
    playbooks.run("apply")
    assert playbooks.document()["limit"]["seconds"] == LIMIT
    measure(node, AFTER)
    playbooks.run("restore")


def test_a_timeout_set_by_hand_is_lost_and_one_in_kube_proxys_file_stays(node: Node, playbooks: Playbooks) -> None:
    node.configure(ipvs={"tcpTimeout": "600s"}, conntrack={"tcpEstablishedTimeout": "24h0m0s"})
    node.vm.run(["ipvsadm", "--set", "8284", "0", "0"])
    playbooks.run("audit")
    (owner,) = observed("ipvs-owner-kube-proxy", playbooks.document())
    assert owner == "IPVS tcp 8284 s against kube-proxy at its next start (ipvs.tcpTimeout 600s)"
    node.restart()
    assert node.ipvs() == "600 120 300"

    wishes = {"kube_proxy_ipvs_timeouts": {"tcp": 8284}, "kube_proxy_conntrack": {"tcp_established": 43200}}
    assert change(playbooks, **wishes) > 0
    assert (node.ipvs(), node.sysctls(ESTABLISHED)) == ("8284 120 300", {ESTABLISHED: "43200"})
    assert change(playbooks, **wishes) == 0
    node.restart()
    assert (node.ipvs(), node.sysctls(ESTABLISHED)) == ("8284 120 300", {ESTABLISHED: "43200"})
    playbooks.run("audit")
    assert observed("ipvs-owner-kube-proxy", playbooks.document()) == []

    assert change(playbooks, kube_proxy_state="absent") > 0
    assert (node.ipvs(), node.sysctls(ESTABLISHED)) == ("600 120 300", {ESTABLISHED: "86400"})


def test_a_backend_that_goes_drains_and_the_audit_counts_it(node: Node, playbooks: Playbooks) -> None:
    node.configure()
    node.hold(2)
    node.serve(BACKENDS[:1])
    node.wait_for(f"-r {BACKENDS[1]}:80 -m -w 0")
    playbooks.run("audit")
    (draining,) = observed("real-servers-draining", playbooks.document())
    assert f"{BACKENDS[1]}:80" in draining
    node.serve(BACKENDS)
