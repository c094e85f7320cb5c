# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.coverage import as_far, sentences
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nftables_node,
    nodes,
    quiet_node,
    unprivileged_node,
)

FOUR = "IPVS, conntrack, Services, network namespaces"


@pytest.mark.parametrize(
    ("report", "told"),
    [
        pytest.param(nodes(quiet_node()), [f"Looked at: {FOUR} on the node."], id="one"),
        pytest.param(nodes(quiet_node(), nftables_node()), [f"Looked at: {FOUR} on all 2 nodes."], id="alike"),
        pytest.param(nodes(quiet_node(), None), [f"Looked at: {FOUR} on 1 of 2 nodes."], id="one was not reached"),
        pytest.param(nodes(None), [], id="none was reached"),
        pytest.param(
            nodes(quiet_node(), unprivileged_node()),
            [
                ("Looked at: IPVS, network namespaces on 1 of 2 nodes; conntrack, Services on all 2 nodes."),
                ("Not looked at: IPVS, network namespaces on worker2. Run again as root (-e keepalive_become=true)."),
            ],
            id="not as root",
        ),
    ],
)
def test_what_was_looked_at_and_what_was_not(report, told):
    assert list(sentences(document(report, {}))) == told


def test_of_many_places_the_first_are_told():
    report = document(nodes(quiet_node()), {})
    places = ("ipvs", "conntrack", "services", "namespaces", "hosts")
    report["nodes"][0]["coverage"]["not_seen"] = [{"place": place, "do": f"Do {place}."} for place in places]
    assert list(sentences(report))[-1] == "And 2 more such places: see the findings."


@pytest.mark.parametrize(
    ("declared", "clause"),
    [
        ([], "as far as the nodes show; no middlebox was declared"),
        (["aws_nlb", {"name": "edge", "seconds": 4000}], "as far as the nodes show; declared: AWS NLB, edge"),
    ],
)
def test_how_far_a_verdict_reaches(declared, clause):
    assert as_far(document(nodes(quiet_node()), {"middleboxes": declared})) == clause


def test_where_the_nodes_are_in_a_cloud_the_verdict_says_so():
    on_aws, on_azure = (
        {**quiet_node(), "cloud": {"provider": each, "instance_type": None}} for each in ("aws", "azure")
    )
    said = as_far(document(nodes(on_aws, on_azure, quiet_node()), {}))
    assert said == "as far as the nodes show; no middlebox was declared on AWS, Azure"
