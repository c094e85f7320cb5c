# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster for all tests of this folder; one that runs already is used and left running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real import given
from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.layout import NAMESPACE
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record, is_whole
from ansible_collections.kubenode.connections.tests.cluster.real.story import CLIENTS, Run, is_armed

PAGE = Path(__file__).resolve().parents[3] / "docs/proof.md"


@pytest.fixture(name="cluster", scope="session")
def fixture_cluster() -> Iterator[Cluster]:
    """The cluster; one that runs already is used and left running."""
    cluster = given.cluster()
    found = cluster.is_up
    try:
        cluster.up()
        yield cluster
    finally:
        if not found:
            cluster.down()


@pytest.fixture(autouse=True, scope="module")
def fixture_no_armed_connections(cluster: Cluster) -> None:
    """New clients in place of those with a connection that an apply has armed: a restore leaves it its timer."""
    armed = [pod for pod in map(cluster.pod, CLIENTS) if is_armed(cluster, pod)]
    if armed:
        names = [pod["metadata"]["name"] for pod in armed]
        cluster.kubectl("delete", "pod", f"--namespace={NAMESPACE}", *names)
        cluster.until_pods_run()


@pytest.fixture(name="record", scope="module")
def fixture_record(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Record]:
    """What the tests of a file saw, a line each; with --page written into docs/proof.md, where all were green."""
    record = Record({name: cluster.run(name, ["uname", "-r"]).strip() for name in cluster.nodes})
    yield record
    if request.config.getoption("--page") and is_whole(request.node):
        record.write(PAGE)


@pytest.fixture(name="run")
def fixture_run(cluster: Cluster, tmp_path: Path) -> Run:
    """Run a playbook."""
    return Run(cluster, tmp_path)
