# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a forked child gives back, and what is known when it ends badly."""

import os
import signal
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils import _child
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python


def after(bad_end):
    """Two values, then the bad end, then a third that nobody sees."""

    def work():
        yield [1, None]
        yield {"name": "\u00e9\n"}
        bad_end()
        yield "never"

    return work


@pytest.mark.parametrize(
    ("bad_end", "status"),
    [
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGKILL), int(signal.SIGKILL), id="a signal"),
        pytest.param(lambda: {}["x"], 256, id="an error nobody thought of"),
        pytest.param(lambda: os._exit(3), 768, id="an exit"),
    ],
)
def test_a_bad_end_is_said(bad_end, status, capfd):
    values, error = _child.collect(after(bad_end), 30)
    assert error == f"ended with wait status {status}"
    assert values == [[1, None], {"name": "\u00e9\n"}]
    assert capfd.readouterr() == ("", "")


def test_what_came_before_a_hang_is_kept():
    def work():
        yield "x" * 100000
        time.sleep(60)

    values, error = _child.collect(work, 1)
    assert error == f"ended with wait status {int(signal.SIGALRM)}"
    assert values == ["x" * 100000]


def test_half_a_line_is_no_value(monkeypatch):
    def half(_work, _seconds, _reading, writing):
        os.write(writing, b'[1]\n["two", ')
        os._exit(1)

    monkeypatch.setattr(_child, "_run", half)
    assert _child.collect(list, 30) == ([[1]], "ended with wait status 256")


def test_a_good_end():
    assert _child.collect(lambda: [1, "two", [None]], 30) == ([1, "two", [None]], None)


def test_much_is_given_back_whole():
    values, error = _child.collect(lambda: ([number, "x" * 100] for number in range(20000)), 30)
    assert (len(values), values[-1][0], error) == (20000, 19999, None)


def test_a_machine_that_has_no_more_processes():
    code = (
        "import os, resource\nos.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "print(_child.collect(list, 30), len(os.listdir('/proc/self/fd')) - before)"
    )
    assert run_python("_child", code) == "([], 'cannot be started: Resource temporarily unavailable') 0"


def test_no_descriptor_and_no_process_is_left():
    before = os.listdir("/proc/self/fd")
    _child.collect(lambda: [1], 30)
    assert os.listdir("/proc/self/fd") == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
