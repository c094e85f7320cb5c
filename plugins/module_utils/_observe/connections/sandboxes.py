# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pods run in a sandbox that has TCP of its own. Reading only. Private to this collection."""

import os
from typing import Iterable, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.sandboxes import (
    EXE,
    GVISOR,
    RUNSC,
    sandbox_of_name,
)

from .pod_names import Process


def sandbox_of(processes: Iterable[Process], proc: str = "/proc") -> Optional[str]:
    """The kind of sandbox that the processes of a network namespace run, None where none is known.

    A process may call itself anything: that makes its own pod one of which nothing is known, and no other. Its
    arguments are not read, for that may take for ever.
    """
    return next((kind for each in processes for kind in [_kind(each, proc)] if kind), None)


def _kind(process: Process, proc: str) -> Optional[str]:
    if process.name != EXE:
        return sandbox_of_name(process.name)
    try:
        program = os.readlink(f"{proc}/{process.pid}/exe")
    except OSError:
        return None
    return GVISOR if os.path.basename(program).partition(" ")[0] == RUNSC else None
