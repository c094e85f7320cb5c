# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster moves to iptables mode, where connection tracking is the limit, and back. The tests are one story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kube_proxy import ESTABLISHED, KubeProxy
from ansible_collections.kubenode.connections.tests.cluster.real.layout import IPVS_SECONDS
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import (
    ANSWERED,
    KERNEL,
    PLANNED,
    RESET,
    Run,
    at_risk,
    identities,
    next_outcomes,
    until,
)
from ansible_collections.kubenode.connections.tests.lab.playbooks import observed

TABLE = """In iptables mode
kube-proxy's ConfigMap says `mode: iptables` and `conntrack.tcpEstablishedTimeout: 10s`, so that connection tracking is
the limit.
"""
IPVS, IPTABLES = "mode: ipvs", "mode: iptables"
TWO_BACKENDS = ("shop/client-two-",)
CONNTRACK_SECONDS = 10
"""So soon does connection tracking forget an idle connection here: less than clients are idle for."""
CLEAN_UP = ["ipvsadm", "--clear"]
"""kube-proxy --cleanup of this release leaves the virtual services, and takes the rules of iptables mode away."""


@pytest.fixture(name="proxy", scope="module")
def fixture_proxy(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeProxy]:
    """kube-proxy of the cluster; in ipvs mode again afterwards, with the values that it had."""
    proxy = KubeProxy(cluster, Run(cluster, tmp_path_factory.mktemp("proxy")))
    found = proxy.configmap()
    yield proxy
    if proxy.configmap() != found:
        proxy.run("restore")
        proxy.change(kube_proxy_state="absent", kube_proxy_rollout=False)
        if IPTABLES in proxy.configmap()["data"]["config.conf"]:
            proxy.replace(IPTABLES, IPVS)
        proxy.renew(*cluster.nodes)


def services(cluster: Cluster) -> set[int]:
    """How many virtual services IPVS has on the nodes."""
    return {cluster.run(node, ["ipvsadm", "-Sn"]).count("-A ") for node in cluster.nodes}


def test_a_move_that_is_not_over_and_what_ipvs_mode_leaves_behind(cluster: Cluster, run: Run, proxy: KubeProxy) -> None:
    older, newer = cluster.nodes
    _said, changes = proxy.change(kube_proxy_conntrack={"tcp_established": CONNTRACK_SECONDS}, kube_proxy_rollout=False)
    assert changes == 1
    proxy.replace(IPVS, IPTABLES)
    proxy.renew(older)
    run("audit")
    assert observed("proxy-modes-differ", run.document()) == [f"iptables on {older}; ipvs on {newer}"]
    (left,) = observed("ipvs-left-behind", run.document())
    assert left.startswith("kube-proxy mode iptables, ")
    assert run.document()["limit"]["seconds"] == IPVS_SECONDS


def test_after_the_move_the_audit_names_exactly_the_pods_at_risk_by_connection_tracking(
    cluster: Cluster, run: Run, proxy: KubeProxy
) -> None:
    proxy.renew(cluster.nodes[-1])
    for node in cluster.nodes:
        cluster.run(node, CLEAN_UP)
    assert services(cluster) == {0}
    assert proxy.sysctl(ESTABLISHED) == dict.fromkeys(cluster.nodes, str(CONNTRACK_SECONDS))
    run("audit")
    assert [observed(each, run.document()) for each in ("proxy-modes-differ", "ipvs-left-behind")] == [[], []]
    assert observed("iptables-mode", run.document())
    limit = run.document()["limit"]
    assert (limit["name"], limit["seconds"]) == ("conntrack established", CONNTRACK_SECONDS)
    for node in cluster.nodes:
        assert run.unsafe(node) == at_risk(cluster.pods(), node)


def test_a_forgotten_connection_is_led_to_another_pod_until_apply_cures_it(
    cluster: Cluster, run: Run, record: Record
) -> None:
    # Forgotten, it is led to either of two pods, so that every second time it is reset.
    until(lambda: next_outcomes(cluster, 1, TWO_BACKENDS)[0][0][1] == RESET, "a connection that is reset")
    before = identities(cluster.pods())
    run("apply")
    kept = next_outcomes(cluster, 4, TWO_BACKENDS)[0][1:]
    assert kept == [(PLANNED, ANSWERED)] * 3
    assert identities(cluster.pods()) == before
    run("audit")
    assert [run.unsafe(node) for node in cluster.nodes] == [set(), set()]
    record(TABLE, "a client of a Service with two pods, idle 15 s", [(KERNEL, RESET)], kept, node=cluster.nodes[0])
    for node in cluster.nodes:
        named = f"the {len(at_risk(cluster.pods(), node))} at risk, and no other"
        record(TABLE, "pods that the audit names", named, "none", node=node)


def test_back_in_ipvs_mode_all_is_as_before(cluster: Cluster, run: Run, proxy: KubeProxy) -> None:
    run("restore")
    proxy.change(kube_proxy_state="absent", kube_proxy_rollout=False)
    proxy.replace(IPTABLES, IPVS)
    proxy.renew(*cluster.nodes)
    assert proxy.timeouts() == dict.fromkeys(cluster.nodes, f"{IPVS_SECONDS} 120 300")
    assert proxy.sysctl(ESTABLISHED) == dict.fromkeys(cluster.nodes, "86400")
    assert 0 not in services(cluster)
    run("audit")
    assert run.document()["limit"]["seconds"] == IPVS_SECONDS
