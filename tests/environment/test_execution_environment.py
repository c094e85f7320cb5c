# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-builder and ansible-navigator make of the installed collection, by the files of docs/install.md.

COLLECTIONS names where it is installed. No image is built: that needs a base image from a registry.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment
from ansible_collections.kubenode.connections.tests.playbooks._commands import ROOT, blocks

PROGRAMS = Path(sys.executable).parent
COLLECTIONS = os.environ.get("COLLECTIONS", str(ROOT / ".build" / "collections"))
FILES = ("requirements.yml", "execution-environment.yml", "audit.yml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files that the page shows."""
    for name in FILES:
        (text,) = (block for block in blocks(ROOT / "docs" / "install.md", "yaml") if block.startswith(f"# {name}"))
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *command: str) -> str:
    env = environment(folder / "home") | {"ANSIBLE_COLLECTIONS_PATH": COLLECTIONS}
    env["PATH"] = f"{PROGRAMS}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=env, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_builder_reads_from_the_collection_what_it_needs(project: Path) -> None:
    found = yaml.safe_load(run(project, "ansible-builder", "introspect", "--sanitize", COLLECTIONS))
    assert [each.partition(" ")[0] for each in found["python"]] == ["jmespath"]
    assert found["system"] == []


def test_builder_makes_a_context_of_the_definition_that_the_page_shows(project: Path) -> None:
    run(project, "ansible-builder", "create")
    (base,) = yaml.safe_load((project / "execution-environment.yml").read_text())["images"].values()
    recipe = (project / "context" / "Containerfile").read_text()
    assert f'EE_BASE_IMAGE="{base["name"]}"' in recipe
    assert "collection install $ANSIBLE_GALAXY_CLI_COLLECTION_OPTS -r requirements.yml" in recipe
    given = yaml.safe_load((project / "context" / "_build" / "requirements.yml").read_text())
    assert given == yaml.safe_load((project / "requirements.yml").read_text())


def test_navigator_runs_the_audit_without_a_container_and_leaves_the_report(project: Path) -> None:
    (project / "inventory").write_text("node ansible_connection=local\n")
    alone = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc")
    command = ("ansible-navigator", "run", "audit.yml", "-i", "inventory", "--ee", "false", "--mode", "stdout")
    variables = json.dumps({"keepalive_become": False, "keepalive_report_dir": "reports"})
    printed = run(project, *alone, *command, "-e", variables)
    assert "Looked at: " in printed
    assert json.loads((project / "reports" / "report.json").read_text())["nodes"][0]["name"] == "node"
