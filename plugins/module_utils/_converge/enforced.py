# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keepalive of every new connection as a person asks for it and as the record keeps it, checked. Pure. Private to
this collection.
"""

from typing import Any, Dict, Mapping, Tuple, Union

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import (
    HIGHEST,
    MAX_EXCLUDED_PORTS,
    Enforcement,
    Keepalive,
    parse,
)

Wish = Union[Tuple[()], Enforcement]
"""What to enforce; empty to give it back."""

_HIGHEST_PORT = 65535
_MAX_PATH = 4096


def from_options(values: Tuple[int, ...], options: Mapping[str, Any]) -> Wish:
    """What the option enforce asks for; values are its checked time, intvl and probes. Raises NodeError."""
    ports, cgroups = options["exclude_ports"] or [], options["exclude_cgroups"] or []
    if not values:
        if ports or cgroups:
            raise NodeError(
                "enforce: exclude_ports and exclude_cgroups are given without a keepalive. Write time, intvl and "
                "probes, or leave them out, too."
            )
        return ()
    for port in ports:
        if not 1 <= port <= _HIGHEST_PORT:
            raise NodeError(f"enforce: exclude_ports: {port} is not from 1 to {_HIGHEST_PORT}. Write such a port.")
    if len(set(ports)) > MAX_EXCLUDED_PORTS:
        raise NodeError(
            f"enforce: exclude_ports: {len(set(ports))} ports, at most {MAX_EXCLUDED_PORTS} can be told apart at each "
            "new connection. Exclude the cgroups of the programs instead (exclude_cgroups)."
        )
    for path in cgroups:
        if not is_cgroup(path):
            raise NodeError(
                f"enforce: exclude_cgroups: {path!r} is not the path of a cgroup below the root, without . and .. "
                "in it. Write one such as /system.slice/sshd.service (see /proc/PID/cgroup)."
            )
    return Enforcement(Keepalive(*values), tuple(sorted(set(ports))), tuple(sorted({_plain(path) for path in cgroups})))


def to_json(record: Enforcement) -> Dict[str, Any]:
    """As the file of the originals has it."""
    return {
        "keepalive": str(record.keepalive),
        "ports": list(record.exclude_ports),
        "cgroups": list(record.exclude_cgroups),
    }


def from_json(document: Any) -> Enforcement:
    """The record out of the file. Raises ValueError, KeyError or TypeError for what to_json did not write."""
    found = Enforcement(parse(document["keepalive"]), tuple(document["ports"]), tuple(document["cgroups"]))
    refuse_strange(found)
    return found


def refuse_strange(record: Enforcement) -> None:
    """Raise ValueError for what no run enforces."""
    if not all(1 <= value <= highest for value, highest in zip(record.keepalive, HIGHEST)):
        raise ValueError(f"{record.keepalive} is no keepalive that is enforced here")
    for port in record.exclude_ports:
        if not isinstance(port, int) or not 1 <= port <= _HIGHEST_PORT:
            raise ValueError(f"{port!r} is no port that is excluded here")
    for path in record.exclude_cgroups:
        if not isinstance(path, str) or not is_cgroup(path):
            raise ValueError(f"{path!r} is no cgroup that is excluded here")


def is_cgroup(path: str) -> bool:
    """Whether this is the path of a cgroup below the root."""
    names = path.strip("/").split("/")
    return path.startswith("/") and path.isprintable() and len(path) < _MAX_PATH and not {"", ".", ".."} & set(names)


def _plain(path: str) -> str:
    return "/" + path.strip("/")
