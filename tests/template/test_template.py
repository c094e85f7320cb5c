# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scenario of molecule that users copy, run for real beside the inventory of the examples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab.container.image import image
from ansible_collections.kubenode.connections.tests.lab.vm.tools import locked
from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment
from ansible_collections.kubenode.connections.tests.playbooks._commands import ROOT

EXAMPLES = ROOT / "docs" / "examples"
PROGRAMS = Path(sys.executable).parent

# What molecule/default gives podman as options: crun refuses machines with both versions of cgroups, and limits that
# are below the machine's own need no CAP_SYS_RESOURCE.
PODMAN = """[engine]
runtime = "runc"
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A user's repository: his inventory, and the scenario with an image in it and containers of this test's own."""
    folder = tmp_path / "repository"
    shutil.copytree(EXAMPLES / "inventory", folder / "inventory")
    shutil.copytree(EXAMPLES / "molecule", folder / "molecule")
    hosts = folder / "molecule" / "keepalive" / "hosts.yml"
    with locked():
        edited = hosts.read_text().replace("registry.example.org/node:1", image())
    hosts.write_text(edited.replace("molecule-{{", f"molecule-{os.getpid()}-{{{{"))
    return folder


def molecule_test(repository: Path) -> subprocess.CompletedProcess[str]:
    home = repository.parent
    (home / "containers.conf").write_text(PODMAN)
    env = environment(home / "ansible") | {
        "CONTAINERS_CONF": str(home / "containers.conf"),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(home / "molecule"),
        "NO_COLOR": "1",
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
    }
    del env["ANSIBLE_PYTHON_INTERPRETER"]
    command = ["molecule", "test", "-s", "keepalive"]
    done = subprocess.run(command, cwd=repository, env=env, check=False, capture_output=True, text=True)
    done.stdout += done.stderr
    return done


def steps(printed: str) -> list[tuple[str, str]]:
    """Each step of molecule, and what became of it."""
    return re.findall(r"\[keepalive > (\w+)\] .*Executed: (\w+)", printed)


def test_it_passes_with_an_inventory_that_is_good(repository: Path) -> None:
    done = molecule_test(repository)
    assert done.returncode == 0, done.stdout
    names = ("destroy", "syntax", "create", "prepare", "check", "converge", "idempotence", "verify", "side_effect")
    assert steps(done.stdout) == [(name, "Successful") for name in (*names, "destroy")]


def test_it_fails_with_a_misspelt_variable_and_leaves_no_container(repository: Path) -> None:
    (repository / "inventory" / "group_vars" / "kube_node.yml").write_text("keepalive_profil: derived\n")
    done = molecule_test(repository)
    assert done.returncode != 0
    assert ("check", "Failed") in steps(done.stdout), done.stdout
    assert "keepalive_profil" in done.stdout
    there = subprocess.run(["podman", "ps", "--all", "--format={{.Names}}"], check=True, capture_output=True, text=True)
    assert f"molecule-{os.getpid()}-" not in there.stdout
