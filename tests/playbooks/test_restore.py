# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook restore, run for real on this machine, in network and mount namespaces of their own."""

from __future__ import annotations

import json
import subprocess
import sys

from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment
from ansible_collections.kubenode.connections.tests.playbooks.test_report import OWN
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import TIME


def restored(tmp_path, *commands):
    """What the playbook prints on a node of its own, on which these shell commands have run before."""
    inventory = tmp_path / "inventory.ini"
    inventory.write_text(f"node ansible_connection=local ansible_python_interpreter={sys.executable}\n")
    variables = json.dumps({"keepalive_become": False})
    playbook = f"{sys.executable} -m ansible playbook -i {inventory} kubenode.connections.restore -e '{variables}'"
    env = environment(tmp_path / "home")
    command = ["unshare", "--net", "--mount", "sh", "-ec", "\n".join([OWN, *commands, playbook])]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"this test needs root and namespaces: {done.stderr}{done.stdout}"
    return done.stdout


def test_a_node_whose_record_was_lost_is_told_what_stays(tmp_path):
    line = f"echo '{TIME} = 600' > /etc/sysctl.d/k8s.conf"
    assert f"/etc/sysctl.d/k8s.conf has {TIME} = 600. Whether this collection wrote that" in " ".join(
        restored(tmp_path, line).split()
    )


def test_a_node_on_which_nothing_was_set_is_told_nothing(tmp_path):
    told = restored(tmp_path)
    assert "1 node had nothing to give back." in " ".join(told.split())
    assert "this collection" not in told
    assert "at risk again" not in told
