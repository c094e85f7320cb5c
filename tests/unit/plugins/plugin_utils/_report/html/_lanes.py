# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lanes for tests of what is drawn."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.lane import Lane, Mark
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.node import keepalive_dict

IPVS = Mark(900, "IPVS tcp", True)
LIMITS = (IPVS, Mark(3600, "corporate firewall", False), Mark(86400, "conntrack established", False))


def lane_of(
    keepalive: Keepalive | None,
    limits: Iterable[Mark] = LIMITS,
    lost_probes: int = 2,
    margin: int = 0,
    all_seen: bool = True,
) -> Lane:
    """The node's own keepalive."""
    values = keepalive_dict(keepalive, lost_probes) if keepalive else None
    return Lane("Now", "the node's own", values, tuple(limits), lost_probes, margin, all_seen)
