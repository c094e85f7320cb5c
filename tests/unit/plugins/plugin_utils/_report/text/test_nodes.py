# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.nodes import shared_domain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nftables_node,
    nodes,
    quiet_node,
    stock_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import KERNEL, row, with_rows


def late_pods():
    return with_rows(quiet_node(), row("a/b", KERNEL))


DOMAIN = ".eu-central-1.compute.internal"


@pytest.mark.parametrize(
    ("names", "domain"),
    [
        pytest.param([f"ip-10-0-1-23{DOMAIN}", f"ip-10-0-1-7{DOMAIN}"], DOMAIN, id="of a cloud"),
        pytest.param([f"ip-10-0-1-23{DOMAIN}"], DOMAIN, id="one node"),
        pytest.param(["worker-12.example.org"], ".example.org", id="one column more than there is room for"),
        pytest.param(["worker-1.example.org"], "", id="as wide as there is room for"),
        pytest.param(["a.example.org", "b.example.org"], "", id="short names have room"),
        pytest.param([f"ip-10-0-1-23{DOMAIN}", "ip-10-0-1-7.us-east-1.compute.internal"], "", id="two domains"),
        pytest.param([f"ip-10-0-1-23{DOMAIN}", "control1"], "", id="not all have one"),
        pytest.param(["worker-with-a-very-long-name-1"], "", id="no domain"),
        pytest.param(["192.168.100.100.100.100.100"], "", id="an address, or what looks like one"),
        pytest.param([], "", id="no node"),
    ],
)
def test_the_domain_that_is_left_out(names, domain):
    assert shared_domain(names) == domain


@pytest.mark.parametrize(("margin", "notes"), [(156, 0), (157, 1)])
def test_a_margin_that_is_just_left_is_no_reason(margin, notes):
    """The node is unsafe by its pods either way; of the limit's 900 s it has 156 to spare."""
    lines = [plain(line) for line in text_lines(document(nodes(late_pods()), {"margin": margin}), 79)]
    assert any(line.startswith("worker1 ") and line.endswith("UNSAFE") for line in lines)
    assert lines.count("    1 s less than keepalive_margin 157") == notes
    assert not any("0 s less" in line for line in lines)


def test_long_names_of_a_cloud_stay_whole():
    several = {f"ip-10-0-1-{number}{DOMAIN}": node for number, node in ((23, stock_node()), (147, nftables_node()))}
    lines = [plain(line) for line in text_lines(document(several), 80)]
    table = lines[lines.index(next(line for line in lines if line.startswith("NODE"))) :]
    assert table[:6] == [
        "NODE           MODE      LIMIT                KEEPALIVE    SPARE  NETNS  VERDICT",
        "ip-10-0-1-147  nftables  900 s IPVS tcp on    7200/75/9  -7384 s  23/23  UNSAFE",
        "                          ip-10-0-1-23",
        "ip-10-0-1-23   ipvs      900 s IPVS tcp       7200/75/9  -7384 s  23/23  UNSAFE",
        "SPARE: to the limit, negative is too late. NETNS (pods): too late/seen, not",
        f"counted in VERDICT. NODE: without {DOMAIN}.",
    ]
