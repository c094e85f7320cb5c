# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What enforcement that is in force means for the network namespaces of a node. Private to this collection.

The program decides over a connection when it opens. So it says something of what a namespace opens from now on, and
nothing of what is open already.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.kubenode.connections.plugins.module_utils._common.enforced_keepalive import (
    may_leave_out,
    of_new_connections,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import bpf_reads_keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import Holding
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import Enforced
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import CONTAINER, POD, Pods, Space
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy


def in_force(node: Observed) -> Enforced | None:
    """What every new connection of the node gets, now and after a reboot; None where that is not certain."""
    found = node.enforcement.in_force if node.enforcement else None
    return replace(found, replaces=not bpf_reads_keepalive(node.kernel)) if found else None


def stays_in_force(node: Observed, policy: Policy) -> Enforced | None:
    """The same where the user wants it to stay."""
    return in_force(node) if policy.enforce else None


def new_connections(enforced: Enforced | None, space: Space) -> Keepalive | None:
    """The keepalive of what a namespace opens from now on, where enforcement decides over it; None where it does not.

    Never later than what the namespace has, where the kernel lets the program read that. Enforcement does not decide
    where TCP is not this kernel's, in a group that is left out, and not over values below 1. Where a port is left out
    nobody knows what will connect to it.
    """
    own = space.keepalive
    if enforced is None or own is None or space.sandbox is not None or _left_out(enforced, space):
        return None
    to_come = of_new_connections(own, enforced.keepalive, enforced.replaces)
    return None if to_come is None else Keepalive(*to_come)


def covers_unlisted(enforced: Enforced | None, pods: Pods, limit: Limit | None) -> bool:
    """Whether it keeps what namespaces open that the node did not list: nothing is left out, nobody has a sandbox."""
    if enforced is None or enforced.exclude_ports or enforced.exclude_cgroups:
        return False
    if limit is not None and not limit.keeps(enforced.keepalive):
        return False
    return not any(space.sandbox for space in pods.spaces)


def resting(node: Observed, holding: Holding) -> list[str]:
    """How many pods and containers open connections that are kept by what is enforced alone."""
    enforced, spaces = in_force(node), node.pods.spaces if node.pods else ()
    here = [space.kind for space in spaces if _rests(enforced, space, holding.of(space))]
    return [count(here.count(kind), kind) for kind in (POD, CONTAINER) if kind in here]


def _rests(enforced: Enforced | None, space: Space, limit: Limit | None) -> bool:
    own, to_come = space.keepalive, new_connections(enforced, space)
    if limit is None or own is None or to_come is None:
        return False
    return limit.keeps(to_come) and not limit.keeps(own)


def _left_out(enforced: Enforced, space: Space) -> bool:
    """Whether a connection of the namespace may be left out, by its port or by its group."""
    return bool(enforced.exclude_ports) or may_leave_out(enforced.exclude_cgroups, space.uid, space.kind == POD)
