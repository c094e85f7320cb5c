# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes as an administrator sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.tests.lab.vm.tools import run

Object = dict[str, Any]


@dataclass(frozen=True)
class Kubectl:
    """kubectl with a kubeconfig, and nothing of the user who runs it."""

    program: Path
    kubeconfig: Path

    def __call__(self, *arguments: str, data: str = "") -> str:
        """What it prints. Raises LabError."""
        command = [self.program, "--kubeconfig", self.kubeconfig, *arguments]
        return run(command, data=data.encode(), environment={"HOME": str(self.kubeconfig.parent)}).decode()

    def get(self, *what: str) -> list[Object]:
        """Objects of the API server."""
        return list(json.loads(self("get", *what, "--output=json"))["items"])


def label(pod: Object) -> str:
    """A pod's namespace/name."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def container_id(pod: Object) -> str:
    """The 64 digits of a pod's one container, once it has run."""
    statuses = pod["status"].get("containerStatuses", [{}])
    return str(statuses[0].get("containerID", "")).rpartition("/")[2]


def node_of(pod: Object) -> str:
    """The name of the node of a pod."""
    return str(pod["spec"]["nodeName"])


def is_ready(found: Object) -> bool:
    """Whether a pod or a node is, and is to stay."""
    conditions = found["status"].get("conditions", [])
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in found["metadata"]
