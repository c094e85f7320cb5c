# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role's verify fails for: its own task, with plans for nodes as node_info returns them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.run import for_hosts
from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    nodes,
    plain_node,
    quiet_node,
    stock_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import SAFE, row, with_rows

VERIFY = Path(__file__).parents[2] / "roles/keepalive/tasks/verify.yml"
NEXT = "ansible-playbook kubenode.connections.apply --check --diff"
DENIED = "/proc/7/ns/net: Permission denied"


def failing():
    (task,) = (task for task in yaml.safe_load(VERIFY.read_text()) if "ansible.builtin.fail" in task)
    return task


def verify(tmp_path, node, policy, **of_node):
    """The exit code, and what the task says; ``of_node`` replaces parts of the node's plan."""
    planned = {**for_hosts(make_plan(nodes(node), policy), "2026-11-21T03:40:00Z", "5f0c93ab"), "next": NEXT}
    planned["nodes"]["worker1"].update(of_node)
    play = {
        "hosts": "worker1",
        "gather_facts": False,
        "vars": {"__keepalive_run": {"planned": planned}},
        "tasks": [failing()],
    }
    playbook = tmp_path / "verify.json"
    playbook.write_text(json.dumps([play]))
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "worker1,", "-c", "local", str(playbook)]
    env = environment(tmp_path)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def hidden():
    """A node that is safe, and three processes whose network namespace may not be seen."""
    node = with_rows(quiet_node(), row("a/b", SAFE))
    return altered(node, namespaces={"unreadable": 3, "error": DENIED})


@pytest.mark.parametrize(
    ("node", "policy", "failure"),
    [
        pytest.param(with_rows(quiet_node(), row("a/b", SAFE)), {}, None, id="all is well"),
        pytest.param(hidden(), {}, DENIED, id="namespaces that are hidden"),
        pytest.param(hidden(), {"pods": False}, None, id="the same where pods are to be left alone"),
        pytest.param(with_rows(quiet_node(), row("a/b", None, error=DENIED)), {}, DENIED, id="a pod that is hidden"),
        pytest.param(with_rows(quiet_node(), row("a/hostile")), {}, "a/hostile", id="a pod that has put its own back"),
        pytest.param(
            altered(plain_node(), kubelet=stock_node()["kubelet"]),
            {},
            "who forwards them is not known",
            id="a node of Cilium",
        ),
    ],
)
def test_what_is_hidden_or_to_be_cured_fails(node, policy, failure, tmp_path):
    code, output = verify(tmp_path, node, policy)
    assert (code, "FAILED!" in output) == ((2, True) if failure else (0, False)), output
    told = " ".join(output.split())
    assert failure is None or (failure in told and f"Run: {NEXT}" in told)
    assert "__keepalive" not in output


def test_no_apply_is_offered_where_nothing_has_to_change(tmp_path):
    node = altered(plain_node(), kubelet=stock_node()["kubelet"])
    code, output = verify(tmp_path, node, {}, to_converge=False)
    assert code == 2
    assert "Name what forwards Services in keepalive_middleboxes" in " ".join(output.split())
    assert "Run: " not in output
