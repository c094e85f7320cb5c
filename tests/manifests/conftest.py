# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifests as the role renders them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAY = Path(__file__).with_name("play.yml")
KEEPALIVE = {"time": 600, "intvl": 30, "probes": 9}

Play = Callable[..., str]


@pytest.fixture(scope="session")
def play() -> Play:
    """Run the role with these variables; what Ansible printed, in lines as long as they are."""

    def run(fails: bool = False, **variables: Any) -> str:
        program = Path(sys.executable).with_name("ansible-playbook")
        command = [str(program), str(PLAY), "--diff", "--extra-vars", json.dumps(variables)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def folder(play: Play, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the manifests of a keepalive of 600/30/9."""
    made = tmp_path_factory.mktemp("manifests") / "pod-defaults"
    play(pod_defaults_manifests_dir=str(made), pod_defaults_keepalive=KEEPALIVE)
    return made


@pytest.fixture(scope="session")
def documents(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The YAML documents of each manifest, by its file's name."""
    return {path.name: list(yaml.safe_load_all(path.read_text())) for path in folder.iterdir()}
