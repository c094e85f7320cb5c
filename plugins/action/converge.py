# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of kubenode.connections.converge: one execution of node_settings, and a look at what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_options import node_settings_options
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_text import with_text
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.of_ansible import read_host, refuse_old_python
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.run import judge_after
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.variables import wishes_of

_SETTINGS = {
    "modules": {"type": "list", "elements": "str", "required": True},
    "sysctls": {"type": "dict", "required": True},
    "ipvs_timeouts": {"type": "dict", "required": True},
    "ipvs_timeouts_persistent": {"type": "bool", "required": True},
    "rps": {"type": "dict"},
    "pods": {"type": "dict"},
    "containers": {"type": "dict"},
    "namespace_ipvs_timeouts": {"type": "dict", "default": {}},
    "enforce": {"type": "dict"},
    "open_connections": {"type": "dict"},
}

_LIMIT = {
    "seconds": {"type": "int", "required": True},
    "name": {"type": "str", "required": True},
    "node": {"type": "str"},
}

_NODE = {
    "to_converge": {"type": "bool", "required": True},
    "settings": {"type": "dict", "options": _SETTINGS, "required": True},
    "verdict": {"type": "str"},
    "limit": {"type": "dict", "options": _LIMIT},
    "summary": {"type": "str"},
    "failure": {"type": "str"},
    "watch": {"type": "dict"},
    "plan": {"type": "dict", "options": {"id": {"type": "str"}, "seen": {"type": "str"}}},
}

_ARGUMENTS = {
    "node": {"type": "dict", "options": _NODE, "required": True},
    "limit": {"type": "dict", "options": _LIMIT},
    "planned_at": {"type": "str"},
}


class ActionModule(ActionBase):
    """See plugins/modules/converge.py for the documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(_ARGUMENTS)  # type: ignore[no-untyped-call]
        arguments = plain(arguments)
        if not arguments["node"]["to_converge"]:
            return {**result, "changed": False}
        try:
            return {**result, **self._converged(arguments, task_vars or {}), "planned_at": arguments["planned_at"]}
        except PlanError as error:
            raise AnsibleActionFail(str(error)) from None  # type: ignore[no-untyped-call]

    def _converged(self, arguments: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        variables = read_host(self, task_vars).variables
        outcome: dict[str, Any] = self._execute_module(
            module_name="kubenode.connections.node_settings",
            module_args={
                **node_settings_options(arguments["node"]["settings"], variables),
                "plan": arguments["node"]["plan"],
            },
            task_vars=task_vars,
        )
        refuse_old_python(self, outcome)
        if outcome.get("failed") or self._task.check_mode:
            return outcome
        name = str(task_vars["inventory_hostname"])
        written = arguments["node"]["settings"]["sysctls"]
        message = judge_after(name, plain(outcome.get("node")), wishes_of(variables), arguments["limit"], written)
        failure = {"failed": True, "msg": message} if message else {}
        return {**with_text(outcome), **failure}
