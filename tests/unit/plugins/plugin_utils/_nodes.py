# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes as node_info returns them, for tests of everything that reads them."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS, MODULES
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import namespaces
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import services
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan

KERNEL_KEEPALIVE = (7200, 75, 9)
OUR_FILE = "/etc/sysctl.d/k8s.conf"

OTHER_FILE = "/etc/sysctl.d/50-ours-too.conf"

KEEPALIVE_KEYS = TIME, INTVL, PROBES = (
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
)
BRIDGE = ("net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables")
BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"

# What kube-proxy sets at its start in ipvs mode; a reboot takes it back until then.
BY_KUBE_PROXY = (
    "net.ipv4.vs.conntrack",
    "net.ipv4.vs.expire_nodest_conn",
    "net.ipv4.vs.expire_quiescent_template",
)

NO_TABLES = {"rows": [], "omitted": 0, "unread": 0, "error": None}
"""No other network namespace has IPVS or a timeout of its own."""

EMPTY = {
    "modules": [],
    "sysctls": {},
    "ipvs_timeouts": {},
    "ipvs_timeouts_persistent": False,
    "rps": {},
    "pods": None,
    "containers": None,
    "namespace_ipvs_timeouts": {},
}
UNSEEN = {**EMPTY, "rps": None}
OURS = {TIME: "600", INTVL: "30", PROBES: "9"}


def stock_node() -> dict[str, Any]:
    """A worker as kubeadm leaves it in ipvs mode: 900 s, the kernel's keepalive, conntrack at kube-proxy's 24 hours."""
    return {
        "hostname": "worker1",
        "kernel": "6.1.0-56-cloud-amd64",
        "root": True,
        "container": None,
        "cloud": None,
        "modules": {name: {"loaded": name != "br_netfilter", "builtin": False, "boot": None} for name in MODULES},
        "ipvs": {
            "loaded": True,
            "timeouts": {"tcp": 900, "tcpfin": 120, "udp": 300},
            "timeouts_from": "socket option",
            "timeouts_at_boot": None,
            **_services(),
            "connections": {"TCP": {"ESTABLISHED": 4, "TIME_WAIT": 1}, "UDP": {"UDP": 1}},
        },
        "conntrack": {
            "loaded": True,
            "count": 412,
            "max": 131072,
            "be_liberal": 0,
            "timeouts": {"established": 86400, "close_wait": 3600},
            "statistics": [_counters(cpu) for cpu in range(2)],
        },
        "softnet": [{"cpu": 0, "processed": 9142, "dropped": 0, "time_squeeze": 0, "received_rps": 0}],
        "rps": _rps(),
        "sysctls": {
            **{key: _sysctl(key) for key in KEYS},
            **{key: {**_sysctl(key), "value": "1"} for key in BY_KUBE_PROXY},
        },
        "boot_problems": [],
        "kube_proxy": _kube_proxy("ipvs"),
        "kubelet": _kubelet(),
        "namespaces": {
            "count": 24,
            "unreadable": 0,
            "error": None,
            "keepalive": [{"time": 7200, "intvl": 75, "probes": 9, "namespaces": 24, "own": True}],
            "tables": {**NO_TABLES},
        },
        "problems": [],
    }


def nftables_node() -> dict[str, Any]:
    """A worker in nftables mode, where ip_vs is not loaded."""
    node = stock_node()
    node["kube_proxy"] = _kube_proxy("nftables")
    return without_ipvs(node)


def plain_node() -> dict[str, Any]:
    """A machine without kube-proxy, kubelet, IPVS and conntrack."""
    node = without_ipvs(stock_node())
    node["kube_proxy"] = {
        "running": False,
        "pid": None,
        "address": "127.0.0.1:10249",
        "mode": None,
        "ipvs_timeouts": None,
        "conntrack": None,
        "error": "kube-proxy at 127.0.0.1:10249: connection refused",
    }
    node["kubelet"] = dict.fromkeys(node["kubelet"]) | {"running": False}
    without_conntrack(node)
    node["namespaces"].update(count=1, keepalive=[_group(KERNEL_KEEPALIVE, 1, True)])
    return node


def unprivileged_node() -> dict[str, Any]:
    """The stock worker read by a user who is not root."""
    node = stock_node()
    node["root"] = False
    node["ipvs"].update(timeouts=None, timeouts_from=None)
    node["namespaces"] = {
        "count": 1,
        "unreadable": 23,
        "error": "/proc/812/ns/net: Permission denied",
        "keepalive": [_group(KERNEL_KEEPALIVE, 1, True)],
        "tables": {**NO_TABLES},
    }
    node["problems"] = [
        {
            "id": "ipvs-timeouts",
            "what": "IPVS timeouts",
            "why": "the kernel refused: Operation not permitted.",
            "do": "Run again as root (-e keepalive_become=true).",
        },
        {
            "id": "namespaces",
            "what": "keepalive in other network namespaces",
            "why": "23 namespaces or processes cannot be read: /proc/812/ns/net: Permission denied.",
            "do": "Run again as root (-e keepalive_become=true).",
        },
    ]
    return node


def container_node() -> dict[str, Any]:
    """A root without capabilities in a container, whose own network namespace has neither IPVS nor conntrack."""
    node = plain_node()
    node.update(container="podman", hostname="f3a9c2")
    return node


def applied_node() -> dict[str, Any]:
    """The stock worker after 600/30/9 was written to our file; pods are as they were."""
    return with_pods(with_keepalive(stock_node(), (600, 30, 9), file=OUR_FILE), [(KERNEL_KEEPALIVE, 23)])


def quiet_node() -> dict[str, Any]:
    """A worker in ipvs mode of which nothing is to be said, but that this mode comes to an end."""
    node = with_pods(applied_node(), [((600, 30, 9), 23)])
    return with_sysctl(node, "net.ipv4.tcp_retries2", "8", value="8", file=OTHER_FILE, line=1)


def altered(node: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """The node with some keys of its sections changed; a section given as a whole replaces the old one."""
    for name, section in sections.items():
        if isinstance(section, dict):
            node[name].update(section)
        else:
            node[name] = section
    return node


def without_ipvs(node: dict[str, Any]) -> dict[str, Any]:
    node["ipvs"] = {"loaded": False, "timeouts": None, "timeouts_from": None, "timeouts_at_boot": None}
    node["ipvs"].update(totals=None, services=[], services_omitted=0, draining=[], connections={}, idlest=[])
    node["modules"]["ip_vs"]["loaded"] = False
    return node


def without_conntrack(node: dict[str, Any]) -> dict[str, Any]:
    node["conntrack"] = {
        "loaded": False,
        "count": None,
        "max": None,
        "be_liberal": None,
        "timeouts": {},
        "statistics": [],
    }
    node["modules"]["nf_conntrack"]["loaded"] = False
    return node


def with_ipvs_tcp(node: dict[str, Any], seconds: int) -> dict[str, Any]:
    node["ipvs"]["timeouts"]["tcp"] = seconds
    return node


def with_unit(node: dict[str, Any], seconds: int) -> dict[str, Any]:
    """The node with our unit, which sets the IPVS tcp timeout again after a reboot."""
    node["ipvs"]["timeouts_at_boot"] = {"tcp": seconds}
    return node


def with_established(node: dict[str, Any], seconds: int) -> dict[str, Any]:
    node["conntrack"]["timeouts"]["established"] = seconds
    return node


def with_configured_tcp(node: dict[str, Any], seconds: int) -> dict[str, Any]:
    node["kube_proxy"]["ipvs_timeouts"]["tcp"] = seconds
    return node


def with_keepalive(
    node: dict[str, Any],
    live: tuple[int, int, int],
    boot: tuple[int, int, int] | None = None,
    file: str | None = None,
) -> dict[str, Any]:
    """The node's own keepalive, and that of the namespaces that had the same; after a boot the same by default.

    With a file, its lines 3 to 5 set the boot values.
    """
    for number, (key, value, later) in enumerate(zip(KEEPALIVE_KEYS, live, boot or live, strict=True), start=3):
        node["sysctls"][key]["value"] = str(value)
        line = number if file else None
        node["sysctls"][key]["boot"].update(value=str(later) if file else None, file=file, line=line)
    groups = node["namespaces"]["keepalive"]
    same = sum(group["namespaces"] - 1 for group in groups if group["own"])
    others = [((each["time"], each["intvl"], each["probes"]), each["namespaces"]) for each in groups if not each["own"]]
    node["namespaces"]["keepalive"] = grouped(live, [(live, same), *others])
    return node


def with_pods(node: dict[str, Any], groups: list[tuple[tuple[int, int, int], int]]) -> dict[str, Any]:
    """The keepalive of the other namespaces: values, and in how many."""
    time, intvl, probes = (int(node["sysctls"][key]["value"]) for key in KEEPALIVE_KEYS)
    node["namespaces"]["keepalive"] = grouped((time, intvl, probes), groups)
    node["namespaces"]["count"] = 1 + sum(count for _values, count in groups)
    return node


def grouped(own: tuple[int, int, int], others: Iterable[tuple[tuple[int, int, int], int]]) -> list[dict[str, Any]]:
    """The keepalive of the own and of so many other namespaces, grouped by node_info itself."""
    spaces = [_space(own, True), *(_space(values, False) for values, number in others for _each in range(number))]
    return [_group(group.keepalive, group.namespaces, group.own) for group in namespaces._groups(spaces)]


def with_sysctl(node: dict[str, Any], key: str, live: str | None, **boot: Any) -> dict[str, Any]:
    """A key's live value (None: absent) and what is to differ in its boot value."""
    node["sysctls"][key].update(value=live, state="absent" if live is None else "present")
    node["sysctls"][key]["boot"].update(boot)
    return node


def with_counters(node: dict[str, Any], *cpus: dict[str, int]) -> dict[str, Any]:
    """The conntrack counters that are not 0, a mapping a CPU."""
    node["conntrack"]["statistics"] = [{**_counters(cpu), **counters} for cpu, counters in enumerate(cpus)]
    return node


def with_real_servers(node: dict[str, Any], protocol: str, *servers: tuple[int, int, int]) -> dict[str, Any]:
    """One service with real servers of weight, active and inactive connections."""
    node["ipvs"].update(_services(protocol, "rr", "", *servers))
    return node


def with_tables(node: dict[str, Any], *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    """IPVS and connection tracking of other network namespaces."""
    node["namespaces"]["tables"] = {**NO_TABLES, "rows": list(rows), **more}
    return node


def ipvs_in(label: str, seconds: int | None = 300, tcp_services: int = 1, **more: Any) -> dict[str, Any]:
    """A namespace with as many virtual services for TCP, and one for UDP; its timeouts, None where not read."""
    timeouts = {"tcp": seconds, "tcpfin": 60, "udp": 60} if seconds is not None else None
    ipvs = {"services": tcp_services + 1, "tcp_services": tcp_services, "timeouts": timeouts}
    return {**_table(label), "ipvs": ipvs, **more}


def conntrack_in(label: str, seconds: int, entries: int | None = 4, **more: Any) -> dict[str, Any]:
    """A namespace with a conntrack timeout of its own."""
    return {**_table(label), "conntrack": {"established": seconds, "entries": entries}, **more}


def idle(seconds_left: int, **more: Any) -> dict[str, Any]:
    """A connection of 900 s in ipvs.idlest."""
    return {
        "client": "10.1.0.2:39002",
        "service": "10.96.0.10:80",
        "real_server": "10.2.0.2:8080",
        "idle_seconds": 900 - seconds_left,
        "seconds_left": seconds_left,
        **more,
    }


def nodes(*several: dict[str, Any] | None) -> dict[str, Any]:
    """worker1, worker2, ... as the planner takes them; each its own copy."""
    return {f"worker{number}": copy.deepcopy(node) for number, node in enumerate(several, start=1)}


def with_module(node: dict[str, Any], name: str, loaded: bool, boot: str | None = None) -> dict[str, Any]:
    """A kernel module, and the modules-load.d file that names it."""
    node["modules"][name].update(loaded=loaded, boot=boot and {"file": boot, "line": 1})
    return node


def bridge_off(node: dict[str, Any], *keys: str, file: str = OTHER_FILE, in_time: bool = True) -> dict[str, Any]:
    """The node with br_netfilter, and a file that sets these keys of it to 0."""
    for key in keys:
        with_sysctl(node, key, "0", value="0", file=file, line=1, in_time=in_time)
    return with_module(node, "br_netfilter", True)


def plan_one(node: dict[str, Any] | None, **policy: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan for one node, and that node's part of it."""
    plan = make_plan(nodes(node), policy)
    return plan, plan["nodes"]["worker1"]


def settings_of(node: dict[str, Any] | None, **policy: Any) -> dict[str, Any]:
    return plan_one(node, **policy)[1]["settings"]


def with_service(node: dict[str, Any], scheduler: str, flags: str = "") -> dict[str, Any]:
    """One TCP service with two real servers."""
    node["ipvs"].update(_services("TCP", scheduler, flags, (1, 4, 0), (1, 3, 0)))
    return node


def _services(
    protocol: str = "TCP", scheduler: str = "rr", flags: str = "", *servers: tuple[int, int, int]
) -> dict[str, Any]:
    """What node_info says of a table with one service."""
    lines = [
        f"{protocol}  0A600001:01BB {scheduler} {flags}\n" if protocol != "FWM" else f"FWM  00000007 {scheduler}\n"
    ]
    for number, (weight, active, inactive) in enumerate(servers or [(1, 4, 1)], start=1):
        lines.append(f"  -> 0A0200{number:02X}:1F90      Masq    {weight:<6} {active:<10} {inactive:<10}\n")
    return services.as_plain(services.sum_up(lines)[0])


def _kube_proxy(mode: str) -> dict[str, Any]:
    return {
        "running": True,
        "pid": 812,
        "address": "127.0.0.1:10249",
        "mode": mode,
        "ipvs_timeouts": {"tcp": 0, "tcpfin": 0, "udp": 0},
        "conntrack": {
            "tcp_established": 86400,
            "tcp_close_wait": 3600,
            "max_per_core": 32768,
            "min": 131072,
            "be_liberal": False,
        },
        "error": None,
    }


def _kubelet() -> dict[str, Any]:
    return {
        "running": True,
        "pid": 1024,
        "version": "v1.34.2",
        "disable_http2": False,
        "read_idle_timeout": 30,
        "ping_timeout": 15,
        "error": None,
        "standalone": False,
    }


def _rps() -> dict[str, Any]:
    """One NIC with as many receive queues as there are CPUs."""
    queues = [{"name": f"rx-{number}", "rps_cpus": "0", "rps_flow_cnt": 0} for number in range(4)]
    path = "/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0"
    nic = {"name": "eth0", "path": path, "operstate": "up", "numa_node": None, "queues": queues, "irq_cpus": "0-3"}
    return {
        "cpus_online": "0-3",
        "cpus_isolated": "",
        "numa_nodes": {"0": "0-3"},
        "sock_flow_entries": 0,
        "nics": [nic],
        "rule": None,
    }


def _counters(cpu: int) -> dict[str, int]:
    return {"cpu": cpu, "entries": 412, "found": 0, "invalid": 0, "insert_failed": 0, "drop": 0, "early_drop": 0}


def _sysctl(key: str) -> dict[str, Any]:
    known = KEYS[key]
    boot = {"value": None, "file": None, "line": None, "module": known.module, "in_time": known.module is None}
    value = known.default
    return {
        "state": "absent" if value is None else "present",
        "value": value,
        "error": None,
        "boot": {**boot, "procps_value": None},
    }


def _group(keepalive: tuple[int, int, int], namespaces: int, own: bool) -> dict[str, Any]:
    time, intvl, probes = keepalive
    return {"time": time, "intvl": intvl, "probes": probes, "namespaces": namespaces, "own": own}


def _table(label: str) -> dict[str, Any]:
    return {
        "kind": "other",
        "label": label,
        "netns": 4026532801,
        "unprivileged": False,
        "ipvs": None,
        "conntrack": None,
        "error": None,
    }


def _space(keepalive: tuple[int, int, int], own: bool) -> namespaces.Space:
    return namespaces.Space(0, own, [], [], namespaces.Keepalive(*keepalive), None, None, None)
