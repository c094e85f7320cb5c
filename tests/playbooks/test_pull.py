# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The timer of docs/pull.md: what its service starts, on the files that the page shows, in namespaces of its own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment
from ansible_collections.kubenode.connections.tests.playbooks._commands import ROOT, blocks

PAGE = ROOT / "docs" / "pull.md"
FOLDERS = "/etc/sysctl.d /etc/modules-load.d /var/lib"
OWN = f"for folder in {FOLDERS}; do mount -t tmpfs -o mode=755 tmpfs $folder || exit; done"
ALONE = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"]
TIME = "net.ipv4.tcp_keepalive_time"


def shown(name: str, language: str = "yaml") -> str:
    (text,) = (block for block in blocks(PAGE, language) if block.startswith(f"# {name}"))
    return text


def repository(folder: Path) -> str:
    """The page's repository, as git has it."""
    folder.mkdir()
    (folder / "verify.yml").write_text(shown("verify.yml"), encoding="utf-8")
    apply = shown("verify.yml").replace("connections.verify", "connections.apply")
    (folder / "apply.yml").write_text(apply, encoding="utf-8")
    git = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=n@example.com"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Nodes"]):
        subprocess.run([*git, *words], check=True)
    return folder.as_uri()


def started(url: str, checkout: Path) -> str:
    """What the service starts, with this repository, this folder and this Ansible."""
    (line,) = re.findall(r"^ExecStart=(.+)$", shown("/etc/systemd/system/kubenode-pull.service", "ini"), re.MULTILINE)
    program, *words = shlex.split(line)
    words[words.index("--url") + 1], words[words.index("--directory") + 1] = url, str(checkout)
    return shlex.join([str(Path(sys.executable).parent / Path(program).name), *words])


def test_its_exit_status_tells_what_changed_and_it_changes_nothing(tmp_path: Path) -> None:
    pull = started(repository(tmp_path / "nodes"), tmp_path / "checkout")
    apply = f"{sys.executable} -m ansible playbook -i localhost, -c local {tmp_path}/nodes/apply.yml"
    look = f"echo status: $? $(sysctl -n {TIME})"
    script = f"{OWN}; {pull}; {look}; {apply}; {pull}; {look}; sysctl -q -w {TIME}=7200; {pull}; {look}"
    env = environment(tmp_path / "home")
    done = subprocess.run([*ALONE, "sh", "-c", script], env=env, capture_output=True, text=True, check=False)
    found = re.findall(r"^status: (\d+) (\d+)$", done.stdout, re.MULTILINE)
    assert found == [("2", "7200"), ("0", "233"), ("2", "7200")], done.stdout + done.stderr
    assert f"{TIME}: 7200 -> 233" in done.stdout.rpartition("status: 0")[2]
