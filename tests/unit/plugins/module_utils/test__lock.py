# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import fcntl
import os
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._lock import locked
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    write,
)

LOCK = "/run/lock/kubenode.connections.lock"
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
        LOCK + f": another run on this node holds the lock (process {os.getpid()}), after 0.2 s of waiting. Nothing "
        f"was changed. "
        "Wait until it has ended, then run again."
    )


@isolated
def test_many_runs_come_one_after_the_other():
    """Each child reads a number, waits and writes the next one: lost updates show two at once."""
    counter = write("/run/counter", b"0")
    children = [_forked(_count_one_up, counter) for _number in range(8)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    assert read(counter) == b"8"
    assert os.listdir("/run/lock") == []


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
        assert os.listdir("/run/lock") == ["kubenode.connections.lock"]


@isolated
def test_without_run_lock_it_lies_beside_the_originals():
    os.rmdir("/run/lock")
    with locked():
        assert os.listdir(STATE) == ["kubenode.connections.lock"]
    assert not os.path.exists(STATE)


@isolated
def test_without_run_lock_the_originals_stay():
    os.rmdir("/run/lock")
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
        LOCK + ": the lock file belongs to user 1234 and has 1 names, expected 0 and 1. Nothing was changed. "
        "Find out who made it, and remove it."
    )


@isolated
def test_a_lock_file_with_a_second_name_is_refused_and_not_emptied():
    precious = write("/run/precious", b"data")
    os.link(precious, LOCK)
    with pytest.raises(NodeError, match="belongs to user 0 and has 2 names"), locked():
        pytest.fail("it was taken")
    assert os.path.getsize(precious) == 4


@isolated
def test_a_link_in_place_of_the_lock_file_is_refused():
    os.symlink("/run/precious", LOCK)
    with pytest.raises(NodeError, match="the lock file cannot be opened: Too many levels of symbolic links"), locked():
        pytest.fail("it was taken")
    assert not os.path.exists("/run/precious")
