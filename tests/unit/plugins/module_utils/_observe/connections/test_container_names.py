# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files as Docker and podman leave them."""

import json
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.container_names import labels
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.pod_names import Container

ID = "5c" * 32
SHORT = "5c5c5c5c5c5c"


@pytest.fixture(name="label")
def _label(tmp_path):
    """The label of a container with the files that are given; paths begin with docker or podman."""

    def label(engine, files, rootless=False, identity=ID):
        for path, content in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content if isinstance(content, str) else json.dumps(content))
        box = Container(engine, identity, rootless)
        return labels([box, box], str(tmp_path / "docker"), str(tmp_path / "podman"))[box]

    return label


CONFIG = f"docker/{ID}/config.v2.json"
LIST = [{"id": "77" * 32, "names": ["db"]}, {"id": ID, "names": ["web", "alias"]}, {"id": "x"}, 3]


@pytest.mark.parametrize(
    ("engine", "files", "told"),
    [
        pytest.param("docker", {CONFIG: {"Name": "/web", "State": {}}}, "web (docker)", id="Docker"),
        pytest.param("docker", {CONFIG: {"Name": "/kind-worker2"}}, "kind-worker2 (docker)", id="a node of kind"),
        pytest.param("docker", {CONFIG: {"Name": "/web.1.k5r2o9x"}}, "web.1.k5r2o9x (docker)", id="a task of Swarm"),
        pytest.param("docker", {}, f"{SHORT} (docker)", id="another data-root"),
        pytest.param("docker", {CONFIG: "{"}, f"{SHORT} (docker)", id="half a file"),
        pytest.param("docker", {CONFIG: "[" * 100000}, f"{SHORT} (docker)", id="a deep file"),
        pytest.param("docker", {CONFIG: {"Name": "/w\x1b[2Jeb"}}, f"{SHORT} (docker)", id="control characters"),
        pytest.param("docker", {CONFIG: {"Name": ["/web"]}}, f"{SHORT} (docker)", id="no text"),
        pytest.param("docker", {CONFIG: {"Name": "/web", "x": "y" * (5 << 20)}}, f"{SHORT} (docker)", id="too long"),
        pytest.param("podman", {"podman/containers.json": LIST}, "web (podman)", id="podman"),
        pytest.param("podman", {"podman/volatile-containers.json": LIST}, "web (podman)", id="podman run --rm"),
        pytest.param("podman", {"podman/containers.json": {}}, f"{SHORT} (podman)", id="no list"),
        pytest.param("podman", {CONFIG: {"Name": "/web"}}, f"{SHORT} (podman)", id="the file of another engine"),
        pytest.param("nerdctl", {}, f"{SHORT} (nerdctl)", id="an engine without such files"),
    ],
)
def test_the_name_that_the_engine_gave(label, engine, files, told):
    assert label(engine, files) == f"container {told}"


def test_engines_that_name_the_cgroup_by_the_container(label):
    assert label("nspawn", {}, identity="my-web") == "container my-web (nspawn)"


def test_a_users_engine_has_its_files_elsewhere(label):
    assert label("docker", {CONFIG: {"Name": "/web"}}, rootless=True) == f"container {SHORT} (docker, rootless)"


def test_a_file_that_others_than_root_can_write_is_not_believed(label, tmp_path):
    assert label("docker", {CONFIG: {"Name": "/web"}}) == "container web (docker)"
    os.chmod(str(tmp_path / "docker"), 0o777)
    assert label("docker", {}) == f"container {SHORT} (docker)"


def test_a_fifo_in_place_of_the_file_does_not_hold_us_up(label, tmp_path):
    (tmp_path / "docker" / ID).mkdir(parents=True)
    os.mkfifo(str(tmp_path / CONFIG))
    assert label("docker", {}) == f"container {SHORT} (docker)"
