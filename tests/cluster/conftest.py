# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One API server for all tests of this folder, and fresh objects for each."""

from __future__ import annotations

import contextlib
import json
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.cluster.server import Server, running
from ansible_collections.kubenode.connections.tests.lab.progress import pytest_configure

__all__ = ["pytest_configure"]

FIXTURES = Path(__file__).parent / "fixtures"
PATHS = {
    "configmap": "/api/v1/namespaces/kube-system/configmaps",
    "daemonset": "/apis/apps/v1/namespaces/kube-system/daemonsets",
}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The API server."""
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


def pytest_addoption(parser: pytest.Parser) -> None:
    """Who runs the tests says whether docs/proof.md is to say what they saw."""
    parser.addoption("--page", action="store_true", help="write into docs/proof.md what was seen on the real cluster")


class Objects:
    """The ConfigMap and the DaemonSet that kubeadm makes for kube-proxy, in the API server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        for kind in PATHS:
            with contextlib.suppress(urllib.error.HTTPError):
                server.call("DELETE", f"{PATHS[kind]}/kube-proxy?propagationPolicy=Background")
            server.call("POST", PATHS[kind], json.loads((FIXTURES / f"{kind}.json").read_text()))

    def get(self, kind: str) -> dict[str, Any]:
        """An object without what the server counts."""
        found = self.server.call("GET", f"{PATHS[kind]}/kube-proxy")
        for counted in ("managedFields", "resourceVersion"):
            del found["metadata"][counted]
        return found

    def patch(self, kind: str, body: dict[str, Any], status: bool = False) -> None:
        """Change an object, or its status, as somebody else does."""
        path = f"{PATHS[kind]}/kube-proxy" + "/status" * status
        self.server.call("PATCH", path, body, "application/merge-patch+json")

    def roll_out(self, ready: int = 2) -> None:
        """Say what the controller of DaemonSets would say once the next change is on so many of two nodes."""
        status = {"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "updatedNumberScheduled": ready}
        status |= {"numberReady": ready, "numberAvailable": ready, "numberMisscheduled": 0}
        generation = self.get("daemonset")["metadata"]["generation"]
        self.patch("daemonset", {"status": {**status, "observedGeneration": generation + 1}}, status=True)


@pytest.fixture
def objects(server: Server) -> Objects:
    """The objects as kubeadm made them."""
    return Objects(server)
