# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All steps of a run or none of them: foresee, apply, read back, undo. Private to this collection."""

import contextlib
import signal
from typing import Any, Iterator, List, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import NotSyncedError

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Step:
    """One place on the node: what it holds before, what it shall hold after, and how to read, write and undo it.

    ``before`` and ``after`` are known without writing. ``undo`` may come after an ``apply`` that failed half-way.
    """

    area = ""
    """The part of the result that shows this step; empty for what the result does not show."""

    needed_after_failure = False
    """Whether this step must stay when another one cannot be undone."""

    completes = False
    """Whether the run is complete once this step has taken effect: it comes last, and nothing is undone after it.

    ``apply`` then raises NotSyncedError where it has taken effect, and any other error where it has not.
    """

    def __init__(self, name: str, before: Any, after: Any) -> None:
        self.name = name
        self.before = before
        self.after = after

    @property
    def changed(self) -> bool:
        return bool(self.before != self.after)

    def tidy(self) -> None:
        """Remove what a run that was killed has left here half-done, and what nobody reads. Raises NodeError."""

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

    def left(self) -> List[str]:
        """What undo could not bring back of pods, which stand each by itself: the node is as before without them."""
        return []

    def show(self, value: Any) -> Any:
        """before or after as plain JSON types, for people."""
        return value


def foresee(steps: Sequence[Step]) -> None:
    """Raise NodeError when one of the steps is sure to fail. Writes nothing: check mode ends after this."""
    for step in steps:
        if step.changed:
            step.foresee()


def tidy(steps: Sequence[Step]) -> None:
    """Remove what a run that was killed has left. Raises NodeError, and nothing else was changed then."""
    for step in steps:
        step.tidy()


def run(steps: Sequence[Step], restorer: str = "kubenode.connections.node_settings") -> List[str]:
    """Apply the steps that change something, in order, and read each back. On any failure all are undone in reverse.

    restorer is the module that gives the originals back where an undo fails. Returns what there is to tell about a run
    that is complete. Raises NodeError that says what failed, and whether the node is as before or what could not be
    undone.
    """
    done: List[Step] = []
    with _signals_wait():
        try:
            for step in steps:
                if step.changed and not step.completes:
                    _stop_for_signals()
                    done.append(step)
                    step.apply()
                    _read_back(step)
            for step in done:
                if step.area:
                    _read_back(step)  # once more: a later step may have touched it
            _stop_for_signals()
            notes = [note for step in steps if step.changed and step.completes for note in _complete(step)]
        except Exception as error:  # whatever it is, the node must not stay half-way
            outcome = f"{_cause(error)} {_undo(done, restorer)}"
            raise NodeError(" ".join([outcome, *_late_signals("meanwhile. It changed nothing about that.")])) from error
        return [*notes, *_late_signals("when this run was complete.")]


def _complete(step: Step) -> List[str]:
    """Apply the step that completes the run, and return what went wrong after it had taken effect."""
    notes: List[str] = []
    try:
        step.apply()
    except NotSyncedError as error:
        return [f"{error} This run is complete all the same."]
    with _collected(notes):
        _read_back(step)
    return notes


def _cause(error: Exception) -> str:
    if isinstance(error, NodeError):
        return str(error)
    if isinstance(error, OSError):
        return str(refused(f"{error.filename or 'This node'}: not as expected", error))
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
        if step.needed_after_failure and (failures or _left(done)):
            kept.append(step)
            continue
        with _collected(failures):
            step.undo()
    for step in done:
        if not (kept and step.needed_after_failure):
            with _collected(failures):
                _read_undone(step)
    left = _left(done)
    if not failures and not left:
        return "The node is as before: everything that this run had written was undone and read back."
    todo = "Mend that by hand."
    if kept:
        todo = f"The originals are kept on the node: mend the cause, then run {restorer} with state=absent."
    if not failures:
        return f"The node is as before, but some of its running pods or containers are not: {' '.join(left)} {todo}"
    return f"The node is not as before, this could not be undone: {' '.join(failures + left)} {todo}"


def _left(done: Sequence[Step]) -> List[str]:
    return [sentence for step in done for sentence in step.left()]


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
def _signals_wait() -> Iterator[None]:
    """Have polite signals (lost connection, time-out, Ctrl-C) wait while the node is half-way.

    The kernel keeps them, so none can come at a wrong moment, neither between two steps nor within one. Programs that
    steps start inherit this: Ctrl-C reaches them, too. A signal that is ignored already (nohup) stays ignored.
    """
    numbers = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop_for_signals() -> None:
    """A polite signal is a failure like any other, so that the steps are undone."""
    numbers = _signals()
    if numbers:
        raise NodeError(f"This run: it got signal {numbers[0]} from outside. Run again.")


def _late_signals(when: str) -> List[str]:
    return [f"Signal {number} came from outside {when}" for number in _signals()]


def _signals() -> List[int]:
    """The polite signals that wait; they wait no longer."""
    found: List[int] = []
    while True:
        info = signal.sigtimedwait(_SIGNALS, 0)
        if info is None:
            return found
        found.append(info.si_signo)
