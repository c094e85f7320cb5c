# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules that run on a host, from its variables and its settings. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import parse_policy

from .variables import PREFIX, wishes_of


def node_info_options(variables: Mapping[str, Any], sample: bool) -> dict[str, Any]:
    """Those of node_info. Without ``sample`` counters are read once. Raises PlanError."""
    seconds = variables.get(f"{PREFIX}sample_seconds", 0) if sample else 0
    further = list(parse_policy(wishes_of(variables)).sysctls)
    return {**_ask_kube_proxy(variables), "sample_seconds": seconds, "sysctls": further}


def node_settings_options(settings: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The options of node_settings for a node's settings, with the look at the node afterwards.

    What is empty there means that the plan has no wish, not that the node shall have its originals back: that is
    restore. Empty RPS does give it back, for it is asked for by its variable alone; None means that nobody could look.
    So does empty enforcement.
    """
    parts = ("modules", "sysctls", "ipvs_timeouts", "namespace_ipvs_timeouts", "pods", "containers")
    options: dict[str, Any] = {name: settings[name] for name in parts if settings[name]}
    asked_for = ("rps", "enforce", "open_connections")
    options.update({name: value for name in asked_for if (value := settings.get(name)) is not None})
    files = {name: value for name in ("sysctl_file", "modules_file") if (value := variables.get(PREFIX + name))}
    persistent = settings["ipvs_timeouts_persistent"]
    return {**options, **files, "ipvs_timeouts_persistent": persistent, "observe": _ask_kube_proxy(variables)}


def _ask_kube_proxy(variables: Mapping[str, Any]) -> dict[str, Any]:
    names = ("kube_proxy_address", "kube_proxy_timeout")
    return {name: value for name in names if (value := variables.get(PREFIX + name)) not in (None, "")}
