# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection that IPVS has forgotten before the audit is lost, not at risk."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import label
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import Run
from ansible_collections.kubenode.connections.tests.lab.playbooks import observed, rows_of

SILENT_SECONDS = 75
"""Longer than a connection has to be silent before anybody can tell that it is lost."""
HELD_SECONDS = 180
HOLD = """
import json, socket, sys, time
def ask(held):
    try:
        held.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
        return "answered" if held.recv(999) else "closed"
    except OSError as error:
        return type(error).__name__
silent, probing = (socket.create_connection(("10.96.0.21", 80), 20) for _ in range(2))
for option, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3)):
    probing.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
probing.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
time.sleep(float(sys.argv[1]))
print(json.dumps([ask(silent), ask(probing)]))
"""


def test_a_connection_that_ipvs_has_forgotten_is_told_as_lost(cluster: Cluster, run: Run, record: Record) -> None:
    holder = cluster.pod("shop/client-six-")
    namespace, name = label(holder).split("/")
    program = ["python3", "-c", HOLD, str(HELD_SECONDS)]
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(cluster.kubectl, "exec", f"--namespace={namespace}", name, "--", *program)
        time.sleep(SILENT_SECONDS)
        run("audit")
        document = run.document()
        (told,) = observed("connections-lost", document)
        row = next(rows_of(node)[label(holder)] for node in document["nodes"] if label(holder) in rows_of(node))
        assert (row["lost"], f"{label(holder)} (1)" in told) == (1, True)
        assert json.loads(held.result()) == ["ConnectionResetError", "answered"]
    record("Lost before the audit\nA connection is silent for over a minute.", "without probes", "lost: told by name")
