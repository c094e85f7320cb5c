# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sandboxes with TCP of their own, of which the host's kernel shows nothing, by their processes. Private to this
collection.
"""

from typing import Optional

GVISOR, MACHINE = KINDS = ("gvisor", "vm")
"""gVisor's own TCP, and a guest kernel's: Kata, KubeVirt, Firecracker."""

EXE = "exe"
"""What a program is called that starts itself anew by /proc/self/exe, as gVisor's does."""

RUNSC = "runsc"

_GVISOR = ("gvisor_sentry", RUNSC, "runsc-sandbox", "runsc-gofer")

# QEMU's emulators of single programs (qemu-aarch64) use the TCP of the host.
_MACHINES = ("qemu-system-", "qemu-kvm", "qemu-lite", "cloud-hyperviso", "firecracker", "stratovirt", "dragonball")


def sandbox_of_name(name: str) -> Optional[str]:
    """The kind of sandbox that a process of this name (the first 15 bytes of it) runs, None for any other."""
    if name in _GVISOR:
        return GVISOR
    return MACHINE if name.startswith(_MACHINES) else None
