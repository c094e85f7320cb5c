# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BE_LIBERAL,
    ESTABLISHED,
    KEEPALIVE_KEYS,
    OTHER_FILE,
    OUR_FILE,
    nftables_node,
    nodes,
    plain_node,
    plan_one,
    stock_node,
    with_established,
    with_ipvs_tcp,
    with_keepalive,
    with_pods,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import KERNEL, row, service


def applied(node, wanted):
    """The node after node_settings and after a reboot."""
    node = copy.deepcopy(node)
    for name in wanted["modules"]:
        node["modules"][name] = {"loaded": True, "builtin": False, "boot": {"file": OUR_FILE, "line": 1}}
    if "nf_conntrack" in wanted["modules"] and not node["conntrack"]["loaded"]:
        node["conntrack"].update(loaded=True, timeouts={"established": 432000})
    for number, (key, value) in enumerate(wanted["sysctls"].items()):
        boot = {"value": value, "file": OUR_FILE, "line": number, "module": None, "in_time": True, "procps_value": None}
        node["sysctls"][key] = {"state": "present", "value": value, "error": None, "boot": boot}
        if key == ESTABLISHED:
            node["conntrack"]["timeouts"]["established"] = int(value)
    if node["ipvs"]["loaded"]:
        node["ipvs"]["timeouts"].update(wanted["ipvs_timeouts"])
    time, intvl, probes = (int(node["sysctls"][key]["value"]) for key in KEEPALIVE_KEYS)
    for group in node["namespaces"]["keepalive"]:
        if group["own"]:
            group.update(time=time, intvl=intvl, probes=probes)
    for pod in node.get("pods", {}).get("rows", []) if wanted["pods"] else []:
        if pod["kind"] == "pod" and tuple(pod["keepalive"].values()) == KERNEL:
            pod["keepalive"] = dict(wanted["pods"])
    return node


TRIPLES = st.sampled_from([(7200, 75, 9), (600, 30, 9), (600, 30, 10), (300, 60, 2), (60, 10, 3), (32767, 1, 1)])


@st.composite
def some_node(draw):
    node = draw(st.sampled_from([stock_node, nftables_node, plain_node]))()
    file = draw(st.sampled_from([None, OUR_FILE, OTHER_FILE]))
    node = with_keepalive(node, draw(TRIPLES), draw(TRIPLES), file)
    node = with_pods(node, [(draw(TRIPLES), 3)])
    if node["kube_proxy"]["running"] and draw(st.booleans()):
        node["pods"] = {"count": 2, "rows": [row("a/b", KERNEL), row("a/c", KERNEL, service(gaps=[(7200, 1)]))]}
    if node["ipvs"]["loaded"]:
        with_ipvs_tcp(node, draw(st.sampled_from([15, 900, 8284, 86400])))
    if node["conntrack"]["loaded"]:
        seconds = draw(st.sampled_from([600, 86400, 432000]))
        node["kube_proxy"]["conntrack"]["tcp_established"] = 0
        with_established(node, seconds)
    return node


SOME_POLICY = st.fixed_dictionaries(
    {},
    optional={
        "profile": st.sampled_from(["derived", "article"]),
        "strategy": st.sampled_from(["lower_keepalive", "raise_ipvs"]),
        "lost_probes": st.integers(0, 12),
        "margin": st.integers(0, 60),
        "time": st.integers(1, 700),
        "intvl": st.integers(1, 100),
        "probes": st.integers(1, 20),
        "middleboxes": st.lists(st.sampled_from(["aws_nlb", "gcp_cloud_nat"]), max_size=2),
        "bridge_nf_call": st.sampled_from(["auto", "always", "never"]),
        "be_liberal": st.booleans(),
        "dead_peer_seconds": st.integers(8, 1054),
        "conn_reuse_mode": st.sampled_from(["leave", "auto", "0", "1"]),
        "expire_nodest_conn": st.booleans(),
        "expire_quiescent_template": st.booleans(),
        "pods": st.booleans(),
        "sloppy_tcp": st.booleans(),
        "sysctls": st.dictionaries(st.sampled_from([BE_LIBERAL, ESTABLISHED]), st.sampled_from([1, 1000]), max_size=2),
        "ipvs_timeouts": st.dictionaries(
            st.sampled_from(["tcp", "udp"]), st.sampled_from([600, 900, 10000]), max_size=2
        ),
    },
)


@settings(max_examples=300)
@given(st.lists(some_node(), min_size=1, max_size=3), SOME_POLICY)
def test_what_is_applied_is_safe_and_the_next_plan_changes_nothing(several, policy):
    first = nodes(*several)
    try:
        plan = make_plan(first, policy)
    except PlanError:
        return
    assert plan["safe"]
    second = {name: applied(node, plan["nodes"][name]["settings"]) for name, node in first.items()}
    again = make_plan(second, policy)
    assert [node["changes"] for node in again["nodes"].values()] == [[] for _name in second]
    # None leaves pods as they are; new ones come every minute.
    assert [node["settings"] for node in again["nodes"].values()] == [
        {**node["settings"], "pods": None} for node in plan["nodes"].values()
    ]
    assert again["verdict"] == "safe"
    assert again["limit"] == plan["planned_limit"]


NONSENSE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text("abc\x1b\n{%", max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def damaged_node(draw):
    """The stock worker with nonsense somewhere in its data."""
    node = stock_node()
    inner = node
    while True:
        key = draw(st.sampled_from(sorted(inner)))
        if not isinstance(inner[key], dict) or not inner[key] or draw(st.integers(0, 3)) == 0:
            inner[key] = draw(NONSENSE)
            return node
        inner = inner[key]


@settings(max_examples=300)
@given(damaged_node())
def test_damaged_data_is_never_safe_and_never_a_traceback(node):
    try:
        plan, worker = plan_one(node)
    except PlanError:
        return
    assert worker["verdict"] in ("unsafe", "unknown")
    assert plan["findings"]
