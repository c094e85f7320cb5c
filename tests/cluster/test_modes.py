# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two nodes with real kube-proxies of one mode or of two, and what only nodes out of ipvs mode have to fear."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.cluster.node import ADDRESS, Node, running
from ansible_collections.kubenode.connections.tests.cluster.server import Server
from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, observed, remedy
from ansible_collections.kubenode.connections.tests.lab.test_conntrack_limits import PROGRAM as LIMITS
from ansible_collections.kubenode.connections.tests.proof.play import guest, put_programs

SERIES = ("5.10", "6.1")
CLOSE_WAIT = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
SHORT_SECONDS, KUBE_PROXYS_SECONDS = 5, 3600
HALF_CLOSED = {"kind": "half_closed", "from": "c1", "to": (ADDRESS, 80), "wait": 3 * SHORT_SECONDS}


@pytest.fixture(name="nodes", scope="module")
def fixture_nodes(server: Server) -> Iterator[tuple[Node, Node]]:
    """Two nodes of one cluster, which have no way to each other."""
    older, newer = SERIES
    with running(server, older) as one, running(server, newer) as other:
        yield one, other


@pytest.fixture(name="playbooks")
def fixture_playbooks(nodes: tuple[Node, Node], tmp_path: Path) -> Playbooks:
    """The playbooks over both."""
    playbooks = Playbooks(nodes[0].vm, tmp_path)
    playbooks.inventory.write_text("".join(f"{node.vm.inventory_line}\n" for node in nodes))
    return playbooks


def audit(playbooks: Playbooks) -> dict[str, Any]:
    playbooks.run("audit")
    return playbooks.document()


def limit(document: dict[str, Any]) -> tuple[str, int]:
    return document["limit"]["name"], document["limit"]["seconds"]


def test_the_audit_says_that_the_modes_differ_and_nothing_where_they_agree(
    nodes: tuple[Node, Node], playbooks: Playbooks
) -> None:
    one, other = nodes
    for node in nodes:
        node.configure("iptables")
    agreed = audit(playbooks)
    assert observed("proxy-modes-differ", agreed) == []
    assert observed("iptables-mode", agreed) == ["kube-proxy mode iptables on 2 nodes: linux-5-10, linux-6-1"]
    assert limit(agreed) == ("conntrack established", 86400)

    other.configure("ipvs")
    differ = audit(playbooks)
    assert observed("proxy-modes-differ", differ) == ["iptables on linux-5-10; ipvs on linux-6-1"]
    assert observed("iptables-mode", differ) == []
    assert limit(differ) == ("IPVS tcp", 900)
    moved = r"the lowest limit is then 86400 s \(conntrack established.*\), the plan 7200/75/9\.$"
    assert re.search(moved, remedy("proxy-modes-differ", differ))

    one.configure("ipvs")
    moved_back = audit(playbooks)
    assert observed("proxy-modes-differ", moved_back) == []
    assert limit(moved_back) == ("IPVS tcp", 900)


def test_a_half_closed_connection_out_of_ipvs_mode(nodes: tuple[Node, Node], playbooks: Playbooks) -> None:
    node = nodes[0]
    node.vm.run(["ipvsadm", "--clear"])
    node.configure("iptables")
    put_programs(node.vm, LIMITS)
    node.vm.run(["sysctl", "-q", "-w", f"{CLOSE_WAIT}={SHORT_SECONDS}"])
    by_hand = audit(playbooks)
    assert observed("conntrack-close-wait-short", by_hand) == [f"{CLOSE_WAIT} {SHORT_SECONDS} s (no file sets it)"]
    kube_proxys = f"kube-proxy at its next start (conntrack.tcpCloseWaitTimeout {KUBE_PROXYS_SECONDS}s) sets 3600 s."
    assert kube_proxys in remedy("conntrack-close-wait-short", by_hand)
    assert half_closed(node, 10000) == "hangs"

    node.restart()
    assert node.sysctls(CLOSE_WAIT) == {CLOSE_WAIT: str(KUBE_PROXYS_SECONDS)}
    assert observed("conntrack-close-wait-short", audit(playbooks)) == []
    assert half_closed(node, 11000) == "answered"


def half_closed(node: Node, port: int) -> str:
    """What a client of the Service gets that has closed its half and waits for longer than the short timeout."""
    (answer,) = json.loads(guest(node.vm, "limits.py", "measure", str(port), data=json.dumps([HALF_CLOSED])))
    (got,) = answer["connections"]
    return str(got["got"])
