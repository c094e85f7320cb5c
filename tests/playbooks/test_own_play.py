# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/examples/own-play.yml, run for real in namespaces of its own: whose tags run what, and when its handler runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment
from ansible_collections.kubenode.connections.tests.playbooks._commands import ROOT

PLAY = ROOT / "docs" / "examples" / "own-play.yml"
FOLDERS = "/etc/sysctl.d /etc/modules-load.d /var/lib"
OWN = f"for folder in {FOLDERS}; do mount -t tmpfs -o mode=755 tmpfs $folder || exit; done"
ALONE = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"]

RUNS = {
    "only the own tasks": "--skip-tags keepalive",
    "foreseen": "--tags keepalive --check",
    "applied": "",
    "again": "",
    "only the role": "--tags keepalive",
}


def test_its_handler_runs_where_the_role_changed_something(tmp_path: Path) -> None:
    inventory = {"k8s_cluster": {"hosts": {"node": {"ansible_connection": "local"}}}}
    (tmp_path / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
    variables = {"ansible_become": False, "keepalive_middleboxes": ["aws_nlb"]}
    (tmp_path / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
    command = f"{sys.executable} -m ansible playbook -i {tmp_path}/inventory.yml -e @{tmp_path}/variables.json {PLAY}"
    script = "\n".join([OWN, *(f"echo RUN; {command} {options} || exit" for options in RUNS.values())])
    env = environment(tmp_path / "home")
    done = subprocess.run([*ALONE, "sh", "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for name, printed in zip(RUNS, done.stdout.split("RUN\n")[1:], strict=True):
        (changed,) = re.findall(r" changed=(\d+) ", printed)
        found[name] = (int(changed), "RUNNING HANDLER [Note when it was changed]" in printed)
    assert found == {
        "only the own tasks": (1, False),
        "foreseen": (2, True),
        "applied": (2, True),
        "again": (0, False),
        "only the role": (0, False),
    }
