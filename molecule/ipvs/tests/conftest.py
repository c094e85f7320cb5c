# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel of a node has, what it had before the first apply, and what the last apply planned."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

PLANS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
NOTHING_PLANNED: dict[str, Any] = {"modules": [], "sysctls": {}, "ipvs_timeouts": {}, "rps": None}

KEEPALIVE = "sysctl -n net.ipv4.tcp_keepalive_time net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes"


@pytest.fixture(scope="session")
def values(host: Host) -> dict[str, str]:
    """What the kernel has now, by the names of files/live.sh."""
    return _by_name(host.check_output("sh /live.sh"))


@pytest.fixture(scope="session")
def left(host: Host) -> dict[str, str]:
    """What it had as the boot of the owner's node left it."""
    return _by_name(host.check_output("cat /var/tmp/live"))


@pytest.fixture(scope="session")
def planned(node: str) -> dict[str, Any]:
    """The settings of the last plan by which the node was changed; after restore, and before, nothing."""
    plan = PLANS / f"planned-{node}.json"
    return dict(json.loads(plan.read_text())) if plan.exists() else NOTHING_PLANNED


@pytest.fixture(scope="session")
def unit_is_active(host: Host) -> bool:
    """Whether the unit that sets the IPVS timeouts at boot is there and has done so."""
    return host.run("systemctl is-active --quiet kubenode-ipvs-timeouts.service").succeeded


@pytest.fixture(scope="session")
def pod(host: Host) -> str | None:
    """The keepalive in the pod's network namespace; None where no pod runs, as after a reboot."""
    if not host.file("/run/netns/pod").exists:
        return None
    return "/".join(host.check_output(f"ip netns exec pod {KEEPALIVE}").split())


def _by_name(text: str) -> dict[str, str]:
    pairs = (line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    return {name: value.strip() for name, value in pairs}
