# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.connection_counts import Counts
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._guard.judge import judge, totals
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import (
    KERNEL,
    PLANNED,
    WATCH,
    node,
    peer,
    row,
)

SERVICE = "10.96.0.1:80"


def figures(*rows, **watch):
    return judge(node(*rows), dict(WATCH, **watch))


def test_a_node_that_is_as_planned():
    found = figures(row("node", PLANNED), row("pod", PLANNED, [peer(SERVICE, 2, gaps=[(600, 2)])]))
    assert found[:6] == (
        "safe",
        {"IPVS tcp": 900, "conntrack established": 86400},
        900,
        Keepalive(600, 30, 9),
        156,
        0,
    )
    assert [space.at_risk for space in found.spaces] == [False, False]


def test_a_pod_that_came_after_the_apply():
    found = figures(row("node", PLANNED), row("pod", KERNEL, [peer(SERVICE, 3, without=1, gaps=[(7200, 2)])]))
    assert (found.verdict, found.namespaces_unsafe) == ("unsafe", 1)
    assert [space.at_risk for space in found.spaces] == [False, True]
    assert totals(found.spaces)[0] == Counts(without_keepalive=1, late=2)


def test_a_limit_that_was_lowered_since():
    now = node(row("node", PLANNED))
    now["ipvs"]["timeouts"]["tcp"] = 300
    found = judge(now, WATCH)
    assert (found.verdict, found.lowest, found.spare) == ("unsafe", 300, 300 - 744)


def test_a_limit_elsewhere_that_only_the_plan_knows():
    found = figures(row("node", PLANNED), limit={"seconds": 350, "name": "AWS NLB", "node": None})
    assert (found.verdict, found.lowest) == ("unsafe", 350)


@pytest.mark.parametrize(
    ("changed", "watch"),
    [
        pytest.param({}, {"all_limits": False}, id="the plan did not see every limit"),
        pytest.param({"problems": [{"id": "ipvs-timeouts"}]}, {}, id="the IPVS timeouts cannot be read"),
        pytest.param({"sysctls": {}}, {}, id="its keepalive cannot be read"),
        pytest.param({}, {"in_part": True}, id="a limit holds for some pods only"),
    ],
)
def test_what_is_not_known_is_never_safe(changed, watch):
    assert judge(node(row("node", PLANNED), row("pod", PLANNED), **changed), dict(WATCH, **watch)).verdict == "unknown"


def test_pods_that_cannot_be_judged_have_no_figures():
    assert figures(row("pod", KERNEL), in_part=True).spaces is None
    assert judge(node(pods=dict(node()["pods"], sockets_from=None)), WATCH).spaces is None


def test_a_pod_in_a_sandbox_is_unknown():
    assert figures(row("pod", PLANNED, sandbox="gvisor")).verdict == "unknown"


@pytest.mark.parametrize(
    ("hidden", "watch", "verdict"),
    [
        pytest.param([row("pod", KERNEL)], {}, "unsafe", id="a pod"),
        pytest.param([row("container", KERNEL)], {}, "unsafe", id="a container"),
        pytest.param([row("pod", PLANNED)], {}, "safe", id="a pod with the planned keepalive"),
        pytest.param([row("other", KERNEL)], {}, "safe", id="what a program made within its pod"),
        pytest.param([row("pod", KERNEL)], {"pods": False}, "safe", id="a pod that the plan leaves alone"),
    ],
)
def test_what_is_not_listed_is_not_safe_for_that(hidden, watch, verdict):
    now = node(row("node", PLANNED), row("pod", PLANNED), *hidden)
    now["pods"]["rows"] = now["pods"]["rows"][:2]
    assert judge(now, dict(WATCH, **watch)).verdict == verdict


def test_pods_do_not_count_where_the_plan_leaves_them_alone():
    assert figures(row("pod", KERNEL), pods=False, containers=False).verdict == "safe"


def test_servers_that_probed_when_the_plan_was_made_keep_their_connections():
    found = figures(row("pod", PLANNED, [peer(SERVICE, 3, without=3)]), kept=[SERVICE])
    assert [space.at_risk for space in found.spaces] == [False]
    assert totals(found.spaces) == (Counts(kept_by_server=3), Counts(), 3)


@pytest.mark.parametrize(
    ("outside", "counted"),
    [
        pytest.param(None, Counts(undecided=2), id="connection tracking of a day alone"),
        pytest.param({"seconds": 350, "name": "nat", "node": None}, Counts(without_keepalive=2), id="a middlebox"),
    ],
)
def test_connections_to_other_addresses(outside, counted):
    found = figures(
        row("pod", PLANNED, outside=[peer("192.0.2.1:5432", 2, without=2, key="destination")]), outside=outside
    )
    assert totals(found.spaces)[1] == counted


ENFORCED = dict(PLANNED, exact=True)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        pytest.param({}, "safe", id="in force for all"),
        pytest.param({"boot": None}, "unsafe", id="gone after a reboot"),
        pytest.param({"attached": dict(PLANNED, exact=False)}, "unsafe", id="another program"),
        pytest.param({"exclude_ports": [443]}, "unsafe", id="a port is left out"),
        pytest.param({"exclude_cgroups": ["/kubepods.slice"]}, "unsafe", id="its group may be left out"),
        pytest.param({"exclude_cgroups": ["/system.slice/sshd.service"]}, "safe", id="a service is left out"),
    ],
)
def test_what_is_enforced_counts_for_what_a_pod_opens(seen, verdict):
    nothing = {"exclude_ports": [], "exclude_cgroups": []}
    enforcement = dict(nothing, attached=ENFORCED, boot=dict(PLANNED, enabled=True))
    enforcement.update(seen)
    now = node(row("pod", KERNEL), enforcement=enforcement)
    assert judge(now, WATCH).verdict == verdict
    now["pods"]["rows"] = []
    assert judge(now, WATCH).verdict == verdict, "where it is not listed, too"
