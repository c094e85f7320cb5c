# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection that IPVS has forgotten before the audit is lost, not at risk."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import label, node_of
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import ANSWERED, RESET, Run, until
from ansible_collections.kubenode.connections.tests.lab.playbooks import observed, rows_of

IDLE = Path(__file__).with_name("idle.py").read_text()
SILENT_SECONDS = 65
"""Longer than a connection has to be silent before anybody can tell that it is lost."""


def test_a_connection_that_ipvs_has_forgotten_is_told_as_lost(cluster: Cluster, run: Run, record: Record) -> None:
    holder, stop = cluster.pod("shop/client-six-"), f"/tmp/{uuid4()}"
    # Without it nobody can tell how long a connection has been silent, and the audit loads no module.
    cluster.run(node_of(holder), ["modprobe", "tcp_diag"])
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(cluster.in_pod, holder, "python3", "-c", IDLE, "10.96.0.21", stop)
        try:
            until(lambda: f"{stop}.idle" in cluster.in_pod(holder, "find", "/tmp"), "connections that are idle")
            time.sleep(SILENT_SECONDS)
            run("audit")
        finally:
            cluster.in_pod(holder, "touch", stop)
        assert json.loads(held.result()) == [RESET, ANSWERED]
    document = run.document()
    (told,) = observed("connections-lost", document)
    row = next(rows_of(node)[label(holder)] for node in document["nodes"] if label(holder) in rows_of(node))
    assert (row["lost"], f"{label(holder)} (1)" in told) == (1, True)
    record("Lost before the audit\nA connection is silent for over a minute.", "without probes", "lost: told by name")
