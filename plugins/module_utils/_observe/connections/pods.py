# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each network namespace with the name of its pod or container and its connections. Reading only. Private to this
collection."""

from typing import Any, Dict, List, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space

from . import namespace_tables
from .attribution import (
    Attributed,
    Names,
    attribute,
    kind_of,
    label_of,
    labels_of,
    main_namespaces,
    owner_of_process,
    telling,
)
from .bounded_rows import worst
from .pod_names import LOG_DIRECTORY, NOBODY, Owner, Process
from .sandboxes import sandbox_of
from .sockets import SOCK_DIAG

_TOTALS = ("connections", "to_services", "without_keepalive", "to_outside", "outside_without_keepalive", "lost")
_COUNTS = (*_TOTALS, "in_flight", "services_omitted", "outside_in_flight", "accepted", "accepted_omitted")


def read(spaces: List[Space], proc: str = "/proc", log_directory: str = LOG_DIRECTORY) -> Dict[str, Any]:
    """The pods of these namespaces as node_info documents them, and the ``tables`` of its namespaces.

    Never raises; what ended meanwhile has no name.
    """
    attributed, names = attribute(spaces, proc, log_directory)
    main = main_namespaces(attributed)
    rows = [_row(each, each.space.inode in main, names, proc) for each in attributed]
    inside = [space.inside for space in spaces if space.inside is not None]
    tables = namespace_tables.summary((row, row.pop("tables")) for row in rows)
    few = worst(rows)
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


def _row(each: Attributed, is_main: bool, names: Names, proc: str) -> Dict[str, Any]:
    space = each.space
    name = names.pods.get(each.owner.uid or "")
    inside = space.inside or {}
    return {
        "kind": kind_of(each, is_main),
        "label": label_of(each, is_main, names.label(each.owner)),
        "uid": each.key,
        "namespace": name.namespace if name else None,
        "name": name.name if name else None,
        "netns": space.inode,
        "keepalive": dict(space.keepalive._asdict()) if space.keepalive else None,
        "retries2": space.retries2,
        "error": space.error or inside.get("sockets_error") or each.untold,
        "sandbox": None if space.own else sandbox_of(each.processes, proc),
        "process": _process(inside, [] if space.own else each.processes),
        **{count: inside.get(count, 0) for count in _COUNTS},
        "services": inside.get("services", []),
        "outside": inside.get("outside", []),
        "accepted_at": inside.get("accepted_at", []),
        "tables": inside.get("tables"),
    }


def _process(inside: Dict[str, Any], processes: List[Process]) -> Optional[Dict[str, Any]]:
    """The process with the most connections without SO_KEEPALIVE, to services where there are any, else the oldest."""
    peers = inside.get("services") or inside.get("outside", [])
    counts: Dict[int, int] = {}
    named: Dict[int, str] = {}
    for process in (process for peer in peers for process in peer["processes"]):
        counts[process["pid"]] = counts.get(process["pid"], 0) + process["without_keepalive"]
        named[process["pid"]] = process["name"]
    if counts:
        first = max(counts, key=lambda pid: (counts[pid], -pid))
        return {"pid": first, "name": named[first], "runtime": None}
    if not processes:
        return None
    oldest = telling(processes)
    return {"pid": oldest.pid, "name": oldest.name, "runtime": None}


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


def _add_pods(rows: List[Dict[str, Any]], names: Names, proc: str) -> None:
    """Fill in the pod or container of each process in the node's own namespace (hostNetwork, host); elsewhere the row
    names it."""
    for row in rows:
        owners: Dict[int, Owner] = {}
        processes = _processes([row]) + ([row["process"]] if row["process"] else [])
        if row["kind"] == "node":
            pids = dict.fromkeys(process["pid"] for process in processes)
            owners.update((pid, owner_of_process(pid, proc)) for pid in pids)
        of_host = names._replace(containers=labels_of(list(owners.values())))
        for process in processes:
            process["pod"] = of_host.label(owners.get(process["pid"], NOBODY)) or None


def _processes(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return [process for row in rows for peer in row["services"] + row["outside"] for process in peer["processes"]]
