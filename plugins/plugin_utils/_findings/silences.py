# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings that the user has looked at and lives with: shown with the reason, not counted. Private."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, nearest
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import NODE

from .table import RULES

_OPTION = "keepalive_silence"

_FORM = "Write a list of {id: FINDING, reason: WHY} with nodes: [NAME] for some nodes only."


@dataclass(frozen=True)
class Silence:
    """One id, why it is silenced, and on which nodes; None is everywhere, the plan's own findings included."""

    id: str
    reason: str
    nodes: tuple[str, ...] | None

    def covers(self, finding: Mapping[str, Any]) -> bool:
        on_node = finding["scope_kind"] == NODE and finding["scope"] in (self.nodes or ())
        return finding["id"] == self.id and (self.nodes is None or on_node)


@dataclass(frozen=True)
class Silences:
    """All of them, in the order given."""

    each: tuple[Silence, ...] = ()

    def reason(self, finding: Mapping[str, Any]) -> str | None:
        """Why a finding does not count, None where it does. The first that covers it speaks."""
        return next((silence.reason for silence in self.each if silence.covers(finding)), None)

    def strangers(self, nodes: Iterable[str]) -> list[str]:
        """A sentence for each silence that names what is no node of the report."""
        known = set(nodes)
        unknown = [(each.id, name) for each in self.each for name in each.nodes or () if name not in known]
        return [
            tell(
                "{option}: {name} is no node of this report ({finding} is silenced on it).",
                option=_OPTION,
                name=name,
                finding=identity,
            )
            for identity, name in unknown
        ]


NO_SILENCES = Silences()


def parse_silences(value: object) -> Silences:
    """The silences from a plain list of mappings with id, reason and maybe nodes. Raises PlanError."""
    if not isinstance(value, list):
        raise PlanError(f"{_OPTION}: {value!r} is not a list. {_FORM}")
    return Silences(tuple(_silence(each) for each in value))


def _silence(value: object) -> Silence:
    if not isinstance(value, dict) or not set(value) <= {"id", "reason", "nodes"}:
        raise PlanError(f"{_OPTION}: {value!r} is not a mapping of id, reason and nodes. {_FORM}")
    identity, reason, nodes = value.get("id"), value.get("reason"), value.get("nodes")
    known = [rule.id for rule in RULES]
    if identity not in known:
        raise PlanError(f"{_OPTION}: {identity!r} is not the id of a finding. {nearest(str(identity), known)}")
    if not isinstance(reason, str) or not reason.strip():
        raise PlanError(f"{_OPTION}: {identity} has no reason. Say why it is silenced, for those who read the report.")
    if nodes is not None and not (isinstance(nodes, list) and all(isinstance(node, str) for node in nodes)):
        raise PlanError(f"{_OPTION}: {identity}: nodes {nodes!r} is not a list of names. {_FORM}")
    return Silence(str(identity), reason.strip(), None if nodes is None else tuple(nodes))
