# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of kubenode.connections.observe: one execution of node_info, with the options that a host's variables say."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_options import node_info_options
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_text import with_text
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.of_ansible import read_host, refuse_old_python

_ARGUMENTS = {"sample": {"type": "bool", "default": True}}


class ActionModule(ActionBase):
    """See plugins/modules/observe.py for the documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(_ARGUMENTS)  # type: ignore[no-untyped-call]
        try:
            options = node_info_options(read_host(self, task_vars or {}).variables, arguments["sample"])
            outcome = self._execute_module("kubenode.connections.node_info", options, task_vars=task_vars)
            refuse_old_python(self, outcome)
        except PlanError as error:
            raise AnsibleActionFail(str(error)) from None  # type: ignore[no-untyped-call]
        return {**result, **with_text(outcome)}
