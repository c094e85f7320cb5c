# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each network namespace with the name of its pod and its connections. Reading only. Private to this collection."""

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_text

from .pod_names import LOG_DIRECTORY, PodName, Process, parse_stat, pod_names, pod_uid
from .sockets import SOCK_DIAG

MAX_ROWS = 200
"""More namespaces are only counted."""

_MAX_PROCESSES = 50
"""More processes of one namespace are not asked who they are."""

_WAYS = 3
"""A process may end while we look, so some others of its namespace are tried."""

_PAUSE = "pause"
"""What holds a pod's namespace open; naming it tells nobody anything."""

_COUNTS = ("connections", "to_services", "without_keepalive", "in_flight", "services_omitted")
_TOTALS = _COUNTS[:3]

_MAX_SERVICES = 1000
"""Over all rows; more are only counted, in the rows with least to lose."""

_MAX_GAPS = 5000
"""Pairs of seconds and connections over all rows; beyond them those in 1/16 of an octave become one."""

_COARSE_BITS = 5


class Pod(NamedTuple):
    """A running pod with a network namespace of its own, and some paths that lead to it.

    keepalive is None where it was not read, error says why it could not be.
    """

    label: str
    inode: int
    ways: List[str]
    keepalive: Optional[Keepalive]
    error: Optional[str]


class _Attributed(NamedTuple):
    """A namespace, the UID of its pod, and its processes, the oldest first."""

    space: Space
    uid: Optional[str]
    processes: List[Process]


def read(spaces: List[Space], proc: str = "/proc", log_directory: str = LOG_DIRECTORY) -> Dict[str, Any]:
    """The pods of these namespaces as node_info documents them. Never raises; what ended meanwhile has no name."""
    names = pod_names(log_directory)
    attributed = [_attributed(space, proc) for space in spaces]
    main = _main_namespaces(attributed)
    rows = [_row(each, each.space.inode in main, names) for each in attributed]
    inside = [space.inside for space in spaces if space.inside is not None]
    rows.sort(key=_badness)
    few = rows[:MAX_ROWS]
    _bound(few)
    _add_runtimes(few, proc)
    _add_pods(few, names, proc)
    return {
        "count": sum(row["kind"] == "pod" for row in rows),
        "rows": few,
        "omitted": len(rows) - len(few),
        "totals": {name: sum(each[name] for each in inside) for name in _TOTALS},
        "sockets_from": _source([each["sockets_from"] for each in inside if each["sockets_from"]]),
        "error": next((each["sockets_error"] for each in inside if each["sockets_error"]), None),
        "rto": next((space.inside.get("rto") for space in spaces if space.own and space.inside), None),
    }


def _source(sources: List[str]) -> Optional[str]:
    """The one for all: the other than netlink where there are two, for it tells less."""
    return next((each for each in sources if each != SOCK_DIAG), SOCK_DIAG if sources else None)


def pods_of(spaces: List[Space], proc: str = "/proc", log_directory: str = LOG_DIRECTORY) -> Dict[str, Pod]:
    """The running pods of these namespaces by UID. Never raises; what ended meanwhile is not there."""
    names = pod_names(log_directory)
    attributed = [_attributed(space, proc) for space in spaces]
    main = _main_namespaces(attributed)
    return {
        main[each.space.inode]: _pod(each, names, proc)
        for each in attributed
        if each.space.inode in main and not each.space.own
    }


def _pod(each: _Attributed, names: Dict[str, PodName], proc: str) -> Pod:
    ways = [f"{proc}/{process.pid}/ns/net" for process in each.processes[:_WAYS]]
    space = each.space
    return Pod(_pod_label(each.uid, names), space.inode, ways, space.keepalive, space.error)


def _pod_label(uid: Optional[str], names: Dict[str, PodName]) -> str:
    name = names.get(uid or "")
    return f"{name.namespace}/{name.name}" if name else f"pod {uid}"


def _attributed(space: Space, proc: str) -> _Attributed:
    few = space.pids[:_MAX_PROCESSES]
    stats = (parse_stat(read_text(f"{proc}/{pid}/stat").value or "") for pid in few)
    processes = sorted(process for process in stats if process is not None)
    if space.own:
        return _Attributed(space, None, processes)
    uids = (pod_uid(read_text(f"{proc}/{process.pid}/cgroup").value or "") for process in processes)
    # A process from outside may look into a namespace, so any that belongs to a pod tells.
    return _Attributed(space, next((uid for uid in uids if uid), None), processes)


def _main_namespaces(attributed: List[_Attributed]) -> Dict[int, str]:
    """The UID by the inode of each pod's own namespace: that of its oldest process, where a program made more."""
    oldest: Dict[str, Tuple[Process, int]] = {}
    for each in attributed:
        if each.uid is not None:
            candidate = (each.processes[0], each.space.inode)
            oldest[each.uid] = min(candidate, oldest.get(each.uid, candidate))
    return {inode: uid for uid, (_process, inode) in oldest.items()}


def _row(each: _Attributed, is_main: bool, names: Dict[str, PodName]) -> Dict[str, Any]:
    space = each.space
    name = names.get(each.uid or "")
    inside = space.inside or {}
    return {
        "kind": "node" if space.own else "pod" if is_main else "other",
        "label": _label(each, is_main, _pod_label(each.uid, names)),
        "uid": each.uid,
        "namespace": name.namespace if name else None,
        "name": name.name if name else None,
        "netns": space.inode,
        "keepalive": dict(space.keepalive._asdict()) if space.keepalive else None,
        "retries2": space.retries2,
        "error": space.error or inside.get("sockets_error"),
        "process": _process(inside.get("services", []), [] if space.own else each.processes),
        **{count: inside.get(count, 0) for count in _COUNTS},
        "services": inside.get("services", []),
    }


def _label(each: _Attributed, is_main: bool, pod: str) -> str:
    if each.space.own:
        return "the node itself"
    if is_main:
        return pod
    if not each.processes:
        return f"network namespace {each.space.names[0] if each.space.names else each.space.inode}"
    process = _telling(each.processes)
    text = f"process {process.name} ({process.pid})"
    return f"{pod}, {text}" if each.uid else text


def _telling(processes: List[Process]) -> Process:
    """The oldest that is not the pause container."""
    return next((process for process in processes if process.name != _PAUSE), processes[0])


def _process(services: List[Dict[str, Any]], processes: List[Process]) -> Optional[Dict[str, Any]]:
    """The process with the most connections at risk, else the oldest."""
    counts: Dict[int, int] = {}
    named: Dict[int, str] = {}
    for process in (process for service in services for process in service["processes"]):
        counts[process["pid"]] = counts.get(process["pid"], 0) + process["without_keepalive"]
        named[process["pid"]] = process["name"]
    if counts:
        worst = max(counts, key=lambda pid: (counts[pid], -pid))
        return {"pid": worst, "name": named[worst], "runtime": None}
    if not processes:
        return None
    oldest = _telling(processes)
    return {"pid": oldest.pid, "name": oldest.name, "runtime": None}


def _badness(row: Dict[str, Any]) -> Tuple[Any, ...]:
    """Sorts the node itself first, then what has most to lose: the limit is not known here.

    One whose keepalive could not be read stands where it most probably belongs, with the kernel's default.
    """
    keepalive = row["keepalive"]
    gaps = [seconds for service in row["services"] for seconds, _number in service["gaps"]]
    return (
        row["kind"] != "node",
        -row["without_keepalive"],
        -max([keepalive["time"] if keepalive else KERNEL_DEFAULT.time, *gaps]),
        -row["to_services"],
        row["label"],
        row["netns"],
    )


def _bound(rows: List[Dict[str, Any]]) -> None:
    """Keep what is returned small: a node may have hundreds of pods with dozens of services each."""
    left = _MAX_SERVICES
    for row in rows:
        row["services_omitted"] += len(row["services"][left:])
        row["services"] = row["services"][:left]
        left -= len(row["services"])
    services = [service for row in rows for service in row["services"]]
    if sum(len(service["gaps"]) for service in services) > _MAX_GAPS:
        for service in services:
            service["gaps"] = _coarse(service["gaps"])


def _coarse(gaps: List[List[int]]) -> List[List[int]]:
    """Gaps of the same part of an octave under the longest of them: the verdict on that one is right."""
    parts: Dict[Tuple[int, int], List[int]] = {}
    for seconds, number in sorted(gaps):
        bits = seconds.bit_length()
        longest = parts.setdefault((bits, seconds >> max(bits - _COARSE_BITS, 0)), [seconds, 0])
        longest[:] = [seconds, longest[1] + number]
    return list(parts.values())


def _add_runtimes(rows: List[Dict[str, Any]], proc: str) -> None:
    """Fill in the runtime of each process that has connections at risk."""
    processes = _processes(rows)
    at_risk = list(dict.fromkeys(each["pid"] for each in processes if each["without_keepalive"]))
    recognised = _recognised(at_risk, proc) if at_risk else {}
    for process in processes + [row["process"] for row in rows if row["process"]]:
        process["runtime"] = recognised.get(process["pid"])


def _recognised(pids: List[int], proc: str) -> Dict[int, Optional[str]]:
    from . import runtimes  # only where connections are at risk

    return runtimes.recognise_all(pids, proc)


def _add_pods(rows: List[Dict[str, Any]], names: Dict[str, PodName], proc: str) -> None:
    """Fill in the pod of each process in the node's own namespace (hostNetwork); elsewhere the row names it."""
    for row in rows:
        uids: Dict[int, Optional[str]] = {}
        for process in _processes([row]) + ([row["process"]] if row["process"] else []):
            pid = process["pid"]
            if row["kind"] == "node" and pid not in uids:
                uids[pid] = pod_uid(read_text(f"{proc}/{pid}/cgroup").value or "")
            process["pod"] = _pod_label(uids[pid], names) if uids.get(pid) else None


def _processes(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return [process for row in rows for service in row["services"] for process in service["processes"]]
