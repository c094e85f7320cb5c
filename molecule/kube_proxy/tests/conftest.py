# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kube-proxy of a node; the node itself is in the conftest.py of all scenarios."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

FILE = "/etc/kubernetes/kube-proxy.conf"
OWNERS = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"], "nodes", FILE.lstrip("/"))

ASK = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:10249/configz', timeout=60).read().decode())"


@pytest.fixture(scope="session")
def owners_text() -> bytes:
    """The file as its owner wrote it."""
    return OWNERS.read_bytes()


@pytest.fixture(scope="session")
def running(host: Host) -> dict[str, Any]:
    """What the running kube-proxy was started with."""
    return json.loads(host.check_output(f'python3 -c "{ASK}"'))["kubeproxy.config.k8s.io"]


@pytest.fixture(scope="session")
def starts(host: Host) -> int:
    """How often kube-proxy was started since the node booted."""
    return int(host.check_output("journalctl --unit=kube-proxy.service | grep -c 'Started kube-proxy.service'"))


@pytest.fixture(scope="session")
def changed_entries(host: Host) -> set[str]:
    """Paths below /etc and /var/lib that were added, removed or given another mode or owner since the preparation."""
    before = host.check_output("cat /var/tmp/entries.list").splitlines()
    now = host.check_output(r"find /etc /var/lib -xdev -printf '%y %m %u %g %p\n'").splitlines()
    return {line.split(" ", 4)[4] for line in set(before) ^ set(now)}
