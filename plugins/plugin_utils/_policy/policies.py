# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One policy for a whole run, from what each host says of it. Private to this collection."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named

from .middleboxes import Middlebox
from .options import OPTIONS, Policy, parse_policy


@dataclass(frozen=True)
class Policies:
    """What is wanted of the run, and of the nodes (``own``) that want something else in what belongs to a node."""

    common: Policy
    own: Mapping[str, Policy] = field(default_factory=dict)

    def of(self, node: str) -> Policy:
        return self.own.get(node, self.common)


def parse_policies(wishes: Mapping[str, object]) -> Policies:
    """The policies from what each host wishes, by its name; what most hosts wish is the common one.

    Raises PlanError where hosts differ in what one plan can have only one value of.
    """
    parsed: dict[str, Policy] = {}
    for hosts in grouped((repr(each), host) for host, each in wishes.items()).values():
        try:
            policy = parse_policy(wishes[hosts[0]])
        except PlanError as error:
            whose = f" (on {named(hosts)})" if len(hosts) < len(wishes) else ""
            raise PlanError(f"{error}{whose}") from None
        parsed.update(dict.fromkeys(hosts, policy))
    _refuse_differences(parsed)
    common = _most_common(parsed.values())
    return Policies(common, {host: policy for host, policy in parsed.items() if policy != common})


def _most_common(policies: Iterable[Policy]) -> Policy:
    """The first of those that most have. A policy has mappings in it, so its text is counted."""
    by_text = {repr(policy): policy for policy in policies}
    counted = Counter(map(repr, policies))
    return by_text[counted.most_common(1)[0][0]]


def _refuse_differences(policies: Mapping[str, Policy]) -> None:
    for name, option in OPTIONS.items():
        if option.per_node:
            continue
        values = grouped((_shown(getattr(policy, name)), host) for host, policy in policies.items())
        if len(values) > 1:
            told = ", ".join(f"{value} on {named(hosts)}" for value, hosts in values.items())
            raise PlanError(
                f"keepalive_{name}: {told}. One plan is made for all of them, because a connection crosses several "
                "nodes. Give it one value, for example in group_vars/all."
            )


def _shown(value: object) -> str:
    if value is None:
        return "unset"
    if isinstance(value, tuple):
        return ", ".join(_box(box) for box in value) or "none"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _box(box: Middlebox) -> str:
    return f"{box.name} {box.seconds} s" + (f" ({box.binding})" if box.binding else "")
