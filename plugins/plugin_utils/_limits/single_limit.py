# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keepalive for one number instead of a cluster, with values as a template gives them. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, nearest
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy, parse_policy

from .derive import derive
from .limits import SHORTEST_LIMIT_REASON, SHORTEST_LIMIT_SECONDS, Limit


def derive_for_seconds(limit: object, options: object) -> Keepalive:
    """The keepalive below ``limit`` s. Options: lost_probes, margin, time_ceiling, intvl_ceiling. Raises PlanError."""
    policy = _policy(options, ("lost_probes", "margin", "time_ceiling", "intvl_ceiling"))
    below = _limit(limit)
    if below.seconds < SHORTEST_LIMIT_SECONDS:
        raise PlanError(
            f"limit: {below.seconds} s is below {SHORTEST_LIMIT_SECONDS} s ({SHORTEST_LIMIT_REASON}). Raise it."
        )
    try:
        return derive(below, policy)
    except PlanError as error:
        raise _with_own_names(error) from None


def is_safe_for_seconds(keepalive: object, limit: object, options: object) -> bool:
    """Whether a mapping of time, intvl and probes is safe below ``limit`` s. Options: lost_probes, margin."""
    policy = _policy(options, ("lost_probes", "margin"))
    return _limit(limit).is_kept_by(_triple(keepalive), policy)


def _limit(value: object) -> Limit:
    seconds = whole_number(value)
    if seconds is None:
        raise PlanError(f"limit: {value!r} is not a whole number. Write seconds, for example 900.")
    return Limit(seconds, "the limit", None)


def _triple(value: object) -> Keepalive:
    keepalive = keepalive_math.of_values(*map(value.get, Keepalive._fields)) if isinstance(value, dict) else None
    if keepalive is None:
        raise PlanError(
            f"keepalive: {value!r} is not a mapping of time, intvl and probes with whole numbers. "
            "Write one, for example {time: 600, intvl: 30, probes: 9}."
        )
    return keepalive


def _policy(options: object, names: tuple[str, ...]) -> Policy:
    for name in options if isinstance(options, dict) else ():
        if name not in names:
            raise PlanError(f"{name}: not an option here. {nearest(name, names)}")
    try:
        return parse_policy(options)
    except PlanError as error:
        raise _with_own_names(error) from None


def _with_own_names(error: PlanError) -> PlanError:
    """The policy speaks of role variables; here the options have no prefix."""
    return PlanError(str(error).replace("keepalive_", ""))
