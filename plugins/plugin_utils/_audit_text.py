# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit in words: the limit and whose it is, who is at risk, what would change. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils import _audit_findings, _audit_node, _keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._page import Page, count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._parse_node import parse_node

_VERDICTS = ("unsafe", "unknown", "safe")

_HOW = "Give the result of the filter kubenode.connections.plan and the nodes that it was made from."

_PLAYBOOK = "ansible-playbook kubenode.connections.apply -i INVENTORY"


def audit_lines(plan: object, nodes: object) -> list[str]:
    """The lines to print, without control characters; ``plan`` is make_plan's of these ``nodes``. Raises PlanError."""
    if not isinstance(plan, dict) or not isinstance(nodes, dict):
        raise PlanError(f"report: plan and nodes must be mappings, not {_kind(plan)} and {_kind(nodes)}. {_HOW}")
    page = Page()
    try:
        _write(page, plan, nodes)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        message = f"report: this is not a plan with its nodes ({type(error).__name__}: {error}). {_HOW}"
        raise PlanError(message) from None
    return page.lines


def _kind(value: object) -> str:
    return type(value).__name__


def _write(page: Page, plan: Mapping[str, Any], nodes: Mapping[str, Any]) -> None:
    _write_verdict(page, plan)
    _write_limit(page, plan)
    _write_keepalive(page, plan)
    observed = {name: parse_node(nodes.get(name)) for name in plan["nodes"]}
    for verdict in _VERDICTS:
        names = [name for name, node in plan["nodes"].items() if node["verdict"] == verdict]
        _audit_node.write(page, {name: observed[name] for name in names}, plan)
    _audit_findings.write(page, plan["findings"])
    _write_next(page, plan)


def _write_verdict(page: Page, plan: Mapping[str, Any]) -> None:
    page.line(f"Idle connections of {count(len(plan['nodes']), 'node')}: {_verdict_text(plan)}")
    pods, unread = _unsafe_pods(plan), _scopes(plan, "namespaces-not-read")
    if pods:
        late = count(sum(pods.values()), "network namespace")
        page.line(f"Idle connections of pods: UNSAFE ({late} besides the nodes' own, on {some(list(pods))})", hanging=2)
    elif unread:
        page.line(f"Idle connections of pods: UNKNOWN (not all could be read on {some(unread)})", hanging=2)
    boots = _unsafe_after_boot(plan)
    if boots:
        page.line(f"After a reboot: UNSAFE (on {some(boots)})", hanging=2)
    page.blank()


def _verdict_text(plan: Mapping[str, Any]) -> str:
    each = [node["verdict"] for node in plan["nodes"].values()]
    counts = ", ".join(f"{each.count(verdict)} {verdict}" for verdict in _VERDICTS if verdict in each)
    verdict: str = plan["verdict"].upper()
    return f"{verdict} ({counts})" if len(set(each)) > 1 else verdict


def _unsafe_pods(plan: Mapping[str, Any]) -> dict[str, int]:
    """By node, how many network namespaces besides its own are too late."""
    return {name: node["namespaces_unsafe"] for name, node in plan["nodes"].items() if node["namespaces_unsafe"]}


def _scopes(plan: Mapping[str, Any], identity: str) -> list[str]:
    return [finding["scope"] for finding in plan["findings"] if finding["id"] == identity]


def _unsafe_after_boot(plan: Mapping[str, Any]) -> list[str]:
    """The nodes that are safe now and not after a reboot."""
    return [each["scope"] for each in plan["findings"] if each["id"] == "boot-value-differs" and each["limit"]]


def _write_limit(page: Page, plan: Mapping[str, Any]) -> None:
    limits = _limit_texts(plan["limits"])
    page.field("Limit", limits[0] if limits else "none", indent=0)
    page.field("", plan["reasons"]["limit"], indent=0)
    if plan["limit"]:
        forgets = f"after {plan['limit']['seconds']} s without a packet a connection is forgotten"
        page.field("", f"{forgets}, and neither end is told", indent=0)
    for number, text in enumerate(limits[1:]):
        page.field("" if number else "Also seen", text, indent=0)


def _limit_texts(limits: Sequence[Mapping[str, Any]]) -> list[str]:
    """The limits in their order, those of the same name and length in one."""
    where: dict[tuple[int, str], list[str]] = {}
    for limit in limits:
        where.setdefault((limit["seconds"], limit["name"]), []).append(limit["node"])
    return [
        f"{seconds} s: {name} " + (f"on {some(nodes)}" if all(nodes) else "(declared in keepalive_middleboxes)")
        for (seconds, name), nodes in where.items()
    ]


def _write_keepalive(page: Page, plan: Mapping[str, Any]) -> None:
    page.blank()
    if not plan["keepalive"]:
        page.field("Keepalive", "none planned: no limit asks for it", indent=0)
        return
    keepalive = Keepalive(**plan["keepalive"])
    page.field("Keepalive", f"{keepalive} (time/intvl/probes) {_planned_or_stays(plan['policy'])}", indent=0)
    for name, value in keepalive.as_dict().items():
        page.field(f"  {name}", f"{value:<6}{plan['reasons'][name]}", indent=0)
    limit = plan["planned_limit"]
    if limit:
        whose = f"{limit['name']} on {limit['node']}" if limit["node"] else limit["name"]
        policy = plan["policy"]
        text = _keepalive.sum_text(keepalive, limit["seconds"], whose, policy["lost_probes"], policy["margin"])
        safe = "SAFE for the limits that were seen" if plan["not_seen"] else "SAFE"
        page.field("", f"{text}: {safe if plan['safe'] else 'UNSAFE'}", indent=0)
        counted = (
            f"{count(policy['lost_probes'], 'lost probe')} in a row, timers that fire up to 8/63 late (timer slack)"
        )
        page.field("", f"counted in: {counted}", indent=0)


def _planned_or_stays(policy: Mapping[str, Any]) -> str:
    own = policy["profile"] == "article" or any(policy[name] for name in ("time", "intvl", "probes"))
    return "stays" if policy["strategy"] == "raise_ipvs" and not own else "planned"


def _write_next(page: Page, plan: Mapping[str, Any]) -> None:
    changes = sum(len(node["changes"]) for node in plan["nodes"].values())
    pods = ", pods UNKNOWN" if _scopes(plan, "namespaces-not-read") else ""
    pods = ", pods UNSAFE" if _unsafe_pods(plan) else pods
    boot = ", after a reboot UNSAFE" if _unsafe_after_boot(plan) else ""
    page.blank()
    page.line(f"Verdict: nodes {_verdict_text(plan)}{pods}{boot}. Next:")
    if changes:
        page.line(f"{_PLAYBOOK} --check --diff", indent=2)
        page.line(f"shows the {count(changes, 'change')} and makes none; without --check --diff it makes them.", 6)
    elif any(finding["severity"] != "info" for finding in plan["findings"]):
        page.line("No setting of a node has to change; do what the findings say.", indent=2)
    else:
        page.line("Nothing has to be done.", indent=2)
