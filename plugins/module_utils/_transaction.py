# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All steps of a run or none of them: foresee, apply, read back, undo. Private to this collection."""

import contextlib
import signal
from typing import Any, Iterator, List, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Step:
    """One place on the node: what it holds before, what it shall hold after, and how to read, write and undo it.

    ``before`` and ``after`` are known without writing. ``undo`` may come after an ``apply`` that failed half-way.
    """

    area = ""
    """The part of the result that shows this step; empty for what the result does not show."""

    needed_after_failure = False
    """Whether this step must stay when another one cannot be undone."""

    def __init__(self, name: str, before: Any, after: Any) -> None:
        self.name = name
        self.before = before
        self.after = after

    @property
    def changed(self) -> bool:
        return bool(self.before != self.after)

    def foresee(self) -> None:
        """Raise NodeError when it is clear beforehand that apply will fail. Writes nothing."""

    def read(self) -> Any:
        """What the place holds now, comparable with before and after. Raises NodeError."""
        raise NotImplementedError

    def apply(self) -> None:
        """Write after. Raises NodeError."""
        raise NotImplementedError

    def undo(self) -> None:
        """Bring back what was there before apply. Raises NodeError."""
        raise NotImplementedError

    def show(self, value: Any) -> Any:
        """before or after as plain JSON types, for people."""
        return value


def foresee(steps: Sequence[Step]) -> None:
    """Raise NodeError when one of the steps is sure to fail. Writes nothing: check mode ends after this."""
    for step in steps:
        if step.changed:
            step.foresee()


def run(steps: Sequence[Step], restorer: str = "kubenode.connections.node_settings") -> None:
    """Apply the steps that change something, in order, and read each back. On any failure all are undone in reverse.

    restorer is the module that gives the originals back where an undo fails.
    Raises NodeError that says what failed, and whether the node is as before or what could not be undone.
    """
    done: List[Step] = []
    try:
        with _signals_raise():
            for step in steps:
                if step.changed:
                    done.append(step)
                    step.apply()
                    _read_back(step)
            for step in done:
                if step.area:
                    _read_back(step)  # once more: a later step may have touched it
    except Exception as error:  # whatever it is, the node must not stay half-way
        with _signals_ignored():
            raise NodeError(f"{_cause(error)} {_undo(done, restorer)}") from error


def _cause(error: Exception) -> str:
    if isinstance(error, NodeError):
        return str(error)
    return f"This run: it met {type(error).__name__}: {error}. Please report it as a mistake in kubenode.connections."


def _read_back(step: Step) -> None:
    observed = step.read()
    if observed != step.after:
        held, written = step.show(observed), step.show(step.after)
        told = "something else than" if held == written else f"{held!r} after {written!r}"
        raise NodeError(
            f"{step.name}: it holds {told} was written (read back). "
            "Choose a value that this node keeps, or find out who else writes there."
        )


def _undo(done: List[Step], restorer: str) -> str:
    """Undo in reverse order, read back, and say in a sentence what came of it."""
    if not done:
        return "Nothing was changed."
    failures: List[str] = []
    kept: List[Step] = []
    for step in reversed(done):
        if failures and step.needed_after_failure:
            kept.append(step)
            continue
        with _collected(failures):
            step.undo()
    for step in done:
        if step not in kept:
            with _collected(failures):
                _read_undone(step)
    if not failures:
        return "The node is as before: everything that this run had written was undone and read back."
    todo = "Mend that by hand."
    if kept:
        todo = f"The originals are kept on the node: mend the cause, then run {restorer} with state=absent."
    return f"The node is not as before, this could not be undone: {' '.join(failures)} {todo}"


def _read_undone(step: Step) -> None:
    observed = step.read()
    if observed != step.before:
        held, before = step.show(observed), step.show(step.before)
        told = "something else than before" if held == before else f"{held!r}, before it was {before!r}"
        raise NodeError(f"{step.name}: it holds {told}.")


@contextlib.contextmanager
def _collected(failures: List[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the other steps must be undone all the same
        failures.append(_cause(error))


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """A polite signal (lost connection, time-out, Ctrl-C) is a failure like any other, so that the steps are undone."""

    def stop(number: int, _frame: object) -> None:
        raise NodeError(f"This run: it got signal {number} from outside. Run again.")

    with _signals_set(stop):
        yield


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    with _signals_set(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _signals_set(handler: Any) -> Iterator[None]:
    """Have the handler for a while; a signal that is ignored already (nohup) stays ignored."""
    old = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, before in old.items():
        if before is not signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in old.items():
            signal.signal(number, before)
