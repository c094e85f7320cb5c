# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts for the tests here."""

import pytest

from ansible_collections.kubenode.connections.tests.playbooks._fleet import fleet


@pytest.fixture
def four(tmp_path):
    """cp1, node1, node2 and node3, whose keepalive is too late for a load balancer of 350 s."""
    with fleet(tmp_path, "cp1", "node1", "node2", "node3") as hosts:
        hosts.variables["keepalive_middleboxes"] = ["aws_nlb"]
        yield hosts
