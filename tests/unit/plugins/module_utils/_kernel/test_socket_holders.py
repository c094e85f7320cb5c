# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import socket
import subprocess
import sys
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import socket_holders
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.socket_holders import Holder
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import environment, run_python


@pytest.fixture
def sockets():
    made = [socket.socket() for _number in range(3)]
    yield made
    for each in made:
        each.close()


@pytest.fixture
def named():
    """A process that calls itself by that name and holds the given sockets; it ends with the test."""
    running = []

    def start(name, *held):
        code = f"import sys, time\nopen('/proc/self/comm', 'wb').write({name!r})\nprint(flush=True)\ntime.sleep(600)"
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            env=environment(),
            pass_fds=[each.fileno() for each in held],
        )
        running.append(process)
        process.stdout.readline()
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def inode(each):
    return os.fstat(each.fileno()).st_ino


def own_name():
    with open("/proc/self/comm") as file:
        return file.read().strip()


def test_a_socket_of_this_process(sockets):
    assert socket_holders.find([inode(sockets[0])], [os.getpid()]) == {
        inode(sockets[0]): Holder(os.getpid(), own_name())
    }


def test_each_socket_has_the_first_process_that_holds_it(sockets, named):
    first, second = named(b"first", sockets[0]), named(b"second", sockets[0], sockets[1])
    assert first.pid < second.pid
    wanted = [inode(each) for each in sockets]
    assert socket_holders.find(wanted, [second.pid, first.pid]) == {
        wanted[0]: Holder(first.pid, "first"),
        wanted[1]: Holder(second.pid, "second"),
    }


NAMES = [
    pytest.param(b"two words", "two words", id="a blank"),
    pytest.param(b"a\nb\x1b[31m", "a\nb\x1b[31m", id="what a terminal would obey, which leaves only printable"),
    pytest.param(b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2, id="no UTF-8"),
    pytest.param(b"sleep)\"'<b>", "sleep)\"'<b>", id="marks"),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_the_name_is_what_the_process_says(sockets, named, name, expected):
    process = named(name, sockets[0])
    assert socket_holders.find([inode(sockets[0])], [process.pid])[inode(sockets[0])].name == expected


def test_a_process_that_has_ended_is_no_error(sockets, named):
    process = named(b"gone", sockets[0])
    process.kill()
    process.wait()
    wanted = inode(sockets[0])
    assert socket_holders.find([wanted], [process.pid, os.getpid()]) == {wanted: Holder(os.getpid(), own_name())}
    assert socket_holders.find([wanted], [process.pid]) == {}


def test_a_process_that_ends_while_its_files_are_looked_at_is_no_error(sockets, named, monkeypatch):
    process = named(b"gone", sockets[0])

    def list_and_end(directory):
        entries = os_scandir(directory)
        process.kill()
        process.wait()
        return entries

    os_scandir = os.scandir
    monkeypatch.setattr(os, "scandir", list_and_end)
    assert socket_holders.find([inode(sockets[0])], [process.pid]) == {}


def test_a_zombie_is_no_error(sockets):
    process = subprocess.Popen(["true"], stdout=subprocess.PIPE)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert socket_holders.find([inode(sockets[0])], [process.pid]) == {}
    process.communicate()


def test_the_search_ends_after_so_many_files(sockets, named, monkeypatch):
    process = named(b"many", *sockets)
    monkeypatch.setattr(socket_holders, "MAX_DESCRIPTORS", 3)  # standard input, output and error
    assert socket_holders.find([inode(sockets[0])], [process.pid, os.getpid()]) == {}


def test_nothing_is_opened_for_nothing(monkeypatch):
    monkeypatch.setattr(os, "open", lambda *_what, **_more: pytest.fail("opened"))
    assert socket_holders.find([], [os.getpid()]) == {}


def test_the_number_under_which_a_process_has_it(sockets, named):
    process = named(b"holder", sockets[1])
    wanted = inode(sockets[1])
    opened = socket_holders.find_open([wanted], [process.pid], 99)
    assert opened == ({wanted: (Holder(process.pid, "holder"), sockets[1].fileno())}, False, False)


def test_a_process_with_many_files_leaves_the_others_their_share(sockets, named):
    copies = [sockets[2].dup() for _number in range(100)]
    many, few = named(b"many", *copies), named(b"few", sockets[0])
    for copy in copies:
        copy.close()
    assert many.pid < few.pid
    wanted = inode(sockets[0])
    assert set(socket_holders.find_open([wanted], [many.pid, few.pid], 50).sockets) == {wanted}


def test_what_others_leave_of_their_share_is_for_the_one_with_many_files(sockets, named):
    processes = [named(b"many", *sockets), named(b"few"), named(b"few"), named(b"few")]
    wanted = [inode(each) for each in sockets]
    opened = socket_holders.find_open(wanted, [each.pid for each in processes], 5 + 3 * 3 + 6)
    assert (set(opened.sockets), opened.cut) == (set(wanted), False)


def test_a_search_that_ends_before_all_was_seen_says_so(sockets, named):
    process = named(b"many", *sockets)
    wanted = [inode(each) for each in sockets]
    assert socket_holders.find_open(wanted, [process.pid], 3) == ({}, False, True)  # standard input, output and error
    assert socket_holders.find_open(wanted, [process.pid], 99, deadline=0) == ({}, False, True)
    assert socket_holders.find_open([1], [process.pid], 99, deadline=time.monotonic() + 60) == ({}, False, False)


def test_a_process_whose_files_may_not_be_seen_is_told():
    code = (
        "import os, signal, socket\nchild = os.fork()\nif child == 0:\n    signal.pause()\n"
        "os.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
        "print(socket_holders.find_open([1], [child], 99).denied, socket_holders.find_open([1], [999999], 99).denied)"
    )
    prefix = ("unshare", "-pfmn", "--mount-proc", "--kill-child")
    assert run_python("_kernel.socket_holders", code, *prefix) == "True False"


def test_without_root_the_sockets_of_others_have_no_name():
    code = (
        "import os, signal, socket\n"
        "mine = socket.socket()\n"
        "inode = os.fstat(mine.fileno()).st_ino\n"
        "child = os.fork()\n"
        "if child == 0:\n    signal.pause()\n"
        "os.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
        "print(socket_holders.find([inode], [child]))"
    )
    assert run_python("_kernel.socket_holders", code, "unshare", "-pfmn", "--mount-proc", "--kill-child") == "{}"
