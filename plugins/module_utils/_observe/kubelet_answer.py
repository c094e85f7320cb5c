# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubelet's version by its own answer, where it is written down nowhere. Private to this collection."""

import os
import re
import stat

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import root_only
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import reopen_plain
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Process
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import run_descriptor

_ANSWER = re.compile(r"^Kubernetes (v\d{1,9}\.\d{1,9}\.\d{1,9}[0-9A-Za-z.+-]{0,64})$", re.MULTILINE)
_LIMIT_SECONDS = 10


def read(process: Process, path: str, replaced: bool) -> str:
    """What the program answers: the very file that the process runs, and not as root. Raises OSError and NodeError."""
    program = process.open_program()
    try:
        _refuse_foreign(program, path, replaced)
        words = ["kubelet"] if os.path.basename(path) == "hyperkube" else []
        output = run_descriptor(program, [path, *words, "--version"], _LIMIT_SECONDS)[1]
    finally:
        os.close(program)
    found = _ANSWER.search(output)
    if found is None:
        raise NodeError(f"{path} --version answers {output[:80]!r}, expected Kubernetes vX.Y.Z.")
    return found.group(1)


def _refuse_foreign(program: int, path: str, replaced: bool) -> None:
    """Raise NodeError for a program that another than root may have made, or put where it lies. Raises OSError."""
    found = os.fstat(program)
    with open(reopen_plain(os.dup(program), path), "rb") as handle:
        is_elf = handle.read(4) == b"\x7fELF"
    doubt = root_only.doubt(os.path.dirname(path) if replaced else path)
    if found.st_uid != 0 or found.st_mode & 0o022:
        doubt = f"user {found.st_uid} owns it (mode {stat.S_IMODE(found.st_mode):04o}), root alone is expected"
    elif found.st_mode & (stat.S_ISUID | stat.S_ISGID):
        doubt = "it runs with the rights of its owner (setuid), whoever starts it"
    elif not is_elf:
        doubt = "it is no program of this machine (ELF)"
    elif not replaced and not os.path.samestat(found, os.stat(path)):
        doubt = "another file lies in its place"
    if doubt:
        raise NodeError(f"{path} is not run to ask it: {doubt}.")
