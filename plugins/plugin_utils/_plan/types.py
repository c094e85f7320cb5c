# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that a plan is made of. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import RpsSettings
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive, of_values
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import NodeLimits, NotSeen
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import Elsewhere
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import NOTHING_HOLDS, Holding
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.policies import Policies

from .judged_pods import JudgedPods, connections_text
from .servers import Servers, servers_as_dict

NODE, PLAN = "node", "plan"
"""What a finding is about. A host may be called ``plan``."""


@dataclass(frozen=True)
class Settings:
    """What node_settings is to bring a node to; all empty where the node needs nothing.

    With None, ``rps``, ``pods`` and ``containers`` (the keepalive of those that run) stay as they are.
    ``namespace_ipvs_timeouts``: by the name of another network namespace. ``enforce`` and ``open_connections`` are what
    node_settings takes, None to leave them as they are; an empty ``enforce`` gives back an earlier run's.
    """

    modules: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    ipvs_timeouts: Mapping[str, int] = field(default_factory=dict)
    ipvs_timeouts_persistent: bool = False
    rps: RpsSettings | None = None
    pods: Keepalive | None = None
    containers: Keepalive | None = None
    namespace_ipvs_timeouts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    enforce: Mapping[str, Any] | None = None
    open_connections: Mapping[str, Any] | None = None

    @property
    def keepalive(self) -> Keepalive | None:
        """The keepalive of the node's own namespace, None where it stays as it is."""
        return of_values(*map(self.sysctls.get, KEEPALIVE_KEYS))

    def as_dict(self) -> dict[str, Any]:
        on_connections = {"enforce": self.enforce, "open_connections": self.open_connections}
        return {
            **{name: value for name, value in vars(self).items() if name not in on_connections},
            **{name: dict(value) for name, value in on_connections.items() if value is not None},
            "modules": list(self.modules),
            "sysctls": dict(self.sysctls),
            "ipvs_timeouts": dict(self.ipvs_timeouts),
            "rps": None if self.rps is None else self.rps.as_dict(),
            "pods": None if self.pods is None else self.pods.as_dict(),
            "containers": None if self.containers is None else self.containers.as_dict(),
            "namespace_ipvs_timeouts": {name: dict(wanted) for name, wanted in self.namespace_ipvs_timeouts.items()},
        }


class Curable(NamedTuple):
    """So many connections under a limit.

    ``late`` have SO_KEEPALIVE, as have ``own``, whose timers are their programs' own, so that nothing re-arms them.
    """

    limit: Limit
    outside: bool
    late: int
    own: int
    without_keepalive: int

    @property
    def connections(self) -> int:
        return self.late + self.own + self.without_keepalive


@dataclass(frozen=True)
class Rearm:
    """What node_settings takes, and how many of the connections that were seen it may re-arm: late ones and others."""

    settings: Mapping[str, Any]
    late: int
    without_keepalive: int

    @property
    def connections(self) -> int:
        return self.late + self.without_keepalive

    def as_dict(self) -> dict[str, Any]:
        mode = self.settings["mode"]
        return {"mode": mode, "late": self.late, "without_keepalive": self.without_keepalive}


@dataclass(frozen=True)
class Change:
    """One value that differs from the settings, now or only after a reboot. ``pods``: it is one of running pods or
    containers.

    ``key`` is that of its reason and its owner; ``what`` says it in words.
    """

    key: str
    what: str
    before: str
    after: str
    why: str
    after_reboot: bool = False
    pods: bool = False

    @property
    def sentence(self) -> Message:
        return tell(
            "{what}: {before} becomes {after}; {why}.",
            what=self.what,
            before=self.before,
            after=self.after,
            why=self.why,
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "what": self.what,
            "after_reboot": self.after_reboot,
            "from": self.before,
            "to": self.after,
            "why": self.why,
            "pods": self.pods,
            "sentence": self.sentence,
        }


def rebooted(what: str) -> Message:
    """What a change is about that shows after a reboot only."""
    return tell("{what} after a reboot", what=what)


@dataclass(frozen=True)
class Finding:
    """One thing wrong, or not known.

    ``scope`` is a node's name, or ``plan`` where ``scope_kind`` is that too. ``steps``: what of the remedy can be
    pasted, as mappings of ``kind`` and ``what``.
    """

    id: str
    severity: str
    scope: str
    scope_kind: str
    observed: str
    limit: str | None
    why: str
    remedy: str
    steps: tuple[Mapping[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "steps": [dict(step) for step in self.steps]}


@dataclass(frozen=True)
class NodePlan:
    """One node: what was seen, how it stands to the limit, what it should have, and whose each value is.

    ``to_converge``: node_settings may have something to do there.
    ``verdict`` counts the values of its pods, ``own_verdict`` only those of the node itself. What has a default here
    is not known of a node that was not observed. ``limit`` and ``planned_limit`` are the lowest that hold for the node
    itself, ``pods_limit`` for its pods; ``planned`` and ``pods_planned`` are the keepalive that they shall have.
    ``servers``: what is known of those that its connections go to. ``rearm``: what an apply does to open ones;
    ``curable`` are all that it could do something to, also those that the user does not let it touch. ``watch``: what
    the node has to know to watch itself, as plain data.
    """

    name: str
    observed: Observed | None
    seen: NodeLimits
    verdict: str
    why: str
    own_verdict: str
    own_why: str
    notes: tuple[str, ...]
    spare_seconds: int | None = None
    namespaces_unsafe: int = 0
    settings: Settings = field(default_factory=Settings)
    reasons: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    to_converge: bool = False
    owners: Mapping[str, str] = field(default_factory=dict)
    pods: JudgedPods | None = None
    limit: Limit | None = None
    pods_limit: Limit | None = None
    planned_limit: Limit | None = None
    planned: Keepalive | None = None
    pods_planned: Keepalive | None = None
    holding: Holding = NOTHING_HOLDS
    servers: Servers = field(default_factory=dict)
    rearm: Rearm | None = None
    curable: tuple[Curable, ...] = ()
    watch: Mapping[str, Any] | None = None

    @property
    def keepalive(self) -> Keepalive | None:
        return self.observed.keepalive if self.observed else None

    @property
    def summary(self) -> Message:
        said = tell("{node} is {verdict}: {why}.", node=self.name, verdict=self.verdict, why=self.why)
        return joined(" ", filter(None, [said, connections_text(self.pods, bool(self.rearm))]))

    def as_dict(self) -> dict[str, Any]:
        return {
            "mode": self.observed.mode if self.observed else "unknown",
            "limits": [limit.as_dict() for limit in self.seen.limits],
            "limit": self.limit.as_dict() if self.limit else None,
            "planned_limit": self.planned_limit.as_dict() if self.planned_limit else None,
            "holding": self.holding.as_dict(),
            "servers": servers_as_dict(self.servers),
            "coverage": self.seen.coverage(),
            "notes": list(self.notes),
            "keepalive": self.keepalive.as_dict() if self.keepalive else None,
            "verdict": self.verdict,
            "own_verdict": self.own_verdict,
            "own_why": self.own_why,
            "spare_seconds": self.spare_seconds,
            "namespaces_unsafe": self.namespaces_unsafe,
            "why": self.why,
            "summary": self.summary,
            "pods": self.pods.as_dict() if self.pods else None,
            "settings": self.settings.as_dict(),
            "changes": [change.as_dict() for change in self.changes],
            "to_converge": self.to_converge,
            "rearm": self.rearm.as_dict() if self.rearm else None,
            "watch": dict(self.watch) if self.watch else None,
            "plan_id": self.observed.ours.plan_id if self.observed and self.observed.ours else "",
            "reasons": dict(self.reasons),
            "owners": dict(self.owners),
        }


@dataclass(frozen=True)
class Plan:
    """The whole. ``limit`` is the lowest there is now, ``planned_limit`` the lowest once the settings are in force."""

    policies: Policies
    elsewhere: Elsewhere
    limits: tuple[Limit, ...]
    not_seen: tuple[NotSeen, ...]
    planned_limit: Limit | None
    keepalive: Keepalive | None
    safe: bool
    decided_in_time: bool
    verdict: str
    reasons: Mapping[str, str]
    nodes: Mapping[str, NodePlan]

    @property
    def policy(self) -> Policy:
        return self.policies.common

    @property
    def limit(self) -> Limit | None:
        return self.limits[0] if self.limits else None

    def as_dict(self, findings: tuple[Finding, ...]) -> dict[str, Any]:
        return {
            "limit": self.limit.as_dict() if self.limit else None,
            "planned_limit": self.planned_limit.as_dict() if self.planned_limit else None,
            "limits": [limit.as_dict() for limit in self.limits],
            "left_out": self.elsewhere.as_dict(),
            "not_seen": [each.as_dict() for each in self.not_seen],
            "keepalive": self.keepalive.as_dict() if self.keepalive else None,
            "safe": self.safe,
            "decided_in_time": self.decided_in_time,
            "verdict": self.verdict,
            "policy": self.policy.as_dict(),
            "reasons": dict(self.reasons),
            "nodes": {name: node.as_dict() for name, node in self.nodes.items()},
            "findings": [finding.as_dict() for finding in findings],
        }
