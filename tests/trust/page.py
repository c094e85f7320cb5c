# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of the faults, as a section of docs/trust.md. Other sections are of other tools, and stay."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from .faults import Seen
from .places import KINDS
from .scenarios import ALL

BEGIN = "<!-- Written by `nox -s trust`. Do not edit. -->\n"
END = "<!-- End of `nox -s trust`. -->\n"
"""Each tool has a pair of these, and writes between its own alone."""

_TEXT = """\
## Faults

Every call that a run and its child processes make on files, live values, namespaces and the kernel was made to fail by
`strace`, one at a time: by each error, once and from then on, by an interruption, and by a signal. Calls that only read
failed with EIO. Live values also refused what was written, or were gone (their module unloaded, their NIC removed).
After each fault the node was read whole and compared byte for byte. Where it was neither as before nor as after a run
without a fault, the same run was made again, and then a restore.

- *as before*: the run failed in words that name the fault, and all was as before the run.
- *done*: the run succeeded, and all was as a run without a fault leaves it.
- *said*: the fault stayed, so that the undo met it, too. The message says what is not as before. Or it befell one
  running pod, or open connections: the run is done without these, and a note names them and the fault.
- *ended*: the run was killed. Each file was the old one or the new one, never half of one. A signal that can be waited
  for (SIGTERM, SIGHUP) left all as before or all done.

Each of these runs then succeeded, and the restore gave back what there was before the first run. An open connection
that was re-armed is not given back. Never were more told as re-armed than are.

"""
_PLACES = """
## Something else in the way

In place of each file, link and folder that a run makes (the temporary names, the record and the lock among them) lay
something else, one at a time; and in place of everything that an audit reads, all at once.

- *refused*: the run failed in words that name the place. All else was as before.
- *done*: the run succeeded, the next one changed nothing, and a restore gave back what there was, that thing apart.
- *read*: the audit ended, and showed nothing of a file that only its owner may read.

"""
OPEN = "open connections"
_OUTCOMES = {"old": "as before", "new": "done", "said": "said", "killed": "ended"}
_OF_PLACES = ("refused", "done", "read")
_OF_PLACE = 2
"""So many values has the line of something in the way."""


def remember(figures: Path, scenario: str, run: str, seen: Seen) -> None:
    """Add a line for one fault."""
    fault = seen.fault
    _add(figures, [scenario, run, fault.what, fault.call.changes, fault.stays, seen.outcome])


def remember_place(figures: Path, kind: str, outcome: str) -> None:
    """Add a line for something in the way of a run."""
    _add(figures, [kind, outcome])


def _add(figures: Path, line: list[object]) -> None:
    with figures.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(line) + "\n")


def section(lines: list[list[object]], every: int) -> str:
    """The tables: by what a run does, by fault, and by what lay in the way.

    every: how many faults there were for each that was put in.
    """
    placed = [line for line in lines if len(line) == _OF_PLACE]
    lines = [line for line in lines if len(line) != _OF_PLACE]
    by_run = Counter((line[0], line[1], line[5]) for line in lines)
    rows = [
        (f"{steps}: {run}", [by_run[name, run, outcome] for outcome in _OUTCOMES])
        for name, steps in {**{scenario.name: scenario.steps for scenario in ALL}, OPEN: OPEN}.items()
        for run in ("converge", "change", "restore")
        if any(line[:2] == [name, run] for line in lines)
    ]
    by_fault = Counter((_fault(line), line[5]) for line in lines)
    faults = [(name, [by_fault[name, outcome] for outcome in _OUTCOMES]) for name in sorted({_fault(x) for x in lines})]
    number = f"Put in were {len(lines)} faults, {_share(every)}.\n\n"
    written = sum(line[1] != "read" for line in placed)
    things = f"In the way of what is written lay {written} things, {_share(of_places(every))}.\n\n"
    by_kind = Counter((line[0], line[1]) for line in placed)
    kinds = [(kind, [by_kind[kind, outcome] for outcome in _OF_PLACES]) for kind in KINDS]
    return (
        _TEXT
        + number
        + _table("what is written, and the run", rows, _OUTCOMES.values())
        + "\n"
        + _table("fault", faults, _OUTCOMES.values())
        + _PLACES
        + things
        + _table("what lies there", kinds, _OF_PLACES)
    )


def of_places(every: int) -> int:
    """How many places there are for each that has something in it, where so many faults come to one: they take less."""
    return max(1, every // 10)


def _share(every: int) -> str:
    return f"one in {every} of all" if every > 1 else "all there are"


def write(figures: Path, every: int, page: Path) -> None:
    """Put the section into a page, in place of the one that is there."""
    lines = [json.loads(line) for line in figures.read_text(encoding="utf-8").splitlines()]
    page.write_text(placed(page.read_text(encoding="utf-8"), section(lines, every)), encoding="utf-8")


def placed(text: str, new: str) -> str:
    """A page with this section in place of ours; every other byte stays."""
    ours = f"{BEGIN}\n{new}\n{END}"
    found = re.search(re.escape(BEGIN) + ".*?" + re.escape(END), text, re.DOTALL)
    return text[: found.start()] + ours + text[found.end() :] if found else f"{text.rstrip()}\n\n{ours}"


def _fault(line: list[object]) -> str:
    return f"{line[2]}{'' if line[3] else ', reading'}{', and it stays' if line[4] else ''}"


def _table(head: str, rows: list[tuple[str, list[int]]], outcomes: Collection[str]) -> str:
    heads = f"| {head} | {' | '.join(outcomes)} |\n|---|{'---:|' * len(outcomes)}\n"
    return heads + "".join(f"| {name} | {' | '.join(map(str, numbers))} |\n" for name, numbers in rows)
