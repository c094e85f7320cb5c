# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything node_info tells about a node, put together. Reading only. Private to this collection."""

import os
import re
import time
from typing import AbstractSet, Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common import rps_rules
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import more_rights
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS, Key
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
    counters,
    inet_diag,
    modules,
    namespaces,
    nics,
    processes,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import (
    Fault,
    hides_processes,
    read_text,
)

from . import boot, cloud, container_runtimes, data_planes, enforcement, ipvs, kube_proxy, kubelet, ours, rearming
from .connections import destinations, forgotten, namespace_tables, pods, sockets, tallies
from .other_writers import summary
from .problems import Problems, first_of, sentence

_MAY_RUN = "/proc: processes of other users are hidden (mount option hidepid), so it may run."
_FILES_DENIED = "the open files of some processes may not be seen"
_BY_HAND = "See by hand whether these lines set what is planned here."

_MANAGER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
"""A word such as docker, podman, systemd-nspawn (container interface of systemd)."""

_COUNTERS = {"conntrack": counters.read_statistics, "softnet": lambda: counters.read_softnet().rows}


def read_node(
    kube_proxy_address: Optional[str],
    kube_proxy_timeout_seconds: float,
    sample_seconds: float = 0,
    keys: Mapping[str, Key] = KEYS,
) -> Dict[str, Any]:
    """The node as node_info documents it; what cannot be read is in problems. Changes nothing, loads nothing.

    With sample_seconds it takes that long at least: counters are read first and again at the end, the rest in between.
    ``keys`` are the sysctls to read, KEYS and more.
    """
    before = counters.take_sample(_COUNTERS) if sample_seconds else None
    node = _read_all(kube_proxy_address, kube_proxy_timeout_seconds, keys)
    if before is not None:
        time.sleep(counters.rest_seconds(before, sample_seconds))
        node["growth"] = counters.growth(before, counters.take_sample(_COUNTERS))
    return node


def _read_all(
    kube_proxy_address: Optional[str], kube_proxy_timeout_seconds: float, keys: Mapping[str, Key]
) -> Dict[str, Any]:
    problems = Problems()
    at_boot = boot.read(keys)
    ipvs_now, addresses = ipvs.read(problems)
    hidden = hides_processes()
    of_kubelet, of_proxy, of_runtime, *of_writers = _find_all(
        [kubelet.WANTED, kube_proxy.WANTED, container_runtimes.WANTED, *summary.WANTED], hidden
    )
    # Before anybody is waited for: kubelet may be started anew meanwhile.
    kubelet_now, runtimes = _read_kubelet(of_kubelet, problems), container_runtimes.names(of_runtime)
    proxy = _read_kube_proxy(of_proxy, kube_proxy_address, kube_proxy_timeout_seconds, problems)
    to_services = destinations.read(addresses, proxy["mode"])
    writers = _read_other_writers(keys, of_writers, problems)
    conntrack = _read_conntrack(problems)
    read_tables = namespace_tables.reader(ipvs_now["loaded"], conntrack["loaded"])
    found = namespaces.read(inside=_inside(to_services.names, read_tables))
    by_ipvs = proxy["mode"] in (None, "ipvs")  # else its rules translate before IPVS, which then has no entry
    lost = forgotten.read(found.spaces, addresses if by_ipvs else [])
    if lost:
        found = namespaces.read(inside=_inside(to_services.names, read_tables, lost))
    spaces_now = _namespaces(found, problems)
    pods_now = _pods(found, to_services.errors, problems)
    if ipvs_now["loaded"]:
        ipvs_now["real_servers"] = _real_servers(pods_now)
    return {
        "hostname": os.uname().nodename,
        "kernel": os.uname().release,
        "root": _is_root(),
        "container": container(),
        "cloud": _read_cloud(),
        "modules": boot.modules(at_boot),
        "ipvs": ipvs_now,
        "conntrack": dict(conntrack, cut_within=to_services.cut_within),
        "growth": None,
        "softnet": _read_softnet(problems),
        "rps": _read_rps(problems),
        "sysctls": boot.sysctls(at_boot, problems),
        "sysctl_conf": writers.sysctl_conf,
        "owners": {"keepalived": writers.keepalived, "tuned": writers.tuned, "kube_router": writers.kube_router},
        "boot_problems": boot.boot_problems(at_boot, problems),
        "kube_proxy": _believed(proxy, hidden),
        "data_planes": data_planes.read(),
        "kubelet": _believed(kubelet_now, hidden),
        "container_runtimes": runtimes,
        "ours": ours.read(),
        "enforcement": enforcement.read(),
        "namespaces": dict(spaces_now, tables=pods_now.pop("tables")),
        "pods": pods_now,
        "rearming": rearming.read(),
        "problems": problems.found,
    }


def _find_all(wanted: List[processes.Wanted], hidden: bool) -> List[processes.Found]:
    """The processes of these programs. Where processes are hidden, one that was not found may be there."""
    found = processes.find_all(wanted)
    if not hidden:
        return found
    return [each if each.process else each._replace(doubts=[*each.doubts, _MAY_RUN]) for each in found]


def _believed(daemon: Dict[str, Any], hidden: bool) -> Dict[str, Any]:
    """Where processes are hidden, nobody knows of one that was not found whether it runs."""
    return dict(daemon, running=daemon["running"] or None) if hidden else daemon


def container(root: str = "/") -> Optional[str]:
    """The container manager we are in, or None: systemd's note, PID 1's $container, podman's and docker's files."""
    noted = read_text(os.path.join(root, "run/systemd/container")).value
    if noted and noted.strip():
        return _word(noted.strip())
    for word in (read_text(os.path.join(root, "proc/1/environ")).value or "").split("\0"):
        if word.startswith("container=") and word != "container=":
            return _word(word[len("container=") :])
    for path, name in (("run/.containerenv", "podman"), (".dockerenv", "docker")):
        if os.path.exists(os.path.join(root, path)):
            return name
    return None


def _word(text: str) -> str:
    """The name of a manager; whatever else lies there is not shown."""
    return text if _MANAGER.match(text) else "unknown"


def _read_cloud() -> Optional[Dict[str, Optional[str]]]:
    seen = cloud.read()
    return None if seen is None else dict(seen._asdict())


def _is_root() -> bool:
    return os.geteuid() == 0


def _read_conntrack(problems: Problems) -> Dict[str, Any]:
    seen = counters.read_conntrack()
    problems.add_faults("conntrack", "conntrack", seen.errors)
    return {
        "loaded": seen.loaded,
        "count": seen.entries,
        "max": seen.max,
        "be_liberal": seen.be_liberal,
        "timeouts": seen.timeouts,
        "statistics": seen.statistics,
        "policies": _read_policies(problems) if seen.loaded else None,
    }


def _read_policies(problems: Problems) -> Optional[Dict[str, Any]]:
    if not any(map(modules.use_loads_nothing, ("nfnetlink_cttimeout", "nft_ct"))):
        return None
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import conntrack_policies  # few have it

    seen = conntrack_policies.read()
    if seen.error:
        do = "See by hand: nfct list timeout, nft list ruleset." if _is_root() else more_rights()
        problems.add("conntrack", "timeout policies", seen.error, do)
    return {"used": seen.used, "established": seen.established}


def _read_kube_proxy(
    found: processes.Found, address: Optional[str], timeout_seconds: float, problems: Problems
) -> Dict[str, Any]:
    seen = kube_proxy.read(found, address, timeout_seconds)
    if seen.error and (address or not seen.absent):
        by_hand = "See who listens there (ss -ltnp), or set kube_proxy_address to its metricsBindAddress."
        do = more_rights() if _MAY_RUN in found.doubts else by_hand
        problems.add("kube-proxy", "kube-proxy's mode and configuration", seen.error, do)
    return {name: value for name, value in seen._asdict().items() if name != "absent"}


def _read_other_writers(
    keys: Mapping[str, Key], running: List[processes.Found], problems: Problems
) -> summary.OtherWriters:
    seen = summary.read(keys, running)
    for what, found in seen.problems.items():
        problems.add_faults("other-writers", what, [Fault(sentence(each), each.do or _BY_HAND) for each in found])
    return seen


def _read_kubelet(found: processes.Found, problems: Problems) -> Dict[str, Any]:
    seen = kubelet.read(found)
    if seen.error:
        by_hand = "kubelet --version" if seen.running else "ps -C kubelet -o pid,user,args"
        do = f"Look at it by hand: {by_hand}." if _is_root() else more_rights()
        problems.add("kubelet", "kubelet", seen.error, do)
    return dict(seen._asdict())


def _namespaces(seen: namespaces.Namespaces, problems: Problems) -> Dict[str, Any]:
    if seen.unreadable:
        why = f"{seen.unreadable} of the namespaces or processes cannot be read, such as {seen.error}"
        problems.add("namespaces", "keepalive in other network namespaces", why, seen.do)
    return {
        "count": seen.total,
        "unreadable": seen.unreadable,
        "error": seen.error,
        "shared": seen.shared,
        "keepalive": [
            dict(group.keepalive._asdict(), namespaces=group.namespaces, own=group.own) for group in seen.groups
        ],
    }


def _read_softnet(problems: Problems) -> List[Dict[str, int]]:
    seen = counters.read_softnet()
    if seen.error:
        do = f"Report it and the kernel ({os.uname().release}) to the collection."
        problems.add("softnet", "received packets of each CPU", seen.error, do)
    return seen.rows


def _read_rps(problems: Problems) -> Dict[str, Any]:
    seen = nics.read()
    rule = read_text(rps_rules.PATH)
    faults = [*seen.errors, *([Fault(rule.error, rule.do)] if rule.error else [])]
    problems.add_faults("rps", "Receive Packet Steering", faults)
    return {
        "cpus_online": seen.cpus_online,
        "cpus_isolated": seen.cpus_isolated,
        "numa_nodes": seen.numa_nodes,
        "sock_flow_entries": seen.sock_flow_entries,
        "nics": [dict(nic._asdict(), queues=[dict(queue._asdict()) for queue in nic.queues]) for nic in seen.nics],
        "rule": rps_rules.ours_of(rule.value),
    }


def _inside(
    names: tallies.Names,
    read_tables: Callable[[], Optional[namespace_tables.Tables]],
    lost: AbstractSet[str] = frozenset(),
) -> namespaces.Inside:
    """What reads the namespace that it is called in. Whether netlink may be asked is told before."""
    ask_netlink = inet_diag.loads_nothing()
    is_tracked = namespace_tables.tracking()
    return lambda pids: dict(
        sockets.as_plain(sockets.read(names, ask_netlink, pids, lost)), tables=read_tables(), tracked=is_tracked()
    )


def _real_servers(pods_now: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Those of the services that listed connections go to."""
    names = {each["service"] for row in pods_now["rows"] for each in row["services"]}
    if not names:
        return []
    from .connections import real_servers  # only where there are connections to services of IPVS

    return real_servers.read(names)


def _pods(seen: namespaces.Namespaces, errors: List[str], problems: Problems) -> Dict[str, Any]:
    result = pods.read(seen.spaces)
    errors = errors + ([result["error"]] if result["error"] else [])
    if errors:
        result["error"] = first_of(errors)
        do = "Look at the connections of services by hand: ipvsadm -Lnc, ss -tno." if _is_root() else more_rights()
        problems.add("connections", "connections to services", result["error"], do)
    inside = [space.inside for space in seen.spaces if space.inside is not None]
    hidden = seen.unreadable or any(each["files_denied"] for each in inside)
    if hidden and any(each["unnamed"] for each in inside):
        problems.add("programs", "programs that have connections open", _FILES_DENIED, more_rights())
    return result
