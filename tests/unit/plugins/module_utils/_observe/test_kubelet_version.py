# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes whose programs tell their version: in Go's build information, by dpkg, or not at all."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Process
from ansible_collections.kubenode.connections.plugins.module_utils._observe import kubelet_version
from ansible_collections.kubenode.connections.plugins.module_utils._observe.kubelet_version import read_version
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._kubelet_programs import (
    ASKED,
    PROGRAM,
    asked_program,
    version_of,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    build_info,
    elf,
    needs_x86,
    put,
    running,
)

pytestmark = needs_x86

LDFLAGS = (
    'build\t-ldflags="-s -w -X k8s.io/client-go/pkg/version.gitVersion=v9.9.9 '
    "-X 'k8s.io/component-base/version.gitVersion=v1.29.3' -X k8s.io/x=y\"\n"
)
MOD = "path\tk8s.io/kubernetes/cmd/kubelet\nmod\tk8s.io/kubernetes\t{}\t\n"

BUILT = [
    pytest.param(MOD.format("v1.33.1"), "v1.33.1", id="the tag that Go 1.24 writes"),
    pytest.param(MOD.format("v1.34.0-rc.1"), "v1.34.0-rc.1", id="a candidate"),
    pytest.param(MOD.format("v1.33.1+dirty"), "v1.33.1", id="built beside other changes"),
    pytest.param(MOD.format("(devel)") + LDFLAGS, "v1.29.3", id="the linker's flags"),
    pytest.param(MOD.format("v1.33.1") + LDFLAGS, "v1.29.3", id="what kubelet itself says before the tag"),
]


@pytest.mark.parametrize(("lines", "version"), BUILT)
@isolated
def test_a_version_that_is_built_in_is_read_and_nothing_is_run(lines, version):
    assert version_of(asked_program(build_info=build_info(lines))) == (version, None)
    assert not os.path.exists(ASKED)


NOT_BUILT = [
    pytest.param(MOD.format("(devel)"), id="no tag"),
    pytest.param(MOD.format("v1.33.2-0.20250515081907-8adc0f041b8e"), id="a build after 1.33.1, which is not 1.33.2"),
    pytest.param(MOD.format("v1.33.1").replace("k8s.io/kubernetes\t", "example.org/mine\t"), id="another module"),
    pytest.param("dep\tk8s.io/kubernetes\tv1.33.1\th1:x=\n", id="a program that uses it"),
]


@pytest.mark.parametrize("lines", NOT_BUILT)
@isolated
def test_a_version_that_is_not_built_in_is_asked(lines):
    assert version_of(elf("Kubernetes v1.20.4\n", build_info=build_info(lines))) == ("v1.20.4", None)


def package(version="1.31.2-1.1", files="/.\n/run\n/run/root/kubelet\n"):
    write("/var/lib/dpkg/info/kubelet.list", files.encode())
    status = (
        f"Package: kubeadm\nVersion: 1.99.0-1.1\n\nPackage: kubelet\nStatus: install ok installed\nVersion: {version}\n"
    )
    write("/var/lib/dpkg/status", status.encode())


@isolated
def test_the_package_says_it_and_nothing_is_run():
    package()
    assert version_of(asked_program()) == ("v1.31.2", None)
    assert not os.path.exists(ASKED)


PACKAGES = [
    pytest.param({"version": "1.20.5+really1.20.2-1"}, id="a version that is not what it says"),
    pytest.param({"files": "/usr/bin/kubelet\n/run/root/kubelet2\n"}, id="a program beside the package's"),
]


@pytest.mark.parametrize("changed", PACKAGES)
@isolated
def test_another_package_does_not_count(changed):
    package(**changed)
    assert version_of(elf("Kubernetes v1.20.4\n")) == ("v1.20.4", None)


@isolated
def test_a_program_that_was_put_over_the_packages_is_asked(monkeypatch):
    monkeypatch.setattr(kubelet_version, "_UNPACK_SECONDS", -60)
    package()
    assert version_of(elf("Kubernetes v1.20.4\n")) == ("v1.20.4", None)


@isolated
def test_a_fifo_in_the_place_of_dpkgs_files_holds_nobody():
    os.makedirs("/var/lib/dpkg/info")
    os.mkfifo("/var/lib/dpkg/info/kubelet.list")
    assert version_of(elf("Kubernetes v1.20.4\n")) == ("v1.20.4", None)


@isolated
def test_a_process_that_has_ended():
    with running(put(PROGRAM, elf())) as process:
        pinned = Process(process.pid)
    assert read_version(pinned) == (None, f"kubelet's version: /proc/{process.pid}/exe: No such process.")
