# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes whose programs tell their version by an answer only."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import run_descriptor
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._kubelet_programs import (
    ASKED,
    PROGRAM,
    asked_program,
    version_of,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    NOBODY,
    elf,
    needs_x86,
    put,
)

pytestmark = needs_x86

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
