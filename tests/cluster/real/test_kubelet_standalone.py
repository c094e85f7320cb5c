# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubelet that runs static pods alone, on a node of the cluster."""

from __future__ import annotations

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubelet import restarts
from ansible_collections.kubenode.connections.tests.cluster.real.story import Run
from ansible_collections.kubenode.connections.tests.lab.playbooks import observed

DROP_IN = "/run/systemd/system/kubelet.service.d/standalone.conf"
STANDALONE = f"""
mkdir -p $(dirname {DROP_IN})
exec >{DROP_IN}
echo '[Service]'
echo 'ExecStart='
sed -n 's/ --kubeconfig=[^ ]*/ --authentication-token-webhook=false --authorization-mode=AlwaysAllow/p' \\
    /etc/systemd/system/kubelet.service
systemctl daemon-reload
systemctl restart kubelet.service
"""
"""kubelet runs static pods alone."""
WITH_API_SERVER = f"""
rm {DROP_IN}
systemctl daemon-reload
systemctl restart kubelet.service
"""


def test_a_kubelet_without_an_api_server_is_not_warned_of_one(cluster: Cluster, run: Run) -> None:
    older = cluster.nodes[0]
    run("audit", keepalive_hosts=older)
    assert observed("kubelet-check-slow", run.document())
    try:
        cluster.run(older, ["sh", "-ec", STANDALONE])
        run("audit", keepalive_hosts=older)
        assert observed("kubelet-check-slow", run.document()) == []
    finally:
        with restarts(cluster, older):
            cluster.run(older, ["sh", "-ec", WITH_API_SERVER])
