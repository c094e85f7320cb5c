# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restore gave back, in a terminal. Private to this collection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, plural, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named

from ..applied import describe_applied
from ..language import ENGLISH, Language
from ..rerun_command import UNKNOWN_RUN, Rerun
from .changes import write_values
from .page import CRITICAL, Line, Page, Span
from .report import WIDEST

Outcome = Mapping[str, Any]

TIME = KEYS[0]


def restored_lines(
    outcomes: Mapping[str, object],
    check_mode: bool,
    width: int = WIDEST,
    rerun: Rerun = UNKNOWN_RUN,
    language: Language = ENGLISH,
) -> list[Line]:
    """File by file and value by value, alike nodes in one; who may be at risk again; and what to run next.

    ``outcomes`` maps each node to what node_settings returned or failed with, None where it did not run.
    """
    page = Page(min(width, WIDEST), language)
    done = {name: describe_applied(outcome, None) for name, outcome in outcomes.items()}
    ran = {name: outcome for name, outcome in done.items() if outcome}
    page.line(_head(done, check_mode))
    told = {
        name: outcome for name, outcome in ran.items() if outcome["changed"] or outcome["error"] or outcome["notes"]
    }
    if told:
        page.blank()
    for names in grouped((json.dumps(_alike(outcome)), name) for name, outcome in told.items()).values():
        _write_outcome(page, names, [ran[name] for name in names], check_mode)
    _write_end(page, done, check_mode, rerun)
    return page.lines


def _head(done: Mapping[str, Outcome | None], check_mode: bool) -> Message:
    number, changed = len(done), sum(bool(each and each["changed"]) for each in done.values())
    failed = [name for name, each in done.items() if each and each["error"]]
    missing = [name for name, each in done.items() if not each]
    if check_mode:
        text = plural(
            "Check mode: restore would change {changed} of {number} nodes; nothing was written.",
            "Check mode: restore would change {changed} of {number} node; nothing was written.",
            number,
            changed=changed,
        )
    else:
        text = plural(
            "Restore gave {changed} of {number} nodes back what they had before the first apply.",
            "Restore gave {changed} of {number} node back what it had before the first apply.",
            number,
            changed=changed,
        )
        idle = sum(not (each["changed"] or each["error"] or each["notes"]) for each in done.values() if each)
        if idle:
            nothing = plural(
                "{number} nodes had nothing to give back.", "{number} node had nothing to give back.", idle
            )
            text = nothing if idle == number else tell("{text} {more}", text=text, more=nothing)
    if failed:
        text = tell("{text} It failed on {nodes}.", text=text, nodes=named(failed))
    return tell("{text} It did not touch {nodes}.", text=text, nodes=named(missing)) if missing else text


def _alike(outcome: Outcome) -> list[Any]:
    values = [each for each in outcome["values"] if each["changed"] and each["kind"] not in ("pod", "container")]
    return [outcome["error"], values, outcome["notes"]]


def _write_outcome(page: Page, names: Sequence[str], outcomes: Sequence[Outcome], check_mode: bool) -> None:
    first = outcomes[0]
    if first["error"]:
        told: list[str | Span] = [
            tell("{names}: ", names=named(names)),
            Span("FAILED", CRITICAL),
            tell(": {text}", text=first["error"]),
        ]
        page.line(told, indent=2, hanging=2)
        return
    page.line(tell("{names}:", names=named(names)), indent=2, hanging=2)
    write_values(page, outcomes, check_mode)


def _write_end(page: Page, done: Mapping[str, Outcome | None], check_mode: bool, rerun: Rerun) -> None:
    """Who may be at risk again, as far as the values say it, and the commands to run next."""
    ran = {name: outcome for name, outcome in done.items() if outcome}
    less = grouped((words, name) for name, outcome in ran.items() for words in _less(outcome))
    if check_mode and not any(outcome["changed"] for outcome in ran.values()):
        return
    page.blank()
    if less:
        page.line("May be at risk again after it:" if check_mode else "May be at risk again:")
        for words, names in less.items():
            page.line(tell("{names}: {text}", names=named(names), text=words), indent=2, hanging=2)
        page.line("What forgets a connection sooner cuts idle ones.")
    if check_mode:
        _write_command(page, rerun, "restore", "To give it back:")
        return
    failed, missing = any(outcome["error"] for outcome in ran.values()), len(ran) < len(done)
    if failed:
        _write_command(page, rerun, "restore", "To give back what is left (remove the cause of the failure first):")
    elif missing:
        _write_command(page, rerun, "restore", "To give back what is left:")
    _write_command(page, rerun, "audit", "Nobody has looked at the limits since. To see who is at risk:")


def _write_command(page: Page, rerun: Rerun, playbook: str, words: str) -> None:
    page.line(words)
    page.command(rerun.command(playbook), indent=2)


def _less(outcome: Outcome) -> list[Message]:
    """What protects a node less than before the restore, each in words."""
    changed = [] if outcome["error"] else [each for each in outcome["values"] if each["changed"]]
    told = [words for each in changed if (words := _less_of(each))]
    return list(dict.fromkeys(told))


def _less_of(value: Mapping[str, Any]) -> Message | None:
    kind, what = value["kind"], value["what"]
    if kind == "enforcement":
        return None if value["after"] else tell("keepalive is not enforced for new connections")
    running = kind in ("pod", "container")
    sides = [value[side] and value[side].partition("/")[0] if running else value[side] for side in ("before", "after")]
    before, after = map(whole_number, sides)
    if before is None or after is None:
        return None
    values = {"before": before, "after": after}
    if kind == "sysctl" and what == TIME and after > before:
        return tell("the first probe comes after {after} s, not {before} s", **values)
    if running and after > before:
        return tell("the first probe of running pods comes after {after} s, not {before} s", **values)
    if kind == "ipvs timeout" and what.partition(" ")[0] == "tcp" and after < before:
        return tell("IPVS {name} forgets after {after} s, not {before} s", name=what, **values)
    return None
