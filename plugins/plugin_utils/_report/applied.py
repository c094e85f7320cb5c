# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an apply did to a node, in the report's document. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive, of_values
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, plural, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import items, mapping, text
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import VERDICTS
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import enforced_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse_applied import (
    open_connections,
    pods_not_taken,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.enforcement import WHAT as ENFORCED

_KINDS = {
    "modules": "module",
    "sysctls": "sysctl",
    "ipvs_timeouts": "ipvs timeout",
    "rps": "rps",
    "enforce": "enforcement",
    "pods": "pod",
    "containers": "container",
    "files": "file",
}
"""The parts of what node_settings returns, and what each of their entries is."""

CHANGED, UNCHANGED, UNDONE, LEFT, UNTOUCHED, UNCLEAR = OUTCOMES = (
    "changed",
    "unchanged",
    "undone",
    "left",
    "untouched",
    "unclear",
)
"""How an apply ended on a node: undone after a failure, left half-way by one, not come to, or nobody knows."""

_NOT_AS_BEFORE = "The node is not as before"
"""What node_settings says where it could not undo a failed run."""

_LONGEST_FILE = 4000
_MOST_ROWS = 200

_LOADED = {True: "loaded", False: "not loaded"}


def describe_applied(outcome: object, verdict_before: object) -> dict[str, Any] | None:
    """Before and after of a node, None where node_settings did not run there.

    ``outcome`` is what node_settings returned, or failed with.
    """
    if not isinstance(outcome, dict) or not outcome:
        return None
    failed = outcome.get("failed") is True or outcome.get("unreachable") is True
    error = text(outcome.get("msg")) or "node_settings failed" if failed else None
    return {
        "outcome": _ending(outcome, error),
        "changed": outcome.get("changed") is True,
        "error": error,
        "verdict_before": verdict_before if verdict_before in VERDICTS else None,
        "values": list(_values(mapping(outcome.get("before")), mapping(outcome.get("after")))),
        "pods_not_taken": [asdict(pod) for pod in pods_not_taken(outcome)],
        "open_connections": _open_connections(outcome),
        "notes": [note for each in items(outcome.get("notes")) if (note := text(each)) is not None],
    }


def failed(document: Mapping[str, Any]) -> list[str]:
    """The nodes on which an apply failed."""
    return [node["name"] for node in document["nodes"] if node["applied"] and node["applied"]["error"]]


def untouched(document: Mapping[str, Any]) -> list[str]:
    """The nodes that an apply should have changed and did not come to."""
    return [node["name"] for node in document["nodes"] if (node["applied"] or {}).get("outcome") == UNTOUCHED]


def sentence(document: Mapping[str, Any]) -> Message:
    """How many nodes were changed, and which failed or were not come to."""
    changed = sum(node["applied"]["changed"] for node in document["nodes"] if node["applied"])
    number, wrong, missing = len(document["nodes"]), failed(document), untouched(document)
    if document["check_mode"]:
        done = plural(
            "Check mode: apply would change {changed} of {number} nodes; nothing was written.",
            "Check mode: apply would change {changed} of {number} node; nothing was written.",
            number,
            changed=changed,
        )
    else:
        done = plural(
            "Apply changed {changed} of {number} nodes.",
            "Apply changed {changed} of {number} node.",
            number,
            changed=changed,
        )
    if wrong:
        done = tell("{text} It failed on {nodes}.", text=done, nodes=named(wrong))
    return tell("{text} It did not touch {nodes}.", text=done, nodes=named(missing)) if missing else done


def _ending(outcome: Mapping[str, object], error: str | None) -> str:
    if outcome.get("untouched") is True:
        return UNTOUCHED
    if outcome.get("changed") is True:
        return CHANGED
    if error is None:
        return UNCHANGED
    if outcome.get("unreachable") is True or "module_stdout" in outcome:
        return UNCLEAR
    return LEFT if _NOT_AS_BEFORE in error else UNDONE


def _values(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    for part, kind in _KINDS.items():
        old, new = _part(part, before), _part(part, after)
        for what in [*old, *(name for name in new if name not in old)]:
            was, is_now = _text(old.get(what)), _text(new.get(what))
            yield {"kind": kind, "what": what, "before": was, "after": is_now, "changed": was != is_now}


def _part(part: str, side: Mapping[str, object]) -> dict[str, object]:
    """One part by name; IPVS timeouts of other network namespaces beside the node's own."""
    if part == "enforce":
        return _enforced(side.get(part))
    found = dict(mapping(side.get(part)))
    if part == "ipvs_timeouts":
        for label, timeouts in mapping(side.get("namespace_ipvs_timeouts")).items():
            found.update((f"{name} in {label}", seconds) for name, seconds in mapping(timeouts).items())
    return found


def _enforced(value: object) -> dict[str, object]:
    """``time/intvl/probes``, or a mapping that says what is left out, too."""
    plain, told = mapping(value), _text(value)
    if plain:
        keepalive = text(plain.get("keepalive"))
        values = of_values(*map(plain.get, Keepalive._fields)) or (keepalive and of_values(*keepalive.split("/")))
        parsed = enforced_of(values, plain) if isinstance(values, Keepalive) else None
        told = str(parsed) if parsed else None
    return {ENFORCED: told} if told else {}


def _open_connections(outcome: object) -> dict[str, Any] | None:
    """What became of open connections; of the rows those with something left, the report's findings say why."""
    done = open_connections(outcome)
    if done is None:
        return None
    rows = [asdict(row) for row in done.rows[:_MOST_ROWS]]
    plain = [{**row, "not_rearmed": [dict(each) for each in row["not_rearmed"]]} for row in rows]
    more = done.more_rows + len(done.rows[_MOST_ROWS:])
    return {"rearmed": done.rearmed, "not_rearmed": done.not_rearmed, "rows": plain, "more_rows": more}


def _text(value: object) -> str | None:
    """A value as text; None where there is none, which is a file or a key that is not there."""
    if isinstance(value, bool):
        return _LOADED[value]
    return text(str(value), _LONGEST_FILE) if isinstance(value, (str, int)) else None
