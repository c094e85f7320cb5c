# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule is, and how it gets into the table. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import NodePlan, Plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

CRITICAL, WARNING, UNKNOWN, INFO = SEVERITIES = ("critical", "warning", "unknown", "info")
"""Most severe first. ``unknown`` is for missing data, which is never taken for fine."""

PLAYBOOK, VARIABLE = "playbook", "variable"


@dataclass(frozen=True)
class Step:
    """A part of a remedy that can be pasted: a playbook of this collection, or a variable with its value."""

    kind: str
    what: str

    @property
    def text(self) -> str:
        if self.kind == PLAYBOOK:
            return tell("Run the playbook kubenode.connections.{name}", name=self.what)
        return self.what

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Remedy:
    """What to do, in words, and the steps among them."""

    text: str
    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        return self.text


APPLY = Step(PLAYBOOK, "apply")


def variable(line: str) -> Step:
    """``keepalive_rps: auto``"""
    return Step(VARIABLE, line)


RAISE_IPVS = variable("keepalive_strategy: raise_ipvs")


def remedy(template: str, /, **values: object) -> Remedy:
    """``remedy("Set {profile}.", profile=variable("keepalive_profile: derived"))``

    The template is as for messages.tell. Values may be steps and remedies.
    """
    said = {name: each.text if isinstance(each, Step | Remedy) else each for name, each in values.items()}
    return Remedy(tell(template, **said), _steps(values.values()))


def one_by_one(*several: str | Remedy) -> Remedy:
    """The sentences one after the other, without those that are empty."""
    said = [each.text if isinstance(each, Remedy) else each for each in several]
    return Remedy(sentences(*said), _steps(several))


def _steps(pieces: Iterable[object]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for piece in pieces:
        steps += piece.steps if isinstance(piece, Remedy) else [piece] if isinstance(piece, Step) else []
    return tuple(dict.fromkeys(steps))


@dataclass(frozen=True)
class Found:
    """What a rule says; ``severity`` only where it differs from the rule's own."""

    observed: str
    why: str
    remedy: str | Remedy
    limit: str | None = None
    severity: str | None = None


@dataclass(frozen=True)
class Case:
    """One observed node, its part of the plan, and the whole plan: what a rule on nodes looks at."""

    node: NodePlan
    observed: Observed
    plan: Plan

    @property
    def limit(self) -> Limit | None:
        """The lowest that holds for the node itself."""
        return self.node.limit

    @property
    def pods_limit(self) -> Limit | None:
        """The lowest that holds for anything on the node, its pods too."""
        found = [each for each in (self.node.limit, self.node.pods_limit) if each]
        return min(found, key=lambda limit: limit.seconds, default=None)

    @property
    def pods_limit_text(self) -> str | None:
        return self.pods_limit.text if self.pods_limit else None

    @property
    def pods_keepalive(self) -> Keepalive | None:
        """What is planned for pods of the node."""
        return self.node.pods_planned or self.plan.keepalive

    @property
    def policy(self) -> Policy:
        return self.plan.policies.of(self.node.name)


def sets(case: Case, key: str) -> Remedy:
    """To apply, where a sysctl is among the settings of the node."""
    return remedy("{apply}: it sets {key} to {value}.", apply=APPLY, key=key, value=case.node.settings.sysctls[key])


NodeCheck = Callable[[Case], Found | None]
PlanCheck = Callable[[Plan], Iterator[tuple[str | None, Found]]]
"""Yields a node's name, or None for the plan as a whole, and what was found there."""
AppliedCheck = Callable[[object], Found | None]
"""Looks at what node_settings returned on a node, of whose shape nothing is certain."""


@dataclass(frozen=True)
class Rule:
    """One row: a stable id, a severity, and the function that decides, whose docstring says when it applies.

    A rule on what an apply did (``check_applied``) finds nothing in a plan.
    """

    id: str
    severity: str
    description: str
    check: PlanCheck
    check_applied: AppliedCheck | None = None


class Rules(list[Rule]):
    """A room's part of the table. A function with one of the three decorators is in it."""

    def plan(self, identity: str, severity: str) -> Callable[[PlanCheck], PlanCheck]:
        """For a function that looks at the whole plan."""

        def register(check: PlanCheck) -> PlanCheck:
            self.append(Rule(identity, severity, _one_line(check.__doc__), check))
            return check

        return register

    def node(self, identity: str, severity: str) -> Callable[[NodeCheck], NodeCheck]:
        """For a function that looks at one observed node at a time."""

        def register(check: NodeCheck) -> NodeCheck:
            self.append(Rule(identity, severity, _one_line(check.__doc__), _on_each_node(check)))
            return check

        return register

    def applied(self, identity: str, severity: str) -> Callable[[AppliedCheck], AppliedCheck]:
        """For a function that looks at what an apply did on one node."""

        def register(check: AppliedCheck) -> AppliedCheck:
            self.append(Rule(identity, severity, _one_line(check.__doc__), lambda _plan: iter(()), check))
            return check

        return register


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _on_each_node(check: NodeCheck) -> PlanCheck:
    def check_all(plan: Plan) -> Iterator[tuple[str | None, Found]]:
        for node in plan.nodes.values():
            found = check(Case(node, node.observed, plan)) if node.observed else None
            if found is not None:
                yield node.name, found

    return check_all
