# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import (
    NOTHING_ELSEWHERE,
    Elsewhere,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.earlier import elsewhere
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import MADE_AT, document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nodes,
    quiet_node,
    stock_node,
    unprivileged_node,
    with_ipvs_tcp,
)

LOW = with_ipvs_tcp(stock_node(), 300)
FULL = json.loads(json.dumps(document(nodes(quiet_node(), stock_node(), LOW, unprivileged_node(), None), {})))
REPORT = f"the report of {MADE_AT}"


def test_nobody_left_out_is_nothing_to_look_up():
    assert elsewhere([], 4, FULL) == NOTHING_ELSEWHERE


@pytest.mark.parametrize(
    ("left_out", "seconds", "node"),
    [
        pytest.param(["worker2"], 900, "worker2", id="one host"),
        pytest.param(["worker2", "worker3"], 300, "worker3", id="the lowest of several"),
    ],
)
def test_the_limit_of_those_left_out_is_that_of_the_earlier_report(left_out, seconds, node):
    assert elsewhere(left_out, 2, FULL) == Elsewhere(
        tuple(left_out), 2 + len(left_out), Limit(seconds, "IPVS tcp", node), REPORT
    )


@pytest.mark.parametrize(
    ("left_out", "earlier"),
    [
        pytest.param(["worker2"], None, id="no earlier report"),
        pytest.param(["worker2", "worker9"], FULL, id="a host that it does not have"),
        pytest.param(["worker4"], FULL, id="a host whose limit could not be read"),
        pytest.param(["worker5"], FULL, id="a host that was not observed"),
        pytest.param(["worker2", "worker5"], FULL, id="half of them"),
    ],
)
def test_where_not_every_one_is_known_nothing_is(left_out, earlier):
    assert elsewhere(left_out, 2, earlier) == Elsewhere(tuple(left_out), 2 + len(left_out))


def test_a_host_that_is_no_node_has_no_limit():
    earlier = {**FULL, "other_hosts": ["bastion"]}
    assert elsewhere(["bastion"], 2, earlier) == Elsewhere(("bastion",), 3, None, REPORT)


PARTIAL = {
    **FULL,
    "made_at": "2026-11-22T00:00:00Z",
    "left_out": Elsewhere(("w8", "w9"), 7, Limit(240, "IPVS tcp", "w9"), "the report of Monday").as_dict(),
}


def test_what_a_partial_report_took_from_an_earlier_one_is_carried_on():
    known = elsewhere(["worker2", "w8", "w9"], 4, PARTIAL)
    assert known == Elsewhere(("worker2", "w8", "w9"), 7, Limit(240, "IPVS tcp", "w9"), "the report of Monday")


def test_what_a_partial_report_did_not_know_is_not_known_now():
    earlier = {**PARTIAL, "left_out": Elsewhere(("w8", "w9"), 7).as_dict()}
    assert elsewhere(["w8"], 6, earlier) == Elsewhere(("w8",), 7)


def test_the_limit_of_others_left_out_then_does_not_count():
    assert elsewhere(["worker2"], 6, PARTIAL).limit == Limit(900, "IPVS tcp", "worker2")


def changed(*path, to):
    report = copy.deepcopy(FULL)
    *above, last = path
    place = report
    for each in above:
        place = place[each]
    place[last] = to
    return report


@pytest.mark.parametrize(
    "earlier",
    [
        pytest.param([1], id="a list"),
        pytest.param("x", id="text"),
        pytest.param({"nodes": []}, id="an older report without what was left out"),
        pytest.param(changed("nodes", to=5), id="nodes that are a number"),
        pytest.param(changed("nodes", 0, to="x"), id="a node that is text"),
        pytest.param(changed("left_out", to=[]), id="left_out that is a list"),
        pytest.param(changed("limits", to=[5]), id="a limit that is a number"),
        pytest.param(changed("limits", 0, "node", to=["x"]), id="a limit of a list"),
        pytest.param(changed("other_hosts", to=None), id="other hosts that are null"),
    ],
)
def test_what_is_no_report_is_none(earlier):
    assert elsewhere(["worker2"], 2, earlier) == Elsewhere(("worker2",), 3)


@pytest.mark.parametrize("seconds", ["x", None, [], "9" * 5000, float("inf"), float("nan")])
def test_a_limit_that_is_no_number_is_not_known(seconds):
    limit = {"seconds": seconds, "name": "IPVS tcp", "node": "worker2"}
    assert elsewhere(["worker2"], 2, {**FULL, "limits": [limit]}) == Elsewhere(("worker2",), 3)
