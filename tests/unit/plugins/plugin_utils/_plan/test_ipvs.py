# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.ipvs import grpc_idle_seconds
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings._rows_owners import (
    with_keepalived,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    EMPTY,
    ESTABLISHED,
    INTVL,
    OUR_FILE,
    PROBES,
    TIME,
    nftables_node,
    nodes,
    plan_one,
    quiet_node,
    settings_of,
    stock_node,
    unprivileged_node,
    with_configured_tcp,
    with_ipvs_tcp,
    with_keepalive,
    with_pods,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    row,
    service,
    with_rows,
)


def test_where_keepalived_sets_the_timeout_the_plan_keeps_below_it_and_writes_no_unit():
    plan, worker = plan_one(with_keepalived(stock_node(), tcp=300), ipvs_timeouts={"tcp": 900})
    assert plan["planned_limit"] == {"seconds": 300, "name": "IPVS tcp after a keepalived restart", "node": "worker1"}
    assert plan["keepalive"] == {"time": 200, "intvl": 10, "probes": 9}
    assert worker["settings"]["ipvs_timeouts_persistent"] is False
    assert worker["owners"]["IPVS tcp"] == (
        "keepalived at its next start or reload (/etc/keepalived/keepalived.conf:9, tcp 300)"
    )


def test_a_planned_conntrack_timeout_is_the_limit():
    plan, _worker = plan_one(nftables_node(), sysctls={ESTABLISHED: 1200})
    assert plan["limit"]["seconds"] == 86400
    assert plan["planned_limit"] == {"seconds": 1200, "name": "conntrack established", "node": "worker1"}
    assert plan["keepalive"] == {"time": 800, "intvl": 40, "probes": 9}


def test_a_planned_ipvs_timeout_is_the_limit():
    plan, worker = plan_one(stock_node(), ipvs_timeouts={"tcp": 3600, "udp": 60})
    assert (plan["limit"]["seconds"], plan["planned_limit"]["seconds"]) == (900, 3600)
    assert plan["keepalive"] == {"time": 2400, "intvl": 75, "probes": 9}
    assert worker["settings"]["ipvs_timeouts"] == {"tcp": 3600, "udp": 60}
    assert worker["settings"]["ipvs_timeouts_persistent"] is True
    assert worker["settings"]["modules"] == ["ip_vs"]
    assert [(change["what"], change["from"], change["to"]) for change in worker["changes"]][-2:] == [
        ("IPVS tcp", "900", "3600"),
        ("IPVS udp", "300", "60"),
    ]


def test_ipvs_timeouts_are_for_nodes_with_ipvs_on_the_path():
    assert settings_of(nftables_node(), ipvs_timeouts={"tcp": 3600}) == EMPTY


def test_a_timeout_that_kube_proxy_sets_again_stays_a_limit():
    plan, worker = plan_one(with_configured_tcp(stock_node(), 900), ipvs_timeouts={"tcp": 3600})
    assert plan["planned_limit"] == {"seconds": 900, "name": "IPVS tcp after a kube-proxy restart", "node": "worker1"}
    assert plan["keepalive"]["time"] == 600
    assert worker["settings"]["ipvs_timeouts_persistent"] is False
    assert worker["owners"]["IPVS tcp"] == "kube-proxy at its next start (ipvs.tcpTimeout 900s)"


@pytest.mark.parametrize(
    ("several", "timeouts"),
    [
        pytest.param([stock_node()], [{"tcp": 8284}], id="the kernel's keepalive in pods needs 8284 s"),
        pytest.param([stock_node(), nftables_node()], [{"tcp": 8284}, {}], id="only where IPVS is on the path"),
        pytest.param([with_ipvs_tcp(stock_node(), 9000)], [{"tcp": 9000}], id="never lower than it is"),
        pytest.param(
            [with_pods(with_keepalive(stock_node(), (600, 30, 9), file=OUR_FILE), [((3600, 60, 5), 3)])],
            [{"tcp": 4193}],
            id="the highest keepalive of any namespace",
        ),
        pytest.param(
            [with_pods(with_keepalive(stock_node(), (600, 30, 9), file=OUR_FILE), [((300, 30, 9), 3)]), stock_node()],
            [{"tcp": 8284}, {"tcp": 8284}],
            id="the highest keepalive of any node",
        ),
        pytest.param(
            [with_keepalive(stock_node(), (600, 30, 9))], [{"tcp": 8284}], id="what comes back at a reboot counts"
        ),
    ],
)
def test_raise_ipvs_raises_above_the_highest_keepalive_in_use(several, timeouts):
    plan = make_plan(nodes(*several), {"strategy": "raise_ipvs"})
    assert [node["settings"]["ipvs_timeouts"] for node in plan["nodes"].values()] == timeouts
    changed = [change["what"] for node in plan["nodes"].values() for change in node["changes"]]
    assert not [what for what in changed if "keepalive" in what]
    assert (plan["safe"], plan["decided_in_time"]) == (True, True)


def test_a_middlebox_of_that_name_is_not_ipvs():
    box = {"name": "IPVS tcp", "seconds": 600}
    with pytest.raises(PlanError) as caught:
        make_plan(nodes(stock_node()), {"strategy": "raise_ipvs", "middleboxes": [box]})
    assert "raises IPVS only and keeps 7200/75/9" in str(caught.value)


def test_raise_ipvs_assumes_the_kernels_keepalive_where_namespaces_could_not_be_read():
    node = with_keepalive(stock_node(), (600, 30, 9), file=OUR_FILE)
    node["namespaces"].update(unreadable=3, error="Permission denied")
    assert settings_of(node, strategy="raise_ipvs")["ipvs_timeouts"] == {"tcp": 8284}


def test_raise_ipvs_does_not_plan_a_timeout_that_it_could_not_read():
    assert settings_of(unprivileged_node(), strategy="raise_ipvs") == EMPTY


def test_raise_ipvs_sets_the_users_keepalive_too():
    plan, worker = plan_one(stock_node(), strategy="raise_ipvs", time=900)
    assert worker["settings"]["sysctls"] == {TIME: "900", INTVL: "75", PROBES: "9"}
    assert worker["settings"]["ipvs_timeouts"] == {"tcp": 8284}
    assert plan["keepalive"]["time"] == 900


def test_raise_ipvs_is_not_safe_while_kube_proxy_lowers_it_again():
    plan, worker = plan_one(with_configured_tcp(stock_node(), 900), strategy="raise_ipvs")
    assert worker["settings"]["ipvs_timeouts"] == {"tcp": 8284}
    assert worker["settings"]["ipvs_timeouts_persistent"] is False
    assert plan["planned_limit"] == {"seconds": 900, "name": "IPVS tcp after a kube-proxy restart", "node": "worker1"}
    assert plan["safe"] is False


def test_ipvs_timeouts_are_not_for_a_node_where_no_ipvs_is_visible():
    node = nftables_node()
    node["kube_proxy"]["mode"] = "ipvs"
    assert settings_of(node, ipvs_timeouts={"tcp": 3600}) == EMPTY


def test_raise_ipvs_takes_a_timeout_of_the_user_that_just_fits():
    assert settings_of(stock_node(), strategy="raise_ipvs", ipvs_timeouts={"tcp": 8284})["ipvs_timeouts"] == {
        "tcp": 8284
    }


def test_raise_ipvs_adds_the_margin():
    assert settings_of(stock_node(), strategy="raise_ipvs", margin=100)["ipvs_timeouts"] == {"tcp": 8384}


RAISED = [
    pytest.param(900, SAFE, [("python3", 7, "grpcio", 1)], 3660, id="C-core looks every half an hour: twice that"),
    pytest.param(900, SAFE, [("server", 7, "grpc-go 1.59.0", 1)], 1860, id="grpc-go"),
    pytest.param(900, SAFE, [("node", 7, "node", 1), ("api", 8, None, 1)], 1860, id="Node, perhaps grpc-js"),
    pytest.param(900, SAFE, [("redis-client", 7, "python", 1)], 900, id="without gRPC as it was"),
    pytest.param(900, SAFE, [("python3", 7, "grpcio", 0)], 900, id="gRPC with SO_KEEPALIVE as it was"),
    pytest.param(900, KERNEL, [("python3", 7, "grpcio", 1)], 8284, id="the keepalive in use is higher"),
    pytest.param(9000, SAFE, [("python3", 7, "grpcio", 1)], 9000, id="it is longer already"),
]


@pytest.mark.parametrize(("seconds", "keepalive", "processes", "timeout"), RAISED)
def test_raise_ipvs_covers_idle_grpc_channels(seconds, keepalive, processes, timeout):
    number = sum(process[3] for process in processes)
    node = with_ipvs_tcp(with_keepalive(quiet_node(), SAFE, file="/etc/sysctl.d/x.conf"), seconds)
    node = with_rows(node, row("a/b", keepalive, service(without=number, processes=processes)))
    worker = plan_one(node, strategy="raise_ipvs")[1]
    assert worker["settings"]["ipvs_timeouts"] == {"tcp": timeout}


def test_why_ipvs_is_raised_for_grpc():
    node = with_rows(quiet_node(), row("a/b", SAFE, service(without=1, processes=[("python3", 7, "grpcio", 1)])))
    assert plan_one(node, strategy="raise_ipvs")[1]["reasons"]["IPVS tcp"] == (
        "above the 3660 s after which idle gRPC channels without SO_KEEPALIVE have closed themselves"
    )


def test_the_users_own_timeout_is_not_raised_for_grpc():
    node = with_rows(quiet_node(), row("a/b", SAFE, service(without=1, processes=[("python3", 7, "grpcio", 1)])))
    worker = plan_one(node, strategy="raise_ipvs", ipvs_timeouts={"tcp": 1000})[1]
    assert worker["settings"]["ipvs_timeouts"] == {"tcp": 1000}


@pytest.mark.parametrize(
    ("runtimes", "seconds"),
    [
        pytest.param(["grpcio"], 3660, id="C-core may take an hour"),
        pytest.param(["java"], 1860, id="grpc-java takes half an hour"),
        pytest.param(["grpc-go 1.59.0", "grpcio"], 3660, id="the last of them counts"),
        pytest.param(["grpc-go 1.58.3"], None, id="an old grpc-go never closes"),
        pytest.param(["grpc-go v1.29.1", "java"], None, id="nor does it beside another"),
        pytest.param(["grpc-go 1.100.0", "grpc-go (devel)"], 1860, id="a newer one does; one without a number may"),
        pytest.param(["go", None], None, id="no gRPC"),
    ],
)
def test_when_the_last_idle_grpc_channel_has_closed(runtimes, seconds):
    assert grpc_idle_seconds(runtimes) == seconds
