# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role kube_proxy on kubeadm's ConfigMap, seen in the kernels of the nodes. The tests are one story."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kube_proxy import ESTABLISHED, KubeProxy
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import Object, container_id
from ansible_collections.kubenode.connections.tests.cluster.real.layout import IPVS_SECONDS
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import Run

WISHES = {"kube_proxy_ipvs_timeouts": {"tcp": 8284}, "kube_proxy_conntrack": {"tcp_established": 43200}}
BEFORE, WISHED = f"{IPVS_SECONDS} 120 300", "8284 120 300"
BY_HAND = "99 98 97"
TABLE = """The ConfigMap of kube-proxy
The role `kube_proxy` changes kubeadm's ConfigMap and has the DaemonSet rolled out. Shown are the IPVS timeouts tcp,
tcpfin and udp, and `nf_conntrack_tcp_timeout_established`, as the kernel of the node tells them.
"""


@pytest.fixture(name="proxy")
def fixture_proxy(cluster: Cluster, run: Run) -> KubeProxy:
    """kube-proxy of the cluster."""
    return KubeProxy(cluster, run)


@pytest.fixture(name="found", scope="module", autouse=True)
def fixture_found(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Object]:
    """The ConfigMap as it was found; given back also where a test fails."""
    proxy = KubeProxy(cluster, Run(cluster, tmp_path_factory.mktemp("found")))
    found = proxy.configmap()
    yield found
    if proxy.configmap() != found:
        proxy.change(kube_proxy_state="absent")
    set_timeouts(cluster, BEFORE)


def everywhere(cluster: Cluster, value: str) -> dict[str, str]:
    return dict.fromkeys(cluster.nodes, value)


def set_timeouts(cluster: Cluster, timeouts: str) -> None:
    """As by hand."""
    for node in cluster.nodes:
        cluster.run(node, ["ipvsadm", "--set", *timeouts.split()])


def containers(proxy: KubeProxy) -> dict[str, str]:
    return {node: container_id(pod) for node, pod in proxy.pods().items()}


def in_force(proxy: KubeProxy) -> tuple[dict[str, str], dict[str, str]]:
    """IPVS timeouts, and when connection tracking forgets an idle connection."""
    return proxy.timeouts(), proxy.sysctl(ESTABLISHED)


def shown(proxy: KubeProxy) -> dict[str, str]:
    """The same in words, by node."""
    timeouts, established = in_force(proxy)
    return {node: f"{timeouts[node]}; {established[node]}" for node in timeouts}


def test_check_mode_says_what_would_change_and_changes_nothing(
    cluster: Cluster, proxy: KubeProxy, found: dict[str, Any]
) -> None:
    before = containers(proxy)
    said, changes = proxy.change("--check", "--diff", **WISHES)
    expected = f"ipvs.tcpTimeout: {IPVS_SECONDS}s -> 8284s, conntrack.tcpEstablishedTimeout: null -> 43200s"
    assert (f"config.conf: {expected}" in said, changes > 0) == (True, True)
    assert (proxy.configmap(), containers(proxy)) == (found, before)
    assert in_force(proxy) == (everywhere(cluster, BEFORE), everywhere(cluster, "86400"))


def test_new_pods_write_what_is_wished_on_every_node(cluster: Cluster, proxy: KubeProxy, record: Record) -> None:
    before, shown_before = containers(proxy), shown(proxy)
    _said, changes = proxy.change(**WISHES)
    proxy.wait()
    after = containers(proxy)
    assert (changes, set(before.values()) & set(after.values())) == (2, set())
    assert in_force(proxy) == (everywhere(cluster, WISHED), everywhere(cluster, "43200"))
    for node, seen in shown(proxy).items():
        record(TABLE, "`tcp: 8284`, `tcp_established: 43200`", shown_before[node], seen, node=node)


def test_the_second_run_changes_nothing(proxy: KubeProxy) -> None:
    before = proxy.configmap(), containers(proxy)
    _said, changes = proxy.change(**WISHES)
    assert (changes, (proxy.configmap(), containers(proxy))) == (0, before)


def test_a_kube_proxy_that_starts_anew_writes_them_again(cluster: Cluster, proxy: KubeProxy, record: Record) -> None:
    set_timeouts(cluster, BY_HAND)
    assert proxy.timeouts() == everywhere(cluster, BY_HAND)
    shown_before = shown(proxy)
    for node in cluster.nodes:
        proxy.kill(node)
    # Of the other two kube-proxy has no value to write.
    assert proxy.timeouts() == everywhere(cluster, "8284 98 97")
    for node, seen in shown(proxy).items():
        record(TABLE, "others set by hand; then kube-proxy ends and starts anew", shown_before[node], seen, node=node)
    set_timeouts(cluster, WISHED)


def test_what_was_before_is_given_back_on_every_node(
    cluster: Cluster, proxy: KubeProxy, found: dict[str, Any], record: Record
) -> None:
    shown_before = shown(proxy)
    _said, changes = proxy.change(kube_proxy_state="absent")
    proxy.wait()
    assert (changes, proxy.configmap()) == (2, found)
    assert in_force(proxy) == (everywhere(cluster, BEFORE), everywhere(cluster, "86400"))
    for node, seen in shown(proxy).items():
        record(TABLE, "`kube_proxy_state: absent`", shown_before[node], seen, node=node)
