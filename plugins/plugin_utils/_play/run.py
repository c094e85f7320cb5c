# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the hosts of a play to one plan, and from that to what each host's tasks need. Private to this collection."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.plan_ids import next_id
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import bare, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import mapping, text
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import (
    SAFE,
    UNKNOWN,
    count,
    printable,
    some,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import Elsewhere
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import NOT_OBSERVED, parse_nodes
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import ENGLISH, Language

from .hosts import Play
from .node_text import node_in
from .redaction import Redaction
from .variables import refuse_unknown, wishes_of

_LONGEST_REASON = 300
_SEE_OUTPUT = "See stdout/stderr"
_CHANGED_SINCE = "This run had written what was planned: somebody else changes this node, too (another apply, a tool)."


def converged_of(play: Play, planned: object, converged: str | None) -> dict[str, Any]:
    """What the converge of each host returned, None where it had none by the plan of this report.

    ``planned`` is what the report of before returned, None where there was none: then each counts. A second apply in
    the same run of Ansible still has the results of the first.
    """
    made_at = mapping(mapping(planned).get("planned")).get("made_at")
    results = {name: host.registered.get(converged or "") for name, host in play.hosts.items()}
    return {
        name: result if made_at is None or mapping(result).get("planned_at", made_at) == made_at else None
        for name, result in results.items()
    }


def nodes_of(
    play: Play,
    observed: str,
    converged: Mapping[str, Any] = MappingProxyType({}),
    redaction: Redaction | None = None,
) -> dict[str, Any]:
    """What was seen of each host last: after its converge where that looked again, else before. Or why it was not.

    Each is parsed as soon as it is read, because all nodes of a large play at once need much memory as they are.
    """
    hosts = play.hosts.items()
    nodes = ((name, _node(host.registered.get(observed), converged.get(name))) for name, host in hosts)
    return parse_nodes(itertools.starmap(redaction.node, nodes) if redaction else nodes)


def _node(observed: object, converged: object) -> Any:
    for result in (converged, observed):
        node = node_in(mapping(result))
        if node:
            return node
    why = _reason(mapping(observed))
    return {NOT_OBSERVED: why} if why else {}


def _reason(result: Mapping[str, Any]) -> str:
    """Why a task failed, could not begin or was not begun, in a line."""
    if not result:
        return "this play has not come to it: leave serial out, and see which task failed before"
    if result.get("skipped"):
        return "a condition (when) skipped its task"
    why = " ".join(filter(None, (_line_of(result, "msg", 0), _output(result))))[:_LONGEST_REASON]
    if not result.get("unreachable"):
        return why
    return tell("unreachable: {why}", why=bare(why)) if why else "unreachable"


def _output(result: Mapping[str, Any]) -> str:
    """The last line of what a module printed, where the message only points to that, else nothing.

    Up to ansible-core 2.18 it alone names an interpreter that is not there. SSH with a terminal has it in stdout, and
    in stderr nothing but that the connection was closed.
    """
    points_there = _SEE_OUTPUT in (text(result.get("msg")) or "")
    return _line_of(result, "module_stdout", -1) or _line_of(result, "module_stderr", -1) if points_there else ""


def _line_of(result: Mapping[str, Any], key: str, which: int) -> str:
    return " ".join((text(result.get(key)) or "").strip().split("\n")[which].split())


def outcomes_of(planned: object, converged: Mapping[str, Any]) -> dict[str, Any]:
    """For the report of an apply: what it did to each host, and the verdict of before.

    ``planned`` is what the report of before returned, None in a report that is not of an apply.
    """
    if planned is None:
        return {"applied": None, "verdicts_before": None}
    before = mapping(mapping(mapping(planned).get("planned")).get("nodes"))
    return {
        "applied": {name: _outcome(result, before.get(name)) for name, result in converged.items()},
        "verdicts_before": {name: mapping(node).get("verdict") for name, node in before.items()},
    }


def _outcome(converged: object, planned: object) -> Any:
    """What node_settings returned; nothing changed where it had nothing to do, and was not even started.

    A node that it was not come to, because another one failed before, is untouched.
    """
    wanted = mapping(planned).get("to_converge")
    if converged or wanted is None:
        return converged
    return {"untouched": True} if wanted else {"changed": False}


def make_plan_of_play(play: Play, nodes: Mapping[str, Any], elsewhere: Elsewhere, every_host: bool) -> dict[str, Any]:
    """One plan for all of them, from one policy; ``nodes`` are nodes_of's. Raises PlanError.

    A misspelt variable is refused here, too: an own play may begin with an entry point of the role that does not check.
    """
    refuse_unknown({name: host.variables for name, host in play.hosts.items()})
    wishes = {name: wishes_of(host.variables) for name, host in play.hosts.items()}
    return make_plan(nodes, {}, wishes, elsewhere, every_host)


def too_many_unobserved(
    plan: Mapping[str, Any], nodes: Mapping[str, Any], most_percent: int, language: Language = ENGLISH
) -> str | None:
    """Why a run stops before its first write, with the reasons of the hosts; None where not too many are missing."""
    missing = [name for name in plan["nodes"] if not isinstance(nodes[name], Observed)]
    if len(missing) * 100 <= most_percent * len(plan["nodes"]):
        return None
    reasons = grouped((plan["nodes"][name]["why"], name) for name in missing)
    told = some([tell("{what}: {why}", what=named(names), why=why) for why, names in reasons.items()], "; ")
    message = tell(
        "{number} of {hosts} could not be observed, at most {most} % may be (keepalive_max_unobserved_percentage). "
        "Nothing was changed. {reasons}. Make them reachable, take them out of the inventory, or raise that share.",
        number=len(missing),
        hosts=count(len(plan["nodes"]), "host"),
        most=most_percent,
        reasons=told,
    )
    return printable(language.say(message))


def for_hosts(plan: Mapping[str, Any], made_at: str, word: str, language: Language = ENGLISH) -> dict[str, Any]:
    """What the tasks of each host need of the plan, and no more: a run of many nodes carries it to every task.

    All of it is plain; sentences are said in the language. ``word`` is what no other plan has, see plan_ids.
    """
    plan_id = next_id((node["plan_id"] for node in plan["nodes"].values()), word)
    return {
        "made_at": made_at,
        "keepalive": plan["keepalive"],
        "limit": plain(plan["planned_limit"]),
        "policy": {name: plan["policy"][name] for name in ("lost_probes", "margin")},
        "nodes": {name: _for_host(name, node, plan_id, language) for name, node in plan["nodes"].items()},
        "to_converge": [name for name, node in plan["nodes"].items() if node["to_converge"]],
    }


def _for_host(name: str, node: Mapping[str, Any], plan_id: str, language: Language) -> dict[str, Any]:
    failure = failure_of(name, node, with_pods=True)
    return {
        **{key: node[key] for key in ("to_converge", "settings", "verdict")},
        "limit": plain(node["planned_limit"]),
        "watch": plain(node["watch"]),
        "plan": {"id": plan_id, "seen": node["plan_id"]},
        "summary": printable(language.say(node["summary"])),
        "failure": None if failure is None else printable(language.say(failure)),
    }


def failure_of(name: str, node: Mapping[str, Any], with_pods: bool) -> str | None:
    """Why a node is not as the plan wants it, None where it is; ``with_pods``: running pods count, too.

    It quotes the node: whoever prints it makes it printable.
    """
    missing = [each["sentence"] for each in node["changes"] if with_pods or not each["pods"]]
    own = node["own_verdict"]
    if own == SAFE and not missing and not (with_pods and node["verdict"] == UNKNOWN):
        return None
    said = node["summary"]
    if own != SAFE:
        said = tell("{node} is {verdict}: {why}.", node=name, verdict=own, why=node["own_why"])
    unknown = UNKNOWN in (own, node["verdict"] if with_pods else own)
    steps = dict.fromkeys(each["do"] for each in node["coverage"]["not_seen"]) if unknown else ()
    return joined(" ", [said, *steps, *missing])


def judge_after(
    name: str,
    node: Any,
    wishes: Mapping[str, object],
    limit: Mapping[str, Any] | None,
    sysctls: Mapping[str, str],
) -> str | None:
    """Why a node is not as planned right after its converge, None where it is; safe to print.

    ``limit`` is the planned one that holds for it, ``sysctls`` are those that were written.
    Raises PlanError.
    """
    lowest = Limit(limit["seconds"], limit["name"], limit["node"]) if limit else None
    planned = make_plan({name: node}, dict(wishes), elsewhere=Elsewhere(limit=lowest), every_host=True)
    after = planned["nodes"][name]
    failure = failure_of(name, after, with_pods=False)
    if failure is not None and after["settings"]["sysctls"] == sysctls and _has_changes(after):
        failure = f"{_CHANGED_SINCE} {failure}"
    return None if failure is None else printable(failure)


def _has_changes(node: Mapping[str, Any]) -> bool:
    """Whether anything but running pods is not as planned."""
    return any(not each["pods"] for each in node["changes"])
