# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of every scenario see: a node, and what its owner put on it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import testinfra
import yaml
from testinfra.host import Host

Keepalive = tuple[int, int, int]
"""tcp_keepalive_time, tcp_keepalive_intvl (seconds), tcp_keepalive_probes."""

KEEPALIVE = "sysctl -n net.ipv4.tcp_keepalive_time net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes"

INSTANCES = yaml.safe_load(Path(os.environ["MOLECULE_INSTANCE_CONFIG"]).read_text())
ADDRESSES = {instance["instance"]: instance["address"] for instance in INSTANCES}
SSH_CONFIG = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "ssh_config")
OWNERS_FILES = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"], "nodes")


@pytest.fixture(scope="session", params=ADDRESSES)
def node(request: pytest.FixtureRequest) -> str:
    """Inventory name of a node."""
    return str(request.param)


@pytest.fixture(scope="session")
def host(node: str) -> Host:
    """The node over SSH, as root."""
    return testinfra.get_host(f"ssh://{ADDRESSES[node]}", ssh_config=str(SSH_CONFIG), sudo=True)


@pytest.fixture(scope="session")
def owners_files(node: str) -> dict[str, bytes]:
    """Bytes of the files that the node's owner wrote, by their path on the node."""
    root = OWNERS_FILES / node
    return {"/" + str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def live(host: Host) -> Keepalive:
    """The keepalive that holds in the node's network namespace now."""
    return _keepalive(host.check_output(KEEPALIVE))


@pytest.fixture(scope="session")
def at_boot(host: Host) -> Keepalive:
    """The keepalive that systemd itself gives a network namespace that has the kernel's defaults, as at boot."""
    return _keepalive(host.check_output(f"unshare --net sh -ec '/lib/systemd/systemd-sysctl && {KEEPALIVE}'"))


@pytest.fixture(scope="session")
def changed_below_etc(host: Host) -> set[str]:
    """Paths of the files below /etc that were added, changed or removed since the owner left the node."""
    before = host.check_output("cat /var/tmp/etc.sha256").splitlines()
    now = host.check_output("find /etc -xdev -type f -exec sha256sum {} +").splitlines()
    return {line.split("  ", 1)[1] for line in set(before) ^ set(now)}


def _keepalive(text: str) -> Keepalive:
    time, intvl, probes = (int(value) for value in text.split())
    return time, intvl, probes
