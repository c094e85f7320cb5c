# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A read-only disk with what makes a machine of the lab a node: kubelet, kube-proxy, containerd, runc, images."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ansible_collections.kubenode.connections.tests.cluster.binaries import binaries
from ansible_collections.kubenode.connections.tests.cluster.real import images
from ansible_collections.kubenode.connections.tests.lab.vm import recipe
from ansible_collections.kubenode.connections.tests.lab.vm.config import LabError, cache
from ansible_collections.kubenode.connections.tests.lab.vm.image import make_disk
from ansible_collections.kubenode.connections.tests.lab.vm.packages import Apt
from ansible_collections.kubenode.connections.tests.lab.vm.tools import locked, step

SUITE = "bookworm"
PACKAGES = ("containerd", "runc", "busybox-static")
PROGRAMS = {"kubelet": "usr/bin", "kube-proxy": "usr/local/bin"}
"""Where kubeadm expects them."""
IMAGES = "opt/cluster/images.tar"
SIZE = "1G"
"""Of a sparse file."""


def disk() -> Path:
    """The disk, made where it is missing or outdated. Raises LabError where that is not possible."""
    programs = [binaries() / name for name in PROGRAMS]
    folder = cache() / "cluster-disk"
    wanted = recipe.digest([SUITE, *PACKAGES, *map(_stamp, programs), Path(__file__), Path(images.__file__)])
    if recipe.recorded(folder) != [wanted]:
        if os.geteuid() != 0:
            raise LabError("Disk of the cluster's nodes: not built, and only root can, for its files are root's.")
        with locked(), step("disk with kubelet, containerd and runc"), recipe.building(folder, [wanted]) as fresh:
            _build(programs, fresh)
    return folder / "node.ext4"


def _stamp(program: Path) -> str:
    about = program.stat()
    return f"{program.name} {about.st_size} {about.st_mtime_ns}"


def _build(programs: list[Path], fresh: Path) -> None:
    tree = fresh / "tree"
    apt = Apt([SUITE])
    apt.folder = fresh / "apt"
    apt.update()
    apt.unpack((each for each in apt.packages(SUITE) if each["Package"] in PACKAGES), tree)
    images.write(next(tree.glob("**/bin/busybox")), tree / IMAGES)
    for program in programs:
        target = tree / PROGRAMS[program.name]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, target)
    for unwanted in ("etc", "usr/share/man", "usr/share/doc"):
        shutil.rmtree(tree / unwanted, ignore_errors=True)
    make_disk(tree, fresh / "node.ext4", SIZE)
    shutil.rmtree(tree)
    shutil.rmtree(apt.folder)
