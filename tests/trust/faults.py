# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One fault in one call of one run, and what is seen of it: the node, the message, the runs after it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._observe import enforcement

from . import node
from .scenarios import Options, Scenario
from .strace import OPENING, Call, Fault, Tracer, calls, injector, logger

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES")
INTERRUPTED, REFUSED, GONE = "EINTR", "EINVAL", "ENOENT"
SIGNALS = ("SIGKILL", "SIGTERM", "SIGHUP")
_LIVE = re.compile("/proc/sys/|/sys/")
_LOCK = "/run/kubenode.connections.lock"
_NOT_AS_BEFORE = ("The node is not as before", "some of its running pods or containers are not")


class State(NamedTuple):
    """All of a node that a run may change."""

    entries: Mapping[str, Any]
    values: Mapping[str, str]

    def without(self, *paths: str) -> State:
        return self._replace(entries={path: found for path, found in self.entries.items() if path not in paths})


class Run(NamedTuple):
    """A run that faults befall: what it is asked, what was run before it, and the node before and after it."""

    name: str
    options: Options
    earlier: tuple[Options, ...]
    start: State
    end: State


class Seen(NamedTuple):
    """What came of a fault, and what of that must not be.

    outcome: old or new for a node that is wholly so, killed, or said for a message that tells what is not as before.
    """

    fault: Fault
    outcome: str
    wrong: tuple[str, ...]


class Campaign:
    """A scenario on the node that this process is in."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self._folder = folder
        node.take_over()
        scenario.prepare()
        self.old = self.state()

    def state(self) -> State:
        values = dict(self.scenario.values.read())
        if self.scenario.in_kernel:
            values["programs"] = repr(enforcement.look()[1].programs)
        return State(node.entries(), values)

    def start(self, options: Options, tracer: Tracer | None = None) -> node.Running:
        return node.Running(self.scenario.module, options, self._folder, tracer)

    def plainly(self, options: Options) -> node.Answer:
        return self.start(options).end()

    def bring(self, run: Run) -> None:
        """Have the node from which a run starts; what is in the kernel alone comes only by the runs before it."""
        if not self.scenario.in_kernel:
            node.bring(run.start.entries)
            self.scenario.values.write(run.start.values)
            return
        node.bring(self.old.entries)
        for options in (self.scenario.restore, *run.earlier):
            self.plainly(options)
        assert self.state() == run.start, differences(run.start, self.state())

    def runs(self) -> list[Run]:
        """Converge, change and restore, each from where the one before it ends."""
        found: list[Run] = []
        start = self.old
        for name in ("converge", "change", "restore"):
            options = getattr(self.scenario, name)
            answer = self.plainly(options)
            assert not answer.failed, answer.result["msg"]
            end = self.state()
            found.append(Run(name, options, tuple(run.options for run in found), start, end))
            start = end
        assert end == self.old, differences(self.old, end)
        return found

    def faults(self, run: Run) -> list[Fault]:
        """Every fault in every call of a run."""
        self.bring(run)
        answer = self.start(run.options, logger(self._folder)).end()
        assert not answer.failed, answer.result["msg"]
        assert self.state() == run.end, differences(run.end, self.state())
        return [fault for call in calls(self._folder) for fault in faults_of(call)]

    def befall(self, run: Run, fault: Fault) -> Seen:
        """Have a fault happen in a run; what came of it, and of the two runs after it.

        Where the node is exactly as before or after a run, those are the runs that were seen already.
        """
        self.bring(run)
        answer = self.start(run.options, injector(fault)).end()
        now = self.state()
        outcome, wrong = judge(run, fault, answer, now)
        if now not in (run.start, run.end):
            wrong += self.heal(run)
        return Seen(fault, outcome, tuple(wrong))

    def heal(self, run: Run) -> list[str]:
        """What is not as it should be after the same run once more, and after a restore."""
        wrong = []
        for options, end, name in ((run.options, run.end, "same"), (self.scenario.restore, self.old, "restoring")):
            answer = self.plainly(options)
            if answer.err or answer.failed:
                wrong.append(f"the {name} run after it fails: {answer.err or answer.result['msg']}")
            now = self.state()
            if now.without(node.RECORD) != end.without(node.RECORD):
                wrong.append(f"the {name} run after it leaves {differences(end, now)}")
        return wrong


def faults_of(call: Call) -> Iterator[Fault]:
    if not call.changes:
        yield Fault(call, "EIO")
        return
    for what in ERRORS:
        yield Fault(call, what)
        yield Fault(call, what, True)
    yield Fault(call, INTERRUPTED)
    if call.name == "write" and _LIVE.match(call.place):
        yield Fault(call, REFUSED)
    if call.name in OPENING and _LIVE.match(call.place):
        yield Fault(call, GONE)
    for what in SIGNALS:
        yield Fault(call, what)


def judge(run: Run, fault: Fault, answer: node.Answer, now: State) -> tuple[str, list[str]]:
    """What came of a run, and what of that must not be."""
    if answer.returncode < 0:
        return "killed", _judge_killed(run, fault, now)
    if answer.err or "Traceback" in answer.out or "mistake in kubenode.connections" in answer.out:
        return "traceback", [f"a traceback: {(answer.err or answer.out)[-600:]}"]
    if not answer.out:
        return "silent", [f"it says nothing and ends with status {answer.returncode}"]
    if not answer.failed and _apart(now) == _apart(run.end):
        return "new", []
    if not answer.failed:
        notes = "\n".join(answer.result["notes"])
        return "said", [] if told(notes, fault) else [f"it says success, but: {differences(run.end, now)} ({notes})"]
    message = answer.result["msg"]
    wrong = [] if told(message, fault) else [f"the message does not name the fault: {message}"]
    if any(words in message for words in _NOT_AS_BEFORE):
        return "said", wrong + ([] if fault.stays else [f"one fault, and it is not undone: {message}"])
    if "This run is complete" in message:
        return "said", wrong + (
            [] if _apart(now) == _apart(run.end) else [f"not complete: {differences(run.end, now)}"]
        )
    if "Nothing was changed" not in message and "The node is as before" not in message:
        wrong.append(f"the message does not say what became of the node: {message}")
    if _apart(now) != _apart(run.start):
        wrong.append(f"it says that the node is as before ({message}), but: {differences(run.start, now)}")
    return "old", wrong


def told(message: str, fault: Fault) -> bool:
    """Whether a person reads what went wrong and where; of a child that cannot even tell, how it ended."""
    if fault.call.process and "wait status" in message:
        return True
    if fault.what.startswith("SIG"):
        return "signal" in message
    if fault.what == GONE:
        return os.path.basename(fault.call.place) in message
    if fault.call.name == "access":
        return "cannot be written" in message  # Python does not tell why; the file is named by its link
    return fault.what in message or os.strerror(getattr(errno, fault.what)) in message


def _apart(state: State) -> State:
    """A state without what harms nobody where it stays: a lock that nobody holds, and an empty folder of ours."""
    folder = os.path.dirname(node.RECORD)
    return state.without(_LOCK, *([] if node.RECORD in state.entries else [folder]))


def _judge_killed(run: Run, fault: Fault, now: State) -> list[str]:
    wrong = []
    if fault.what != "SIGKILL" and _apart(now) not in (_apart(run.start), _apart(run.end)):
        wrong.append(f"ended by {fault.what} half-way: {differences(run.start, now)}")
    for path, found in now.entries.items():
        whole = (run.start.entries.get(path), run.end.entries.get(path))
        ours = path in (node.RECORD, _LOCK) or path.endswith(".new") or isinstance(found, str) or len(found) < 4
        if not ours and found not in whole:
            wrong.append(f"torn: {path} has {found!r}")
    return wrong


def differences(expected: State, found: State) -> str:
    """Where two states differ, in short."""
    lines = []
    for before, after in ((expected.entries, found.entries), (expected.values, found.values)):
        for path in sorted({*before, *after}):
            if before.get(path) != after.get(path):
                lines.append(f"{path}: {str(before.get(path))[:200]} -> {str(after.get(path))[:200]}")
    return "; ".join(lines) or "nothing"


def sampled(faults: Sequence[Fault], every: int) -> list[Fault]:
    """Every so many-th of the faults, each time the same ones."""
    return list(faults[every // 2 :: every])
