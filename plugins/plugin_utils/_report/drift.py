# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed since an earlier report. Private to this collection."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import NODE, PLAN

from .document import SCHEMA_VERSION

_OPTION = "keepalive_report_compare"

_HOW = "Give the report.json of an earlier run."

_FINDING = ("id", "severity", "scope", "observed")

_Key = tuple[str, str, str]

Report = Mapping[str, Any]


def read_earlier(data: bytes, path: str) -> dict[str, Any]:
    """A report out of a file's content; ``path`` is for messages. Raises PlanError where it is none of this version."""
    try:
        earlier = json.loads(data)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise PlanError(f"{_OPTION}: {path} is not JSON{place}. {_HOW}") from None
    if not isinstance(earlier, dict) or "schema_version" not in earlier:
        raise PlanError(f"{_OPTION}: {path} is not a report of this collection. {_HOW}")
    if earlier["schema_version"] != SCHEMA_VERSION:
        raise PlanError(
            f"{_OPTION}: {path} has schema_version {earlier['schema_version']!r}, this collection reads "
            f"{SCHEMA_VERSION}. Write a new report and compare with that from then on."
        )
    return earlier


def no_earlier(path: str) -> Message:
    """What is said in a first run."""
    return tell("No earlier report at {path}: nothing to compare with (keepalive_report_compare).", path=path)


def drift(earlier: Report, document: Report, path: str) -> dict[str, Any]:
    """What is different in ``document``, for its key ``drift``. Raises PlanError where ``earlier`` lacks something."""
    try:
        return _drift(earlier, document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PlanError(f"{_OPTION}: {path} is not a whole report ({type(error).__name__}: {error}). {_HOW}") from None


def _drift(earlier: Report, document: Report) -> dict[str, Any]:
    before = {node["name"]: node for node in earlier["nodes"]}
    now = {node["name"]: node for node in document["nodes"]}
    both = [name for name in now if name in before]
    was, found = _findings(earlier), _findings(document)
    return {
        "since": str(earlier["made_at"]),
        "nodes_new": [name for name in now if name not in before],
        "nodes_gone": [str(name) for name in before if name not in now],
        "changes": [
            *_changes(PLAN, PLAN, _of_plan(earlier), _of_plan(document)),
            *_severities(was, found),
            *(each for name in both for each in _changes(NODE, name, _of_node(before[name]), _of_node(now[name]))),
        ],
        # A node that is new or gone would bring all of its findings.
        "findings_new": [found[key] for key in found if key not in was and not _on(key, now.keys() - before.keys())],
        "findings_gone": [was[key] for key in was if key not in found and not _on(key, before.keys() - now.keys())],
        "counters": [each for name in both for each in _counters(name, before[name], now[name])],
    }


def _on(key: _Key, nodes: Set[str]) -> bool:
    _identity, kind, scope = key
    return kind == NODE and scope in nodes


def _severities(
    before: Mapping[_Key, Mapping[str, str]], now: Mapping[_Key, Mapping[str, str]]
) -> Iterator[dict[str, Any]]:
    """Findings whose severity changed; new and gone ones are told elsewhere."""
    for (identity, kind, scope), finding in now.items():
        earlier = before.get((identity, kind, scope), finding)
        what = f"severity of {identity}"
        yield from _changes(kind, scope, {what: earlier["severity"]}, {what: finding["severity"]})


def _findings(report: Report) -> dict[_Key, dict[str, str]]:
    """Those that are not silenced, by rule and scope."""
    return {
        (str(each["id"]), _kind(each), str(each["scope"])): {
            **{key: _text(each[key]) for key in _FINDING},
            "scope_kind": _kind(each),
        }
        for each in report["findings"]
        if each["silenced"] is None
    }


def _text(value: object) -> str:
    """A sentence stays one that can be said in another language."""
    return value if isinstance(value, str) else str(value)


def _kind(finding: Report) -> str:
    """Reports of release 0.1.0 tell the plan by its name only."""
    return str(finding.get("scope_kind", PLAN if finding["scope"] == PLAN else NODE))


def _of_plan(report: Report) -> dict[str, str | None]:
    limit = report["limit"]
    return {
        "verdict": str(report["verdict"]),
        "limit": _limit(limit) if limit else None,
        "keepalive planned": keepalive_math.words(report["keepalive"]),
    }


def _of_node(node: Report) -> dict[str, str | None]:
    keepalive, limits, pods = node["keepalive"], node["limits"], node["pods"]
    totals = pods["totals"] if pods else {}
    return {
        "observed": "yes" if node["observed"] else "no",
        "verdict": str(node["verdict"]),
        "verdict after a reboot": str(node["verdict_after_boot"]),
        "limits": joined(", ", map(_limit, limits)) if limits else None,
        "keepalive": keepalive_math.words(keepalive["live"]),
        "keepalive after a reboot": keepalive_math.words(keepalive["at_boot"]),
        "keepalive enforced": _enforced(node),
        "mode": str(node["mode"]),
        "kernel": str(node["kernel"]) if node["kernel"] else None,
        "pods at risk": str(pods["at_risk"]) if pods else None,
        "connections at risk": str(_at_risk(totals)) if pods else None,
    }


def _limit(limit: Report) -> Message:
    return tell("{seconds} s ({name})", seconds=limit["seconds"], name=limit["name"])


def _enforced(node: Report) -> str | None:
    """What new connections get; earlier releases do not say it."""
    attached = (node.get("enforcement") or {}).get("attached")
    return keepalive_math.words(attached) if attached else None


def _at_risk(totals: Mapping[str, int]) -> int:
    """Reports of release 0.1.0 do not say the sum."""
    return totals.get("at_risk", totals["without_keepalive"] + totals["late"])


def _changes(
    kind: str, scope: str, before: Mapping[str, str | None], now: Mapping[str, str | None]
) -> Iterator[dict[str, Any]]:
    for what, value in now.items():
        if value != before[what]:
            yield {"scope": scope, "scope_kind": kind, "what": what, "from": before[what], "to": value}


def _counters(name: str, before: Report, now: Report) -> Iterator[dict[str, Any]]:
    """The counters of conntrack that grew. One that is lower began anew, with a reboot: then all of it is growth."""
    counters = [(each["conntrack"] or {}).get("counters") or {} for each in (before, now)]
    for counter, value in counters[1].items():
        was = counters[0].get(counter)
        if was is None or value == was:
            continue
        grown = value - was if value > was else value
        yield {"node": name, "counter": counter, "from": was, "to": value, "grown": grown}
