# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet of a node; the node itself is in the conftest.py of all scenarios."""

from __future__ import annotations

import pytest
from testinfra.host import Host


@pytest.fixture(scope="session")
def variables(host: Host) -> dict[str, str]:
    """Variables of HTTP/2 in the environment of the running kubelet."""
    pid = host.check_output("systemctl show --property=MainPID --value kubelet.service")
    words = host.check_output(f"tr '\\0' '\\n' < /proc/{pid}/environ").splitlines()
    return dict(word.split("=", 1) for word in words if "HTTP2" in word)


@pytest.fixture(scope="session")
def starts(host: Host) -> int:
    """How often kubelet was started since the node booted."""
    return int(host.check_output("journalctl --unit=kubelet.service | grep -c 'Started kubelet.service'"))


@pytest.fixture(scope="session")
def changed_entries(host: Host) -> set[str]:
    """Paths below /etc that were added, removed or given another mode or owner since the node was prepared."""
    before = host.check_output("cat /var/tmp/etc.list").splitlines()
    now = host.check_output(r"find /etc -xdev -printf '%y %m %u %p\n'").splitlines()
    return {line.split(" ", 3)[3] for line in set(before) ^ set(now)}
