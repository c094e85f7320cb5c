# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node that faults befall: what is on it, how it is set up anew for each, and modules run on it as Ansible does."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import itertools
import json
import locale
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ansible.module_utils import basic

from .strace import Tracer

MODULES = "ansible_collections.kubenode.connections.plugins.modules."
RECORD = "/var/lib/kubenode.connections/originals.json"
FOLDERS = (
    "/etc/sysctl.d",
    "/etc/modules-load.d",
    "/etc/systemd",
    "/etc/udev",
    "/etc/cni",
    "/etc/crio",
    "/etc/kubernetes",
    "/etc/kubenode.connections",
    "/var/lib",
    "/run",
)
"""All that a run may write to; each is a tmpfs, or in one."""

_PID_BYTES = 8
_MAX_BYTES = 16 << 20

Tree = Mapping[str, Any]


class Answer(NamedTuple):
    """How a module ended. returncode is that of a signal where it is negative."""

    returncode: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        return json.loads(self.out)

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))


class Running:
    """A module that runs with its options as JSON. tracer: what is attached to it, and to each process that it forks.

    It runs in a child that has it loaded already, so that a thousand of them take minutes and not an hour.
    """

    def __init__(self, module: str, options: Mapping[str, Any], folder: Path, tracer: Tracer | None = None) -> None:
        arguments = folder / f"{module}-{os.urandom(4).hex()}.json"
        arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_diff": True}}), encoding="utf-8")
        main = importlib.import_module(MODULES + module).main
        with contextlib.suppress(ImportError):  # what it would load for its result, under a fault
            importlib.import_module("ansible.module_utils._internal._json._profiles._module_legacy_m2c")
        with contextlib.suppress(locale.Error):  # the files that Ansible would open for it: no call of the run's own
            locale.setlocale(locale.LC_ALL, "")
        self._outputs = [os.memfd_create(name) for name in ("out", "err")]
        self._tracer = tracer
        self._tracers: list[subprocess.Popen[bytes]] = []
        self._here, there = socket.socketpair()
        self.process = os.fork()
        if self.process == 0:
            self._here.close()
            _wait_for_tracer(there)
            if tracer:
                os.register_at_fork(after_in_child=functools.partial(_wait_for_tracer, there, os.getpid()))
            os._exit(_in_child(main, arguments, self._outputs))
        there.close()
        self._attach(0)

    def end(self, seconds: int | None = None) -> Answer:
        """How it ended; killed after so many seconds where that is asked for."""
        self._here.settimeout(seconds)
        processes = itertools.count(1)
        while self._attach(next(processes)):
            pass
        status = os.waitpid(self.process, 0)[1]
        for tracer in self._tracers:
            tracer.wait()
        self._here.close()
        out, err = map(_taken, self._outputs)
        return Answer(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), out, err)

    def _attach(self, number: int) -> bool:
        """Have the next process that waits for it traced, or let be; False where none comes any more."""
        try:
            told = self._here.recv(_PID_BYTES)
        except TimeoutError:
            os.kill(self.process, signal.SIGKILL)
            return False
        if not told:
            return False
        program = self._tracer(number) if self._tracer else ()
        if program:
            self._tracers.append(attached(program, int(told)))
        self._here.send(b".")
        return True


def _wait_for_tracer(there: socket.socket, parent: int | None = None) -> None:
    """In a process that may be traced, of children only those of the parent itself. These calls have no faults."""
    if parent in (None, os.getppid()):
        os.write(there.fileno(), str(os.getpid()).encode().ljust(_PID_BYTES))
        os.read(there.fileno(), 1)


def attached(program: Sequence[str], process: int) -> subprocess.Popen[bytes]:
    """A tracer of a process, once it is attached."""
    tracer = subprocess.Popen([*program, "-p", str(process)])
    while "TracerPid:\t0\n" in Path(f"/proc/{process}/status").read_text(encoding="ascii"):
        assert tracer.poll() is None, program
        time.sleep(0.001)
    return tracer


def _taken(descriptor: int) -> str:
    with open(descriptor, encoding="utf-8", errors="replace") as handle:
        handle.seek(0)
        return handle.read()


def _in_child(main: Callable[[], None], arguments: Path, outputs: Sequence[int]) -> int:
    """The status with which a module ends. What it prints is kept, and written by calls that no fault is put into."""
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    sys.argv = ["module", str(arguments)]
    basic._ANSIBLE_ARGS = None
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # a traceback is what is looked for
        traceback.print_exc()
        code = 1
    for descriptor, text in zip(outputs, (sys.stdout.getvalue(), sys.stderr.getvalue()), strict=True):
        os.writev(descriptor, [text.encode()])
    return code


def take_over() -> None:
    """Have none of these here that is no folder, or a link to the machine's own: a run makes again what it needs."""
    for top in FOLDERS:
        if os.path.lexists(top) and (os.path.islink(top) or not os.path.isdir(top)):
            os.unlink(top)
    _refuse_the_machines_own()


def _refuse_the_machines_own() -> None:
    machine = os.stat("/usr").st_dev
    for top in FOLDERS:
        own = not os.path.islink(top) and (not os.path.exists(top) or os.stat(top).st_dev != machine)
        assert own, f"{top} is the machine's own, a tmpfs is expected"


def entries() -> dict[str, Any]:
    """Every folder, file and link with mode, owner and contents."""
    found: dict[str, Any] = {}
    for top in FOLDERS:
        for folder, folders, files in os.walk(top):
            found[folder] = _dress(folder)
            for name in [*files, *(each for each in folders if os.path.islink(os.path.join(folder, each)))]:
                path = os.path.join(folder, name)
                found[path] = os.readlink(path) if os.path.islink(path) else (*_dress(path), _contents(path))
    return found


def wipe() -> None:
    """Remove all that lies in the folders."""
    take_over()
    for top in FOLDERS:
        for entry in os.scandir(top) if os.path.isdir(top) else ():
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
    for top in FOLDERS:
        if os.path.isdir(top) and not os.path.ismount(top):
            os.rmdir(top)


def bring(tree: Tree) -> None:
    """Have exactly these folders, files and links."""
    wipe()
    for path in sorted(tree):
        found = tree[path]
        if isinstance(found, str):
            os.symlink(found, path)
            continue
        mode, uid, gid, *data = found
        if data:
            Path(path).write_bytes(data[0])
        elif not os.path.isdir(path):
            os.mkdir(path)
        os.chown(path, uid, gid)
        os.chmod(path, mode)


def _contents(path: str) -> bytes | str:
    """Of what is no plain file, its kind and size."""
    found = os.lstat(path)
    if stat.S_ISREG(found.st_mode) and found.st_size <= _MAX_BYTES:
        return Path(path).read_bytes()
    return f"{stat.filemode(found.st_mode)} of {found.st_size} bytes"


def _dress(path: str) -> tuple[int, int, int]:
    found = os.stat(path, follow_symlinks=False)
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid
