# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit finds pods by the paths of their cgroups: by whomever they are made, and in both versions of cgroups."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.kubectl import container_id
from ansible_collections.kubenode.connections.tests.cluster.real.node import CGROUPFS, CGROUPS, SYSTEMD, by_driver
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record
from ansible_collections.kubenode.connections.tests.cluster.real.story import Run, at_risk

TABLE = """Cgroups of pods
The audit finds pods by the paths of their processes' cgroups. kubelet and containerd get another driver, systemd
another version of cgroups, and the node is rebooted. Shown is what `/proc/PID/cgroup` has of a pod.
"""
STYLES = {SYSTEMD: "/kubepods.slice/", CGROUPFS: "/kubepods/"}
"""How paths of cgroups begin, by who makes them."""
VERSIONS = {"cgroup2fs": 2, "tmpfs": 1}
"""By what is mounted where cgroups are."""
WAYS = ((2, SYSTEMD), (2, CGROUPFS), (1, CGROUPFS), (1, SYSTEMD))


@pytest.fixture(name="node", scope="module")
def fixture_node(cluster: Cluster) -> Iterator[str]:
    """The newer node; with systemd and the second version afterwards, as before."""
    node = cluster.nodes[-1]
    cluster.vm(node)
    yield node
    reboot_with(cluster, node, *WAYS[0])


def reboot_with(cluster: Cluster, node: str, version: int, driver: str) -> None:
    """Reboot a node whose pods get their cgroups that way, unless they do already."""
    if way(cluster, node) == (version, driver):
        return
    vm = cluster.vm(node)
    for path, text in by_driver(driver).items():
        vm.put(path, text)
    vm.run(["sh", "-ec", CGROUPS[version]])
    cluster.reboot(node)


def cgroup(cluster: Cluster, node: str) -> str:
    """The path of the cgroup of a pod's container, the same in all hierarchies."""
    container = container_id(cluster.pod("shop/web-b-"))
    lines = f"cat /proc/[0-9]*/cgroup 2>/dev/null | grep {container}"
    (path,) = cluster.run(node, ["sh", "-c", f"{lines} | cut -d: -f3- | sort --unique"]).splitlines()
    return path


def way(cluster: Cluster, node: str) -> tuple[int, str]:
    """Version of cgroups and driver."""
    mounted = cluster.run(node, ["stat", "--file-system", "--format=%T", "/sys/fs/cgroup"]).strip()
    path = cgroup(cluster, node)
    return VERSIONS[mounted], next(driver for driver, begin in STYLES.items() if path.startswith(begin))


@pytest.mark.parametrize(("version", "driver"), WAYS)
def test_the_audit_names_exactly_the_pods_at_risk(
    cluster: Cluster, node: str, run: Run, record: Record, version: int, driver: str
) -> None:
    reboot_with(cluster, node, version, driver)
    assert way(cluster, node) == (version, driver)
    run("audit", keepalive_hosts=node)
    named = run.unsafe(node)
    assert named == at_risk(cluster.pods(), node)
    path = re.sub("(?<=pod)[0-9a-f_-]{32,}|[0-9a-f]{64}", "…", cgroup(cluster, node))
    row = f"cgroups of version {version}, driver {driver}: `{path}`"
    record(TABLE, row, f"the audit names the {len(named)} pods at risk, and no other", node=node)
