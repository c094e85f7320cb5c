# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import signal
import subprocess

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._hang_guard import hang_guard
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated


@isolated
def test_a_node_sees_no_process_but_its_own():
    assert [name for name in os.listdir("/proc") if name.isdigit()] == ["1", str(os.getpid())]


def test_what_a_test_leaves_running_ends_with_it():
    reading, writing = os.pipe()
    isolated(lambda: subprocess.Popen(["sleep", "600"], stdout=writing))()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b""


@isolated
def test_whom_nobody_waits_for_does_not_stay():
    child = int(subprocess.check_output(["sh", "-c", "true & echo $!"]))
    with hang_guard():
        while os.path.exists(f"/proc/{child}"):
            pass


@pytest.mark.parametrize(
    ("does", "told"),
    [
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGKILL), "the test ended with wait status 9", id="is killed"),
        pytest.param(lambda: 1 / 0, "ZeroDivisionError", id="fails"),
    ],
)
def test_a_test_is_not_green_when_it(does, told):
    with pytest.raises(pytest.fail.Exception, match=told):
        isolated(does)()
