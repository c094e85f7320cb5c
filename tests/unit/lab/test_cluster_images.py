# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the cluster's pods: what a container runtime imports is whole."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

from ansible_collections.kubenode.connections.tests.cluster.real.images import KUBE_PROXY, PAUSE, TOOLS, archive


def read(tar: tarfile.TarFile, name: str) -> bytes:
    """A file of an archive."""
    file = tar.extractfile(name)
    assert file
    return file.read()


def test_an_archive_has_all_names_and_the_layer_that_it_says() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(b"#!"))) as tar:
        (image,) = json.loads(read(tar, "manifest.json"))
        config, layer = read(tar, image["Config"]), read(tar, image["Layers"][0])
    assert image["RepoTags"] == [PAUSE, TOOLS, KUBE_PROXY]
    assert image["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        assert (read(tar, "busybox"), tar.getmember("busybox").mode) == (b"#!", 0o755)
        assert (tar.getmember("usr").isdir(), tar.getmember("lib64").linkname) == (True, "usr/lib64")
