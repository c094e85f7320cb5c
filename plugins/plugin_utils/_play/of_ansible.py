# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible knows of a play: the only room that asks it. Private to this collection.

Each host's variables are what Ansible itself would give a task of that host, by its own precedence, role defaults and
variables of the play included; it is asked once a host, in the one task that plans for all.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.release import __version__ as core

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import bare
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_pythons import too_old
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named

from .hosts import Host, Play, Template, host_of
from .variables import OF_PLAY

_ASK = "import sys; print('python %d.%d' % sys.version_info[:2])"


def read_play(action: Any, task_vars: Mapping[str, Any], registered: Iterable[str] = ()) -> Play:
    """The play that an action's task stands in, with what its hosts have registered under these names.

    Raises PlanError where a variable's template fails.
    """
    task, template, wanted = action._task, _template_by(action._templar), tuple(registered)
    play, manager = task.get_play(), task.get_variable_manager()
    inventory = manager._inventory
    names = [str(name) for name in task_vars["ansible_play_hosts_all"]]
    every = [str(host.name) for host in inventory.get_hosts(play.hosts, ignore_limits=True, ignore_restrictions=True)]
    of_play = manager.get_vars(play=play, _hosts=names, _hosts_all=names)
    hosts, unheard, wrong = {}, [], []
    for name in names:
        variables = manager.get_vars(
            play=play, host=inventory.get_host(name), task=task, _hosts=names, _hosts_all=names
        )
        try:
            hosts[name] = host_of(variables, wanted, template)
        except PlanError as error:
            wrong.append((str(error), name))
        unheard += [(each, name) for each in OF_PLAY if each in variables and variables[each] != of_play.get(each)]
    for told, where in grouped(wrong).items():
        raise PlanError(f"{told} (on {named(where)})" if len(where) < len(names) else told)
    return Play(hosts, tuple(name for name in every if name not in hosts), grouped(unheard))


def read_host(action: Any, task_vars: Mapping[str, Any]) -> Host:
    """The host of an action's task. Raises PlanError where a variable's template fails."""
    return host_of(task_vars, (), _template_by(action._templar))


def refuse_old_python(action: Any, outcome: Mapping[str, Any]) -> None:
    """Raise PlanError where a module printed no result because the node's Python is too old for this ansible-core.

    Ansible itself then speaks of JSON or of a syntax error. The node is asked for its version only in that case.
    """
    if "module_stderr" not in outcome:
        return
    program = str(action._used_interpreter or "").lstrip("#!").strip()
    ask = f"{program} -c {shlex.quote(_ASK)}"
    python = re.search(r"python (\d+\.\d+)", action._low_level_execute_command(ask)["stdout"])
    message = python and too_old(core, python[1], program)
    if message:
        raise PlanError(message)


def _template_by(templar: Any) -> Template:
    def template(variables: Mapping[str, Any], value: object) -> Any:
        try:
            return templar.copy_with_new_env(available_variables=variables).template(value)
        except Exception as error:  # an expression or a filter may raise anything; ansible-core 2.19 wraps it
            why = error.message if isinstance(error, AnsibleError) else f"{type(error).__name__}: {error}"
            raise PlanError(f"its template fails: {bare(why)}. Mend it, or leave the variable out.") from None

    return template
