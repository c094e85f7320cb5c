# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    applied_node,
    plan_one,
    quiet_node,
    stock_node,
    without_ipvs,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    row,
    service,
    with_rows,
)

LATE = "7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond 900 s (IPVS tcp on worker1)"
FINE = "600 + 2 x 30 = 660 s, with timer slack 744 s, leaves 156 s of 900 s (IPVS tcp on worker1)"


def with_hidden(node, number):
    node["namespaces"].update(unreadable=number, error="/proc/7/ns/net: Permission denied")
    return node


def with_mode(node, mode):
    node["kube_proxy"]["mode"] = mode
    return node


WEB = "container web (docker)"
VERDICTS = [
    pytest.param([row("a/b", SAFE)], {}, "safe", "safe", id="a pod with values of its own that are safe"),
    pytest.param([row("a/b", KERNEL)], {}, "unsafe", "unsafe", id="the kernel's values and no connection now"),
    pytest.param([row("a/b", KERNEL)], {"pods": False}, "safe", "unsafe", id="pods are to be left alone"),
    pytest.param([row("a/b", (1800, 75, 9))], {}, "unsafe", "unsafe", id="values of its own that are late"),
    pytest.param([row("a/b", (600, 30, 0))], {}, "unsafe", "unsafe", id="no probes"),
    pytest.param([row("a/b", None, error="denied")], {}, "unknown", "unknown", id="a pod that could not be read"),
    pytest.param([row("a/b", SAFE, service(without=1))], {}, "safe", "unsafe", id="without SO_KEEPALIVE"),
    pytest.param([row("a/b", SAFE, service(gaps=[(7100, 1)]))], {}, "safe", "unsafe", id="armed late"),
    pytest.param([row("a/b", SAFE, service(in_flight=1))], {}, "safe", "safe", id="undecided is no verdict"),
    pytest.param([row("process x (7)", KERNEL, kind="other")], {}, "safe", "safe", id="a namespace of no pod"),
    pytest.param([row(WEB, KERNEL, kind="container")], {}, "unsafe", "unsafe", id="a container"),
    pytest.param(
        [row(WEB, KERNEL, kind="container")], {"pods": False}, "unsafe", "unsafe", id="a container, pods left"
    ),
    pytest.param([row(WEB, KERNEL, kind="container")], {"containers": False}, "safe", "unsafe", id="containers left"),
    pytest.param([row("a/b")], {"containers": False}, "unsafe", "unsafe", id="a pod, containers left"),
    pytest.param(
        [row(WEB, None, error="denied", kind="container")], {}, "unknown", "unknown", id="an unread container"
    ),
    pytest.param(
        [row("process x (7)", KERNEL, service(gaps=[(7200, 1)]), kind="other")],
        {},
        "safe",
        "unsafe",
        id="a namespace of no pod with a connection",
    ),
]


@pytest.mark.parametrize(("rows", "policy", "node_verdict", "pods_verdict"), VERDICTS)
def test_the_verdict_of_the_node_counts_what_settings_can_cure(rows, policy, node_verdict, pods_verdict):
    worker = plan_one(with_rows(quiet_node(), *rows), **policy)[1]
    assert (worker["verdict"], worker["pods"]["verdict"]) == (node_verdict, pods_verdict)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        pytest.param(
            [row("a/b"), row("a/c")],
            f"2 pods too late, such as a/b: keepalive 7200/75/9: {LATE}",
            id="pods that are late",
        ),
        pytest.param(
            [row("a/b", None, error="/proc/7/ns/net: Permission denied")],
            "pod a/b: its keepalive could not be read (/proc/7/ns/net: Permission denied)",
            id="a pod that could not be read",
        ),
        pytest.param(
            [row("a/b", SAFE), row(WEB, kind="container")],
            f"1 container too late, such as container web (docker): keepalive 7200/75/9: {LATE}",
            id="a container that is late",
        ),
        pytest.param(
            [row(WEB, None, error="denied", kind="container")],
            "container web (docker): its keepalive could not be read (denied)",
            id="a container that could not be read",
        ),
        pytest.param([row("a/b", SAFE)], FINE, id="all is well"),
    ],
)
def test_why(rows, why):
    assert plan_one(with_rows(quiet_node(), *rows))[1]["why"] == why


def test_a_late_node_says_so_first():
    worker = plan_one(with_rows(stock_node(), row("a/b")))[1]
    assert (worker["verdict"], worker["why"]) == ("unsafe", LATE)


def test_late_namespaces_beyond_the_rows_count():
    node = with_rows(quiet_node(), row("a/b", SAFE), omitted=50)
    node["namespaces"]["keepalive"].append({"time": 7200, "intvl": 75, "probes": 9, "namespaces": 50, "own": False})
    worker = plan_one(node)[1]
    assert (worker["verdict"], worker["pods"]["verdict"]) == ("unsafe", "unsafe")
    assert worker["why"] == "pods that are not listed have a keepalive that is too late"


def test_late_namespaces_beyond_the_rows_that_belong_to_no_pod_do_not_count():
    """A program within a pod may make any number of them."""
    node = with_rows(quiet_node(), row("a/b", SAFE), omitted=50, count=1)
    node["namespaces"]["keepalive"].append({"time": 7200, "intvl": 75, "probes": 9, "namespaces": 50, "own": False})
    worker = plan_one(node)[1]
    assert (worker["verdict"], worker["pods"]["verdict"]) == ("safe", "safe")
    node["pods"]["containers"] = 1
    assert plan_one(node)[1]["verdict"] == "unsafe"


def test_where_every_namespace_is_listed_none_is_late_beyond_the_rows():
    """Namespaces are counted at another moment than the rows, so that a pod may be gone since."""
    node = with_rows(quiet_node(), row("a/b", SAFE))
    node["namespaces"]["keepalive"].append({"time": 7200, "intvl": 75, "probes": 9, "namespaces": 1, "own": False})
    worker = plan_one(node)[1]
    assert (worker["verdict"], worker["pods"]["verdict"], worker["namespaces_unsafe"]) == ("safe", "safe", 1)


@pytest.mark.parametrize("node", [quiet_node, lambda: without_ipvs(with_mode(quiet_node(), "nftables"))])
def test_namespaces_that_are_hidden_may_be_pods(node):
    hidden = with_hidden(with_rows(node(), row("a/b", SAFE)), 3)
    plan, worker = plan_one(hidden)
    assert (plan["verdict"], worker["verdict"], worker["pods"]["verdict"]) == ("unknown", "unknown", "unknown")
    assert worker["own_verdict"] == "safe"
    assert worker["why"] == (
        "the keepalive of 3 network namespaces or processes could not be read: /proc/7/ns/net: Permission denied"
    )


def test_hidden_namespaces_do_not_count_where_pods_are_to_be_left_alone():
    plan, worker = plan_one(with_hidden(with_rows(quiet_node(), row("a/b", SAFE)), 3), pods=False)
    assert (plan["verdict"], worker["verdict"], worker["pods"]["verdict"]) == ("safe", "safe", "unknown")


def test_a_pod_that_is_late_comes_before_those_that_are_hidden():
    worker = plan_one(with_hidden(with_rows(quiet_node(), row("a/b")), 3))[1]
    assert (worker["verdict"], worker["pods"]["verdict"]) == ("unsafe", "unsafe")
    assert worker["why"] == f"1 pod too late, such as a/b: keepalive 7200/75/9: {LATE}"


def test_a_pod_with_late_values_of_its_own_is_nothing_that_an_apply_could_change():
    worker = plan_one(with_rows(quiet_node(), row("own/values", (1800, 75, 9))))[1]
    assert (worker["verdict"], worker["own_verdict"], worker["changes"]) == ("unsafe", "safe", [])


def test_the_change_of_running_pods_is_marked_as_one():
    worker = plan_one(with_rows(quiet_node(), row("a/b")))[1]
    assert (worker["verdict"], worker["own_verdict"]) == ("unsafe", "safe")
    assert [change["pods"] for change in worker["changes"]] == [True]


def test_a_node_info_that_did_not_look_for_pods():
    worker = plan_one(applied_node())[1]
    assert (worker["verdict"], worker["pods"], worker["settings"]["pods"]) == ("safe", None, None)


TIGHTENED = {"time": 600, "intvl": 30, "probes": 9}
SETTINGS = [
    pytest.param([row("a/b")], {}, TIGHTENED, id="a pod with the kernel's values"),
    pytest.param([row("a/b", SAFE)], {}, None, id="a pod that is safe"),
    pytest.param([row("a/b", (1800, 75, 9))], {}, TIGHTENED, id="late: the node may know it as its own"),
    pytest.param([row("x", kind="other")], {}, None, id="a namespace of no pod"),
    pytest.param([row("a/b", None)], {}, None, id="a pod that could not be read"),
    pytest.param([row("a/b")], {"pods": False}, None, id="pods are to be left alone"),
    pytest.param([row("a/b")], {"strategy": "raise_ipvs"}, None, id="IPVS is raised instead"),
    pytest.param([row("a/b")], {"ipvs_timeouts": {"tcp": 9000}}, None, id="safe once IPVS is raised"),
]


@pytest.mark.parametrize(("rows", "policy", "pods"), SETTINGS)
def test_the_keepalive_for_running_pods(rows, policy, pods):
    worker = plan_one(with_rows(quiet_node(), *rows), **policy)[1]
    assert worker["settings"]["pods"] == pods


def test_the_change_names_the_pods_that_will_be_changed():
    rows = [row(f"a/{number}") for number in range(8)] + [row("own/values", (1800, 75, 9))]
    changes = plan_one(with_rows(quiet_node(), *rows))[1]["changes"]
    (change,) = changes
    assert change["sentence"] == (
        "keepalive of 8 pods (a/0, a/1, a/2, a/3, a/4, a/5 and 2 more): 7200/75/9 becomes 600/30/9; new connections of "
        "running pods then probe in time; keepalive_pods."
    )


@pytest.mark.parametrize(
    ("rows", "changed"),
    [
        pytest.param([row("shop/a"), row("web/b")], "2 pods (shop/a, web/b)", id="one that is safe by its own limit"),
        pytest.param([row("shop/a", (1800, 75, 9)), row("web/b")], "1 pod (web/b)", id="the late one has its own"),
        pytest.param([row("web/a"), row("web/b")], None, id="none is late"),
    ],
)
def test_the_change_names_those_that_node_settings_will_change_though_a_middlebox_is_bound_to_others(rows, changed):
    node = with_rows(without_ipvs(with_mode(quiet_node(), "nftables")), *rows)
    changes = plan_one(node, middleboxes=[{"name": "f5", "seconds": 350, "pods": ["shop/*"]}])[1]["changes"]
    told = [change["sentence"].partition(":")[0] for change in changes if change["pods"]]
    assert told == ([f"keepalive of {changed}"] if changed else [])


IN_GVISOR = row("lab/run-0", SAFE, sandbox="gvisor")
IN_KATA = row("lab/vm-0", KERNEL, sandbox="vm")
TALKS = service(gaps=[(7200, 2)])


@pytest.mark.parametrize(
    ("rows", "node_verdict", "why"),
    [
        pytest.param(
            [IN_GVISOR, row("shop/web-0", SAFE)],
            "unknown",
            "pod lab/run-0: it runs in gVisor, whose TCP this kernel does not show",
            id="values of the host that would be safe",
        ),
        pytest.param(
            [IN_KATA, IN_GVISOR],
            "unknown",
            "pod lab/vm-0 (and 1 more): it runs in a virtual machine, whose TCP this kernel does not show",
            id="values of the host that would be late",
        ),
        pytest.param(
            [row("process qemu-system-x86 (7)", KERNEL, kind="other", sandbox="vm")],
            "unknown",
            "pod process qemu-system-x86 (7): it runs in a virtual machine, whose TCP this kernel does not show",
            id="a machine outside of the pod's cgroup",
        ),
        pytest.param(
            [row(WEB, KERNEL, kind="container", sandbox="gvisor")],
            "unknown",
            "container web (docker): it runs in gVisor, whose TCP this kernel does not show",
            id="a container outside of pods",
        ),
        pytest.param(
            [IN_GVISOR, row("shop/web-0", KERNEL)],
            "unsafe",
            "1 pod too late, such as shop/web-0",
            id="others",
        ),
        pytest.param(
            [row("shop/odd-0", KERNEL, TALKS, sandbox="gvisor")],
            "unsafe",
            "1 pod too late, such as shop/odd-0",
            id="one with connections of this kernel hides nothing",
        ),
    ],
)
def test_pods_in_a_sandbox_are_never_safe_and_hide_nothing(rows, node_verdict, why):
    _plan, worker = plan_one(with_rows(quiet_node(), *rows))
    assert worker["verdict"] == node_verdict
    assert worker["why"].startswith(why)


def test_nothing_is_to_be_written_into_a_sandbox():
    _plan, worker = plan_one(with_rows(quiet_node(), IN_KATA))
    assert worker["settings"]["pods"] is None
    _plan, worker = plan_one(with_rows(quiet_node(), IN_KATA, row("shop/web-0", KERNEL)))
    assert [change["what"] for change in worker["changes"] if change["pods"]] == ["keepalive of 1 pod (shop/web-0)"]


def test_connections_of_a_sandbox_count_all_the_same():
    _plan, worker = plan_one(with_rows(quiet_node(), row("lab/vm-0", SAFE, service(without=3), sandbox="vm")))
    assert worker["pods"]["verdict"] == "unsafe"
    assert worker["pods"]["connections"]["without_keepalive"] == 3


def test_of_a_node_info_that_did_not_look_for_sandboxes_the_process_tells():
    old = row("lab/run-0", SAFE)
    del old["sandbox"]
    old["process"] = {"pid": 42, "name": "runsc-sandbox", "runtime": None, "pod": None}
    _plan, worker = plan_one(with_rows(quiet_node(), old))
    assert worker["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("policy", "containers"), [({}, TIGHTENED), ({"pods": False}, TIGHTENED), ({"containers": False}, None)], ids=str
)
def test_the_keepalive_for_running_containers_is_a_part_of_its_own(policy, containers):
    node = with_rows(quiet_node(), row("a/b", SAFE), row(WEB, kind="container"), row("container db (lxc)", SAFE))
    worker = plan_one(node, **policy)[1]
    assert (worker["settings"]["pods"], worker["settings"]["containers"]) == (None, containers)
    changes = [(change["key"], change["sentence"], change["pods"]) for change in worker["changes"]]
    sentence = (
        "keepalive of 1 container (container web (docker)): 7200/75/9 becomes 600/30/9; new connections of running "
        "containers then probe in time; keepalive_containers."
    )
    assert changes == ([("containers", sentence, True)] if containers else [])


def test_timeouts_in_namespaces_are_passed_on_and_compared_by_the_node():
    inside = {"ingress_sbox": {"tcp": 900}}
    worker = plan_one(quiet_node(), namespace_ipvs_timeouts=inside)[1]
    assert (worker["settings"]["namespace_ipvs_timeouts"], worker["to_converge"]) == (inside, True)
    assert plan_one(quiet_node())[1]["settings"]["namespace_ipvs_timeouts"] == {}


OLD_KERNELS = ["3.10.0-1160.119.1.el7.x86_64", "4.4.0-210-generic"]


def before_4_5(node, kernel, *rows):
    """A node whose kernel has one keepalive for all network namespaces."""
    node = with_rows({**node, "kernel": kernel}, *rows)
    return {**node, "namespaces": {**node["namespaces"], "shared": True}}


@pytest.mark.parametrize("kernel", OLD_KERNELS)
def test_before_linux_4_5_the_keepalive_of_the_node_reaches_pods(kernel):
    plan, worker = plan_one(before_4_5(stock_node(), kernel, row("shop/web-0", KERNEL)))
    assert worker["verdict"] == "unsafe"
    assert worker["settings"]["sysctls"]["net.ipv4.tcp_keepalive_time"] == "600"
    assert worker["settings"]["pods"] is None
    assert not any(change["pods"] for change in worker["changes"])
    assert not [each["id"] for each in plan["findings"] if each["id"].startswith("pods-")]
    assert worker["notes"] == [
        "This kernel (before Linux 4.5) has one keepalive for all network namespaces: the node's reaches pods."
    ]


@pytest.mark.parametrize("kernel", OLD_KERNELS)
def test_before_linux_4_5_pods_are_safe_where_the_node_is(kernel):
    plan, worker = plan_one(before_4_5(quiet_node(), kernel, row("shop/web-0", SAFE)))
    assert (worker["verdict"], worker["pods"]["verdict"]) == ("safe", "safe")
    assert not [each["id"] for each in plan["findings"] if each["id"].startswith("pods-")]
