# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import errno
import fcntl
import os
import signal
import socket
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge import lock
from ansible_collections.kubenode.connections.plugins.module_utils._converge.lock import locked
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    read,
    read_only,
    write,
)

LOCK = "/run/kubenode.connections.lock"
STATE = "/var/lib/kubenode.connections"


@isolated
def test_the_lock_file_is_there_only_while_it_is_held():
    with locked():
        assert os.stat(LOCK).st_mode & 0o777 == 0o600
    assert not os.path.exists(LOCK)


@isolated
def test_a_second_run_gives_up_after_the_limit_and_names_the_first():
    with locked(), pytest.raises(NodeError) as error, locked(wait_seconds=0.2):
        pytest.fail("two runs at once")
    assert str(error.value) == (
        LOCK + f": another run on this node holds the lock (process {os.getpid()}), after 0.2 s of waiting. Wait until "
        "it has ended, then run again. Nothing was changed."
    )


@isolated
def test_many_runs_come_one_after_the_other():
    """Each child reads a number, waits and writes the next one: lost updates show two at once."""
    counter = write("/run/counter", b"0")
    children = [_forked(_count_one_up, counter) for _number in range(8)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    assert read(counter) == b"8"
    assert not os.path.exists(LOCK)


def _forked(work, *args):
    child = os.fork()
    if child == 0:
        work(*args)
        os._exit(0)
    return child


def _count_one_up(counter):
    with locked():
        number = int(read(counter))
        time.sleep(0.01)
        write(counter, str(number + 1).encode())


@isolated
def test_the_lock_of_a_killed_run_is_free():
    child = os.fork()
    if child == 0:
        with locked():
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert os.path.exists(LOCK)
    with locked(wait_seconds=0):
        assert os.path.exists(LOCK)


@isolated
def test_a_lock_file_that_its_last_holder_removes_meanwhile_is_not_taken(monkeypatch):
    real, removed = fcntl.flock, []

    def flock(descriptor, operation):
        if not removed:
            removed.append(os.unlink(LOCK))
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked():
        assert os.path.exists(LOCK)


@isolated
def test_without_run_it_lies_beside_the_originals(monkeypatch):
    monkeypatch.setattr(lock, "_USUAL_DIRECTORY", "/run/none")
    with locked():
        assert os.stat(STATE).st_mode & 0o777 == 0o700
        assert os.listdir(STATE) == ["kubenode.connections.lock"]
    assert not os.path.exists(STATE)


@isolated
def test_without_run_the_originals_stay(monkeypatch):
    monkeypatch.setattr(lock, "_USUAL_DIRECTORY", "/run/none")
    write(STATE + "/originals.json", b"{}")
    with locked():
        pass
    assert os.listdir(STATE) == ["originals.json"]


@isolated
def test_a_lock_file_of_another_user_is_refused():
    os.chown(write(LOCK), 1234, 0)
    with pytest.raises(NodeError) as error, locked():
        pytest.fail("it was taken")
    assert str(error.value) == (
        LOCK + ": it belongs to user 1234, has mode 0644 and 1 name. Expected is a file of user 0 (root) with one "
        "name, in which nobody else may write. Find out who made it, and move it away. Nothing was changed."
    )


@isolated
def test_a_lock_file_with_a_second_name_is_refused_and_not_emptied():
    precious = write("/run/precious", b"data")
    os.link(precious, LOCK)
    with pytest.raises(NodeError, match="belongs to user 0, has mode 0644 and 2 names"), locked():
        pytest.fail("it was taken")
    assert os.path.getsize(precious) == 4


@isolated
def test_a_link_in_place_of_the_lock_file_is_refused():
    os.symlink("/run/precious", LOCK)
    with pytest.raises(NodeError, match="it is a symbolic link, expected a plain file"), locked():
        pytest.fail("it was taken")
    assert not os.path.exists("/run/precious")


def _fifo():
    os.mkfifo(LOCK)


def _folder():
    os.mkdir(LOCK)


def _socket():
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(LOCK)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        pytest.param(_fifo, "a FIFO", id="a FIFO"),
        pytest.param(_folder, "a directory", id="a directory"),
        pytest.param(_socket, "a socket", id="a socket"),
    ],
)
@isolated
def test_what_is_no_plain_file_is_named_and_never_waited_for(make, kind):
    make()
    signal.alarm(10)
    with pytest.raises(NodeError) as error, locked():
        pytest.fail("it was taken")
    assert str(error.value) == (
        f"{LOCK}: it is {kind}, expected a plain file. Find out who made it, and move it away. Nothing was changed."
    )


@isolated
def test_where_others_may_write_in_run_it_lies_beside_the_originals():
    """A user may make the file in a folder that is open to all, and hold the lock for ever."""
    os.chmod("/run", 0o1777)
    holder = _as_user(1000, lambda: _held_by_hand(LOCK))
    try:
        with locked(wait_seconds=0):
            assert os.listdir(STATE) == ["kubenode.connections.lock"]
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
    assert not os.path.exists(STATE)


@isolated
def test_where_others_may_write_everywhere_nothing_is_locked():
    for path in ("/run", "/var/lib"):
        os.chmod(path, 0o1777)
    with pytest.raises(NodeError) as error, locked():
        pytest.fail("it was taken")
    assert str(error.value) == (
        STATE + ": the folder /var/lib belongs to user 0 and has mode 1777. Expected is a folder of user 0 (root) in "
        "which nobody else may write, for whoever can write there decides what root reads and writes. Run chown root "
        "/var/lib and chmod go-w /var/lib, or choose another place. Nothing was changed."
    )
    assert not os.path.exists(STATE)


def _held_by_hand(path):
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.kill(os.getpid(), signal.SIGSTOP)


def _as_user(user, work):
    """A process of that user, which has stopped itself in work."""
    child = os.fork()
    if child == 0:
        os.setgid(user)
        os.setuid(user)
        work()
        os._exit(0)
    assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
    return child


@isolated
def test_a_run_whose_lock_file_was_removed_meanwhile_is_as_good():
    with locked():
        os.unlink(LOCK)
    with locked(wait_seconds=0):
        pass


@isolated
def test_a_run_whose_lock_file_cannot_be_removed_is_as_good():
    with locked():
        read_only("/run")
    assert os.path.exists(LOCK)


@isolated
def test_a_run_whose_lock_file_cannot_be_closed_is_as_good(monkeypatch):
    with locked():
        monkeypatch.setattr(lock.os, "close", _fails)
    monkeypatch.undo()
    assert os.listdir("/run") == ["lock"]


def _fails(_descriptor):
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@isolated
def test_the_lock_file_of_another_run_is_left_to_it():
    with locked():
        os.unlink(LOCK)
        other = write(LOCK, b"4711\n")
    assert read(other) == b"4711\n"


@isolated
def test_a_full_file_system_does_not_keep_a_run_from_its_lock():
    """The file is made, but there is no room for the number of the process in it."""
    mount("tmpfs", "/run", "tmpfs", data="mode=755,size=4k")
    with open("/run/fill", "wb", buffering=0) as handle:
        handle.write(b"x" * 4096)
    with locked():
        assert os.path.getsize(LOCK) == 0
    assert not os.path.exists(LOCK)


@isolated
def test_a_run_that_does_not_get_the_lock_leaves_no_descriptor_open():
    os.chown(write(LOCK), 1234, 0)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(NodeError), locked():
        pytest.fail("it was taken")
    assert os.listdir("/proc/self/fd") == before
