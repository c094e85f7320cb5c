# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each network namespace with the name of its pod or container and its connections. Reading only. Private to this
collection."""

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_text

from . import namespace_tables
from .pod_names import LOG_DIRECTORY, NOBODY, Container, Owner, PodName, Process, owner_of, parse_stat, pod_names
from .sandboxes import sandbox_of
from .sockets import SOCK_DIAG

MAX_ROWS = 200
"""More namespaces are only counted."""

_MAX_PROCESSES = 50
"""More processes of one namespace are not asked who they are."""

_WAYS = 3
"""A process may end while we look, so some others of its namespace are tried."""

_PAUSE = "pause"
"""What holds a pod's namespace open; naming it tells nobody anything."""

_TOTALS = ("connections", "to_services", "without_keepalive", "to_outside", "outside_without_keepalive")
_COUNTS = (*_TOTALS, "in_flight", "services_omitted", "outside_in_flight", "accepted")

_MAX_PEERS = 1000
"""Services over all rows, and as many other addresses; more are only counted, in the rows with least to lose."""

_MAX_GAPS = 5000
"""Pairs of seconds and connections over all rows; beyond them those in 1/16 of an octave become one."""

_COARSE_BITS = 5


class Pod(NamedTuple):
    """A running pod or container with a network namespace of its own, and some paths that lead to it.

    keepalive is None where it was not read, error says why it could not be. sandbox: it has TCP of its own there.
    """

    label: str
    inode: int
    ways: List[str]
    keepalive: Optional[Keepalive]
    error: Optional[str]
    sandbox: Optional[str] = None


class _Attributed(NamedTuple):
    """A namespace, whose it is, and its processes, the oldest first."""

    space: Space
    owner: Owner
    processes: List[Process]

    @property
    def key(self) -> Optional[str]:
        """What tells its pod or container from all others of the node."""
        uid, container = self.owner
        return uid or (container.key if container else None)


class _Names(NamedTuple):
    """Of pods by UID, and the labels of containers."""

    pods: Dict[str, PodName]
    containers: Dict[Container, str]

    def label(self, owner: Owner) -> str:
        if owner.uid is None:
            return self.containers[owner.container] if owner.container else ""
        name = self.pods.get(owner.uid)
        pod = f"{name.namespace}/{name.name}" if name else f"pod {owner.uid}"
        return f"{pod} in {self.containers[owner.container]}" if owner.container else pod


def read(spaces: List[Space], proc: str = "/proc", log_directory: str = LOG_DIRECTORY) -> Dict[str, Any]:
    """The pods of these namespaces as node_info documents them, and the ``tables`` of its namespaces.

    Never raises; what ended meanwhile has no name.
    """
    pods = pod_names(log_directory)
    attributed = [_attributed(space, proc) for space in spaces]
    names = _Names(pods, _containers([each.owner for each in attributed]))
    main = _main_namespaces(attributed)
    rows = [_row(each, each.space.inode in main, names, proc) for each in attributed]
    inside = [space.inside for space in spaces if space.inside is not None]
    tables = namespace_tables.summary((row, row.pop("tables")) for row in rows)
    rows.sort(key=_badness)
    few = rows[:MAX_ROWS]
    _bound(few)
    _add_runtimes(few, proc)
    _add_pods(few, names, proc)
    return {
        "count": sum(row["kind"] == "pod" for row in rows),
        "containers": sum(row["kind"] == "container" for row in rows),
        "rows": few,
        "omitted": len(rows) - len(few),
        "totals": {name: sum(each.get(name, 0) for each in inside) for name in _TOTALS},
        "sockets_from": _source([each["sockets_from"] for each in inside if each["sockets_from"]]),
        "error": next((each["sockets_error"] for each in inside if each["sockets_error"]), None),
        "rto": next((space.inside.get("rto") for space in spaces if space.own and space.inside), None),
        "tables": tables,
    }


def _source(sources: List[str]) -> Optional[str]:
    """The one for all: the other than netlink where there are two, for it tells less."""
    return next((each for each in sources if each != SOCK_DIAG), SOCK_DIAG if sources else None)


def pods_of(spaces: List[Space], proc: str = "/proc", log_directory: str = LOG_DIRECTORY) -> Dict[str, Pod]:
    """The running pods of these namespaces by UID. Never raises; what ended meanwhile is not there."""
    return _running("pod", spaces, proc, log_directory)


def containers_of(spaces: List[Space], proc: str = "/proc") -> Dict[str, Pod]:
    """The same for containers outside of pods, by engine and ID; not those of users, who give cgroups any name."""
    return _running("container", spaces, proc, LOG_DIRECTORY)


def _running(kind: str, spaces: List[Space], proc: str, log_directory: str) -> Dict[str, Pod]:
    pods = pod_names(log_directory)
    attributed = [_attributed(space, proc) for space in spaces]
    names = _Names(pods, _containers([each.owner for each in attributed]))
    main = _main_namespaces(attributed)
    return {
        main[each.space.inode]: _pod(each, names, proc)
        for each in attributed
        if each.space.inode in main and _kind(each, True) == kind
    }


def _pod(each: _Attributed, names: _Names, proc: str) -> Pod:
    ways = [f"{proc}/{process.pid}/ns/net" for process in each.processes[:_WAYS]]
    space = each.space
    sandbox = sandbox_of(each.processes, proc)
    return Pod(names.label(each.owner), space.inode, ways, space.keepalive, space.error, sandbox)


def _containers(owners: List[Owner]) -> Dict[Container, str]:
    found = [owner.container for owner in owners if owner.container is not None]
    if not found:
        return {}
    from .container_names import labels  # not every node has containers outside of pods

    return labels(found)


def _attributed(space: Space, proc: str) -> _Attributed:
    few = space.pids[:_MAX_PROCESSES]
    stats = (parse_stat(read_text(f"{proc}/{pid}/stat").value or "") for pid in few)
    processes = sorted(process for process in stats if process is not None)
    if space.own:
        return _Attributed(space, NOBODY, processes)
    return _Attributed(space, _owner([_owner_of(process.pid, proc) for process in processes]), processes)


def _owner_of(pid: int, proc: str) -> Owner:
    return owner_of(read_text(f"{proc}/{pid}/cgroup").value or "")


def _owner(owners: List[Owner]) -> Owner:
    """Whose a namespace is by the owners of its processes, the oldest first.

    A process from outside may look into a namespace, so any that belongs to a pod tells. But pods with hostNetwork of a
    cluster in a container are in the container's own namespace, which has an older process of the container.
    """
    known = [owner for owner in owners if owner != NOBODY]
    pod = next((owner for owner in known if owner.uid is not None), None)
    if pod is None or (pod.container is not None and known[0] == Owner(None, pod.container)):
        return known[0] if known else NOBODY
    return pod


def _main_namespaces(attributed: List[_Attributed]) -> Dict[int, str]:
    """The key by the inode of each pod's own namespace: that of its oldest process, where a program made more."""
    oldest: Dict[str, Tuple[Process, int]] = {}
    for each in attributed:
        if each.key is not None:
            candidate = (each.processes[0], each.space.inode)
            oldest[each.key] = min(candidate, oldest.get(each.key, candidate))
    return {inode: key for key, (_process, inode) in oldest.items()}


def _kind(each: _Attributed, is_main: bool) -> str:
    if each.space.own:
        return "node"
    uid, container = each.owner
    if not is_main or (uid is None and (container is None or container.rootless)):
        return "other"
    return "pod" if uid is not None else "container"


def _row(each: _Attributed, is_main: bool, names: _Names, proc: str) -> Dict[str, Any]:
    space = each.space
    name = names.pods.get(each.owner.uid or "")
    inside = space.inside or {}
    return {
        "kind": _kind(each, is_main),
        "label": _label(each, is_main, names.label(each.owner)),
        "uid": each.key,
        "namespace": name.namespace if name else None,
        "name": name.name if name else None,
        "netns": space.inode,
        "keepalive": dict(space.keepalive._asdict()) if space.keepalive else None,
        "retries2": space.retries2,
        "error": space.error or inside.get("sockets_error"),
        "sandbox": None if space.own else sandbox_of(each.processes, proc),
        "process": _process(inside, [] if space.own else each.processes),
        **{count: inside.get(count, 0) for count in _COUNTS},
        "services": inside.get("services", []),
        "outside": inside.get("outside", []),
        "tables": inside.get("tables"),
    }


def _label(each: _Attributed, is_main: bool, owner: str) -> str:
    if each.space.own:
        return "the node itself"
    if is_main:
        return owner
    if not each.processes:
        return f"network namespace {each.space.names[0] if each.space.names else each.space.inode}"
    process = _telling(each.processes)
    text = f"process {process.name} ({process.pid})"
    return f"{owner}, {text}" if owner else text


def _telling(processes: List[Process]) -> Process:
    """The oldest that is not the pause container."""
    return next((process for process in processes if process.name != _PAUSE), processes[0])


def _process(inside: Dict[str, Any], processes: List[Process]) -> Optional[Dict[str, Any]]:
    """The process with the most connections without SO_KEEPALIVE, to services where there are any, else the oldest."""
    peers = inside.get("services") or inside.get("outside", [])
    counts: Dict[int, int] = {}
    named: Dict[int, str] = {}
    for process in (process for peer in peers for process in peer["processes"]):
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
        -row["outside_without_keepalive"],
        row["label"],
        row["netns"],
    )


def _bound(rows: List[Dict[str, Any]]) -> None:
    """Keep what is returned small: a node may have hundreds of pods with dozens of services each."""
    _keep(rows, "outside")
    for row, omitted in zip(rows, _keep(rows, "services")):
        row["services_omitted"] += omitted
    peers = [peer for row in rows for peer in row["services"] + row["outside"]]
    if sum(len(peer["gaps"]) for peer in peers) > _MAX_GAPS:
        for peer in peers:
            peer["gaps"] = _coarse(peer["gaps"])


def _keep(rows: List[Dict[str, Any]], what: str) -> List[int]:
    """Keep the first of all rows, and tell how many each row loses."""
    left, omitted = _MAX_PEERS, []
    for row in rows:
        omitted.append(len(row[what][left:]))
        row[what] = row[what][:left]
        left -= len(row[what])
    return omitted


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


def _add_pods(rows: List[Dict[str, Any]], names: _Names, proc: str) -> None:
    """Fill in the pod or container of each process in the node's own namespace (hostNetwork, host); elsewhere the row
    names it."""
    for row in rows:
        owners: Dict[int, Owner] = {}
        processes = _processes([row]) + ([row["process"]] if row["process"] else [])
        if row["kind"] == "node":
            pids = dict.fromkeys(process["pid"] for process in processes)
            owners.update((pid, _owner_of(pid, proc)) for pid in pids)
        of_host = names._replace(containers=_containers(list(owners.values())))
        for process in processes:
            process["pod"] = of_host.label(owners.get(process["pid"], NOBODY)) or None


def _processes(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return [process for row in rows for peer in row["services"] + row["outside"] for process in peer["processes"]]
