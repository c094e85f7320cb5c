# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.formats.prometheus import (
    render_all,
    render_nodes,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import cluster, document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nodes,
    quiet_node,
    stock_node,
)

NAME = r"kubenode_connections_[a-z_0-9]+"
LABEL = r'[a-z]+="(?:[^"\\\n]|\\[\\n"])*"'
SAMPLE = re.compile(rf"({NAME})\{{({LABEL}(?:,{LABEL})*)\}} (-?[0-9]+)")

SAFE_NODE = """# HELP kubenode_connections_info Always 1; the labels say which node it is.
# TYPE kubenode_connections_info gauge
kubenode_connections_info{node="worker1",hostname="worker1",kernel="6.1.0-56-cloud-amd64",mode="ipvs"} 1
# HELP kubenode_connections_observed_timestamp_seconds When the node was observed, in seconds since 1970.
# TYPE kubenode_connections_observed_timestamp_seconds gauge
kubenode_connections_observed_timestamp_seconds{node="worker1"} 1795232400
# HELP kubenode_connections_verdict 1 for the verdict of the node, 0 for the others.
# TYPE kubenode_connections_verdict gauge
kubenode_connections_verdict{node="worker1",verdict="unsafe"} 0
kubenode_connections_verdict{node="worker1",verdict="unknown"} 0
kubenode_connections_verdict{node="worker1",verdict="safe"} 1
# HELP kubenode_connections_verdict_after_boot 1 for the verdict of the keepalive that comes back with a reboot, 0 for \
the others.
# TYPE kubenode_connections_verdict_after_boot gauge
kubenode_connections_verdict_after_boot{node="worker1",verdict="unsafe"} 0
kubenode_connections_verdict_after_boot{node="worker1",verdict="unknown"} 0
kubenode_connections_verdict_after_boot{node="worker1",verdict="safe"} 1
# HELP kubenode_connections_limit_seconds After how many idle seconds something on the node forgets a TCP connection.
# TYPE kubenode_connections_limit_seconds gauge
kubenode_connections_limit_seconds{node="worker1",limit="IPVS tcp"} 900
kubenode_connections_limit_seconds{node="worker1",limit="conntrack established"} 86400
# HELP kubenode_connections_lowest_limit_seconds The lowest idle limit on the path of any node: keepalive must stay \
below it.
# TYPE kubenode_connections_lowest_limit_seconds gauge
kubenode_connections_lowest_limit_seconds{node="worker1"} 900
"""


def samples(text):
    """The samples of a text in the format: metric, labels, value. Everything else must be a comment of the format."""
    lines = text.removesuffix("\n").split("\n")
    assert text.endswith("\n")
    assert [line for line in lines if not re.fullmatch(rf"# (HELP|TYPE) {NAME} .+|{SAMPLE.pattern}", line)] == []
    return [SAMPLE.fullmatch(line).groups() for line in lines if not line.startswith("#")]


def value(text, metric, **labels):
    wanted = ",".join(f'{name}="{text}"' for name, text in labels.items())
    found = [
        number for name, given, number in samples(text) if (name, given) == (f"kubenode_connections_{metric}", wanted)
    ]
    return int(found[0]) if found else None


def test_the_whole_text_of_the_cluster():
    """After a change of words that is meant: write render_all(document()) to the fixture and read what differs."""
    assert render_all(document()) == (Path(__file__).parent / "fixtures" / "3-nodes.prom.txt").read_text(
        encoding="utf-8"
    )


def test_the_moment_is_utc_wherever_the_playbook_runs(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        text = render_all(document(nodes(quiet_node()), {}))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert value(text, "observed_timestamp_seconds", node="worker1") == 1795232400


def test_the_metrics_of_a_safe_node_begin_like_this():
    assert render_all(document(nodes(quiet_node()), {})).startswith(SAFE_NODE)


@pytest.mark.parametrize(
    ("metric", "labels", "expected"),
    [
        ("verdict", {"node": "worker1", "verdict": "unsafe"}, 1),
        ("verdict", {"node": "worker3", "verdict": "unknown"}, 1),
        ("verdict_after_boot", {"node": "worker3", "verdict": "unknown"}, 1),
        ("spare_seconds", {"node": "worker1"}, -7384),
        ("spare_seconds", {"node": "worker2"}, 156),
        ("spare_seconds", {"node": "worker3"}, None),
        ("keepalive_time_seconds", {"node": "worker1", "when": "live"}, 7200),
        ("keepalive_time_seconds", {"node": "worker1", "when": "planned"}, 600),
        ("keepalive_intvl_seconds", {"node": "worker2", "when": "at_boot"}, 30),
        ("keepalive_probes", {"node": "worker2", "when": "live"}, 9),
        ("lowest_limit_seconds", {"node": "worker3"}, 900),
        ("limit_seconds", {"node": "worker3", "limit": "IPVS tcp"}, None),
        ("changes", {"node": "worker1"}, 3),
        ("changes", {"node": "worker3"}, None),
        ("observed_timestamp_seconds", {"node": "worker3"}, None),
        ("namespaces_unsafe", {"node": "worker1"}, 3),
        ("namespaces_unsafe", {"node": "worker3"}, None),
        ("pods", {"node": "worker1"}, 2),
        ("pods_at_risk", {"node": "worker1"}, 2),
        ("pods_at_risk", {"node": "worker2"}, None),
        ("connections", {"node": "worker1"}, 41),
        ("connections_to_services", {"node": "worker1"}, 16),
        ("connections_without_keepalive", {"node": "worker1"}, 6),
        ("connections_without_keepalive", {"node": "worker2"}, None),
        ("connections_late", {"node": "worker1"}, 10),
        ("connections_at_risk", {"node": "worker1"}, 16),
        ("containers", {"node": "worker1"}, 0),
        ("containers_at_risk", {"node": "worker1"}, 0),
        ("containers_at_risk", {"node": "worker2"}, None),
        ("other_namespaces_at_risk", {"node": "worker1"}, 0),
        ("connections_to_other_addresses", {"node": "worker1"}, 0),
        ("connections_to_other_addresses_at_risk", {"node": "worker2"}, None),
        ("ipvs_connections_cut_within", {"node": "worker1", "seconds": "300"}, 2),
        ("findings", {"node": "worker1", "severity": "critical"}, 2),
        ("findings", {"node": "worker2", "severity": "critical"}, 0),
        ("plan_findings", {"severity": "critical"}, 0),
    ],
    ids=str,
)
def test_a_metric_of_the_cluster_has_its_value_and_none_where_nothing_was_seen(metric, labels, expected):
    assert value(render_all(document()), metric, **labels) == expected


def test_sockets_that_could_not_be_read_are_no_zero():
    several = cluster()
    several["worker1"]["pods"].update(sockets_from=None, totals={})
    text = render_all(document(several))
    assert value(text, "connections_without_keepalive", node="worker1") is None
    assert value(text, "pods_at_risk", node="worker1") == 2


def test_what_is_silenced_is_counted_apart():
    text = render_all(document(silences=parse_silences([{"id": "keepalive-too-late", "reason": "known"}])))
    assert value(text, "findings", node="worker1", severity="critical") == 1
    assert value(text, "findings_silenced", node="worker1") == 1


def test_each_node_has_its_own_metrics_and_together_they_are_all_but_those_of_the_plan():
    report = document()
    each = dict(render_nodes(report))
    assert list(each) == ["worker1", "worker3", "worker2"]
    assert {re.search(r'node="(\w+)"', labels)[1] for _name, labels, _value in samples(each["worker1"])} == {"worker1"}
    together = [sample for text in each.values() for sample in samples(text)]
    of_all = samples(render_all(report))
    assert sorted(together) == sorted(sample for sample in of_all if "plan_findings" not in sample[0])


def test_a_host_named_plan_has_its_own_findings():
    text = render_all(document({"plan": stock_node()}, {"profile": "article"}))
    assert value(text, "findings", node="plan", severity="critical") == 1
    assert value(text, "plan_findings", severity="critical") == 0
    assert value(text, "plan_findings", severity="warning") == 1


def test_a_metric_is_described_once_and_its_samples_are_together():
    lines = render_all(document()).splitlines()
    described = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    order = list(dict.fromkeys(line.split("{")[0] for line in lines if not line.startswith("#")))
    blocks = [line.split("{")[0] for line in lines if not line.startswith("#")]
    assert described == order
    assert [name for number, name in enumerate(blocks) if number == 0 or blocks[number - 1] != name] == order


@given(names=st.lists(st.text(st.characters(), min_size=1), unique=True, min_size=2, max_size=2))
def test_any_name_is_one_label_and_two_names_stay_two(names):
    first, second = names
    node = {**quiet_node(), "hostname": first, "kernel": second}
    text = render_all(document({first: node, second: quiet_node()}))
    found = samples(text)
    assert found
    if all(name.encode("utf-8", "replace") == name.encode("utf-8", "ignore") for name in names):
        assert len(set(found)) == len(found)
