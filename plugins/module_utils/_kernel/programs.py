# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs of the node: root's own, run without a shell, bounded in time and output. Private to this collection."""

import errno
import os
import select
import signal
import subprocess
import tempfile
import time
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import (
    NodeError,
    has_all_capabilities,
    more_rights,
    refused,
)

from . import root_only

_PLACES = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
_LIMIT_SECONDS = 60
_LIMIT_BYTES = 65536
_NOBODY = 65534  # user and group, overflowuid of the kernel


def find_program(name: str) -> Optional[str]:
    """The path of a program in the system's folders or on PATH, or None.

    One that others than root (or, without root, than us) could change is passed over. Raises NodeError where there is
    no other.
    """
    passed = []
    for folder in (*_PLACES, *filter(os.path.isabs, os.environ.get("PATH", "").split(os.pathsep))):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            doubt = root_only.doubt(path)
            if doubt is None:
                return path
            passed.append(doubt)
    if passed:
        raise _distrusted(name, passed[0])
    return None


def need_program(name: str) -> str:
    """As find_program. Raises NodeError where there is none, too."""
    path = find_program(name)
    if path is None:
        raise NodeError(f"{name}: it is in none of {', '.join(_PLACES)}, and not on PATH. Install it.")
    return path


def run_program(
    argv: List[str],
    limit_seconds: Optional[float] = None,
    data: bytes = b"",
    variables: Optional[Mapping[str, str]] = None,
) -> Tuple[int, str]:
    """Exit status and output (both streams, in English, the first 64 KiB; a program that prints more is ended).

    argv begins with a path, or with a name for find_program. The program reads ``data``, in /, and knows no
    variables but PATH, LC_ALL and those that are given. Raises NodeError when it hangs, cannot start, or could be
    changed by others than root.
    """
    program = os.path.abspath(argv[0]) if "/" in argv[0] else find_program(argv[0])
    try:
        if program is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        doubt = root_only.doubt(program)
        if doubt:
            raise _distrusted(argv[0], doubt)
        with tempfile.TemporaryFile() as given:
            given.write(data)
            given.seek(0)
            return _run(argv, limit_seconds, variables or {}, executable=program, stdin=given)
    except OSError as error:
        raise refused(f"{' '.join(argv)}: not started", error) from error


def run_descriptor(descriptor: int, argv: List[str], limit_seconds: float) -> Tuple[int, str]:
    """As run_program, for the very file that a descriptor (O_PATH) is of, and never with root's rights.

    Root runs it as user and group 65534. Raises NodeError as run_program does.
    """
    root: Dict[str, Any] = {"preexec_fn": _become_nobody} if os.geteuid() == 0 else {}
    path = f"/proc/self/fd/{descriptor}"
    try:
        return _run(argv, limit_seconds, {}, executable=path, pass_fds=(descriptor,), stdin=subprocess.DEVNULL, **root)
    except OSError as error:
        raise refused(f"{' '.join(argv)}: not started as user {_NOBODY}", error) from error
    except subprocess.SubprocessError as error:
        why = "This node has no such user." if has_all_capabilities() else more_rights()
        what = f"{' '.join(argv)}: not started as user {_NOBODY}, which this process cannot become"
        raise NodeError(f"{what}. {why}") from error


def _distrusted(name: str, doubt: str) -> NodeError:
    return NodeError(
        f"{name}: not run, since {doubt}: what others can change must not run with the rights of root. "
        "Look at who changed it, then give it back to root (chown root:, chmod go-w)."
    )


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(_NOBODY)
    os.setuid(_NOBODY)


def _run(argv: List[str], limit_seconds: Optional[float], variables: Mapping[str, str], **how: Any) -> Tuple[int, str]:
    """Exit status and output. Raises NodeError for one that hangs, OSError and SubprocessError for one not started."""
    limit = limit_seconds or _LIMIT_SECONDS
    deadline = time.monotonic() + limit
    # AnsibleModule.run_command has no bound in time or output.
    process = subprocess.Popen(  # noqa: S603  # pylint: disable=ansible-bad-function
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(variables),
        cwd="/",
        start_new_session=True,
        **how,
    )
    with process.stdout:
        output, in_time = _read_output(process, process.stdout.fileno(), deadline)
    if not in_time:
        raise NodeError(
            f"{' '.join(argv)}: it did not end within {limit:g} s. Run it by hand and see what it waits for."
        )
    return process.returncode, output.decode("utf-8", "backslashreplace").strip()


def environment(variables: Mapping[str, str]) -> Dict[str, str]:
    """What a program of ours finds: nothing that came to us from elsewhere may change what it does."""
    return dict({"PATH": os.pathsep.join(_PLACES), "LC_ALL": "C"}, **variables)


def _read_output(process: "subprocess.Popen[bytes]", output: int, deadline: float) -> Tuple[bytes, bool]:
    """The first 64 KiB that a process prints on ``output``, and whether it ended by the deadline; it has ended then."""
    data, ended, in_time = b"", False, True
    while in_time and not ended and len(data) < _LIMIT_BYTES:
        in_time = bool(select.select([output], [], [], max(0.0, deadline - time.monotonic()))[0])
        piece = os.read(output, 4096) if in_time else b""
        data, ended = data + piece, in_time and not piece
    try:
        process.wait(max(0.0, deadline - time.monotonic()) if ended else 0)
    except subprocess.TimeoutExpired:
        in_time = in_time and not ended
        _end(process)
    return data, in_time


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program and, for its session is its own, whatever it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except PermissionError:  # another user's, and this root lacks CAP_KILL: nobody waits for it
        return
    process.wait()
