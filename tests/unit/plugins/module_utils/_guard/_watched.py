# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node as node_info shows it and the plan's words for it, for the tests of the guard."""

import copy

from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import Conf

KERNEL = {"time": 7200, "intvl": 75, "probes": 9}
PLANNED = {"time": 600, "intvl": 30, "probes": 9}

WATCH = {
    "mode": "ipvs",
    "limit": {"seconds": 900, "name": "IPVS tcp", "node": "worker1"},
    "outside": None,
    "all_limits": True,
    "in_part": False,
    "lost_probes": 2,
    "ipvs_on_path": True,
    "keepalive": PLANNED,
    "pods": True,
    "containers": True,
    "give_pods": PLANNED,
    "give_containers": PLANNED,
    "kept": [],
    "replaces": False,
}

SETTINGS = {
    "modules": [],
    "sysctls": {"net.ipv4.tcp_keepalive_time": "600"},
    "ipvs_timeouts": {},
    "ipvs_timeouts_persistent": False,
    "namespace_ipvs_timeouts": {},
    "rps": None,
    "pods": None,
    "containers": None,
}

PLAN = {
    "settings": SETTINGS,
    "watch": WATCH,
    "sysctl_file": "/etc/sysctl.d/k8s.conf",
    "modules_file": "/etc/modules-load.d/k8s.conf",
}


def conf(**watch):
    return Conf("w1", 300, dict(copy.deepcopy(PLAN), watch=dict(WATCH, **watch)))


def peer(name, connections, without=0, gaps=(), key="service"):
    return {
        key: name,
        "connections": connections,
        "without_keepalive": without,
        "in_flight": 0,
        "gaps": [list(each) for each in gaps],
        "processes": [],
    }


def row(kind, keepalive, services=(), outside=(), **more):
    both = [*services, *outside]
    return dict(
        {
            "kind": kind,
            "uid": "u",
            "keepalive": keepalive,
            "sandbox": None,
            "connections": sum(each["connections"] for each in both),
            "to_services": sum(each["connections"] for each in services),
            "without_keepalive": sum(each["without_keepalive"] for each in services),
            "to_outside": sum(each["connections"] for each in outside),
            "outside_without_keepalive": sum(each["without_keepalive"] for each in outside),
            "services": list(services),
            "outside": list(outside),
        },
        **more,
    )


def node(*rows, **more):
    """A node with a safe keepalive of its own and IPVS, and these namespaces."""
    groups = [dict(PLANNED, namespaces=1, own=True)]
    groups += [dict(each["keepalive"], namespaces=1, own=False) for each in rows if each["keepalive"]]
    values = zip(("time", "intvl", "probes"), ("600", "30", "9"))
    return dict(
        {
            "hostname": "host1",
            "kernel": "6.1.0",
            "ipvs": {
                "loaded": True,
                "timeouts": {"tcp": 900, "tcpfin": 120, "udp": 300},
                "totals": {"tcp_services": 1},
                "cut_within": {"60": 0, "300": 2},
            },
            "conntrack": {"loaded": True, "timeouts": {"established": 86400}, "policies": None},
            "sysctls": {"net.ipv4.tcp_keepalive_" + name: {"value": value} for name, value in values},
            "namespaces": {"keepalive": groups, "unreadable": 0},
            "enforcement": None,
            "pods": {
                "count": sum(each["kind"] == "pod" for each in rows),
                "containers": sum(each["kind"] == "container" for each in rows),
                "rows": list(rows),
                "sockets_from": "sock_diag",
                "error": None,
                "totals": {
                    name: sum(each[name] for each in rows)
                    for name in (
                        "connections",
                        "to_services",
                        "without_keepalive",
                        "to_outside",
                        "outside_without_keepalive",
                    )
                },
            },
            "problems": [],
        },
        **more,
    )
