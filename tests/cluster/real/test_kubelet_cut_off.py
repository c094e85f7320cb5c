# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubelet's packets to its API server vanish: how long it holds a dead connection. The tests are one story."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubelet import ready, restarts, told
from ansible_collections.kubenode.connections.tests.cluster.real.layout import API
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import Run, until
from ansible_collections.kubenode.connections.tests.lab.playbooks import observed

TABLE = """kubelet cut off from its API server
A rule on the node drops packets to and from the API server; nothing is refused. The role `kubelet_http2` gets the
timeouts 6 s and 4 s, sooner than kubelet's own heartbeat, which after two failures of 10 s each closes all its
connections in this release.
"""
READ_IDLE_SECONDS, PING_SECONDS = 6, 4
TWO_HEARTBEATS_SECONDS = 20
"""nodeStatusUpdateFrequency is the time-out of a heartbeat: 10 s."""
SLOW_SECONDS = 5
"""What an emulated machine may take longer."""
GRACE_SECONDS = 40
"""--node-monitor-grace-period of kube-controller-manager."""

DROP_IN, OF_ROLE = (
    f"/{where}/systemd/system/kubelet.service.d/{name}.conf"
    for where, name in (("run", "10-off"), ("etc", "20-http2-health"))
)
CHECK_OFF = f"""
mkdir -p $(dirname {DROP_IN})
printf '[Service]\\nEnvironment=HTTP2_READ_IDLE_TIMEOUT_SECONDS=0\\n' >{DROP_IN}
systemctl daemon-reload
systemctl restart kubelet.service
"""
AS_BEFORE = f"""
rm --force {DROP_IN} {OF_ROLE}
rmdir $(dirname {DROP_IN} {OF_ROLE}) 2>/dev/null || true
nft delete table ip cut 2>/dev/null || true
systemctl daemon-reload
systemctl restart kubelet.service
"""
ROLE = """
- hosts: all
  gather_facts: false
  roles: [kubenode.connections.kubelet_http2]
"""

CUT = f"""
nft -f - <<'END'
table ip cut {{
  chain arriving {{ type filter hook input priority raw; ip saddr {API} drop; }}
  chain leaving {{ type filter hook output priority raw; ip daddr {API} drop; }}
}}
END
"""
MEND = ["nft", "delete", "table", "ip", "cut"]

# Drops what belongs to the connections that kubelet has, and nothing of new ones; says when those are given up.
HOLD = """
import json, subprocess, sys, time
api, patience = sys.argv[1], float(sys.argv[2])
TABLE = '''
table ip hole {
  chain arriving { type filter hook input priority raw; ip saddr API tcp dport { PORTS } drop; }
  chain leaving { type filter hook output priority raw; ip daddr API tcp sport { PORTS } drop; }
}
'''
def ports():
    command = ["ss", "-tnpH", "state", "established", "dst", api]
    lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[2].rpartition(":")[2] for line in lines if '"kubelet"' in line}
def wait(condition):
    began = time.monotonic()
    while not condition() and time.monotonic() - began < patience:
        time.sleep(0.2)
    return round(time.monotonic() - began, 1)
wait(ports)
dead = ports()
table = TABLE.replace("API", api).replace("PORTS", ", ".join(dead))
subprocess.run(["nft", "-f", "-"], input=table, text=True, check=True)
try:
    held = wait(lambda: not dead & ports())
    wait(ports)
    print(json.dumps({"dead": len(dead), "held": held, "again": len(ports() - dead)}))
finally:
    subprocess.run(["nft", "delete", "table", "ip", "hole"])
"""
PATIENCE_SECONDS = 90
"""Without it kubelet would wait for TCP, which gives up after 924 s."""


@pytest.fixture(scope="module", autouse=True)
def fixture_as_before(cluster: Cluster) -> Iterator[None]:
    """No drop-in afterwards, no rule, and all pods ready."""
    for node in cluster.nodes:
        cluster.vm(node)
    yield
    with restarts(cluster, *cluster.nodes):
        everywhere(cluster, AS_BEFORE)


@pytest.fixture(name="without", scope="module")
def fixture_without() -> dict[str, Held]:
    """What the first test has measured."""
    return {}


def everywhere(cluster: Cluster, script: str, *arguments: str) -> dict[str, str]:
    """What a shell script prints on each node, side by side."""
    command = ["sh", "-ec", script, "sh", *arguments]
    with ThreadPoolExecutor() as pool:
        said = pool.map(lambda node: cluster.run(node, command), cluster.nodes)
    return dict(zip(cluster.nodes, said, strict=True))


class Held(NamedTuple):
    """What became of a node whose kubelet has a dead connection, while new ones work."""

    seconds: float
    """Until kubelet gave it up."""
    stayed_ready: bool

    def __str__(self) -> str:
        node = "the node stayed ready" if self.stayed_ready else "the node was not ready meanwhile"
        return f"given up after {self.seconds:.0f} s, {node}"


def held(cluster: Cluster) -> dict[str, Held]:
    """What became of each node."""
    before = told(cluster, "lastTransitionTime")
    script = 'exec python3 -c "$1" "$2" "$3"'
    printed = everywhere(cluster, script, HOLD, API, str(PATIENCE_SECONDS))
    said = {node: json.loads(text) for node, text in printed.items()}
    assert {(each["dead"] > 0, each["again"] > 0) for each in said.values()} == {(True, True)}, said
    after = told(cluster, "lastTransitionTime")
    return {node: Held(each["held"], after[node] == before[node]) for node, each in said.items()}


def test_with_the_check_off_kubelet_holds_a_dead_connection_until_two_heartbeats_have_failed(
    cluster: Cluster, run: Run, without: dict[str, Held]
) -> None:
    with restarts(cluster, *cluster.nodes):
        everywhere(cluster, CHECK_OFF)
    run("audit")
    assert observed("kubelet-check-off", run.document())
    without.update(held(cluster))
    assert all(TWO_HEARTBEATS_SECONDS - 1 < each.seconds < PATIENCE_SECONDS for each in without.values()), without


def test_with_the_role_it_gives_it_up_after_both_timeouts(
    cluster: Cluster, run: Run, without: dict[str, Held], record: Record
) -> None:
    timeouts = {"kubelet_http2_read_idle_timeout": READ_IDLE_SECONDS, "kubelet_http2_ping_timeout": PING_SECONDS}
    with restarts(cluster, *cluster.nodes):
        run(ROLE, kubelet_http2_restart=True, **timeouts)
    given_up = held(cluster)
    longest = READ_IDLE_SECONDS + PING_SECONDS + SLOW_SECONDS
    assert all(each.seconds <= longest and each.stayed_ready for each in given_up.values()), given_up
    for node in cluster.nodes:
        row = "packets of its connections are dropped, new ones work; before: the check is off"
        record(TABLE, row, str(without[node]), str(given_up[node]), node=node)


def test_without_any_way_the_node_is_not_ready_and_back_soon_after(cluster: Cluster, record: Record) -> None:
    everywhere(cluster, CUT)
    began = time.monotonic()
    gone: dict[str, float] = {}
    try:
        until(lambda: note(cluster, gone, False, began), "nodes not ready")
    finally:
        everywhere(cluster, " ".join(MEND))
    began = time.monotonic()
    back: dict[str, float] = {}
    until(lambda: note(cluster, back, True, began), "nodes ready again")
    assert all(seconds >= GRACE_SECONDS - 10 for seconds in gone.values()), gone
    for node in cluster.nodes:
        seen = f"not ready after {gone[node]:.0f} s; ready again {back[node]:.0f} s after the rule was gone"
        record(TABLE, "all packets are dropped until the node is not ready", "", seen, node=node)


def note(cluster: Cluster, seconds: dict[str, float], wanted: bool, began: float) -> bool:
    """Note when each node is as wanted for the first time; whether all are."""
    for name, found in ready(cluster).items():
        if found == wanted:
            seconds.setdefault(name, time.monotonic() - began)
    return len(seconds) == len(cluster.nodes)
