# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of kubenode.connections.check_variables: refuses wrong variables before anything is observed."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.of_ansible import read_play
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.variables import (
    check,
    refuse_misspelt_of_role,
    refuse_tags,
    refuse_unheard,
)

_ARGUMENTS = {"of_playbook": {"type": "bool", "default": False}, "of_role": {"type": "bool", "default": False}}


class ActionModule(ActionBase):
    """See plugins/modules/check_variables.py for the documentation."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(_ARGUMENTS)  # type: ignore[no-untyped-call]
        variables = task_vars or {}
        try:
            if arguments["of_role"]:
                refuse_misspelt_of_role(
                    map(str, variables), variables["role_name"], self._options(variables["role_path"])
                )
            else:
                self._check_play(variables, arguments["of_playbook"])
        except PlanError as error:
            raise AnsibleActionFail(str(error)) from None  # type: ignore[no-untyped-call]
        return {**result, "changed": False}

    def _check_play(self, variables: dict[str, Any], of_playbook: bool) -> None:
        if of_playbook:
            refuse_tags(variables["ansible_run_tags"], self._task.tags)
        play = read_play(self, variables)
        if of_playbook:
            refuse_unheard(play.unheard)
        check({name: host.variables for name, host in play.hosts.items()})

    def _options(self, role_path: str) -> set[str]:
        """The variables of all entry points of a role of this collection."""
        specs = self._loader.load_from_file(f"{role_path}/meta/argument_specs.yml")["argument_specs"]
        return {str(name) for spec in specs.values() for name in spec.get("options", ())}
