# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's findings, the same of several nodes as one. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import PLAYBOOK

from .markup import Child, Markup, tag
from .parts import badge, command, name, names, playbook, prose, section

Finding = Mapping[str, Any]

_MANY = 5


def part(document: Mapping[str, Any], options: Sequence[str]) -> Markup:
    """``options`` are those of ansible-playbook in the commands."""
    loud = [finding for finding in document["findings"] if finding["silenced"] is None]
    silenced = [finding for finding in document["findings"] if finding["silenced"] is not None]
    rules = {rule["id"]: rule for rule in document["rules"]}
    shown = [_group(same, rules, options) for same in _alike(loud)]
    listed = tag("div", *shown, class_="findings", data_findings=True) if shown else tag("p", "None.", class_="lead")
    return section("findings", "Findings", listed, _silenced(silenced, rules, options))


def _silenced(findings: Sequence[Finding], rules: Mapping[str, Any], options: Sequence[str]) -> Markup | None:
    if not findings:
        return None
    summary = tag("summary", f"{count(len(findings), 'finding')} silenced, not counted")
    return tag("details", summary, *(_group(same, rules, options) for same in _alike(findings)), class_="silenced")


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings with the same words in one, in the report's order."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        key = tuple(finding[part] for part in ("severity", "id", "why", "remedy", "silenced"))
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


def _group(same: Sequence[Finding], rules: Mapping[str, Any], options: Sequence[str]) -> Markup:
    first = same[0]
    help_url = rules.get(first["id"], {}).get("help")
    title = tag("a", first["id"], href=help_url, rel="noreferrer") if help_url else first["id"]
    number = tag("span", f"{len(same)} times", class_="times") if len(same) > 1 else None
    return tag(
        "article",
        tag("h3", badge(first["severity"]), tag("span", title, class_="id"), number),
        tag("dl", *_rows(same, options)),
        class_=f"finding {first['severity']}",
        data_kind=first["severity"],
    )


def _rows(same: Sequence[Finding], options: Sequence[str]) -> Iterator[Markup]:
    first = same[0]
    if first["silenced"] is not None:
        yield _pair("Silenced", first["silenced"])
    yield _pair("On", names([finding["scope"] for finding in same]))
    yield _pair("Seen", *_observed(same))
    limits = list(dict.fromkeys(finding["limit"] for finding in same))
    if len(limits) == 1 and limits[0]:
        yield _pair("Against", prose(limits[0]))
    yield _pair("Why", prose(first["why"]))
    yield _pair("Do", prose(first["remedy"]), *(command(line) for line in commands(first["steps"], options)))


def _pair(title: str, *children: Child) -> Markup:
    return tag("div", tag("dt", title), tag("dd", *children))


def _observed(same: Sequence[Finding]) -> Iterator[Child]:
    """What was seen, once where it is the same everywhere; a line a node where it is not."""
    texts = dict.fromkeys(finding["observed"] for finding in same)
    if len(texts) == 1:
        yield prose(same[0]["observed"])
        return
    lines = [tag("li", name(each["scope"]), ": ", prose(each["observed"])) for each in same]
    yield tag("ul", *lines[:_MANY])
    if lines[_MANY:]:
        summary = tag("summary", f"{len(lines) - _MANY} more")
        yield tag("details", summary, tag("ul", *lines[_MANY:]), class_="more")


def commands(steps: Sequence[Mapping[str, str]], options: Sequence[str]) -> list[str]:
    """What of a remedy can be pasted into a shell or a file of variables, the playbooks first."""
    playbooks = [playbook(step["what"], options) for step in steps if step["kind"] == PLAYBOOK]
    return playbooks + [step["what"] for step in steps if step["kind"] != PLAYBOOK]
