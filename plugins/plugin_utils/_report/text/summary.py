# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first and the last lines in a terminal: who is affected, why, and what to run. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import UNKNOWN, UNSAFE, count
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import SEVERITIES

from .. import rearming, verdict
from ..applied import failed
from ..applied import sentence as applied_sentence
from ..coverage import not_looked_at
from ..document import APPLY
from ..rerun_command import Rerun
from .page import Page, Span

Document = Mapping[str, Any]


def write_head(page: Page, document: Document, rerun: Rerun | None) -> None:
    """The verdict in one sentence, what to run (not with None), and what the verdict rests on.

    What to run stands in the first three lines.
    """
    page.line([_word(document), tell(": {text}.", text=verdict.sentence(document))])
    if rerun is not None:
        _write_step(page, document, rerun)
    if document["kind"] == APPLY:
        page.line(applied_sentence(document))
    page.line(tell("{text}.", text=_reason(document)))
    for sentence in verdict.beside(document):
        page.line(sentence)


def _write_step(page: Page, document: Document, rerun: Rerun) -> None:
    playbook, _what = _step(document)
    if _first_known(document):
        first = tell("make known what could not be read, see below; then {playbook}.", playbook=playbook[0])
        page.line(tell("Next: {text}", text=first))
    elif _first_findings(document):
        words = findings_words(_urgent(document))
        page.line(tell("Next: {text}", text=tell("do what the findings say: {findings}; then verify.", findings=words)))
    elif playbook:
        page.command(rerun.command(*playbook), label="Remove the cause, then run: " if _failed(document) else "Run: ")
    else:
        page.line(tell("Next: {text}", text=_besides(document)))


def write_opening(page: Page, document: Document, to_change: Sequence[str], first: bool) -> None:
    """What an apply found, and what it does now. ``first``: it begins with one node alone."""
    said = tell(": {text}. {reason}.", text=verdict.sentence(document), reason=_reason(document))
    page.line(["Before: ", _word(document), said])
    nodes = count(len(to_change), "node")
    if not to_change:
        page.line("Now: no setting of a node has to change.")
    elif document["check_mode"]:
        page.line(tell("Now: what would change on {nodes}. Nothing is written.", nodes=nodes))
    elif first and len(to_change) > 1:
        page.line(tell("Now: {nodes} are changed, {node} first and alone.", nodes=nodes, node=to_change[0]))
    else:
        page.line(tell("Now: changes on {nodes}.", nodes=nodes))


def next_command(document: Document, rerun: Rerun) -> str:
    """The command to run next in one line, empty where there is none, or where something else comes first."""
    playbook, _what = _step(document)
    return " ".join(rerun.command(*playbook)) if playbook and not _first(document) else ""


def write_next(page: Page, document: Document, rerun: Rerun | None) -> None:
    """The last lines: a person at a terminal sees them first."""
    if rerun is None:
        return
    page.heading([_word(document), ". Next:"])
    playbook, what = _step(document)
    first = _first(document)
    if first:
        page.line(first, indent=2)
    if playbook:
        page.command(rerun.command(*playbook), indent=2)
        page.line(what, indent=6)
        if rerun.without:
            page.line(rerun.without, indent=6)
    if not playbook or (_urgent(document) and not _first_findings(document)):
        page.line(_besides(document, begins=True), indent=2)


def write_more(page: Page, rerun: Rerun | None, page_written: bool) -> None:
    """The last line of a report in brief: how to see what it leaves out."""
    if rerun is None:
        page.blank()
    more = (
        "All of it, with reasons: report.html, or the next audit with -e keepalive_report_detail=full."
        if page_written
        else "Next audit in full: -e keepalive_report_detail=full; as a page: -e keepalive_report_dir=reports."
    )
    page.line(more, indent=2 if rerun else 0)


def files_words(paths: Sequence[str]) -> Message:
    """Where the files are, but for those of each node."""
    return tell("Report: {files}", files=", ".join(path for path in paths if "/nodes/" not in path))


def findings_words(counts: Mapping[str, int]) -> Message:
    """``1 critical, 3 warnings, 2 info``"""
    critical, warnings, unknown, info = (counts.get(name, 0) for name in SEVERITIES)
    words = [
        (critical, tell("{number} critical", number=critical)),
        (warnings, count(warnings, "warning")),
        (unknown, tell("{number} unknown", number=unknown)),
        (info, tell("{number} info", number=info)),
    ]
    return joined(", ", [text for number, text in words if number])


def _word(document: Document) -> Span:
    return Span(verdict.word(document), verdict.kind(document))


def _reason(document: Document) -> str:
    limit = document["limit"]
    unknown = [node for node in document["nodes"] if node["verdict"] == UNKNOWN]
    if verdict.kind(document) == UNKNOWN and unknown:
        alike = [node["name"] for node in unknown if node["why"] == unknown[0]["why"]]
        return tell("{names}: {text}", names=named(alike), text=unknown[0]["why"])
    if limit is None:
        return tell("Limit: {reason}", reason=document["limit_reason"])
    the_limit, how = (
        tell("The limit is {seconds} s ({name})", seconds=limit["seconds"], name=limit["name"]),
        _how(document),
    )
    return tell("{limit}, {how}", limit=the_limit, how=how) if how else the_limit


def _how(document: Document) -> str | None:
    """How keepalive stands to the limit, on the worst of the nodes."""
    spares = [node["spare_seconds"] for node in document["nodes"] if node["spare_seconds"] is not None]
    several, margin = len(set(spares)) > 1, document["policy"]["margin"]
    if not spares:
        return None
    least = min(spares)
    if least < 0 and several:
        return tell("keepalive comes up to {seconds} s too late", seconds=-least)
    if least < 0:
        return tell("keepalive comes {seconds} s too late", seconds=-least)
    if least < margin:
        return tell(
            "keepalive comes {seconds} s before it; keepalive_margin asks for {margin} s", seconds=least, margin=margin
        )
    if document["verdict"] == UNSAFE:
        return tell("keepalive of {whose} comes too late or not at all", whose=verdict.whose_keepalive(document))
    if several:
        return tell("keepalive comes at least {seconds} s before it", seconds=least)
    return tell("keepalive comes {seconds} s before it", seconds=least)


def _failed(document: Document) -> bool:
    return document["kind"] == APPLY and not document["check_mode"] and bool(failed(document))


def _hidden(document: Document) -> bool:
    """Whether something could not be read, and the report says how to make it known."""
    return verdict.kind(document) == UNKNOWN and bool(not_looked_at(document) or _urgent(document))


def _first_known(document: Document) -> bool:
    """Whether nothing is left but to look again: that shows nothing new before all can be read."""
    return _step(document)[0] in (["verify"], ["audit"]) and _hidden(document)


def _first_findings(document: Document) -> bool:
    """Whether the findings come before the next command: to verify proves nothing of what an apply leaves to people."""
    unsafe = _step(document)[0] == ["verify"] and verdict.kind(document) == UNSAFE
    return bool(_urgent(document)) and (unsafe or (_first_known(document) and not not_looked_at(document)))


def _first(document: Document) -> str:
    """What is to be done before the next command, empty where nothing is."""
    if _first_findings(document):
        return tell("First do what the findings say ({findings}), then:", findings=findings_words(_urgent(document)))
    return "First do what the lines 'Not looked at' say, then:" if _first_known(document) else ""


def _step(document: Document) -> tuple[list[str], str]:
    """The playbook to run next with its options, empty where there is none; and what it does."""
    changes = document["counts"]["changes"]
    if document["kind"] == APPLY and not document["check_mode"]:
        if _failed(document):
            return ["apply"], "applies what is left. Remove the cause of the failure first."
        if changes:
            return ["apply"], "applies what is left."
        if _hidden(document):
            return ["verify"], "then checks whether it holds, now and after a reboot."
        return ["verify"], "checks that it holds, now and after a reboot."
    rearm = rearming.number(document)
    if not changes and rearm and document["kind"] == APPLY:
        return ["apply"], tell("re-arms the {connections}.", connections=count(rearm, "open connection"))
    if not changes and rearm:
        return ["apply", "--check", "--diff"], tell(
            "counts {connections} to re-arm and touches none; without --check --diff it re-arms them.",
            connections=count(rearm, "open connection"),
        )
    if not changes and _hidden(document):
        return ["audit"], "looks again."
    if not changes:
        return [], ""
    if document["kind"] == APPLY:
        return ["apply"], tell("makes the {changes}, on one node first.", changes=count(changes, "change"))
    return ["apply", "--check", "--diff"], tell(
        "shows the {changes} and makes none; without --check --diff it makes them.", changes=count(changes, "change")
    )


def _urgent(document: Document) -> dict[str, int]:
    return {name: number for name, number in document["counts"]["findings"].items() if number and name != "info"}


def _besides(document: Document, begins: bool = False) -> str:
    """What is to be done beside a command; ``begins``: as the first words of a line."""
    urgent = _urgent(document)
    if not urgent:
        return "Nothing has to be done." if begins else "nothing has to be done."
    if _step(document)[0]:
        return tell("Do what the findings say: {findings}.", findings=findings_words(urgent))
    return tell(
        "No setting of a node has to change; do what the findings say: {findings}."
        if begins
        else "no setting of a node has to change; do what the findings say: {findings}.",
        findings=findings_words(urgent),
    )
