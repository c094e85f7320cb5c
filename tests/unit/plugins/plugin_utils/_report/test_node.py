# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.cloud import Cloud
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.connection_tables import (
    Conntrack,
    Growth,
    Idle,
    Ipvs,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.kubernetes import Kubelet, KubeProxy
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import (
    Boot,
    Group,
    Namespaces,
    Observed,
    Problem,
    Sysctl,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.other_writers import Others
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.node import (
    describe_node,
    keepalive_dict,
    rows_for_each,
)

LIVE, AT_BOOT = (600, 30, 9), (7200, 75, 8)
LIMIT = {"seconds": 900, "name": "IPVS tcp", "node": "w1"}
CHANGE = {"key": "k", "what": "w", "after_reboot": False, "from": "1", "to": "2", "why": "so"}
UNSEEN = [{"node": "w1", "name": "conntrack", "why": "denied"}, {"node": "w2", "name": "IPVS tcp", "why": "gone"}]


def sysctls(live=LIVE, at_boot=AT_BOOT):
    """The three, set at boot by the lines 1, 2 and 3 of a file."""
    return {
        key: Sysctl("present", str(now), None, Boot(str(later), f"/etc/a.conf:{line}", "/etc/a.conf", None, True, None))
        for line, (key, now, later) in enumerate(zip(KEYS, live, at_boot, strict=True), 1)
    }


IDLE = Idle("10.1.0.2:40", "10.96.0.1:80", "10.2.0.2:80", 860, 40)
OBSERVED = Observed(
    hostname="host1",
    kernel="6.1.0",
    root=True,
    container=None,
    cloud=Cloud("aws", "m8i.large"),
    modules={},
    ipvs=Ipvs(
        loaded=True,
        timeouts={"udp": 300, "tcp": 900, "tcpfin": 120},
        timeouts_at_boot=None,
        services=2,
        tcp_services=2,
        connections={"TCP": {"ESTABLISHED": 4}},
        draining=(),
        draining_servers=0,
        draining_connections=0,
        persistent=0,
        scattering=0,
        cut_within={"60": 1},
        idlest=(IDLE, replace(IDLE, seconds_left=41)),
    ),
    conntrack=Conntrack(True, 86400, 3600, 412, 131072, ({"invalid": 3, "drop": 1}, {"invalid": 2}), {}),
    growth=Growth(1.5, {"invalid": 3}, {"dropped": 0}),
    rps=None,
    sysctls=sysctls(),
    kube_proxy=KubeProxy(True, "127.0.0.1:10249", "ipvs", None, {}, {}, "v1.34.2"),
    others=Others(),
    kubelet=Kubelet(True, "v1.34.1", None, None, None, None),
    namespaces=Namespaces(24, 1, "denied", (Group(Keepalive(*AT_BOOT), 23, True),)),
    pods=None,
    runtimes=None,
    ours=None,
    problems=(Problem("kubelet", "kubelet", "denied", "Run as root."),),
    boot_problems=(),
)


COVERAGE = {"seen": [{"place": "ipvs", "what": "IPVS tcp 900 s"}], "not_seen": []}


def plan(sysctls=None, limit=LIMIT, not_seen=(), margin=0, **more):
    part = {
        "mode": "ipvs",
        "verdict": "safe",
        "why": "so",
        "spare_seconds": 156,
        "limits": [LIMIT],
        "limit": limit,
        "planned_limit": None,
        "coverage": COVERAGE,
        "namespaces_unsafe": 22,
        "pods": None,
        "settings": {"sysctls": sysctls or {}},
        "changes": [{**CHANGE, "pods": False, "sentence": "w: 1 becomes 2; so."}],
        "also_written": [],
        "owners": {"k": "/etc/a.conf:1"},
        "notes": ["Mind."],
    }
    policy = {"lost_probes": 2, "margin": margin}
    return {"nodes": {"w1": {**part, **more}}, "policy": policy, "limit": limit, "not_seen": list(not_seen)}


def described(node=OBSERVED, of_plan=None, applied=None, before=None, rows=5):
    return describe_node("w1", node, of_plan or plan(), applied, before or {}, rows)


SAFE = {**dict(zip(("time", "intvl", "probes"), LIVE, strict=True))}
SAFE.update(silence_seconds=660, latest_seconds=744, given_up_seconds=870)
LATE = {**dict(zip(("time", "intvl", "probes"), AT_BOOT, strict=True))}
LATE.update(silence_seconds=7350, latest_seconds=8284, given_up_seconds=7800)


def test_a_node_that_was_observed():
    assert described(of_plan=plan(not_seen=UNSEEN), before={"w1": "unsafe"}, applied={"changed": True}) == {
        "name": "w1",
        "observed": True,
        "hostname": "host1",
        "kernel": "6.1.0",
        "root": True,
        "container": None,
        "cloud": {"provider": "aws", "instance_type": "m8i.large"},
        "mode": "ipvs",
        "kube_proxy": {"running": True, "version": "v1.34.2", "address": "127.0.0.1:10249", "error": None},
        "kubelet": "v1.34.1",
        "verdict": "safe",
        "verdict_after_boot": "unsafe",
        "why": "so",
        "spare_seconds": 156,
        "limits": [LIMIT],
        "limit": LIMIT,
        "planned_limit": None,
        "not_seen": UNSEEN[:1],
        "coverage": COVERAGE,
        "keepalive": {
            "live": SAFE,
            "at_boot": LATE,
            "planned": SAFE,
            "boot_sources": ["/etc/a.conf:1", "/etc/a.conf:2", "/etc/a.conf:3"],
        },
        "ipvs": {
            "loaded": True,
            "on_path": True,
            "timeouts": {"tcp": 900, "tcpfin": 120, "udp": 300},
            "services": 2,
            "connections": {"TCP": {"ESTABLISHED": 4}},
            "cut_within": {"60": 1},
            "idlest": [
                {
                    "client": "10.1.0.2:40",
                    "service": "10.96.0.1:80",
                    "real_server": "10.2.0.2:80",
                    "idle_seconds": 860,
                    "seconds_left": left,
                }
                for left in (40, 41)
            ],
        },
        "conntrack": {
            "loaded": True,
            "established_seconds": 86400,
            "count": 412,
            "max": 131072,
            "counters": {"invalid": 5, "insert_failed": 0, "drop": 1, "early_drop": 0},
            "cut_within": None,
        },
        "growth": {"seconds": 1.5, "conntrack": {"invalid": 3}, "softnet": {"dropped": 0}},
        "namespaces": {
            "count": 24,
            "unreadable": 1,
            "unsafe": 22,
            "error": "denied",
            "groups": [{"keepalive": LATE, "namespaces": 23, "own": True}],
        },
        "pods": None,
        "enforcement": None,
        "rearm": None,
        "changes": [CHANGE],
        "also_written": [],
        "owners": {"k": "/etc/a.conf:1"},
        "notes": ["Mind."],
        "problems": [{"id": "kubelet", "what": "kubelet", "why": "denied", "do": "Run as root."}],
        "applied": {
            "outcome": "changed",
            "changed": True,
            "error": None,
            "verdict_before": "unsafe",
            "values": [],
            "pods_not_taken": [],
            "open_connections": None,
            "notes": [],
        },
    }


def test_a_node_that_was_not_observed_has_what_the_plan_says():
    node = described(None)
    seen = {name for name, value in node.items() if value not in (None, [], {})}
    assert seen == {
        *("name", "observed", "mode", "verdict", "verdict_after_boot", "why", "spare_seconds", "limits", "limit"),
        *("keepalive", "changes", "owners", "notes", "coverage"),
    }
    assert (node["observed"], node["verdict_after_boot"]) == (False, "unknown")
    assert node["keepalive"] == {"live": None, "at_boot": None, "planned": None, "boot_sources": []}


def test_the_planned_keepalive_is_that_of_the_settings_where_all_three_are_set():
    three = dict(zip(KEYS, ("500", "20", "8"), strict=True))
    assert described(of_plan=plan(three))["keepalive"]["planned"]["time"] == 500
    assert described(of_plan=plan(dict(list(three.items())[:2])))["keepalive"]["planned"]["time"] == 600


@pytest.mark.parametrize(
    ("at_boot", "of_plan", "verdict"),
    [
        pytest.param(LIVE, plan(), "safe", id="soon enough"),
        pytest.param((7200, 75, 9), plan(), "unsafe", id="too late"),
        pytest.param(LIVE, plan(margin=156), "safe", id="the margin is just left"),
        pytest.param(LIVE, plan(margin=157), "safe", id="the margin is not left"),
        pytest.param((7200, 75, 9), plan(limit=None), "safe", id="nothing forgets"),
        pytest.param((7200, 75, 9), plan(limit=None, not_seen=UNSEEN), "unknown", id="nobody knows what forgets"),
        pytest.param((7200, 75, 0), plan(limit=None), "unsafe", id="it ends connections"),
    ],
)
def test_the_verdict_after_a_reboot(at_boot, of_plan, verdict):
    node = replace(OBSERVED, sysctls=sysctls(at_boot=at_boot))
    assert described(node, of_plan)["verdict_after_boot"] == verdict


def test_what_could_not_be_read_is_null():
    node = replace(
        OBSERVED,
        sysctls={},
        growth=None,
        ipvs=replace(OBSERVED.ipvs, timeouts=None, cut_within={}),
        conntrack=replace(OBSERVED.conntrack, statistics=(), cut_within={"60": 2}),
    )
    shown = described(node)
    assert shown["keepalive"] == {"live": None, "at_boot": None, "planned": None, "boot_sources": []}
    assert (shown["verdict_after_boot"], shown["growth"]) == ("unknown", None)
    assert (shown["ipvs"]["timeouts"], shown["ipvs"]["cut_within"]) == (None, None)
    assert (shown["conntrack"]["counters"], shown["conntrack"]["cut_within"]) == (None, {"60": 2})


def test_of_the_idle_connections_as_many_as_there_are_rows():
    assert [each["seconds_left"] for each in described(rows=1)["ipvs"]["idlest"]] == [40]


@pytest.mark.parametrize(("nodes", "rows"), [(0, 200), (12, 200), (13, 192), (250, 10), (499, 5), (5000, 5)])
def test_how_many_rows_each_node_has(nodes, rows):
    assert rows_for_each(nodes) == rows


def test_what_follows_of_a_keepalive_in_seconds():
    assert keepalive_dict(Keepalive(100, 10, 5), 1) == {
        "time": 100,
        "intvl": 10,
        "probes": 5,
        "silence_seconds": 110,
        "latest_seconds": 124,
        "given_up_seconds": 150,
    }
