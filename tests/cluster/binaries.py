# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real etcd and the programs of Kubernetes, built from Debian's packages, once.

No registry of packages carries the latter. Debian's source of kubectl is all of Kubernetes 1.20 with what it needs,
and its Go builds them in ten minutes or so, unpacked into the lab's cache, with nothing installed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.kubenode.connections.tests.lab.vm.config import LabError, cache
from ansible_collections.kubenode.connections.tests.lab.vm.packages import Apt
from ansible_collections.kubenode.connections.tests.lab.vm.tools import locked, run, step

SUITE = "bookworm"
SOURCE = "kubernetes"
BUILT = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)
# The reflect2 that the source brings is older than the map iterator of Go 1.18 and panics.
PACKAGES = ("etcd-server", "golang-1.19-go", "golang-1.19-src", "golang-github-modern-go-reflect2-dev")

VERSION = """\
KUBE_GIT_COMMIT=archive
KUBE_GIT_TREE_STATE=archive
KUBE_GIT_VERSION=v1.20.2
KUBE_GIT_MAJOR=1
KUBE_GIT_MINOR=20
"""

# The makefiles call rsync to copy a file, and nothing else.
RSYNC = """\
#!/bin/bash
files=()
for word in "$@"; do [[ $word == -* ]] || files+=("$word"); done
exec cp -p "${files[@]}"
"""


def binaries() -> Path:
    """The folder with etcd and BUILT. Raises LabError where they cannot be built."""
    folder = cache() / "kubernetes"
    if _missing(folder):
        with locked("kubernetes.lock"):
            _provide(folder)
    return folder


def _missing(folder: Path) -> list[str]:
    return [name for name in BUILT if not (folder / name).exists()]


def _provide(folder: Path) -> None:
    """Build what is still missing: another command may have built it meanwhile."""
    build, missing = folder / "build", _missing(folder)
    if not missing:
        return
    with step(f"building {', '.join(missing)} from Debian's source, once (ten minutes or so)"):
        _build(build, missing)
        (build / "root/usr/bin/etcd").replace(folder / "etcd")
        for name in missing:
            (build / "src/_output/bin" / name).replace(folder / name)
        run(["rm", "-rf", build])


def _build(build: Path, programs: Sequence[str]) -> None:
    for needed in ("apt-get", "dpkg", "make", "bash", "tar"):
        run(["/bin/sh", "-c", f"command -v {needed}"])
    run(["rm", "-rf", build])
    build.mkdir(parents=True)
    apt = Apt([SUITE])
    apt.folder = build / "apt"
    apt.update()
    sources = apt.folder / "sources.list"
    lines = sources.read_text()
    sources.write_text(lines + lines.replace("deb ", "deb-src ", 1))
    run(["apt-get", *apt.options(), "--quiet", "update"])
    run(["apt-get", *apt.options(), "--quiet", "--download-only", "source", f"{SOURCE}/{SUITE}"], cwd=build)
    apt.unpack((each for each in apt.packages(SUITE) if each["Package"] in PACKAGES), build / "root")
    _unpack_source(build)
    _make(build, programs)


def _unpack_source(build: Path) -> None:
    source = build / "src"
    source.mkdir()
    archive = next(build.glob(f"{SOURCE}_*.orig.tar.gz"))
    run(["tar", "--extract", "--strip-components=1", "--directory", source, "--file", archive])
    link = source / ".go/src/k8s.io/kubernetes"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../..")
    reflect = source / "vendor/github.com/modern-go/reflect2"
    for old in [*reflect.glob("*.go"), *reflect.glob("*.s")]:
        old.unlink()
    for new in (build / "root/usr/share/gocode/src/github.com/modern-go/reflect2").glob("*.[gs]*"):
        if new.name != "unsafe_link_gccgo.go":
            (reflect / new.name).write_bytes(new.read_bytes())


def _make(build: Path, programs: Sequence[str]) -> None:
    shim, go = build / "shim", build / "root/usr/lib/go-1.19"
    shim.mkdir()
    (shim / "rsync").write_text(RSYNC)
    (shim / "rsync").chmod(0o755)
    (build / "version").write_text(VERSION)
    environment = {
        "CGO_ENABLED": "0",
        "GO111MODULE": "auto",
        "GOPATH": str(build / "src/.go"),
        "GOROOT": str(go),
        "GOTOOLCHAIN": "local",
        "HOME": str(build),
        "KUBE_GIT_VERSION_FILE": str(build / "version"),
        # Without it kubelet is linked with glibc, for which everything is compiled a second time.
        "KUBE_STATIC_OVERRIDES": "kubelet",
        "PATH": f"{go}/bin:{shim}:{os.environ['PATH']}",
    }
    with (build / "make.log").open("wb") as log:
        command = ["make", "WHAT=" + " ".join(f"cmd/{name}" for name in programs), "GOFLAGS=-p=2"]
        made = subprocess.run(
            command, cwd=build / "src", env=environment, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if made.returncode:
        raise LabError(f"{SOURCE}: make ends with {made.returncode}, 0 expected. See {build / 'make.log'}.")
