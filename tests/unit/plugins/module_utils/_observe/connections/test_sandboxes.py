# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes that go by the names of sandboxes, and of what is none."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_text
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import sandboxes
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.pod_names import parse_stat
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    NOBODY,
    elf,
    needs_x86,
    put,
    running,
)

pytestmark = needs_x86


def kind_of(*processes):
    stats = [parse_stat(read_text(f"/proc/{process.pid}/stat").value) for process in processes]
    return sandboxes.sandbox_of(stats)


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("qemu-system-x86_64", "vm"),
        ("cloud-hypervisor", "vm"),
        ("firecracker", "vm"),
        ("runsc", "gvisor"),
        ("qemu-x86_64-static", None),
        ("exe", None),
        ("redis-server", None),
    ],
)
@isolated
def test_the_kind_by_the_name_of_a_process(program, kind):
    with running(put("/run/root/" + program, elf())) as process:
        assert kind_of(process) == kind


@isolated
def test_a_program_that_started_itself_anew_is_told_by_its_file():
    put("/run/root/runsc", elf())
    os.symlink("/run/root/runsc", "/run/root/exe")
    with running("/run/root/exe") as process:
        assert kind_of(process) == "gvisor"
        os.unlink("/run/root/runsc")
        assert kind_of(process) == "gvisor"


@isolated
def test_any_process_of_a_namespace_tells_whoever_runs_it():
    plain, guest = put("/run/root/virt-launcher", elf()), put("/run/user/qemu-kvm", elf(), owner=NOBODY)
    with running(plain) as first, running(guest, user=NOBODY) as second:
        assert kind_of(first) is None
        assert kind_of(first, second) == "vm"


def test_without_processes_nothing_is_known():
    assert sandboxes.sandbox_of([]) is None
