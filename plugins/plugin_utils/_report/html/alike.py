# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What looks the same as one: nodes, findings, notes. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell

Document = Mapping[str, Any]
Finding = Mapping[str, Any]

_Thing = TypeVar("_Thing")


def alike(things: Iterable[_Thing], looks: Callable[[_Thing], Hashable]) -> list[list[_Thing]]:
    """Those that look the same together, in the order of the first of them."""
    return list(grouped((looks(thing), thing) for thing in things).values())


def findings_of(document: Document, silenced: bool) -> list[list[Finding]]:
    """Findings with the same words in one, in the report's order."""
    chosen = [finding for finding in document["findings"] if (finding["silenced"] is not None) is silenced]
    return alike(
        chosen, lambda finding: tuple(finding[part] for part in ("severity", "id", "why", "remedy", "silenced"))
    )


def drift_of(document: Document) -> dict[str, list[list[Mapping[str, Any]]]]:
    """What changed since an earlier report; the same of several nodes as one."""
    parts = {
        "changes": ("what", "from", "to"),
        "findings_new": ("severity", "id", "observed"),
        "findings_gone": ("severity", "id", "observed"),
        "counters": ("counter", "from", "to"),
    }
    drift = document["drift"] or dict.fromkeys(parts, ())
    return {part: alike(drift[part], _by(keys)) for part, keys in parts.items()}


def _by(keys: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Hashable]:
    return lambda thing: tuple(thing[key] for key in keys)


def notes_of(document: Document) -> list[tuple[list[str], str]]:
    """What was noted or could not be read: the names of the nodes, and the note."""
    told = grouped((text, node["name"]) for node in document["nodes"] for text in _notes(node))
    return [(names, text) for text, names in told.items()]


def _notes(node: Mapping[str, Any]) -> Iterator[str]:
    for each in node["problems"]:
        told = {"what": each["what"], "why": each["why"], "do": each["do"]}
        yield tell("{what}: {why} {do}", **told) if each["do"] else tell("{what}: {why}", **told)
    yield from (tell("{what}: {why}", what=each["name"], why=each["why"]) for each in node["coverage"]["not_seen"])
    yield from node["notes"]
