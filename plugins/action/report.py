# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of kubenode.connections.report: prints the audit's words where the playbook runs."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.kubenode.connections.plugins.plugin_utils._audit_text import audit_lines
from ansible_collections.kubenode.connections.plugins.plugin_utils._errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._values import plain

_ARGUMENTS = {"plan": {"type": "dict", "required": True}, "nodes": {"type": "dict", "required": True}}


class ActionModule(ActionBase):
    """See plugins/modules/report.py for the documentation."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(_ARGUMENTS)  # type: ignore[no-untyped-call]
        plan = plain(arguments["plan"])
        try:
            lines = audit_lines(plan, plain(arguments["nodes"]))
        except PlanError as error:
            raise AnsibleActionFail(str(error)) from error  # type: ignore[no-untyped-call]
        for line in lines:
            Display().display(line)
        result.update(changed=False, lines=lines, verdict=plan["verdict"])
        return result
