# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a play and their variables, as plain values. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError

from .variables import PREFIX

Template = Callable[[Mapping[str, Any], object], Any]
"""Gives a value with its template worked out among these variables; raises PlanError."""


@dataclass(frozen=True)
class Host:
    """One host: its variables with our prefix, and what its tasks have registered under the names asked for."""

    variables: Mapping[str, Any]
    registered: Mapping[str, Any]


@dataclass(frozen=True)
class Play:
    """The hosts of this run in their order, and those that the play's pattern has and ``--limit`` left out.

    ``unheard``: variables of OF_PLAY that hosts have and the play has not, with these hosts.
    """

    hosts: Mapping[str, Host]
    left_out: tuple[str, ...] = ()
    unheard: Mapping[str, list[str]] = field(default_factory=dict)


def host_of(variables: Mapping[str, Any], registered: Iterable[str], template: Template) -> Host:
    """A host out of all its variables. Of these only ours are templated. Raises PlanError."""
    ours = {
        str(name): _templated(str(name), value, variables, template)
        for name, value in variables.items()
        if str(name).startswith(PREFIX)
    }
    return Host(ours, {name: plain(variables[name]) for name in registered if name in variables})


def _templated(name: str, value: object, variables: Mapping[str, Any], template: Template) -> Any:
    if not _may_be_template(value):
        return plain(value)
    try:
        return plain(template(variables, value))
    except PlanError as error:
        raise PlanError(f"{name}: {error}") from None


def _may_be_template(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_may_be_template, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_may_be_template, value))
    return isinstance(value, str) and ("{{" in value or "{%" in value)
