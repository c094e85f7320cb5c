# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keepalive a node should enforce for new connections, and what differs from that. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import (
    INTVL_RANGE,
    PROBES_RANGE,
    TIME_RANGE,
    Keepalive,
    not_later,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import bpf_reads_keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import Holding
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import shows_nonsense
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import Enforced, Enforcement
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed

from .enforced import resting
from .settings import Wish
from .types import Change, rebooted

ENFORCE_REASON = "enforce"
"""The key of its reason, beside those of sysctls and modules."""

WHAT = "keepalive enforced for new connections"

_WHY = "programs that never ask for keepalive, and pods to come, then probe in time too; keepalive_enforce"
_GIVEN_BACK = "an earlier run attached it, and keepalive_enforce is false"
_NONE = "none"
_NOT_ENABLED = "none (its unit is not enabled)"
_NOT_KNOWN = "unknown"


def of_connections(node: Observed, wish: Wish) -> Keepalive | None:
    """The keepalive for single connections, whoever has them: the sooner of the node's and of the pods'.

    Where the keepalive in use stays (raise_ipvs) it is the node's own, whatever other nodes have. Within what a socket
    takes. None where no limit asks for one.
    """
    found = [each for each in (_stays(node, wish) or wish.keepalive, wish.pods_to_set) if each is not None]
    if not found:
        return None
    soonest = min(found, key=lambda each: each.silence_seconds(wish.policy.lost_probes))
    highest = (TIME_RANGE.high, INTVL_RANGE.high, PROBES_RANGE.high)
    keepalive = Keepalive(*map(min, soonest, highest))
    return keepalive if keepalive.usable else None


def _stays(node: Observed, wish: Wish) -> Keepalive | None:
    own = node.keepalive if wish.to_set is None and wish.keepalive is not None else None
    return own if own and own.usable and (wish.limit is None or wish.limit.keeps(own)) else None


def enforce_settings(node: Observed, wish: Wish, own: Keepalive | None) -> Mapping[str, Any] | None:
    """What node_settings takes; empty to give back what an earlier run attached, None to leave it as it is.

    ``own`` is what the node itself then has.
    """
    seen = node.enforcement
    if seen is None:
        return None
    if not wish.policy.enforce:
        return {} if seen.ours else None
    wanted = _wanted(node, seen, wish, own) if seen.possible is not False else None
    return wanted.as_dict() if wanted else None


def _wanted(node: Observed, seen: Enforcement, wish: Wish, own: Keepalive | None) -> Enforced | None:
    keepalive = _kept(node, seen, wish) or of_connections(node, wish)
    if keepalive is None:
        return None
    if not bpf_reads_keepalive(node.kernel):
        # It replaces what a connection has of its namespace. A pod's own is not asked: it would decide for all others.
        keepalive = not_later(own, keepalive, wish.policy.lost_probes)
    return Enforced(keepalive, wish.policy.enforce_exclude_ports, wish.policy.enforce_exclude_cgroups)


def _kept(node: Observed, seen: Enforcement, wish: Wish) -> Keepalive | None:
    """The values of an earlier run that have to stay, as those in our file have to: see ``kept`` of settings.py."""
    there, planned, lost = seen.boot or seen.attached, of_connections(node, wish), wish.policy.lost_probes
    if there is None or wish.policy.own_names:
        return None
    if planned is None:
        return there.keepalive
    later = planned.silence_seconds(lost) > there.keepalive.silence_seconds(lost)
    return there.keepalive if later and (node.mode in ("none", "unknown") or shows_nonsense(node)) else None


def enforce_reason(node: Observed, wanted: Mapping[str, Any] | None, holding: Holding) -> dict[str, str]:
    if wanted is None or wanted:
        return {} if wanted is None else {ENFORCE_REASON: _WHY}
    told = resting(node, holding)
    if not told:
        return {ENFORCE_REASON: _GIVEN_BACK}
    why = tell("{why}; on it alone rests what {pods} will open", why=_GIVEN_BACK, pods=joined(" and ", told))
    return {ENFORCE_REASON: why}


def enforce_changes(node: Observed, wanted: Mapping[str, Any] | None, why: str) -> Iterator[Change]:
    """What differs now, or else after a reboot; nothing where there is no wish."""
    seen = node.enforcement
    if seen is None or wanted is None:
        return
    if not wanted:
        yield from _given_back(seen, why)
        return
    after = Enforced(*_parts(wanted))
    if seen.attached != after or not seen.exact:
        yield Change(ENFORCE_REASON, WHAT, _now(seen, after), str(after), why)
    elif seen.systemd and not (seen.kept_at_boot and seen.boot == after):
        yield Change(ENFORCE_REASON, rebooted(WHAT), _at_boot(seen), str(after), why, after_reboot=True)


def _given_back(seen: Enforcement, why: str) -> Iterator[Change]:
    if seen.attached is not None:
        yield Change(ENFORCE_REASON, WHAT, str(seen.attached), _NONE, why)
    elif seen.boot is not None:
        yield Change(ENFORCE_REASON, rebooted(WHAT), str(seen.boot), _NONE, why, after_reboot=True)


def _parts(wanted: Mapping[str, Any]) -> tuple[Keepalive, tuple[int, ...], tuple[str, ...]]:
    keepalive = Keepalive(*(wanted[name] for name in Keepalive._fields))
    return keepalive, tuple(wanted["exclude_ports"]), tuple(wanted["exclude_cgroups"])


def _now(seen: Enforcement, after: Enforced) -> str:
    if seen.attached is None:
        return _NONE if seen.attached_known else _NOT_KNOWN
    values = str(seen.attached)
    return tell("{values} by another program", values=values) if seen.attached == after else values


def _at_boot(seen: Enforcement) -> str:
    if seen.boot is None:
        return _NONE
    return str(seen.boot) if seen.enabled else _NOT_ENABLED
