# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes that go by the name of kubelet, of CRI-O, of anybody: each runs a program made of a few instructions.

A program of Go's cannot be made here, and a script has the interpreter for its /proc/PID/exe. So these are ELF programs
for x86-64, the machine of the tests.
"""

import contextlib
import ctypes
import os
import platform
import signal
import struct
import subprocess
import time

import pytest

needs_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="its programs are for x86-64")

NOBODY = 65534

_BASE = 0x400000
_CODE_AT = 64 + 2 * 56
_WRITE, _EXIT, _PAUSE, _NANOSLEEP, _EXECVE, _CREAT = 1, 60, 34, 35, 59, 85  # arch/x86/entry/syscalls/syscall_64.tbl
_PR_SET_PDEATHSIG = 1


def _call(number, *arguments):
    """A system call: each argument a number for one of the registers rdi, rsi, rdx."""
    registers = (b"\x48\xbf", b"\x48\xbe", b"\x48\xba")
    moves = b"".join(code + struct.pack("<Q", value) for code, value in zip(registers, arguments))
    return moves + b"\x48\xc7\xc0" + struct.pack("<I", number) + b"\x0f\x05"


def elf(answer=None, marker=None, then=None, build_info=b""):
    """A program whose last argument --version has it print ``answer``, or make the file ``marker``.

    Else it waits for ever; with ``then`` it waits a millisecond, and becomes the program of that path. Go's build
    information lies where its linker puts it.
    """
    data_at = _CODE_AT + 512
    words = [text.encode() for text in (answer or "", (marker or "") + "\0", (then or "") + "\0")]
    places = [_BASE + data_at + sum(len(word) for word in words[:number]) for number in range(3)]
    tables = -(-(data_at + sum(len(word) for word in words)) // 8) * 8
    # The arguments of the next program, and the time to sleep.
    table = struct.pack("<QQqq", places[2], 0, 0, 1000000)
    asked = _call(_WRITE, 1, places[0], len(words[0])) if marker is None else _call(_CREAT, places[1], 0o644)
    asked += _call(_EXIT, 0)
    if then is None:
        alone = _call(_PAUSE)
    else:
        alone = _call(_NANOSLEEP, _BASE + tables + 16, 0) + _call(_EXECVE, places[2], _BASE + tables, 0)
    alone += b"\xeb" + struct.pack("<b", -len(alone) - 2)
    # The last argument, at rsp + 8 * argc, begins with --versio.
    code = b"\x48\x8b\x0c\x24\x48\x8b\x04\xcc\x48\xba--versio\x48\x39\x10\x0f\x85" + struct.pack("<i", len(asked))
    code += asked + alone
    assert len(code) <= 512
    body = code.ljust(512, b"\0") + b"".join(words)
    body = body.ljust(tables - _CODE_AT, b"\0") + table
    end = _CODE_AT + len(body)
    info = build_info or b"\0"
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _BASE + _CODE_AT, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, end, end, 4096)
    segments += struct.pack("<IIQQQQQQ", 1, 6, end, 0x600000 + end, 0x600000 + end, len(info), len(info), 4096)
    return header + segments + body + info


def build_info(lines):
    """Go's build information as its linker writes it since 1.18 (debug/buildinfo/buildinfo.go)."""
    text = b"#" * 16 + lines.encode() + b"#" * 16
    strings = b"".join(_varint(len(each)) + each for each in (b"go1.24.2", text))
    return b"\xff Go buildinf:" + bytes([8, 2]) + b"\0" * 16 + strings


def _varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)


def put(path, data, owner=0, mode=0o755):
    """Write a program. The path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as handle:
        handle.write(data)
    os.chown(path, owner, owner)
    os.chmod(path, mode)
    return path


@contextlib.contextmanager
def running(path, *arguments, user=0, prefix=(), environment=None, becomes_others=False):
    """A process of a program, until the end of the block or of the test. One that becomes others has no environment."""

    def become():
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if user:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)

    process = subprocess.Popen(
        [*prefix, path, *arguments], preexec_fn=become, env={"PATH": os.environ["PATH"], **(environment or {})}
    )
    try:
        name = os.path.basename(path)[:15]
        deadline = time.monotonic() + 60
        while not any(_is_called(pid, name, becomes_others) for pid in (process.pid, *children(process.pid))):
            assert time.monotonic() < deadline, f"{path} was not started"
            time.sleep(0.005)
        yield process
    finally:
        process.kill()
        process.wait()


def children(pid):
    """unshare --pid leaves the program to a child."""
    with open(f"/proc/{pid}/task/{pid}/children") as handle:
        return [int(word) for word in handle.read().split()]


def _is_called(pid, name, becomes_others):
    with open(f"/proc/{pid}/comm") as comm, open(f"/proc/{pid}/environ") as environ:
        # The kernel names a new program before its environment can be read.
        return comm.read().strip() == name and (becomes_others or environ.read() != "")
