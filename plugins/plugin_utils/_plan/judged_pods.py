# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods and their connections as judged under a limit. Private to this collection."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.connection_counts import (
    A_DAY_SECONDS,
    NOTHING,
    Counts,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.sandboxes import GVISOR, MACHINE
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import (
    CONTAINER,
    NODE,
    POD,
    Peer,
    Process,
    Space,
)

from .connection_counts import at_risk_text, lost, through_proxies, to_others, to_services

SANDBOXES = {GVISOR: "gVisor", MACHINE: "a virtual machine"}

MAX_AT_RISK = 50
"""More of a node's namespaces are not listed one by one."""


def is_long(limit: Limit | None) -> bool:
    """Whether a limit for connections to other addresses is none, or connection tracking's of a day or longer.

    That harms only a connection that is idle for so long and whose addresses it translates, which nobody sees of a
    socket.
    """
    return limit is None or (limit.node is not None and limit.seconds >= A_DAY_SECONDS)


class Outside(NamedTuple):
    """The connections to another address than a service's, and the lowest limit that holds for them."""

    destination: Peer
    limit: Limit | None
    counts: Counts


class Judged(NamedTuple):
    """A namespace, the verdict on its keepalive (what it opens from now on), and its open connections.

    ``armed_late``: the processes with connections whose timer ends after the limit. ``idle_unseen``: so many are
    undecided only because nobody saw how long they are idle. ``as_wanted``: its keepalive survives as many lost probes
    as the policy wants. ``outside``: its connections to other addresses, ``outside_unlisted`` those to further ones.
    ``through_proxies``: so many go where a declared proxy is. ``kept``: the services that keep the connections to them.
    """

    space: Space
    verdict: str
    counts: Counts
    values_why: str
    armed_late: tuple[Process, ...]
    idle_unseen: int
    as_wanted: bool
    outside: tuple[Outside, ...] = ()
    outside_unlisted: Counts = NOTHING
    through_proxies: int = 0
    kept: frozenset[str] = frozenset()

    @property
    def in_sandbox(self) -> bool:
        """Whether its connections are not this kernel's, so that nothing is known of them."""
        return self.space.sandbox is not None and self.verdict == UNKNOWN

    @property
    def why(self) -> str:
        others = (*to_others(self.outside_counts), *through_proxies(self.through_proxies), *lost(self.space.lost))
        return joined("; ", [self.values_why, *to_services(self.counts), *others])

    @property
    def processes_at_risk(self) -> Iterator[tuple[Peer, Process]]:
        """Each process with connections without SO_KEEPALIVE that no server keeps, and their service."""
        return (each for each in self.space.at_risk() if each[0].name not in self.kept)

    @property
    def kept_without_keepalive(self) -> int:
        """How many connections to services have no SO_KEEPALIVE and are kept by their servers."""
        return sum(each.without_keepalive for each in self.space.services if each.name in self.kept)

    @property
    def outside_counts(self) -> Counts:
        return functools.reduce(Counts.plus, [each.counts for each in self.outside], self.outside_unlisted)

    @property
    def doubtful(self) -> bool:
        """Whether nobody can tell of some connections whether they are at risk."""
        short = any(each.counts.undecided and not is_long(each.limit) for each in self.outside)
        return short or bool(self.counts.undecided or self.outside_unlisted.undecided or self.through_proxies)

    @property
    def at_risk(self) -> bool:
        """Values of pods and containers are a risk of their own, others' only where a connection runs with them."""
        late = self.verdict == UNSAFE and self.space.kind in (POD, CONTAINER)
        return late or self.counts.at_risk > 0 or self.outside_counts.at_risk > 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.space.kind,
            "label": self.space.label,
            "why": self.why,
            "keepalive": self.space.keepalive.as_dict() if self.space.keepalive else None,
            "own_values": self.space.has_own_values,
            "verdict": self.verdict,
            **self.counts._asdict(),
            "outside": self.outside_counts._asdict(),
        }


@dataclass(frozen=True)
class JudgedPods:
    """All of a node's namespaces. ``verdict`` counts open connections too, ``settings_verdict`` the values of pods and
    containers, as far as the policy lets them be changed.

    A namespace that is hidden from us may be a pod's: it counts in both. ``unlisted_unsafe`` namespaces that the node
    did not list are too late.
    """

    count: int
    each: tuple[Judged, ...]
    verdict: str
    settings_verdict: str
    unlisted_unsafe: int = 0

    @functools.cached_property
    def unsafe(self) -> tuple[Judged, ...]:
        """The pods whose keepalive is too late."""
        return self.unsafe_of(POD)

    def unsafe_of(self, kind: str) -> tuple[Judged, ...]:
        return tuple(each for each in self.each if each.space.kind == kind and each.verdict == UNSAFE)

    @functools.cached_property
    def short_of_policy(self) -> tuple[Judged, ...]:
        """The pods whose keepalive is in time, but not with as many lost probes as the policy wants."""
        return tuple(
            each for each in self.each if each.space.kind == POD and each.verdict == SAFE and not each.as_wanted
        )

    @functools.cached_property
    def sandboxed(self) -> tuple[Judged, ...]:
        """The pods in a sandbox, each once: it may have a network namespace for its files, too."""
        found = {each.space.uid or each.space.label: each for each in reversed(self.each) if each.in_sandbox}
        return tuple(reversed(found.values()))

    def unreadable_of(self, kind: str) -> tuple[Judged, ...]:
        return tuple(each for each in self.each if each.space.kind == kind and each.space.keepalive is None)

    def at_risk_of(self, kind: str) -> int:
        """How many of the namespaces of that kind are at risk."""
        return sum(each.at_risk and each.space.kind == kind for each in self.each)

    @property
    def others_at_risk(self) -> int:
        """How many of the namespaces of no pod and no container are, the node's own left out."""
        return sum(each.at_risk and each.space.kind not in (NODE, POD, CONTAINER) for each in self.each)

    @functools.cached_property
    def counts(self) -> Counts:
        return Counts(*map(sum, zip(*(each.counts for each in self.each), strict=True)))

    @functools.cached_property
    def outside_counts(self) -> Counts:
        return functools.reduce(Counts.plus, [each.outside_counts for each in self.each], NOTHING)

    def as_dict(self) -> dict[str, Any]:
        at_risk = [each for each in self.each if each.at_risk]
        return {
            "count": self.count,
            "verdict": self.verdict,
            "at_risk": [each.as_dict() for each in at_risk[:MAX_AT_RISK]],
            "at_risk_more": len(at_risk[MAX_AT_RISK:]),
            "connections": self.counts._asdict(),
            "outside": self.outside_counts._asdict(),
        }


def connections_text(pods: JudgedPods | None, rearm: bool = False) -> str:
    """A sentence for the summary of a node whose settings are fine and some of whose open connections are not.

    ``rearm``: an apply gives some of them a sooner timer. Empty where there are none.
    """
    return at_risk_text(pods.counts.at_risk, pods.outside_counts.at_risk, rearm) if pods else ""
