# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module run as Ansible runs it on a node, in a process of its own."""

import json
import os
import subprocess
import sys

from ansible_collections.kubenode.connections.plugins.modules import node_settings
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import write

ROOT = os.path.dirname(os.path.abspath(node_settings.__file__)).rsplit(os.sep + "ansible_collections" + os.sep, 1)[0]
MODULE = "ansible_collections.kubenode.connections.plugins.modules."


def start(options, check=False, diff=True, name="node_settings"):
    """A process that runs the module as Ansible does on a node."""
    arguments = dict(options, _ansible_check_mode=check, _ansible_diff=diff)
    path = write(f"/run/arguments/{os.urandom(4).hex()}.json", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    environment = dict(
        os.environ, PYTHONPATH=os.pathsep.join([ROOT, *filter(None, sys.path)]), PYTHONDONTWRITEBYTECODE="1"
    )
    command = [sys.executable, "-m", MODULE + name, path]
    return subprocess.Popen(
        command, env=environment, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def result_of(process):
    """What the module returned. It never prints anything else, least of all a traceback."""
    out, err = process.communicate()
    assert err == ""
    return {key: value for key, value in json.loads(out).items() if key != "invocation"}


def run(options, check=False, diff=True, name="node_settings"):
    return result_of(start(options, check, diff, name))
