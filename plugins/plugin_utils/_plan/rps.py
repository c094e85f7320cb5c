# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Receive Packet Steering a node should have, and what differs from that. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.plugins.module_utils._common.cpu_sets import format_list, parse_list
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import (
    PATH,
    Nic,
    Row,
    RpsSettings,
    rule_text,
    wanted_of,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.rps import Rps
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import ALWAYS, AUTO, LEAVE, Policy

from .types import Change, rebooted

RPS_REASON = "RPS"
"""The key of the reason of RPS, beside those of sysctls and modules."""

_FEWEST_CPUS = 2
"""With one CPU there is none to share the work with."""


def rps_settings(node: Observed, policy: Policy) -> RpsSettings | None:
    """The node's settings. Without rows, where RPS is not asked for or no NIC gains, what was set is given back.

    None where nobody can tell: then what is there stays.
    """
    rps = node.rps
    if policy.rps == LEAVE:
        return RpsSettings()
    if rps is None:
        return None
    settings = RpsSettings(tuple(_rows(rps, policy)), policy.rps_sock_flow_entries)
    return settings if any(wanted_of(settings, nic) for nic in rps.nics) else RpsSettings()


def gaining(rps: Rps) -> list[Nic]:
    """The NICs with fewer receive queues than CPUs to work on them, on which RPS is off: what ``auto`` would change."""
    return [nic for nic in rps.nics if _fewer(rps, nic) and all(queue.rps_cpus in (None, "0") for queue in nic.queues)]


def rps_reason(policy: Policy) -> Message:
    """Why a node gets RPS."""
    if policy.rps_exclude_irq_cpus:
        return tell(
            "the packets of a NIC are shared by the CPUs of its NUMA node, without the CPUs of its interrupts "
            "(keepalive_rps_exclude_irq_cpus); keepalive_rps {mode}",
            mode=policy.rps,
        )
    return tell("the packets of a NIC are shared by the CPUs of its NUMA node; keepalive_rps {mode}", mode=policy.rps)


def rps_changes(node: Observed, settings: RpsSettings | None, why: str) -> Iterator[Change]:
    """What differs from the settings now, or would after a reboot."""
    if node.rps is None or settings is None or not settings.rows:
        return
    for nic in node.rps.nics:
        yield from _nic_changes(nic, settings, why)
    rule = rule_text(settings, node.rps.paths)
    if rule is not None and node.rps.rule != rule.decode():
        before = "no udev rules" if node.rps.rule is None else "other udev rules"
        after = tell("the udev rules in {file}", file=PATH)
        yield Change(RPS_REASON, rebooted("RPS"), before, after, why, after_reboot=True)


def rps_notes(node: Observed, policy: Policy) -> Iterator[str]:
    """What is left alone, and what could not be seen."""
    if policy.rps == LEAVE:
        return
    if node.rps is None:
        yield tell("keepalive_rps {mode}: NICs and CPUs were not seen, so RPS is left as it is.", mode=policy.rps)
        return
    enough = [nic for nic in node.rps.nics if nic.queues and not _fewer(node.rps, nic)]
    if policy.rps == AUTO and enough:
        yield tell(
            "keepalive_rps auto leaves {nics} alone: with a receive queue for each CPU, RPS brings nothing (the "
            "kernel's networking/scaling.rst).",
            nics=some([sized(node.rps, nic) for nic in enough]),
        )


def _rows(rps: Rps, policy: Policy) -> Iterator[Row]:
    """A NIC gets a row of its own only where it needs one. All others, later ones too, go by their NUMA node."""
    if len(rps.usable(None)) < _FEWEST_CPUS:
        return
    limit = policy.rps != ALWAYS
    for nic in rps.nics if policy.rps_exclude_irq_cpus else ():
        usable = rps.usable(nic.numa_node)
        left = usable - parse_list(nic.irq_cpus or "")
        if left and left != usable:
            yield Row(format_list(left), name=nic.name, fewer_queues_than=len(usable) if limit else None)
    for numa_node in sorted(rps.numa_nodes) if len(rps.numa_nodes) > 1 else ():
        usable = rps.usable(numa_node)
        yield Row(format_list(usable), numa_node=numa_node, fewer_queues_than=len(usable) if limit else None)
    usable = rps.usable(None)
    yield Row(format_list(usable), fewer_queues_than=len(usable) if limit else None)


def _fewer(rps: Rps, nic: Nic) -> bool:
    """Whether a NIC has receive queues, and fewer than CPUs that may work on its packets."""
    steerable = sum(queue.rps_cpus is not None for queue in nic.queues)
    return 0 < steerable < len(rps.usable(nic.numa_node))


def sized(rps: Rps, nic: Nic) -> Message:
    """``eth0 (1 queue, 4 CPUs)``."""
    queues, cpus = count(len(nic.queues), "queue"), count(len(rps.usable(nic.numa_node)), "CPU")
    return tell("{nic} ({queues}, {cpus})", nic=nic.name, queues=queues, cpus=cpus)


def _nic_changes(nic: Nic, settings: RpsSettings, why: str) -> Iterator[Change]:
    wanted = wanted_of(settings, nic)
    if wanted is None:
        return
    for attribute in wanted._fields:
        after = str(getattr(wanted, attribute))
        seen = [str(getattr(queue, attribute)) for queue in nic.queues if queue.rps_cpus is not None]
        other = list(dict.fromkeys(value for value in seen if value != after))
        if other:
            what, before = f"{nic.name} {attribute}", joined(" or ", other)
            reason = tell("on {queues}; {why}", queues=count(len(seen), "queue"), why=why)
            yield Change(RPS_REASON, what, before, after, reason)
