# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything node_info tells about a node, put together. Reading only. Private to this collection."""

import os
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common import rps_rules
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import more_rights, remedy
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS, MODULES
from ansible_collections.kubenode.connections.plugins.module_utils._files import ipvs_unit, modules_load, sysctl_d
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
    counters,
    inet_diag,
    ipvs_tables,
    ipvs_timeouts,
    nics,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import modules as kernel_modules
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import namespaces as netns
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import Fault, read_sysctl, read_text

from . import kube_proxy as observe_kube_proxy
from . import kubelet
from .connections import pods as pod_rows
from .connections import services as ipvs_services
from .connections import sockets
from .other_writers import summary

MAX_BOOT_PROBLEMS = 20
"""More lines that nobody can parse are not listed."""

_MAX_NAMED = 3
_BY_HAND = "See by hand whether these lines set what is planned here."

_COUNTERS = {"conntrack": counters.read_statistics, "softnet": lambda: counters.read_softnet().rows}

Problems = List[Dict[str, str]]


class _Boot(NamedTuple):
    """What happens at boot: the lines that load modules, the lines that set keys, the lines nobody can use."""

    modules: Dict[str, modules_load.Source]
    values: Dict[str, sysctl_d.BootValue]
    problems: List[Problem]


def read_node(
    kube_proxy_address: Optional[str], kube_proxy_timeout_seconds: float, sample_seconds: float = 0
) -> Dict[str, Any]:
    """The node as node_info documents it; what cannot be read is in problems. Changes nothing, loads nothing.

    With sample_seconds it takes that long at least: counters are read first and again at the end, the rest in between.
    """
    before = counters.take_sample(_COUNTERS) if sample_seconds else None
    node = _read_all(kube_proxy_address, kube_proxy_timeout_seconds)
    if before is not None:
        time.sleep(counters.rest_seconds(before, sample_seconds))
        node["growth"] = counters.growth(before, counters.take_sample(_COUNTERS))
    return node


def _read_all(kube_proxy_address: Optional[str], kube_proxy_timeout_seconds: float) -> Dict[str, Any]:
    problems: Problems = []
    boot = _read_boot()
    ipvs, services = _read_ipvs(problems)
    kube_proxy = _read_kube_proxy(kube_proxy_address, kube_proxy_timeout_seconds, problems)
    destinations = _read_destinations(services, kube_proxy)
    owners = _read_owners(problems)
    namespaces = netns.read(inside=_sockets_to(destinations.names))
    return {
        "hostname": os.uname().nodename,
        "kernel": os.uname().release,
        "root": _is_root(),
        "container": container(),
        "modules": _modules(boot),
        "ipvs": ipvs,
        "conntrack": dict(_read_conntrack(problems), cut_within=destinations.cut_within),
        "growth": None,
        "softnet": _read_softnet(problems),
        "rps": _read_rps(problems),
        "sysctls": _sysctls(boot, problems),
        "sysctl_conf": owners.sysctl_conf,
        "owners": owners.owners,
        "boot_problems": _boot_problems(boot, problems),
        "kube_proxy": kube_proxy,
        "kubelet": _read_kubelet(problems),
        "namespaces": _namespaces(namespaces, problems),
        "pods": _pods(namespaces, destinations.errors, problems),
        "problems": problems,
    }


def container(root: str = "/") -> Optional[str]:
    """The container manager we are in, or None: systemd's note, PID 1's $container, podman's and docker's files."""
    noted = read_text(os.path.join(root, "run/systemd/container")).value
    if noted and noted.strip():
        return noted.strip()
    for word in (read_text(os.path.join(root, "proc/1/environ")).value or "").split("\0"):
        if word.startswith("container=") and word != "container=":
            return word[len("container=") :]
    for path, name in (("run/.containerenv", "podman"), (".dockerenv", "docker")):
        if os.path.exists(os.path.join(root, path)):
            return name
    return None


def _is_root() -> bool:
    return os.geteuid() == 0


def _read_boot() -> _Boot:
    modules, module_problems = modules_load.read_boot()
    sysctls = sysctl_d.read_boot(KEYS)
    return _Boot(modules_load.with_dependencies(modules), sysctls.values, sysctls.problems + module_problems)


def _boot_problems(boot: _Boot, problems: Problems) -> List[Dict[str, Any]]:
    """The lines that nobody can use. What is there and was not read may set anything, which is a problem of its own."""
    unread = [Fault(_sentence(each), each.do) for each in boot.problems if each.do]
    _add_faults("boot", "what a reboot sets", unread, problems)
    useless = [each for each in boot.problems if not each.do]
    return [{"file": each.file, "line": each.line, "what": each.what} for each in useless[:MAX_BOOT_PROBLEMS]]


def _modules(boot: _Boot) -> Dict[str, Any]:
    result = {}
    for name in MODULES:
        source = boot.modules.get(name)
        result[name] = {
            "loaded": kernel_modules.module_loaded(name),
            "builtin": kernel_modules.module_builtin(name),
            "boot": dict(source._asdict()) if source else None,
        }
    return result


def _read_ipvs(problems: Problems) -> Tuple[Dict[str, Any], Optional[ipvs_services.Services]]:
    """Where IPVS is not loaded, nothing is asked: asking ipvsadm or netlink would load it."""
    result: Dict[str, Any] = {
        "loaded": ipvs_timeouts.loaded(),
        "timeouts": None,
        "timeouts_from": None,
        "timeouts_at_boot": ipvs_unit.seconds_at_boot(),
        "totals": None,
        "services": [],
        "services_omitted": 0,
        "draining": [],
        "connections": {},
        "cut_within": None,
        "idlest": [],
    }
    if not result["loaded"]:
        return result, None
    reading = ipvs_timeouts.read_timeouts()
    if reading.timeouts is not None:
        result.update(timeouts=dict(reading.timeouts._asdict()), timeouts_from=reading.by)
    else:
        problems.append(_problem("ipvs-timeouts", "IPVS timeouts", reading.error or "", reading.do))
    services = _table("ipvs-services", "/proc/net/ip_vs", ipvs_services.read, None, problems)
    if services is not None:
        result.update(ipvs_services.row(services))
    connections = _table("ipvs-connections", "/proc/net/ip_vs_conn", ipvs_tables.read_connections, None, problems)
    if connections is not None:
        tcp = reading.timeouts.tcp if reading.timeouts else None
        idlest = [dict(each._asdict(), idle_seconds=_idle(each, tcp)) for each in connections.idlest]
        result.update(connections=connections.counts, cut_within=connections.cut_within, idlest=idlest)
    return result, services


def _idle(connection: ipvs_tables.Expiring, timeout_seconds: Optional[int]) -> Optional[int]:
    """None where the timeout is not known, or was higher when the last packet came."""
    if timeout_seconds is None or connection.seconds_left > timeout_seconds:
        return None
    return timeout_seconds - connection.seconds_left


def _table(identity: str, path: str, read: Any, nothing: Any, problems: Problems) -> Any:
    """What read() gives of an IPVS table, or nothing; unreadable tables and lines become problems."""
    try:
        rows, strange = read()
    except OSError as error:
        problems.append(_problem(identity, path, str(error.strerror or error), remedy(error)))
        return nothing
    if strange:
        report = f"Report these lines and the kernel ({os.uname().release}) to the collection."
        problems.append(_problem(identity, path, f"{strange} lines make no sense", report))
    return rows


def _read_conntrack(problems: Problems) -> Dict[str, Any]:
    seen = counters.read_conntrack()
    _add_faults("conntrack", "conntrack", seen.errors, problems)
    return {
        "loaded": seen.loaded,
        "count": seen.entries,
        "max": seen.max,
        "be_liberal": seen.be_liberal,
        "timeouts": seen.timeouts,
        "statistics": seen.statistics,
    }


def _sysctls(boot: _Boot, problems: Problems) -> Dict[str, Any]:
    result: Dict[str, Any] = {}
    unreadable = []
    for name, key in KEYS.items():
        reading = read_sysctl(name)
        if reading.error:
            unreadable.append(Fault(reading.error, reading.do))
        in_time = key.module is None or key.module in boot.modules or kernel_modules.module_builtin(key.module)
        result[name] = {
            "state": reading.state,
            "value": reading.value,
            "error": reading.error,
            "boot": dict(boot.values[name]._asdict(), module=key.module, in_time=in_time),
        }
    _add_faults("sysctls", f"{len(unreadable)} sysctls", unreadable, problems)
    return result


def _read_kube_proxy(address: Optional[str], timeout_seconds: float, problems: Problems) -> Dict[str, Any]:
    seen = observe_kube_proxy.read(address, timeout_seconds)
    if seen.error and (address or not seen.absent):
        do = "See who listens there (ss -ltnp), or set kube_proxy_address to its metricsBindAddress."
        problems.append(_problem("kube-proxy", "kube-proxy's mode and configuration", seen.error, do))
    return {name: value for name, value in seen._asdict().items() if name != "absent"}


def _read_owners(problems: Problems) -> summary.Owners:
    seen = summary.read(KEYS)
    for what, found in seen.problems.items():
        _add_faults("other-writers", what, [Fault(_sentence(each), each.do or _BY_HAND) for each in found], problems)
    return seen


def _read_kubelet(problems: Problems) -> Dict[str, Any]:
    seen = kubelet.read()
    if seen.error:
        by_hand = "kubelet --version" if seen.running else "ps -C kubelet -o pid,user,args"
        remedy = f"Look at it by hand: {by_hand}." if _is_root() else more_rights()
        problems.append(_problem("kubelet", "kubelet", seen.error, remedy))
    return dict(seen._asdict())


def _namespaces(seen: netns.Namespaces, problems: Problems) -> Dict[str, Any]:
    if seen.unreadable:
        why = f"{seen.unreadable} of the namespaces or processes cannot be read, such as {seen.error}"
        problems.append(_problem("namespaces", "keepalive in other network namespaces", why, seen.do))
    return {
        "count": seen.total,
        "unreadable": seen.unreadable,
        "error": seen.error,
        "keepalive": [
            dict(group.keepalive._asdict(), namespaces=group.namespaces, own=group.own) for group in seen.groups
        ],
    }


def _read_softnet(problems: Problems) -> List[Dict[str, int]]:
    seen = counters.read_softnet()
    if seen.error:
        remedy = f"Report it and the kernel ({os.uname().release}) to the collection."
        problems.append(_problem("softnet", "received packets of each CPU", seen.error, remedy))
    return seen.rows


def _read_rps(problems: Problems) -> Dict[str, Any]:
    seen = nics.read()
    rule = read_text(rps_rules.PATH)
    faults = [*seen.errors, *([Fault(rule.error, rule.do)] if rule.error else [])]
    _add_faults("rps", "Receive Packet Steering", faults, problems)
    return {
        "cpus_online": seen.cpus_online,
        "cpus_isolated": seen.cpus_isolated,
        "numa_nodes": seen.numa_nodes,
        "sock_flow_entries": seen.sock_flow_entries,
        "nics": [dict(nic._asdict(), queues=[dict(queue._asdict()) for queue in nic.queues]) for nic in seen.nics],
        "rule": rule.value,
    }


def _read_destinations(
    services: Optional[ipvs_services.Services], kube_proxy: Dict[str, Any]
) -> ipvs_services.Destinations:
    addresses, marks = (services.addresses, services.marks) if services else ([], [])
    return ipvs_services.read_destinations(addresses, marks, kube_proxy["mode"])


def _sockets_to(names: sockets.Names) -> netns.Inside:
    """What reads the sockets of the namespace that it is called in. Whether netlink may be asked is told before."""
    ask_netlink = inet_diag.loads_nothing()
    return lambda pids: sockets.row(sockets.read(names, ask_netlink, pids))


def _pods(seen: netns.Namespaces, errors: List[str], problems: Problems) -> Dict[str, Any]:
    pods = pod_rows.read(seen.spaces)
    errors = errors + ([pods["error"]] if pods["error"] else [])
    if errors:
        pods["error"] = "; ".join(errors[:_MAX_NAMED])
        by_hand = "Look at the connections of services by hand: ipvsadm -Lnc, ss -tno."
        problems.append(
            _problem("connections", "connections to services", pods["error"], by_hand if _is_root() else more_rights())
        )
    return pods


def _problem(identity: str, what: str, why: str, remedy: str) -> Dict[str, str]:
    return {"id": identity, "what": what, "why": why, "do": remedy}


def _add_faults(identity: str, what: str, faults: Sequence[Fault], problems: Problems) -> None:
    """One problem of all that could not be read of something: the first reasons, and each remedy once."""
    whys = list(dict.fromkeys(each.why for each in faults))
    if whys:
        why = "; ".join(whys[:_MAX_NAMED]) + ("; …" if len(whys) > _MAX_NAMED else "")
        problems.append(_problem(identity, what, why, " ".join(dict.fromkeys(each.do for each in faults))))


def _sentence(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return f"{place}: {problem.what}"
