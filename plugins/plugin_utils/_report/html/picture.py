# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's time lines, a group of alike nodes after the other. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .groups import Group, Titled, groups_of, scale_for
from .markup import Markup, tag
from .parts import badge, heading, keepalive_words, nodes_words, prose, section, spare_words
from .scale import Scale
from .timeline import Lane, patterns, picture

_WORST = _LARGEST = 15
"""More groups than these are not drawn: each is some kilobytes, and the table of nodes has them all."""

_MODES = {"none": "No kube-proxy runs there.", "unknown": "kube-proxy did not say its mode."}

_LEAD = (
    "How long an idle connection is silent, in seconds from its last packet. What forgets it is an upright line; "
    "a probe has to come before the first of them. The line is wide up to the limit and narrow beyond it."
)

_LEGEND = (
    ("dot", "a keepalive probe"),
    ("dot late", "a probe that comes too late"),
    ("losing", "time for the lost probes that the policy allows"),
    ("slack", "timer slack: the kernel may be up to 8/63 late"),
    ("verdict", "a dead peer is given up"),
    ("beyond", "the connection is forgotten"),
)


def part(document: Mapping[str, Any]) -> Markup:
    groups = groups_of(document)
    chosen = _chosen(groups)
    scale = scale_for(document, chosen)
    drawn = [_group(group, scale) for group in chosen]
    rest = len(document["nodes"]) - sum(len(group.nodes) for group in chosen)
    more = f"{nodes_words(rest)} more, of {len(groups) - len(chosen)} other kinds: see the table of nodes."
    closing = tag("p", more, class_="lead") if rest else None
    lead = tag("p", _LEAD, class_="lead")
    return section(
        "time", "Before the limit, or too late", patterns(), lead, _legend(), *drawn, closing, _why(document)
    )


def _chosen(groups: Sequence[Group]) -> list[Group]:
    """The worst groups, and the largest of the others, in the report's order."""
    largest = sorted(groups[_WORST:], key=lambda group: -len(group.nodes))[:_LARGEST]
    return [group for number, group in enumerate(groups) if number < _WORST or group in largest]


def _why(document: Mapping[str, Any]) -> Markup:
    """The plan's numbers and their reasons."""
    limit, keepalive = document["limit"], document["keepalive"]
    lines = [
        tag("li", tag("code", f"limit {limit['seconds']}" if limit else "no limit"), ": ", document["limit_reason"])
    ]
    if keepalive:
        for each, reason in keepalive["reasons"].items():
            lines.append(tag("li", tag("code", f"{each} {keepalive[each]}"), ": ", prose(reason)))
        lines += [tag("li", prose(keepalive["sum"]))] if keepalive["sum"] else []
    return tag("div", tag("h3", "Why these numbers"), tag("ul", *lines), class_="note")


def _legend() -> Markup:
    return tag(
        "ul",
        *(tag("li", tag("span", class_=f"key {kind}", aria_hidden="true"), words) for kind, words in _LEGEND),
        class_="legend",
    )


def _group(group: Group, scale: Scale) -> Markup:
    node = group.first
    boot = node["verdict"] == "safe" and node["verdict_after_boot"] == "unsafe"
    badges = [badge(node["verdict"]), badge("unsafe", "unsafe after a reboot") if boot else None]
    who = heading("h3", [each["name"] for each in group.nodes], tag("p", *badges, class_="badges"))
    head = tag("div", who, tag("p", _about(group.first), class_="about"), class_="group-head")
    lanes = [_lane(titled, scale, bool(node["not_seen"])) for titled in group.lanes]
    return tag("article", head, *lanes, class_=f"group {node['verdict']}")


def _about(node: Mapping[str, Any]) -> Markup:
    mode = _MODES.get(node["mode"], f"The mode of kube-proxy is {node['mode']}.") if node["observed"] else ""
    return prose(f"{_sentence(node['why'])} {mode}")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _lane(titled: Titled, scale: Scale, not_all_seen: bool) -> Markup:
    lane = titled.lane
    kind, words = _outcome(lane, not_all_seen)
    said = f"{titled.title}, {titled.whose}: {'; '.join([*_said(lane), words])}."
    head = tag(
        "figcaption",
        tag("span", titled.title, class_="lane-title"),
        tag("span", keepalive_words(lane.keepalive), class_="values"),
        badge(kind, words),
        tag("span", titled.whose, class_="whose"),
    )
    return tag("figure", head, picture(lane, scale, said), class_=f"lane {kind}")


def _outcome(lane: Lane, not_all_seen: bool) -> tuple[str, str]:
    if lane.keepalive is None:
        return "unknown", "not known: the keepalive was not read"
    if not lane.usable:
        return "unsafe", "ends healthy connections: a value is below 1"
    if lane.limit is None:
        return ("unknown", "no limit was seen, some could not be read") if not_all_seen else ("safe", "nothing forgets")
    words = spare_words(lane.spare_seconds, lane.margin)
    if lane.late:
        return "unsafe", words
    if lane.keepalive["given_up_seconds"] >= lane.limit.seconds:
        words += "; a dead peer is given up after the limit only"
    return ("unknown", f"{words}, of the limits that were seen") if not_all_seen else ("safe", words)


def _said(lane: Lane) -> Iterator[str]:
    """The picture in words."""
    keepalive = lane.keepalive
    if keepalive is not None:
        yield f"first probe after {keepalive['time']} s"
        lost = f"with {lane.lost_probes} lost probes after {keepalive['silence_seconds']} s"
        yield f"{lost}, with timer slack {keepalive['latest_seconds']} s"
        yield f"a dead peer is given up after {keepalive['given_up_seconds']} s"
    for mark in lane.limits:
        yield f"{mark.name} forgets after {mark.seconds} s"
