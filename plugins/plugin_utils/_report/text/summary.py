# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first and the last lines in a terminal: who is affected, why, and what to run. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import UNKNOWN, UNSAFE, count

from .. import rearming, verdict
from ..document import APPLY
from ..rerun_command import Rerun
from .page import Page, Span

Document = Mapping[str, Any]


def write_head(page: Page, document: Document, rerun: Rerun | None) -> None:
    """The verdict in one sentence, what to run (not with None), and what the verdict rests on.

    What to run stands in the first three lines.
    """
    page.line([_word(document), f": {verdict.sentence(document)}."])
    if rerun is not None:
        _write_step(page, document, rerun)
    if document["kind"] == APPLY:
        page.line(_applied(document))
    page.line(f"{_reason(document)}.")
    for sentence in verdict.beside(document):
        page.line(sentence)


def _write_step(page: Page, document: Document, rerun: Rerun) -> None:
    playbook, _what = _step(document)
    if playbook:
        page.command(rerun.command(*playbook), label="Run: ")
    else:
        page.line(f"Next: {_besides(document)}")


def write_next(page: Page, document: Document, rerun: Rerun | None) -> None:
    """The last lines: a person at a terminal sees them first."""
    if rerun is None:
        return
    page.heading([_word(document), ". Next:"])
    playbook, what = _step(document)
    if playbook:
        page.command(rerun.command(*playbook), indent=2)
        page.line(what, indent=6)
        if rerun.without:
            page.line(rerun.without, indent=6)
    if not playbook or _urgent(document):
        besides = _besides(document)
        page.line(besides[:1].upper() + besides[1:], indent=2)


def findings_words(counts: Mapping[str, int]) -> str:
    """``1 critical, 3 warnings, 2 info``"""
    words = [
        count(number, name) if name == "warning" else f"{number} {name}" for name, number in counts.items() if number
    ]
    return ", ".join(words)


def _word(document: Document) -> Span:
    return Span(verdict.word(document), verdict.kind(document))


def _reason(document: Document) -> str:
    limit = document["limit"]
    unknown = [node for node in document["nodes"] if node["verdict"] == UNKNOWN]
    if verdict.kind(document) == UNKNOWN and unknown:
        alike = [node["name"] for node in unknown if node["why"] == unknown[0]["why"]]
        return f"{named(alike)}: {unknown[0]['why']}"
    if limit is None:
        reason: str = document["limit_reason"]
        return reason[:1].upper() + reason[1:]
    return f"The limit is {limit['seconds']} s ({limit['name']}){_how(document)}"


def _how(document: Document) -> str:
    """How keepalive stands to the limit, on the worst of the nodes."""
    spares = [node["spare_seconds"] for node in document["nodes"] if node["spare_seconds"] is not None]
    several, margin = len(set(spares)) > 1, document["policy"]["margin"]
    if not spares:
        return ""
    if min(spares) < 0:
        return f", keepalive comes {'up to ' if several else ''}{-min(spares)} s too late"
    if min(spares) < margin:
        return f", keepalive comes {min(spares)} s before it; keepalive_margin asks for {margin} s"
    if document["verdict"] == UNSAFE:
        return ", keepalive of pods comes too late or not at all"
    return f", keepalive comes {'at least ' if several else ''}{min(spares)} s before it"


def _applied(document: Document) -> str:
    outcomes = {node["name"]: node["applied"] for node in document["nodes"] if node["applied"]}
    changed = sum(each["changed"] for each in outcomes.values())
    failed = [name for name, each in outcomes.items() if each["error"]]
    of = f"{changed} of {count(len(document['nodes']), 'node')}"
    if document["check_mode"]:
        text = f"Check mode: apply would change {of}; nothing was written."
    else:
        text = f"Apply changed {of}."
    return f"{text} It failed on {named(failed)}." if failed else text


def _step(document: Document) -> tuple[list[str], str]:
    """The playbook to run next with its options, empty where there is none; and what it does."""
    changes = document["counts"]["changes"]
    if document["kind"] == APPLY and not document["check_mode"]:
        if any(node["applied"] and node["applied"]["error"] for node in document["nodes"]):
            return ["apply"], "applies what is left. Remove the cause of the failure first."
        if changes:
            return ["apply"], "applies what is left."
        return ["verify"], "checks that it holds, now and after a reboot."
    rearm = rearming.number(document)
    if not changes and rearm and document["kind"] != APPLY:
        told = f"counts {count(rearm, 'open connection')} to re-arm and touches none"
        return ["apply", "--check", "--diff"], f"{told}; without --check --diff it re-arms them."
    if not changes:
        return [], ""
    if document["kind"] == APPLY:
        return ["apply"], f"makes the {count(changes, 'change')}, on one node first."
    return ["apply", "--check", "--diff"], (
        f"shows the {count(changes, 'change')} and makes none; without --check --diff it makes them."
    )


def _urgent(document: Document) -> dict[str, int]:
    return {name: number for name, number in document["counts"]["findings"].items() if number and name != "info"}


def _besides(document: Document) -> str:
    urgent = _urgent(document)
    if not urgent:
        return "nothing has to be done."
    alone = "" if _step(document)[0] else "no setting of a node has to change; "
    return f"{alone}do what the findings say: {findings_words(urgent)}."
