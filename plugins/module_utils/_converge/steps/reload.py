# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that have a daemon read its files again, around those that write the files. Private to this collection."""

from typing import Callable, List, Optional, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import run_program

from ..transaction import Step


class Reload(Step):
    """Run a command that has a daemon read its files again: as a step, or (``on_undo``) when the steps after it have
    been undone. ``then`` follows the step's own.
    """

    def __init__(
        self, command: Sequence[str], see: str, needed: bool, on_undo: bool, then: Optional[Callable[[], None]] = None
    ) -> None:
        super().__init__(" ".join(command), False, needed)
        self._command = list(command)
        self._see = see
        self._on_undo = on_undo
        self._then = then
        self._done = False

    def read(self) -> bool:
        return self._done

    def apply(self) -> None:
        self._done = True
        if not self._on_undo:
            self._reload()
            if self._then:
                self._then()

    def undo(self) -> None:
        self._done = False
        if self._on_undo:
            self._reload()

    def _reload(self) -> None:
        code, text = run_program(self._command)
        if code:
            raise NodeError(f"{self.name}: it ended with status {code}: {text}. See {self._see}.")


def around(
    steps: Sequence[Step], command: Sequence[str], see: str, needed: bool, then: Optional[Callable[[], None]] = None
) -> List[Step]:
    """The steps between the two reloads. Where the command fails, ``see`` tells a person where to look."""
    return [Reload(command, see, needed, True), *steps, Reload(command, see, needed, False, then)]
