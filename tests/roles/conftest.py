# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays that write on this machine, in namespaces of their own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment

# All that these plays write; /run for the lock, and because a systemd that is not there needs no reload.
OWN = """\
for folder in /etc/sysctl.d /etc/systemd /var/lib /run; do
    mount -t tmpfs -o mode=755 tmpfs $folder || exit 99
done
"""


@pytest.fixture
def play(tmp_path):
    """Return a function that runs tasks on this machine, in namespaces of its own, and gives all that was printed."""

    def run(tasks, *options, before="true", code=0):
        playbook = tmp_path / "play.json"
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        words = ["playbook", "-i", "localhost,", "-c", "local", "--diff", "-vvv", str(playbook), *options]
        script = "\n".join([OWN, before, f'exec "$0" -m ansible {" ".join(words)}'])
        command = ["unshare", "--net", "--mount", "sh", "-c", script, sys.executable]
        done = subprocess.run(command, env=environment(tmp_path / "home"), capture_output=True, text=True, check=False)
        printed = done.stdout + done.stderr
        assert done.returncode == code, f"these tests need root and namespaces: {printed}"
        assert "PLAY RECAP" in printed
        return printed

    return run
