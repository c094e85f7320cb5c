# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of containers without a registry: archives of one layer, as docker save writes them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.kubenode.connections.tests.cluster.real.layout import VERSION

REPOSITORY = "localhost"
PAUSE = "localhost/pause:1"
TOOLS = "localhost/tools:1"
KUBE_PROXY = f"{REPOSITORY}/kube-proxy:{VERSION}"
"""Programs of the node by hostPath /usr, which every pod of ours mounts there, kube-proxy's too."""
ALL = (PAUSE, TOOLS, KUBE_PROXY)
FOLDERS = ("dev", "etc", "proc", "run", "sys", "tmp", "usr", "var")
LINKS = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "sbin": "usr/sbin"}
FOREVER = "2147483647"


def archive(busybox: bytes, names: Sequence[str] = ALL) -> bytes:
    """Images of these names: one layer of a static busybox, folders, and the links of a merged /usr."""
    layer = _layer({"busybox": busybox})
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/busybox", "sleep", FOREVER], "Env": ["PATH=/usr/bin:/usr/sbin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    text = json.dumps(config).encode()
    name = hashlib.sha256(text).hexdigest() + ".json"
    manifest = [{"Config": name, "RepoTags": list(names), "Layers": ["layer.tar"]}]
    return _tar({"manifest.json": json.dumps(manifest).encode(), name: text, "layer.tar": layer})


def _layer(programs: Mapping[str, bytes]) -> bytes:
    return _tar(programs, FOLDERS, LINKS)


def _tar(files: Mapping[str, bytes], folders: Sequence[str] = (), links: Mapping[str, str] | None = None) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in folders:
            tar.addfile(_entry(name, tarfile.DIRTYPE))
        for name, target in (links or {}).items():
            tar.addfile(_entry(name, tarfile.SYMTYPE, linkname=target))
        for name, data in files.items():
            tar.addfile(_entry(name, tarfile.REGTYPE, size=len(data)), io.BytesIO(data))
    return packed.getvalue()


def _entry(name: str, kind: bytes, linkname: str = "", size: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size, entry.mode = kind, linkname, size, 0o755
    return entry


def write(busybox: Path, target: Path) -> None:
    """Write the archive of all images."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(archive(busybox.read_bytes()))
