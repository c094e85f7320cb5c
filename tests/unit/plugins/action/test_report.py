# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.kubenode.connections.plugins.action.report import ActionModule
from ansible_collections.kubenode.connections.plugins.plugin_utils._audit_text import audit_lines
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import nodes, stock_node


def run(check_mode=False, **arguments):
    task = Task()
    task.args = arguments
    task.check_mode = check_mode
    loader = DataLoader()
    play_context = PlayContext()
    connection = connection_loader.get("local", play_context, os.devnull)
    action = ActionModule(task, connection, play_context, loader, Templar(loader=loader), None)
    action._load_name = "report"  # as the plugin loader sets it
    return action.run(task_vars={})


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_lines_are_printed_as_they_are_and_returned(capsys, check_mode):
    several = nodes(stock_node(), None)
    plan = make_plan(several, {})
    result = run(check_mode, plan=plan, nodes=several)
    assert {key: result[key] for key in ("changed", "verdict", "lines")} == {
        "changed": False,
        "verdict": "unsafe",
        "lines": audit_lines(plan, several),
    }
    assert capsys.readouterr().out.splitlines() == result["lines"]


def test_marked_values_of_ansible_make_no_difference(capsys):
    several = nodes(stock_node())
    plan = make_plan(several, {})
    result = run(plan=wrap_var(plan), nodes=wrap_var(several))
    assert result["lines"] == audit_lines(plan, several)
    assert {type(line) for line in result["lines"]} == {str}
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"plan": {}}, "missing required arguments: nodes", id="an argument is missing"),
        pytest.param({"plan": {}, "nodes": {}, "mode": 1}, "Unsupported parameters .*mode", id="an argument too many"),
        pytest.param({"plan": [1], "nodes": {}}, "dict", id="an argument of the wrong type"),
    ],
)
def test_wrong_arguments_are_refused(capsys, arguments, message):
    with pytest.raises(AnsibleError, match=message):
        run(**arguments)
    assert capsys.readouterr().out == ""


def test_a_plan_that_is_none_is_refused(capsys):
    with pytest.raises(AnsibleActionFail) as caught:
        run(plan={}, nodes={})
    assert str(caught.value) == (
        "report: this is not a plan with its nodes (KeyError: 'nodes'). "
        "Give the result of the filter kubenode.connections.plan and the nodes that it was made from."
    )
    assert capsys.readouterr().out == ""
