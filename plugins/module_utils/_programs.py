# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other programs of the node: found without a shell, run with a time limit. Private to this collection."""

import os
import shutil
import subprocess
from typing import List, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError, refused

_PLACES = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
_LIMIT_SECONDS = 60


def find_program(name: str) -> Optional[str]:
    """The absolute path of a program on PATH or in the usual places (root's tools are not always on PATH), or None."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *_PLACES)))


def run_program(argv: List[str], limit_seconds: Optional[float] = None) -> Tuple[int, str]:
    """Exit status and output (both streams, in English). Raises NodeError when the program hangs or cannot start."""
    limit = limit_seconds or _LIMIT_SECONDS
    try:
        # AnsibleModule.run_command has no time limit.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, LC_ALL="C"),
            timeout=limit,
            check=False,
        )
    except OSError as error:
        raise refused(f"{' '.join(argv)}: not started", error) from error
    except subprocess.TimeoutExpired as error:
        raise NodeError(
            f"{' '.join(argv)}: no end after {limit} s. Run it by hand and see what it waits for."
        ) from error
    return done.returncode, done.stdout.decode("utf-8", "backslashreplace").strip()
