# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a forked child gives back, and what is known when it ends badly."""

import os
import signal
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import child
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
    ("bad_end", "expected"),
    [
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGKILL), "ended with wait status 9", id="a signal"),
        pytest.param(lambda: {}["x"], "failed: KeyError: 'x'", id="an error nobody thought of"),
        pytest.param(
            lambda: os.stat("/none\n"),
            "failed: FileNotFoundError: [Errno 2] No such file or directory: '/none\\n'",
            id="an error of the kernel",
        ),
        pytest.param(lambda: os._exit(3), "ended with wait status 768", id="an exit"),
    ],
)
def test_a_bad_end_is_said(bad_end, expected, capfd):
    values, error = child.collect(after(bad_end), 30)
    assert error == expected
    assert values == [[1, None], {"name": "\u00e9\n"}]
    assert capfd.readouterr() == ("", "")


def test_what_came_before_a_hang_is_kept():
    def work():
        yield "x" * 100000
        time.sleep(60)

    values, error = child.collect(work, 1)
    assert error == "took longer than 1 s"
    assert values == ["x" * 100000]


def test_a_blocked_alarm_ends_the_child_all_the_same():
    old = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    try:
        assert child.collect(lambda: [time.sleep(60)], 1) == ([], "took longer than 1 s")
        assert signal.SIGALRM in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def test_a_child_that_its_alarm_does_not_end_is_ended_from_here():
    def work():
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        yield os.getpid()
        time.sleep(60)

    started = time.monotonic()
    values, error = child.collect(work, 1)
    assert error == "took longer than 1 s"
    assert time.monotonic() - started < 10
    with pytest.raises(ChildProcessError):
        os.waitpid(values[0], 0)


def test_a_child_that_hangs_holds_nobody_who_waits_for_our_output():
    code = "import os, time\nprint(child.collect(lambda: [[os.readlink(f'/proc/self/fd/{n}') for n in range(3)]], 30))"
    assert run_python("_kernel.child", code) == f"([{['/dev/null'] * 3}], None)"


def test_a_child_that_closes_its_pipe_and_goes_on_is_ended_from_here():
    def work():
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        yield os.getpid()
        os.closerange(3, 99)
        time.sleep(30)

    started = time.monotonic()
    values, error = child.collect(work, 1)
    assert error == "took longer than 1 s"
    assert time.monotonic() - started < 10
    with pytest.raises(ChildProcessError):
        os.waitpid(values[0], 0)


def test_half_a_line_is_no_value(monkeypatch):
    def half(_work, _seconds, _reading, writing):
        os.write(writing, b'[[1]]\n["two", ')
        os._exit(1)

    monkeypatch.setattr(child, "_run", half)
    assert child.collect(list, 30) == ([[1]], "ended with wait status 256")


def test_a_good_end():
    assert child.collect(lambda: [1, "two", [None]], 30) == ([1, "two", [None]], None)


def test_much_is_given_back_whole():
    values, error = child.collect(lambda: ([number, "x" * 100] for number in range(20000)), 30)
    assert (len(values), values[-1][0], error) == (20000, 19999, None)


def test_a_machine_that_has_no_more_processes():
    code = (
        "import os, resource\nos.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "print(child.collect(list, 30), len(os.listdir('/proc/self/fd')) - before)"
    )
    assert run_python("_kernel.child", code) == "([], 'cannot be started: Resource temporarily unavailable') 0"


def test_no_descriptor_and_no_process_is_left():
    before = os.listdir("/proc/self/fd")
    child.collect(lambda: [1], 30)
    assert os.listdir("/proc/self/fd") == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
