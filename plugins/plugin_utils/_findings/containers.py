# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on the keepalive of containers outside of pods, and of namespaces of neither. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import UNSAFE, count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import CONTAINER, OTHER
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import Judged

from . import cures
from .pods import has, is_late_itself, names, sooner
from .rule import APPLY, CRITICAL, INFO, WARNING, Case, Found, Remedy, Rules, one_by_one, remedy

RULES = Rules()


@RULES.node("containers-keepalive-too-late", CRITICAL)
def _containers(case: Case) -> Found | None:
    """Containers outside of pods have a keepalive that is too late. A warning with keepalive_containers false."""
    unsafe = case.node.pods.unsafe_of(CONTAINER) if case.node.pods else ()
    late = [each for each in unsafe if is_late_itself(each, case)]
    if not late or case.observed.namespaces.shared:
        return None
    return Found(
        some(list(map(has, late))),
        tell(
            "Each container with a network of its own has its own keepalive, and begins with the kernel's {default} "
            "whatever the node has.",
            default=KERNEL_DEFAULT,
        ),
        _cure_containers(late, case),
        case.pods_limit_text,
        None if case.policy.containers else WARNING,
    )


def _cure_containers(late: Sequence[Judged], case: Case) -> Remedy:
    """Those with values of their own were given them on purpose."""
    if case.policy.strategy == "raise_ipvs":
        return remedy("{apply}: it raises the IPVS tcp timeout above all of them.", apply=APPLY)
    wanted, first = case.node.settings.containers, cures.late_values(case, late, "these")
    running = remedy(
        "{apply}: it sets {keepalive} in those that run with the kernel's values.", apply=APPLY, keepalive=wanted
    )
    own = any(each.space.has_own_values for each in late)
    start = tell(
        "Or start them with {values} (docker run --sysctl net.ipv4.tcp_keepalive_time=..., the same for intvl and "
        "probes), for a container that is started again begins anew."
        if first
        else "Start them with {values} (docker run --sysctl net.ipv4.tcp_keepalive_time=..., the same for intvl and "
        "probes), for a container that is started again begins anew.",
        values=sooner(late, case),
    )
    kept = "Apply leaves alone the values that somebody set." if wanted and own else ""
    return one_by_one(first, running if wanted else "", start, kept)


@RULES.node("namespaces-keepalive-too-late", INFO)
def _other_namespaces(case: Case) -> Found | None:
    """Network namespaces of no pod have a keepalive that is too late. A warning where connections run with it."""
    if case.node.pods is None:
        return None
    others = [each for each in case.node.pods.each if each.space.kind == OTHER and each.verdict == UNSAFE]
    if not others or case.observed.namespaces.shared:
        return None
    return Found(
        tell(
            "{namespaces} of no pod: {names}",
            namespaces=count(len(others), "network namespace"),
            names=names(others),
        ),
        "Each network namespace has its own keepalive. Services with PrivateNetwork and browsers make namespaces that "
        "mostly reach no network; a user's own containers (rootless) may.",
        "If a program there keeps connections through this node, set the three sysctls in that namespace.",
        case.pods_limit_text,
        WARNING if any(each.counts.late for each in others) else None,
    )
