# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What could not be read of a node, why, and what to do, as node_info documents it. Private to this collection."""

from typing import Dict, List, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import Fault

_MAX_NAMED = 3


class Problems:
    """All problems of a node so far, as plain data in ``found``."""

    def __init__(self) -> None:
        self.found: List[Dict[str, str]] = []

    def add(self, identity: str, what: str, why: str, do: str) -> None:
        self.found.append({"id": identity, "what": what, "why": why, "do": do})

    def add_faults(self, identity: str, what: str, faults: Sequence[Fault]) -> None:
        """One problem of all that could not be read of something: the first reasons, and each remedy once."""
        whys = list(dict.fromkeys(each.why for each in faults))
        if whys:
            why = first_of(whys) + ("; …" if len(whys) > _MAX_NAMED else "")
            self.add(identity, what, why, " ".join(dict.fromkeys(each.do for each in faults)))


def first_of(reasons: Sequence[str]) -> str:
    """The first reasons: more help nobody."""
    return "; ".join(reasons[:_MAX_NAMED])


def sentence(problem: Problem) -> str:
    """A problem in a file with its place."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return f"{place}: {problem.what}"
