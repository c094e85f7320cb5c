# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the machine the lab runs on: found, installed when root, run with a message that helps."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .config import LabError, cache

PACKAGE_OF = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "cpio": "cpio",
    "xz": "xz-utils",
    "zstd": "zstd",
    "depmod": "kmod",
    "modprobe": "kmod",
    "mke2fs": "e2fsprogs",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
"""Program and the Debian package that brings it."""

uncaptured: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext
"""Around what is said of a build's progress. Where standard error is captured, as under pytest, it is replaced."""

SEARCH_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


def say(text: str, end: str = "\n") -> None:
    """Tell the person at the terminal what is under way."""
    with uncaptured():
        print(text, end=end, flush=True, file=sys.stderr)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Print what begins and, on the same line, how many seconds it took."""
    say(f"lab: {what} ...", end=" ")
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say("failed")
        raise
    say(f"{time.monotonic() - started:.1f} s")


def find(program: str) -> str | None:
    """Path of a program, administrators' folders included."""
    return shutil.which(program, path=SEARCH_PATH)


def missing() -> list[str]:
    """Debian packages that are not there yet, sorted."""
    return sorted({package for program, package in PACKAGE_OF.items() if find(program) is None})


def install_missing() -> None:
    """Bring in what is missing (as root, with apt-get), or say which command does it."""
    packages = missing()
    if not packages:
        return
    if os.geteuid() != 0 or find("apt-get") is None:
        raise LabError(f"Programs of the lab: {', '.join(packages)} missing. Run: {install_command(packages)}")
    with step(f"installing {' '.join(packages)}"):
        run(install_command(packages).split()[1:], environment={"DEBIAN_FRONTEND": "noninteractive"})


def install_command(packages: Sequence[str]) -> str:
    """The line that installs Debian packages; it waits for another apt-get to end."""
    return "sudo apt-get -o DPkg::Lock::Timeout=600 install --yes --no-install-recommends " + " ".join(packages)


@contextlib.contextmanager
def locked(name: str = "lock") -> Iterator[None]:
    """One at a time: a second build, up or down waits, of machines and of containers alike, and says for whom."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / name).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            say(f"lab: waiting for {lock.read() or 'another command'}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {shlex.join(sys.argv)}")
        lock.flush()
        yield


def require_pip() -> None:
    """Say what to do where the Python that runs this has no pip, before anything long begins."""
    if importlib.util.find_spec("pip") is None:
        raise LabError(
            f"Root disk of the lab: {sys.executable} has no pip, which brings gRPC. Run make lab, whose Python has it, "
            "or install it (Debian: apt install python3-pip)."
        )


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    data: bytes | None = None,
    environment: dict[str, str] | None = None,
) -> bytes:
    """Run a program to its end and return what it printed; LabError with its last lines when it fails."""
    arguments = [str(part) for part in command]
    program = find(arguments[0]) or arguments[0]
    full = {**os.environ, "PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", **(environment or {})}
    try:
        command = [program, *arguments[1:]]
        done = subprocess.run(command, cwd=cwd, input=data, capture_output=True, env=full, check=False)
    except OSError as error:
        raise LabError(f"{arguments[0]}: cannot be started ({error.strerror}). Install it.") from error
    if done.returncode != 0:
        tail = b"\n".join((done.stdout + done.stderr).strip().splitlines()[-12:]).decode(errors="replace")
        raise LabError(f"{' '.join(arguments[:6])} …: exit status {done.returncode}, 0 expected.\n{tail}")
    return done.stdout
