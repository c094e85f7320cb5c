# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes whose programs tell their version: in Go's build information, by dpkg, by an answer, or not at all."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Process
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import run_descriptor
from ansible_collections.kubenode.connections.plugins.module_utils._observe import kubelet_version
from ansible_collections.kubenode.connections.plugins.module_utils._observe.kubelet_version import read_version
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    NOBODY,
    build_info,
    elf,
    needs_x86,
    put,
    running,
)

pytestmark = needs_x86

PROGRAM = "/run/root/kubelet"
ASKED = "/run/open/asked"


def version_of(data, path=PROGRAM, change=None, **how):
    """What is read of a process of that program. It is changed after the start."""
    with running(put(path, data, **how)) as process:
        if change is not None:
            change()
        return read_version(Process(process.pid))


def asked_program(**how):
    """A program that leaves a trace where it is run, and answers nothing."""
    os.makedirs("/run/open")
    os.chmod("/run/open", 0o777)
    return elf(marker=ASKED, **how)


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


ANSWERS = [
    pytest.param("Kubernetes v1.30.5+rke2r1\n", "v1.30.5+rke2r1", id="a distribution's release"),
    pytest.param("Kubernetes v1.35.0-rc.0\n", "v1.35.0-rc.0", id="a candidate"),
    pytest.param("Flag --x is deprecated\nKubernetes v1.20.0\n", "v1.20.0", id="a warning before it"),
]


@pytest.mark.parametrize(("answer", "version"), ANSWERS)
@isolated
def test_the_answer(answer, version):
    assert version_of(elf(answer)) == (version, None)


NONSENSE = [
    pytest.param("kubelet 9.1\n", "'kubelet 9.1'", id="another program"),
    pytest.param("Kubernetes v1.31\n", "'Kubernetes v1.31'", id="half a version"),
    pytest.param("", "''", id="nothing"),
    pytest.param("y\n" * 5000, repr("y\n" * 40), id="much"),
]


@pytest.mark.parametrize(("answer", "said"), NONSENSE)
@isolated
def test_an_answer_that_is_no_version(answer, said):
    assert version_of(elf(answer)) == (
        None,
        f"kubelet's version: {PROGRAM} --version answers {said}, expected Kubernetes vX.Y.Z.",
    )


@isolated
def test_the_program_runs_as_nobody():
    version_of(asked_program())
    found = os.stat(ASKED)
    assert (found.st_uid, found.st_gid) == (NOBODY, NOBODY)


@isolated
def test_what_the_program_finds():
    """A shell in its place: who it is, where, and with which variables it was started."""
    os.environ["SECRET"] = "1"
    descriptor = os.open(os.path.realpath("/bin/sh"), os.O_PATH)
    said = run_descriptor(
        descriptor, ["sh", "-c", "id -ru; id -u; id -G; tr '\\0' '\\n' < /proc/self/environ; pwd"], 10
    )
    assert said == (0, "65534\n65534\n65534\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n/")


@isolated
def test_a_program_that_is_only_roots_is_not_asked():
    version, why = version_of(elf("Kubernetes v1.31.2\n"), mode=0o700)
    assert version is None
    assert why.startswith(f"kubelet's version: {PROGRAM} --version: not started as user 65534: Permission denied")


@isolated
def test_a_program_that_was_replaced_is_still_the_one_that_is_asked():
    def replace():
        os.unlink(PROGRAM)
        put(PROGRAM, asked_program())

    assert version_of(elf("Kubernetes v1.31.2\n"), change=replace) == ("v1.31.2", None)
    assert not os.path.exists(ASKED)


FOREIGN = [
    pytest.param(
        lambda: os.chmod(PROGRAM, 0o777),
        "user 0 owns it (mode 0777), root alone is expected",
        id="anybody can write it",
    ),
    pytest.param(
        lambda: os.chmod(PROGRAM, 0o775),
        "user 0 owns it (mode 0775), root alone is expected",
        id="its group can write it",
    ),
    pytest.param(
        lambda: os.chown(PROGRAM, NOBODY, 0), "user 65534 owns it (mode 0755), root alone is expected", id="a user's"
    ),
    pytest.param(
        lambda: os.chown("/run/root", NOBODY, 0),
        "/run/root belongs to user 65534 (mode 0755), root is expected",
        id="in a user's folder",
    ),
    pytest.param(
        lambda: os.chmod("/run/root", 0o775),
        "others can write /run/root (mode 0775, user 0), root alone is expected",
        id="in a folder that its group can write",
    ),
    pytest.param(
        lambda: os.chmod(PROGRAM, 0o4755),
        "it runs with the rights of its owner (setuid), whoever starts it",
        id="a setuid program",
    ),
]


@pytest.mark.parametrize(("change", "why"), FOREIGN)
@isolated
def test_a_program_that_others_may_have_made_is_not_asked(change, why):
    version, said = version_of(asked_program(), change=change)
    assert (version, said) == (None, f"kubelet's version: {PROGRAM} is not run to ask it: {why}.")
    assert not os.path.exists(ASKED)


@isolated
def test_hyperkube_is_asked_as_kubelet():
    path = "/run/root/hyperkube"
    assert version_of(elf("Kubernetes v1.16.9\n"), path) == ("v1.16.9", None)


@isolated
def test_a_process_that_has_ended():
    with running(put(PROGRAM, elf())) as process:
        pinned = Process(process.pid)
    assert read_version(pinned) == (None, f"kubelet's version: /proc/{process.pid}/exe: No such process.")
