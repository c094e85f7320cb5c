# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods as a container runtime makes them on a node, with the real CNI plugins."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from testinfra.host import Host

ROOT = Path(__file__).resolve().parent.parent.parent.parent
RUNTIME = (ROOT / "tests/unit/plugins/module_utils/_new_pods.py").read_text(encoding="utf-8")

NEW_POD = """
import glob
with pod(open(sorted(glob.glob("/etc/cni/net.d/*.conf*"))[0], "rb").read()) as made:
    made.check()
    print(*made.keepalive())
"""


@pytest.fixture(scope="session")
def new_pod(host: Host) -> tuple[int, ...]:
    """time, intvl and probes of a pod that is created now, after the plugins' own check."""
    return tuple(int(word) for word in host.check_output(f"python3 -c {shlex.quote(RUNTIME + NEW_POD)}").split())


@pytest.fixture(scope="session")
def same_process(host: Host, node: str) -> bool:
    """Whether the node's service is still the process that was prepared."""
    name = node.replace("kubenode-", "")
    return host.check_output(f"pgrep --exact {name}") == host.check_output("cat /var/tmp/service.pid")
