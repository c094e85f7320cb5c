# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who reads what Ansible prints: real pipes, terminals and files as the output of a task's parent."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import socket

import pytest

from ansible_collections.kubenode.connections.plugins.action.report import _has_reader, _show
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import Span

GET_PIPE_SIZE, SET_PIPE_SIZE = 1032, 1031
BROKEN = 99


def in_a_task(output, call):
    """The number that ``call`` gives in a process whose parent prints to this descriptor; None closes it."""

    def parent():
        os.close(1) if output is None else os.dup2(output, 1)
        return in_a_child(call)

    return in_a_child(parent)


def in_a_child(call):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    number = BROKEN
    try:
        number = int(call())
    finally:
        os._exit(number)


def has_reader(output, size=0):
    return {0: False, 1: True}[in_a_task(output, lambda: _has_reader(size))]


@pytest.fixture
def pipe():
    """A pipe that is as small as can be."""
    reads, writes = os.pipe()
    fcntl.fcntl(writes, SET_PIPE_SIZE, 4096)
    yield reads, writes
    for each in (reads, writes):
        with contextlib.suppress(OSError):
            os.close(each)


def test_a_pipe_that_somebody_reads(pipe):
    assert has_reader(pipe[1])


def test_a_pipe_whose_reader_is_gone(pipe):
    os.close(pipe[0])
    assert not has_reader(pipe[1])


def test_a_full_pipe_gets_room_for_the_text(pipe):
    """So the reader may go away while it is printed: nothing waits for it."""
    _reads, writes = pipe
    os.set_blocking(writes, False)
    full = os.write(writes, b"x" * 100_000)
    assert full == fcntl.fcntl(writes, GET_PIPE_SIZE)
    assert has_reader(writes, 100_000)
    assert os.write(writes, b"y" * 100_000) == 100_000


def test_more_room_than_a_pipe_can_have_is_no_error(pipe):
    assert has_reader(pipe[1], 1 << 40)


def test_a_named_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reads = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writes = os.open(path, os.O_WRONLY)
    assert has_reader(writes)
    os.close(reads)
    assert not has_reader(writes)
    os.close(writes)


def test_a_file_is_left_as_it_is(tmp_path):
    path = tmp_path / "out"
    path.write_text("before\n")
    with path.open("a") as output:
        assert has_reader(output.fileno(), 100)
    assert path.read_text() == "before\n"


@pytest.fixture
def terminal():
    """The side of the person, and that of the programs."""
    person, programs = pty.openpty()
    yield person, programs
    for each in (person, programs):
        with contextlib.suppress(OSError):
            os.close(each)


def test_a_terminal(terminal):
    assert has_reader(terminal[1], 100)


def test_a_terminal_that_is_gone(terminal):
    os.close(terminal[0])
    assert not has_reader(terminal[1])


def test_an_output_that_cannot_be_opened_is_no_pipe():
    one, other = socket.socketpair()
    with one, other:
        assert has_reader(one.fileno())
    assert has_reader(None)


@pytest.mark.parametrize("read", [True, False], ids=["read", "nobody reads"])
def test_lines_are_shown_only_where_somebody_reads_them(pipe, capsys, read):
    """Ansible would print them in a thread that dies of the pipe, and then the run waits for it for ever."""
    if not read:
        os.close(pipe[0])

    def call():
        _show([(Span("SAFE", "safe"),)])
        return "SAFE" in capsys.readouterr().out

    assert in_a_task(pipe[1], call) == read
