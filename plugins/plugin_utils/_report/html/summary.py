# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's top: the verdict in one sentence, the figures, what to do next. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

from .. import verdict
from .markup import Child, Markup, tag
from .parts import badge, command, keepalive_words, name, nodes_words, playbook, prose, section

Document = Mapping[str, Any]

_KINDS = {"audit": "Audit of idle connections", "apply": "After an apply", "verify": "After a verification"}


def title(document: Document) -> str:
    """The verdict as a word and a sentence, as the first line in a terminal says it."""
    return f"{verdict.word(document)}: {verdict.sentence(document)}."


def header(document: Document) -> Markup:
    checked = ", in check mode: nothing was written" if document["check_mode"] else ""
    made = tag("time", document["made_at"].replace("T", " ").replace("Z", " UTC"), datetime=document["made_at"])
    version = f"kubenode.connections {document['collection']['version']}"
    kind, sentence = verdict.kind(document), verdict.sentence(document)
    return tag(
        "header",
        tag("p", f"{_KINDS[document['kind']]}{checked}", class_="kicker"),
        tag(
            "h1",
            badge(kind, verdict.word(document).lower()),
            tag("span", f"{sentence[:1].upper()}{sentence[1:]}."),
        ),
        tag("ul", *(tag("li", each) for each in _facts(document)), class_="facts"),
        tag("p", made, ", ", version, class_="made"),
        class_=f"top {kind}",
    )


def _facts(document: Document) -> Iterator[Markup]:
    """What the verdict rests on, a sentence each."""
    limit = document["limit"]
    if limit:
        whose = f"{limit['name']} on {limit['node']}" if limit["node"] else limit["name"]
        yield prose(f"{whose} forgets a connection after {limit['seconds']} s without a packet and tells neither end.")
    else:
        yield prose(f"{document['limit_reason'][:1].upper()}{document['limit_reason'][1:]}.")
    late = [node["spare_seconds"] for node in document["nodes"] if (node["spare_seconds"] or 0) < 0]
    if late:
        yield prose(f"Keepalive speaks up to {-min(late)} s too late.")
    soon = sum(((node["ipvs"] or {}).get("cut_within") or {}).get("300", 0) for node in document["nodes"])
    if soon and late:
        yield prose(f"{count(soon, 'connection')} will be forgotten within 5 minutes if nothing is sent.")
    spare = [node["spare_seconds"] for node in document["nodes"] if node["spare_seconds"] is not None]
    if document["counts"]["nodes"]["safe"] == len(document["nodes"]) and spare and document["verdict"] != "unsafe":
        yield prose(f"Keepalive speaks at least {min(spare)} s before that.")
    boots = document["counts"]["safe_until_reboot"]
    # Any other headline says so itself.
    if boots and verdict.kind(document) == "unknown":
        yield prose(f"{nodes_words(boots)} safe now will be at risk after a reboot.")
    if document["not_seen"]:
        yield prose(f"{count(len(document['not_seen']), 'limit')} not known.")


def figures(document: Document) -> Markup:
    """The numbers of the report, side by side."""
    counts, limit, keepalive = document["counts"], document["limit"], document["keepalive"]
    nodes = [badge(kind, f"{number} {kind}") for kind, number in counts["nodes"].items() if number]
    found = [badge(kind, f"{number} {kind}") for kind, number in counts["findings"].items() if number]
    pods, sockets = counts["pods"], counts["sockets"]
    tiles = [
        _tile("Nodes", len(document["nodes"]), tag("span", *nodes, class_="badges")),
        _tile("Limit", f"{limit['seconds']} s" if limit else "none", limit["name"] if limit else None),
        _tile("Keepalive", keepalive_words(keepalive) if keepalive else "none", _planned(keepalive)),
        _tile("Pods at risk", pods["at_risk"], f"of {pods['seen']} seen") if pods["seen"] else None,
        _tile("Sockets at risk", sockets["at_risk"], f"of {sockets['to_services']} to services")
        if sockets["to_services"]
        else None,
        _tile("Findings", sum(counts["findings"].values()), tag("span", *found, class_="badges")),
    ]
    return tag("dl", *tiles, class_="figures")


def _tile(title: str, figure: object, below: Child) -> Markup:
    small = tag("dd", below, class_="below") if below is not None else None
    return tag("div", tag("dt", title), tag("dd", figure, class_="figure"), small)


def _planned(keepalive: Mapping[str, Any] | None) -> str:
    if keepalive is None:
        return "no limit asks for one"
    return "stays as it is" if keepalive["stays"] else "planned"


def next_steps(document: Document, options: Sequence[str]) -> Markup:
    """``options`` are those of ansible-playbook in the commands."""
    steps = list(_steps(document, options))
    if not steps:
        return section("next", "What to do next", tag("p", "Nothing has to be done."))
    shown = [tag("li", tag("p", words), command(line) if line else None) for words, line in steps]
    return section("next", "What to do next", tag("ol", *shown, class_="steps"))


def _steps(document: Document, options: Sequence[str]) -> Iterator[tuple[Child, str | None]]:
    counts = document["counts"]
    failed = [node["name"] for node in document["nodes"] if node["applied"] and node["applied"]["error"]]
    for each in failed[:5]:
        yield tag("span", "The apply failed on ", name(each), ". Why: ", _CHANGES, "."), None
    if counts["changes"]:
        yield (
            f"See the {count(counts['changes'], 'change')} byte for byte; nothing is written.",
            playbook("apply", options, "--check", "--diff"),
        )
        yield "Make them. The first batch is one node, so that a bad plan stops there.", playbook("apply", options)
    urgent = {kind: number for kind, number in counts["findings"].items() if number and kind != "info"}
    if urgent:
        said = ", ".join(f"{number} {kind}" for kind, number in urgent.items())
        alone = "" if counts["changes"] else "No setting of a node has to change. "
        yield tag("span", f"{alone}What else there is to do, the ", _FINDINGS, f" say: {said}."), None
    if counts["changes"] or document["kind"] == "apply":
        yield "Prove that it holds, now and after a reboot.", playbook("verify", options)


_FINDINGS = tag("a", "findings", href="#findings")
_CHANGES = tag("a", "before and after", href="#changes")
