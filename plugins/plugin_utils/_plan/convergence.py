# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a node has to be contacted again, or is as its settings want it. Private to this collection.

Where that is not certain it is: node_settings itself compares everything, and changes nothing that is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.ours import Ours
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from .types import Change, Settings


def has_to_converge(node: Observed, settings: Settings, changes: Iterable[Change], policy: Policy) -> bool:
    """Whether node_settings may have something to do: a value, something of an earlier run to give back, or connections
    to re-arm.
    """
    if settings.open_connections is not None or any(True for _change in changes):
        return True
    if node.ours is None:
        return settings != Settings()
    return any(_doubts(node, node.ours, settings, policy))


def _doubts(node: Observed, ours: Ours, settings: Settings, policy: Policy) -> Iterator[bool]:
    # A part that the settings leave empty stays as it is, see node_settings.
    yield any(key not in node.sysctls for key in settings.sysctls)
    if settings.sysctls:
        there = {key for key in settings.sysctls if (boot := node.boot(key)) and boot.file == policy.sysctl_file}
        yield _other(ours.sysctls, policy.sysctl_file, settings.sysctls.keys(), there)
    if settings.modules:
        line = f"{policy.modules_file}:"
        there = {name for name, module in node.modules.items() if (module.boot or "").startswith(line)}
        yield _other(ours.modules, policy.modules_file, set(settings.modules), there)
    if settings.ipvs_timeouts:
        yield bool(ours.ipvs_timeouts - settings.ipvs_timeouts.keys())
        yield ours.ipvs_unit != settings.ipvs_timeouts_persistent
    # Those that are listed would be a change.
    tables = node.namespaces.tables
    named = (tables.called(name) if tables else None for name in settings.namespace_ipvs_timeouts)
    yield any(table is None or table.timeouts is None for table in named)
    if settings.rps is not None:
        yield ours.rps != bool(settings.rps.rows)


def _other(ours: Mapping[str, Set[str]], path: str, wanted: Set[str], there: Set[str]) -> bool:
    """Whether our lines are others than wanted, or in another file; ``there``: the names that the file has anyway."""
    return any(names for file, names in ours.items() if file != path) or not (
        ours.get(path, frozenset()) <= wanted <= ours.get(path, frozenset()) | there
    )
