# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows of namespaces are returned, and how much of each: the worst, within bounds. Pure. Private to this
collection."""

from typing import Any, Dict, List, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KERNEL_DEFAULT

MAX_ROWS = 200
"""More namespaces are only counted."""

MAX_OF_ONE = 10
"""More namespaces that programs made within one pod or container stand behind those of all others, and so do more that
are nobody's: each may make any number, and shall not hide anybody else."""

_MAX_PEERS = 1000
"""Services over all rows, and as many other addresses, and as many that they accept at; more are only counted."""

_MAX_GAPS = 5000
"""Pairs of seconds and connections over all rows; beyond them those in 1/16 of an octave become one."""

_COARSE_BITS = 5


def worst(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """The worst of the rows, those with most to lose first; what is too much of them is cut off in place."""
    few = _fair(sorted(rows, key=_badness))[:MAX_ROWS]
    _bound(few)
    return few


def _fair(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    mains = {row["uid"] for row in rows if row["kind"] in ("pod", "container")}
    counts: Dict[Any, int] = {}
    front, behind = [], []
    for row in rows:
        owner = row["uid"] if row["uid"] in mains else None
        if row["kind"] == "other":
            counts[owner] = counts.get(owner, 0) + 1
        is_beyond = row["kind"] == "other" and counts[owner] > MAX_OF_ONE
        (behind if is_beyond else front).append(row)
    return front + behind


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
    connections = [row["accepted_omitted"] + sum(each["connections"] for each in row["accepted_at"]) for row in rows]
    _keep(rows, "accepted_at")
    for row, accepted in zip(rows, connections):
        row["accepted_omitted"] = accepted - sum(each["connections"] for each in row["accepted_at"])
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
