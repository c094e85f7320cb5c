# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's pods and sockets at risk, by name. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

from .markup import Child, Markup, tag
from .parts import NOTHING, Cell, Row, badge, keepalive_words, name, section, table

_COLUMNS = ("Pod", "Node", "Verdict", "Keepalive", "Process", "Connections", "Of them at risk", "Services")

_AT_RISK = {"without_keepalive": "without keepalive", "late": "with a timer beyond the limit"}
_UNDECIDED = {"undecided": "not decided"}


def part(document: Mapping[str, Any]) -> Markup | None:
    """None where no node's pods were looked at."""
    seen = [node for node in document["nodes"] if node["pods"] is not None]
    if not seen:
        return None
    rows = [(node["name"], row) for node in seen for row in node["pods"]["rows"]]
    shown = [_row(node, row) for node, row in rows if row["verdict"] != "safe"]
    listed = table("Network namespaces whose idle connections are not safe", _COLUMNS, shown, "pod") if shown else None
    return section("pods", "Pods and sockets", tag("p", _lead(document, rows), class_="lead"), listed, _unread(seen))


def _lead(document: Mapping[str, Any], rows: list[tuple[str, Any]]) -> str:
    pods, sockets = document["counts"]["pods"], document["counts"]["sockets"]
    omitted = sum(node["pods"]["omitted"] for node in document["nodes"] if node["pods"])
    safe = sum(row["verdict"] == "safe" for _node, row in rows)
    parts = [f"{pods['at_risk']} of {count(pods['seen'], 'pod')} seen are at risk."]
    if sockets["to_services"]:
        words = {**_AT_RISK, **_UNDECIDED} if sockets["at_risk"] else _UNDECIDED
        parts.append(
            f"Of {count(sockets['connections'], 'connection')}, {sockets['to_services']} go to services; "
            f"of these {_counted(sockets, words) or 'none is at risk'}."
        )
    if safe:
        parts.append(f"{count(safe, 'network namespace')} without a risk are not listed.")
    if omitted:
        parts.append(f"{omitted} more are not in the report; the worst are.")
    return " ".join(parts)


def _counted(counts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return ", ".join(f"{counts[name]} {said}" for name, said in words.items() if counts[name])


def _row(node: str, row: Mapping[str, Any]) -> Row:
    reason = row["why"] or row["error"]
    verdict = tag("div", badge(row["verdict"]), tag("span", reason, class_="small") if reason else None)
    return Row(
        [
            Cell(name(row["label"])),
            Cell(name(node)),
            Cell(verdict, row["verdict"]),
            Cell(keepalive_words(row["keepalive"]), row["keepalive"]["time"] if row["keepalive"] else -1),
            Cell(_process(row["process"]) if row["process"] else NOTHING),
            Cell(row["connections"]),
            Cell(_counted(row, {**_AT_RISK, **_UNDECIDED}) or "0", sum(row[each] for each in _AT_RISK)),
            Cell(_services(row), row["to_services"]),
        ],
        row["verdict"],
    )


def _process(process: Mapping[str, Any]) -> Markup:
    runtime = f" ({process['runtime']})" if process["runtime"] else ""
    number = f" {process['pid']}" if process["pid"] is not None else ""
    pod = (" of ", name(process["pod"])) if process["pod"] else ()
    return tag("span", name(process["name"]), f"{runtime}{number}", *pod)


def _services(row: Mapping[str, Any]) -> Child:
    lines = [tag("li", *_service(each)) for each in row["services"]]
    if row["services_omitted"]:
        lines.append(tag("li", f"and {row['services_omitted']} more"))
    return tag("ul", *lines) if lines else NOTHING


def _service(service: Mapping[str, Any]) -> Iterator[Child]:
    yield name(service["service"])
    yield f": {count(service['connections'], 'connection')}"
    if service["without_keepalive"]:
        yield f", {service['without_keepalive']} without keepalive"
    if service["gaps"]:
        yield f", a timer of up to {max(gap['seconds'] for gap in service['gaps'])} s"
    for number, process in enumerate(service["processes"]):
        yield ", " if number else "; by "
        yield _process(process)


def _unread(seen: list[Mapping[str, Any]]) -> Markup | None:
    errors = [tag("li", name(node["name"]), ": ", node["pods"]["error"]) for node in seen if node["pods"]["error"]]
    return tag("div", tag("p", "Not all could be read:"), tag("ul", *errors), class_="note") if errors else None
