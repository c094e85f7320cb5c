# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Re-arms the open connections at risk of this node, its pods and its containers, in place. Private to this collection.

It comes after a run is complete and is no part of its transaction: a connection's timer ends with the connection, so
there is nothing to give back. Each network namespace is looked at by a child, so that none stops the others.
"""

import os
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
    inet_diag,
    modules,
    namespaces,
    processes,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe import kube_proxy
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import destinations
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.attribution import (
    Names,
    attribute,
    kind_of,
    label_of,
    labels_of,
    main_namespaces,
    owner_of_process,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.pod_names import LOG_DIRECTORY

from . import rearmed_rows
from .rearmed_rows import MAX_ROWS, Of, Row
from .rearming_children import Look, rearm_all
from .rearming_options import OpenConnections


class Rearmed(NamedTuple):
    """What node_settings returns of it, and what to tell beside that."""

    rearmed: int
    plain: Dict[str, Any]
    notes: List[str]


def rearm(
    wish: OpenConnections,
    planned: Mapping[int, Keepalive],
    check: bool,
    given: Tuple[Keepalive, ...] = (),
    proc: str = "/proc",
    log_directory: str = LOG_DIRECTORY,
) -> Rearmed:
    """Re-arm what is wished, within a minute or so; check counts the same and sets nothing. Never raises.

    planned is the keepalive that the run gives to some namespaces, by their inodes: by it is judged what is at risk.
    given is what runs gave to connections before.
    """
    spaces, hidden = namespaces.find(proc)
    attributed, names = attribute(spaces, proc, log_directory)
    main = main_namespaces(attributed)
    targets = [each for each in attributed if kind_of(each, each.space.inode in main) in wish.kinds]
    services, problems = _services(wish)
    told = rearm_all(targets, Look(wish, services, inet_diag.loads_nothing(), dict(planned), check, proc, given))
    rows: List[Row] = []
    unseen: Dict[str, List[str]] = {}
    for each in targets:
        inode = each.space.inode
        of = Of(kind_of(each, inode in main), label_of(each, inode in main, names.label(each.owner)), each.key)
        rows += [Row(of, part) for part in told[inode].parts]
        if told[inode].problem:
            unseen.setdefault(str(told[inode].problem), []).append(of.label)
    problems += rearmed_rows.not_looked_at(unseen)
    untold = next((each.untold for each in attributed if each.untold), None)
    if untold:
        problems.append(
            f"open connections: whose a network namespace is could not be seen ({untold}), so it was left alone. Run "
            "again."
        )
    if hidden:
        problems.append(f"open connections: there may be more network namespaces than can be seen ({hidden}).")
    return _conclude(rearmed_rows.worst(rows), names, problems, proc)


def after(
    steps: Sequence[Any], pods: Sequence[Any], wish: OpenConnections, check: bool, given: Tuple[Keepalive, ...]
) -> Rearmed:
    """As rearm(), after the steps of a run, of which ``pods`` are on running pods and containers."""
    planned = {inode: keepalive for step in pods for inode, keepalive in step.planned().items()}
    for step in pods:
        step.rearmed = True
    live = {step.name: step.after for step in steps if step.area == "sysctls"}
    return rearm(wish, with_own(planned, live), check, given)


def with_own(planned: Mapping[int, Keepalive], live: Mapping[str, Any]) -> Dict[int, Keepalive]:
    """The planned keepalive of namespaces with that of this process's own; live are the sysctls that the run sets."""
    try:
        own, inode = namespaces.own_keepalive(), os.stat("/proc/self/ns/net").st_ino
        values = [int(live.get(key) or value) for key, value in zip(KEYS, own)]
    except (OSError, ValueError):
        return dict(planned)
    return {**planned, inode: Keepalive(*values)}


def _conclude(rows: List[Row], names: Names, problems: List[str], proc: str) -> Rearmed:
    few = rows[:MAX_ROWS]
    pods = _pods_of_processes(few, names, proc)
    rearmed, left = rearmed_rows.totals(rows)
    plain = {
        "rearmed": rearmed,
        "not_rearmed": left,
        "rows": [rearmed_rows.as_plain(row, pods.get(row.part.pid or 0)) for row in few],
        "more_rows": len(rows) - len(few),
    }
    return Rearmed(rearmed, plain, problems + rearmed_rows.notes(rows))


def _pods_of_processes(rows: List[Row], names: Names, proc: str) -> Dict[int, str]:
    """The pods (hostNetwork) and containers of processes in the node's own namespace, by the process."""
    pids = dict.fromkeys(row.part.pid for row in rows if row.of.kind == "node" and row.part.pid is not None)
    owners = {pid: owner_of_process(pid, proc) for pid in pids}
    of_host = names._replace(containers=labels_of(list(owners.values())))
    return {pid: label for pid, owner in owners.items() for label in [of_host.label(owner)] if label}


def _services(wish: OpenConnections) -> Tuple[Dict[Any, str], List[str]]:
    """Where connections to services go, as node_info finds it, and what to tell where that is not known."""
    errors, addresses = [], []
    if modules.ipvs_loaded():
        from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import (
            services,  # other nodes have no such tables
        )

        try:
            addresses = services.read()[0].addresses
        except OSError as error:
            errors.append(f"{error.filename or '/proc/net/ip_vs'}: {error.strerror or error}")
    mode = None
    if addresses:  # else connection tracking is asked whatever the mode
        found = processes.find(kube_proxy.WANTED)
        mode = kube_proxy.read(found, wish.kube_proxy_address, wish.kube_proxy_seconds).mode
    seen = destinations.read(addresses, mode)
    errors += seen.errors
    return seen.names, [
        f"open connections: which of them go to services could not be seen ({each})." for each in errors
    ]
