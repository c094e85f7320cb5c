# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._common.metrics import HELP, render
from ansible_collections.kubenode.connections.plugins.module_utils._guard.judge import judge
from ansible_collections.kubenode.connections.plugins.module_utils._guard.samples import Run, samples
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import (
    KERNEL,
    PLANNED,
    WATCH,
    conf,
    node,
    peer,
    row,
)

NOW = 1795232400


def lines(run, of=None):
    return [line for line in render(samples(run, of or conf())).splitlines() if not line.startswith("#")]


def of(seen, problems=0):
    return Run(NOW, problems, 0, seen, judge(seen, WATCH), 2)


def test_the_metrics_of_a_run():
    seen = node(row("node", PLANNED), row("pod", KERNEL, [peer("10.96.0.1:80", 3, without=1, gaps=[(7200, 2)])]))
    text = "\n".join(lines(of(seen)))
    assert (
        text
        == """\
kubenode_connections_info{node="w1",mode="ipvs",hostname="host1",kernel="6.1.0"} 1
kubenode_connections_observed_timestamp_seconds{node="w1"} 1795232400
kubenode_connections_verdict{node="w1",verdict="unsafe"} 1
kubenode_connections_verdict{node="w1",verdict="unknown"} 0
kubenode_connections_verdict{node="w1",verdict="safe"} 0
kubenode_connections_limit_seconds{node="w1",limit="IPVS tcp"} 900
kubenode_connections_limit_seconds{node="w1",limit="conntrack established"} 86400
kubenode_connections_lowest_limit_seconds{node="w1"} 900
kubenode_connections_keepalive_time_seconds{node="w1",when="live"} 600
kubenode_connections_keepalive_time_seconds{node="w1",when="planned"} 600
kubenode_connections_keepalive_intvl_seconds{node="w1",when="live"} 30
kubenode_connections_keepalive_intvl_seconds{node="w1",when="planned"} 30
kubenode_connections_keepalive_probes{node="w1",when="live"} 9
kubenode_connections_keepalive_probes{node="w1",when="planned"} 9
kubenode_connections_spare_seconds{node="w1"} 156
kubenode_connections_changes{node="w1"} 2
kubenode_connections_namespaces_unsafe{node="w1"} 1
kubenode_connections_pods{node="w1"} 1
kubenode_connections_pods_at_risk{node="w1"} 1
kubenode_connections_containers{node="w1"} 0
kubenode_connections_containers_at_risk{node="w1"} 0
kubenode_connections_other_namespaces_at_risk{node="w1"} 0
kubenode_connections_connections{node="w1"} 3
kubenode_connections_connections_to_services{node="w1"} 3
kubenode_connections_connections_without_keepalive{node="w1"} 1
kubenode_connections_connections_late{node="w1"} 2
kubenode_connections_connections_kept_by_server{node="w1"} 0
kubenode_connections_connections_at_risk{node="w1"} 3
kubenode_connections_connections_to_other_addresses{node="w1"} 0
kubenode_connections_connections_to_other_addresses_at_risk{node="w1"} 0
kubenode_connections_ipvs_connections_cut_within{node="w1",seconds="60"} 0
kubenode_connections_ipvs_connections_cut_within{node="w1",seconds="300"} 2
kubenode_connections_guard_run_timestamp_seconds{node="w1"} 1795232400
kubenode_connections_guard_interval_seconds{node="w1"} 300
kubenode_connections_guard_problems{node="w1"} 0
kubenode_connections_guard_cured{node="w1"} 0"""
    )


def test_a_run_that_saw_nothing_says_so_and_nothing_else():
    told = lines(Run(NOW, 1, 0, None, None, None))
    assert [line.partition("{")[0][len("kubenode_connections_") :] for line in told] == [
        "verdict",
        "verdict",
        "verdict",
        "guard_run_timestamp_seconds",
        "guard_interval_seconds",
        "guard_problems",
        "guard_cured",
    ]
    assert 'kubenode_connections_verdict{node="w1",verdict="unknown"} 1' in told


def test_each_metric_has_a_help():
    assert {name for name, _labels, _value in samples(of(node(row("node", PLANNED))), conf())} <= set(HELP)
