# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers of Receive Packet Steering that a user may choose. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._settings import MAX_FLOW_ENTRIES
from ansible_collections.kubenode.connections.plugins.plugin_utils._errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._values import Range

FLOW_ENTRIES = "net.core.rps_sock_flow_entries"

_ENTRIES = Range(0, MAX_FLOW_ENTRIES, f"what the kernel takes for {FLOW_ENTRIES}", "which turns it off")


def flow_entries(what: str, value: object) -> int:
    """0 or a power of two, for the kernel rounds other numbers up. Raises PlanError."""
    entries = _ENTRIES.check(what, value)
    if entries & (entries - 1):
        raise PlanError(
            f"{what}: {entries} is no power of two (the kernel rounds up). Write {1 << entries.bit_length()}."
        )
    return entries
