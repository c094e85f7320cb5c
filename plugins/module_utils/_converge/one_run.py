# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run on a node, whichever module asks for it: locked, foreseen, wholly or not at all, and recorded so that it can
be given back. Private to this collection.
"""

import contextlib
import os
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Tuple, TypeVar

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._common.printable import presentable, printable

from .lock import locked
from .originals import Originals
from .steps.files import OriginalsFile
from .transaction import foresee, run, tidy

Outcome = TypeVar("Outcome")

_UNCHANGED = "Nothing was changed."
_COMPLETE = "This run is complete, but for its answer."


def answer(module: Any, work: Callable[[], Dict[str, Any]]) -> None:
    """End an Ansible module with the result of work, or with its NodeError."""
    try:
        result = work()
    except NodeError as error:
        module.fail_json(msg=printable(str(error)))
    if not module._diff:
        del result["diff"]
    module.exit_json(**presentable(result))


def converge(make_plan: Callable[[], Any], outcome: Callable[[Any], Outcome], check: bool, restorer: str) -> Outcome:
    """Run the steps of a plan, wholly or not at all, and tell what came of it; check only says what that would do.

    A plan is a NamedTuple that has steps and notes. restorer is the module that gives back what was there before.
    Raises NodeError.
    """
    try:
        if os.geteuid() != 0:
            raise NodeError(f"This task: it runs as user {os.geteuid()}, expected root (user 0). Set become to true.")
        if check:
            return outcome(_foreseen(make_plan))
        with locked():
            plan = _foreseen(make_plan)
            with _told(_UNCHANGED):
                tidy(plan.steps)
            done = plan._replace(notes=plan.notes + run(plan.steps, restorer))
            with _told(_COMPLETE):
                return outcome(done)
    except OSError as error:
        raise refused(f"{error.filename or 'This node'}: not as expected", error) from error


def _foreseen(make_plan: Callable[[], Any]) -> Any:
    """The plan, when nothing speaks against it."""
    with _told(_UNCHANGED):
        plan = make_plan()
        foresee(plan.steps)
        return plan


@contextlib.contextmanager
def _told(outcome: str) -> Iterator[None]:
    """Have an error say what became of the node, whatever it is."""
    try:
        yield
    except NodeError as error:
        raise NodeError(f"{error} {outcome}") from error
    except OSError as error:
        what = refused(f"{error.filename or 'This node'}: not as expected", error)
        raise NodeError(f"{what} {outcome}") from error


def recording(raw: Optional[bytes], compose: Callable[[bool], Originals]) -> Tuple[OriginalsFile, OriginalsFile]:
    """The two steps that record the originals: before the first write and after the last (``compose(True)``).

    raw is the record that is there.
    """
    ahead = OriginalsFile(raw, lambda: compose(False))
    return ahead, OriginalsFile(raw, lambda: compose(True), ahead)


def records(old: Mapping[str, Any], targets: Mapping[str, Any], final: bool) -> Dict[str, Any]:
    """What to record by name: what may have to be given back while the run is under way, or (final) after it."""
    found = dict(old)
    found.update({name: target.final if final else target.ahead for name, target in targets.items()})
    return {name: record for name, record in found.items() if record is not None}
