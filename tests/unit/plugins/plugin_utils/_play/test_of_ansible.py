# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's own objects, as its strategy makes them: an inventory, group_vars, a role with defaults, extra vars."""

from __future__ import annotations

import os
import sys

import pytest
import yaml
from ansible import context
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible.utils import vars as ansible_vars
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.kubenode.connections.plugins.action.check_variables import ActionModule
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.of_ansible import (
    read_host,
    read_play,
    refuse_old_python,
)

HOSTS = """
all:
  hosts:
    cp1: {scheduler: fq}
    node1:
    node2: {keepalive_rps: auto}
  children:
    workers:
      hosts:
        node1:
        node2:
"""

FILES = {
    "hosts.yml": HOSTS,
    "group_vars/all.yml": "ours: 60\nkeepalive_margin: '{{ ours }}'\nkeepalive_lost_probes: 1\n",
    "group_vars/workers.yml": "keepalive_sysctls: {net.core.default_qdisc: '{{ hostvars.cp1.scheduler }}'}\n",
    "roles/keepalive/defaults/main.yml": "keepalive_profile: derived\nkeepalive_margin: 0\nkeepalive_lost_probes: 2\n",
    "roles/keepalive/tasks/main.yml": "- debug:\n",
}

PLAY = {"hosts": "all", "gather_facts": False, "roles": ["keepalive"]}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Gives an action of a play in that folder, and the variables of its first host."""

    def started(play=None, limit=None, extra_vars=(), files=None, registered=None):
        for name, text in {**FILES, **(files or {})}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        monkeypatch.setattr(context, "CLIARGS", ImmutableDict(extra_vars=tuple(extra_vars)))
        monkeypatch.delattr(ansible_vars.load_extra_vars, "extra_vars", raising=False)
        (tmp_path / "play.yml").write_text(yaml.safe_dump([{**PLAY, **(play or {})}]))
        loader = DataLoader()
        loader.set_basedir(str(tmp_path))
        inventory = InventoryManager(loader=loader, sources=[str(tmp_path / "hosts.yml")])
        inventory.subset(limit)
        manager = VariableManager(loader=loader, inventory=inventory)
        HostVars(inventory, manager, loader)  # the manager keeps it
        for host, facts in (registered or {}).items():
            manager.set_nonpersistent_facts(host, facts)
        plays = Playbook.load(str(tmp_path / "play.yml"), variable_manager=manager, loader=loader).get_plays()
        return _action(plays[0], inventory, manager, loader)

    yield started
    monkeypatch.undo()
    if hasattr(ansible_vars.load_extra_vars, "extra_vars"):
        del ansible_vars.load_extra_vars.extra_vars


def _action(play, inventory, manager, loader):
    task = next(task for block in play.compile() for task in block.block if task.action.endswith("debug"))
    hosts = inventory.get_hosts(play.hosts)
    names = [host.name for host in hosts]
    task_vars = manager.get_vars(play=play, host=hosts[0], task=task, _hosts=names, _hosts_all=names)
    play_context = PlayContext()
    connection = connection_loader.get("local", play_context, os.devnull)
    return ActionModule(task, connection, play_context, loader, Templar(loader=loader, variables=task_vars), None), (
        task_vars
    )


def test_each_host_has_its_own_variables_by_ansibles_precedence(run):
    play = read_play(*run())
    assert {name: host.variables for name, host in play.hosts.items()} == {
        "cp1": {"keepalive_profile": "derived", "keepalive_margin": 60, "keepalive_lost_probes": 1},
        "node1": {
            "keepalive_profile": "derived",
            "keepalive_margin": 60,
            "keepalive_lost_probes": 1,
            "keepalive_sysctls": {"net.core.default_qdisc": "fq"},
        },
        "node2": {
            "keepalive_profile": "derived",
            "keepalive_margin": 60,
            "keepalive_lost_probes": 1,
            "keepalive_sysctls": {"net.core.default_qdisc": "fq"},
            "keepalive_rps": "auto",
        },
    }
    assert play.left_out == ()


@pytest.mark.parametrize(
    ("play", "extra_vars", "margin"),
    [
        pytest.param({"vars": {"keepalive_margin": 5}}, (), 5, id="of the play"),
        pytest.param({"roles": [{"role": "keepalive", "vars": {"keepalive_margin": 6}}]}, (), 6, id="of the role"),
        pytest.param({"vars": {"keepalive_margin": 5}}, ("keepalive_margin=7",), "7", id="of the command, as text"),
        pytest.param({}, ('{"keepalive_margin": 8}',), 8, id="of the command, as JSON"),
        pytest.param(
            {"vars": {"keepalive_margin": "{{ groups.workers | join }}"}}, (), "node1node2", id="of the inventory"
        ),
        pytest.param({}, ("ours=9",), "9", id="one that another refers to"),
    ],
)
def test_where_a_variable_may_be_set(run, play, extra_vars, margin):
    hosts = read_play(*run(play, extra_vars=extra_vars)).hosts
    assert [host.variables["keepalive_margin"] for host in hosts.values()] == [margin] * 3


@pytest.mark.parametrize(
    ("play", "extra_vars", "unheard"),
    [
        pytest.param({}, (), ["cp1", "node1", "node2"], id="in the inventory alone"),
        pytest.param({"vars": {"keepalive_serial": "50%"}}, (), [], id="of the play"),
        pytest.param({}, ("keepalive_serial=100%",), [], id="of the command"),
    ],
)
def test_where_ansible_does_not_look_for_batches(run, play, extra_vars, unheard):
    files = {"group_vars/all.yml": "keepalive_serial: 100%\nkeepalive_become: false\n"}
    found = read_play(*run(play, extra_vars=extra_vars, files=files)).unheard
    assert found == ({"keepalive_serial": unheard} if unheard else {})


def test_the_values_are_plain(run):
    variables = read_play(*run(extra_vars=("keepalive_report_dir=/r",))).hosts["node1"].variables
    assert type(variables["keepalive_report_dir"]) is str
    assert type(variables["keepalive_sysctls"]) is dict
    assert {type(name) for name in variables} == {str}


def test_the_hosts_that_the_limit_left_out(run):
    play = read_play(*run(limit="node1"))
    assert (list(play.hosts), play.left_out) == (["node1"], ("cp1", "node2"))
    assert play.hosts["node1"].variables["keepalive_sysctls"] == {"net.core.default_qdisc": "fq"}


def test_hosts_of_another_play_are_not_left_out(run):
    play = read_play(*run({"hosts": "workers"}, limit="node1,cp1"))
    assert (list(play.hosts), play.left_out) == (["node1"], ("node2",))


def test_what_the_hosts_have_registered(run):
    seen = {"node1": {"observed": {"node": {"hostname": "{{ broken }}"}, "other": 1}}}
    play = read_play(*run(registered=seen), ("observed", "converged"))
    assert {name: host.registered for name, host in play.hosts.items()} == {
        "cp1": {},
        "node1": {"observed": {"node": {"hostname": "{{ broken }}"}, "other": 1}},
        "node2": {},
    }


@pytest.mark.parametrize(
    ("value", "why"),
    [
        pytest.param("{{ nobody }}", "'nobody' is undefined", id="a name that is not there"),
        pytest.param("{{ 1 + }}", "unexpected", id="no template"),
        pytest.param("{{ [] | nofilter }}", "nofilter", id="a filter that is not there"),
        pytest.param("{{ 1 // 0 }}", "zero", id="an error within"),
    ],
)
def test_a_template_that_fails_is_told_with_its_variable(run, value, why):
    with pytest.raises(PlanError) as caught:
        read_play(*run({"vars": {"keepalive_margin": value}}))
    assert str(caught.value).startswith("keepalive_margin: its template fails: ")
    assert why in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    ("group", "whose"),
    [pytest.param("all", "", id="of all hosts"), pytest.param("workers", " (on node1, node2)", id="of some")],
)
def test_a_template_that_fails_is_told_with_the_hosts_that_have_it(run, group, whose):
    with pytest.raises(PlanError) as caught:
        read_play(*run(files={f"group_vars/{group}.yml": "keepalive_margin: '{{ nobody }}'\n"}))
    assert "'nobody' is undefined" in str(caught.value)
    assert str(caught.value).endswith(f". Mend it, or leave the variable out.{whose}")


def test_the_host_of_a_task(run):
    action, task_vars = run(limit="node2")
    assert read_host(action, task_vars) == read_play(action, task_vars).hosts["node2"]


@pytest.mark.parametrize("outcome", [{}, {"failed": True, "msg": "Its own words."}, {"module_stderr": "Killed"}])
def test_a_module_that_began_or_whose_python_fits_is_left_to_its_own_words(run, outcome):
    action, _task_vars = run()
    action._used_interpreter = f"#!{sys.executable}"
    refuse_old_python(action, outcome)


def test_a_python_that_is_too_old_is_refused(run, tmp_path):
    old = tmp_path / "python2.7"
    old.write_text("#!/bin/sh\necho python 2.7\n")
    old.chmod(0o755)
    action, _task_vars = run()
    action._used_interpreter = f"#!{old}"
    with pytest.raises(
        PlanError, match=rf"^{old} on the node is Python 2\.7, ansible-core 2\.\S+ needs 3\.\d+ or newer"
    ):
        refuse_old_python(action, {"module_stderr": "SyntaxError: invalid syntax"})
