# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the cloud that a node is a machine of. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.cloud import Cloud
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middlebox_table import (
    ALIBABA_TRACKING,
    KNOWN,
    NITRO_V6,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import Middlebox

from .coverage import NodeLimits, NotSeen
from .limits import Limit, ascending

EC2_TRACKING = KNOWN[NITRO_V6].label
_WHICH_INSTANCE = (
    "Observe the node itself, where /sys/class/dmi/id is. Or say in keepalive_middleboxes what its network interfaces "
    "are set to: {name: aws_security_group_nitro_v6, seconds: ...}; 350 on Nitro v6, 432000 on older instances."
)
_TYPE_UNKNOWN = "the kernel is one for AWS, and the firmware did not tell the instance type"

NITRO_V6_FAMILIES = frozenset(
    (
        # General purpose. M8g and M8gd are Nitro v5.
        *("m8a", "m8azn", "m8gb", "m8gn", "m8i", "m8i-flex", "m8ib", "m8id", "m8idb", "m8idn", "m8in", "m8ine"),
        *("m9g", "m9gd"),
        # Compute optimized. C8g and C8gd are Nitro v5.
        *("c8a", "c8gb", "c8gn", "c8i", "c8i-flex", "c8ib", "c8id", "c8in", "c8ine", "c9g"),
        # Memory optimized. R8g, R8gd and X8g are Nitro v5.
        *("r8a", "r8gb", "r8gn", "r8i", "r8i-flex", "r8ib", "r8id", "r8idb", "r8idn", "r8in", "x8aedz", "x8i"),
        # Storage optimized, accelerated, HPC. I8g and P6e-GB200 are not.
        *("i8ge", "g7", "g7e", "p6-b200", "p6-b300", "hpc8a"),
    )
)
"""Whose network interfaces forget after 350 s unless told otherwise, since June 2025.

Amazon EC2 instance types, Platform summary (the Nitro version of each family), and ConnectionTrackingConfiguration.
"""


def added(name: str, node: Observed | None, seen: NodeLimits, boxes: Iterable[Middlebox]) -> NodeLimits:
    """With the limit that is a fact on such a machine, unless a declared middlebox says what its owner set instead."""
    declared = {box.id for box in boxes if box.binding is None or box.binding.has_host(name)}
    found = tracking_of(node.cloud) if node is not None else None
    if found is not None and found not in declared:
        tracking = Limit(KNOWN[found].seconds, KNOWN[found].label, name)
        return replace(seen, limits=ascending([*seen.limits, tracking]))
    if node is not None and node.cloud == Cloud("aws", None, by_kernel=True) and NITRO_V6 not in declared:
        unknown = NotSeen(name, EC2_TRACKING, _TYPE_UNKNOWN, place="middleboxes", do=_WHICH_INSTANCE)
        return replace(seen, not_seen=(*seen.not_seen, unknown))
    return seen


def tracking_of(cloud: Cloud | None) -> str | None:
    """The known middlebox that the network interfaces of such a machine are, None where that is not certain."""
    if cloud is None or cloud.by_kernel:
        return None
    if cloud.provider == "aws":
        return NITRO_V6 if cloud.family in NITRO_V6_FAMILIES else None
    return ALIBABA_TRACKING if cloud.provider == "alibaba" else None


def names_to_consider(provider: str) -> list[str]:
    """The known middleboxes that may be on the paths of that cloud's machines and that nothing there shows."""
    return sorted({name for name in KNOWN if name.startswith(f"{provider}_")} - {NITRO_V6, ALIBABA_TRACKING})
