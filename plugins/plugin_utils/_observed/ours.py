# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What earlier runs of node_settings changed on a node, as typed values. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.module_utils._common.plan_ids import is_plan_id
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import items, mapping, text


@dataclass(frozen=True)
class Ours:
    """Keys by the sysctl file that has them, modules by the file that loads them; whether unit and RPS are there.

    ``originals``: live values of sysctls without us. ``plan_id``: of the last plan that changed something, or empty.
    """

    sysctls: Mapping[str, frozenset[str]]
    modules: Mapping[str, frozenset[str]]
    ipvs_timeouts: frozenset[str]
    ipvs_unit: bool
    rps: bool
    originals: Mapping[str, str]
    plan_id: str


def parse_ours(ours: object) -> Ours | None:
    """None where it could not be read, or an older node_info did not look."""
    if not isinstance(ours, dict):
        return None
    return Ours(
        sysctls=_by_file(ours.get("sysctls")),
        modules=_by_file(ours.get("modules")),
        ipvs_timeouts=_names(ours.get("ipvs_timeouts")),
        ipvs_unit=ours.get("ipvs_unit") is True,
        rps=ours.get("rps") is True,
        originals={key: value for key, each in mapping(ours.get("originals")).items() if (value := text(each))},
        plan_id=plan_id if is_plan_id(plan_id := text(ours.get("plan_id")) or "") else "",
    )


def _by_file(files: object) -> dict[str, frozenset[str]]:
    return {path: _names(names) for path, names in mapping(files).items()}


def _names(names: object) -> frozenset[str]:
    return frozenset(name for each in items(names) if (name := text(each)) is not None)
