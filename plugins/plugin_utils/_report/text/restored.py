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
    """File by file and value by value, alike nodes in one; whose keepalive is late again; and how to look.

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
    _write_end(page, ran, check_mode, rerun)
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


def _write_end(page: Page, ran: Mapping[str, Outcome], check_mode: bool, rerun: Rerun) -> None:
    """Whose keepalive is later than it was, as far as the values say it, and the command that looks."""
    if check_mode:
        return
    late = grouped((pair, name) for name, outcome in ran.items() if (pair := _later(outcome)))
    page.blank()
    for (before, after), names in late.items():
        values = {"nodes": named(names), "before": before, "after": after}
        page.line(
            tell(
                "AT RISK AGAIN: {nodes}. The first probe comes after {after} s as before the first apply, no longer "
                "after {before} s. What forgets a connection sooner cuts idle ones again.",
                **values,
            )
        )
    page.line("Nobody has looked at the limits since. To see who is at risk:")
    page.command(rerun.command("audit"), indent=2)


def _later(outcome: Outcome) -> tuple[int, int] | None:
    """After how many seconds the first probe came and comes now, where that is later."""
    times = [each for each in outcome["values"] if each["kind"] == "sysctl" and each["what"] == TIME]
    sides = [whole_number(times[0][side]) for side in ("before", "after")] if times and not outcome["error"] else []
    before, after = sides or (None, None)
    return (before, after) if before is not None and after is not None and after > before else None
