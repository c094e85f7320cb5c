# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common import sandboxes


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("gvisor_sentry", "gvisor"),
        ("runsc", "gvisor"),
        ("runsc-sandbox", "gvisor"),
        ("runsc-gofer", "gvisor"),
        ("qemu-system-x86", "vm"),
        ("qemu-system-aar", "vm"),
        ("qemu-kvm", "vm"),
        ("cloud-hyperviso", "vm"),
        ("firecracker", "vm"),
        ("stratovirt", "vm"),
        ("runscan", None),
        ("qemu-aarch64-st", None),
        ("sysbox-fs", None),
        ("exe", None),
        ("nginx", None),
        ("", None),
    ],
)
def test_sandboxes_by_the_names_of_their_processes(name, kind):
    assert sandboxes.sandbox_of_name(name) == kind
