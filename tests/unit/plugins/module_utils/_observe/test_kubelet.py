# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes named kubelet, root's and another user's, in the node's namespaces and in others."""

import os
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Process, find
from ansible_collections.kubenode.connections.plugins.module_utils._observe import kubelet as observe_kubelet
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    NOBODY,
    elf,
    needs_x86,
    put,
    running,
)

pytestmark = needs_x86

UNSET = {"disable_http2": False, "read_idle_timeout": 30, "ping_timeout": 15}
PROGRAM = "/run/root/kubelet"
VERSION = "Kubernetes v1.31.2\n"


def read():
    return observe_kubelet.read(find(observe_kubelet.WANTED))


def variables_of(seen):
    return {name: getattr(seen, name) for name in UNSET}


def kubelet(*arguments, path=PROGRAM, answer=VERSION, **how):
    """A running kubelet, whose program is root's."""
    return running(put(path, elf(answer)), *arguments, **how)


@isolated
def test_no_kubelet_is_no_error():
    assert read() == observe_kubelet.Kubelet(False, None, None, None, None, None, None)


COMMAND_LINES = [
    pytest.param(["--config=/var/lib/kubelet/config.yaml"], True, id="static pods alone"),
    pytest.param(["--kubeconfig=/etc/kubernetes/kubelet.conf"], False, id="an API server"),
    pytest.param(["--bootstrap-kubeconfig", "/etc/kubernetes/bootstrap.conf"], False, id="one that it has to join"),
    pytest.param(["--api-servers=https://10.0.0.1:6443"], False, id="as before 1.8"),
]


@pytest.mark.parametrize(("arguments", "expected"), COMMAND_LINES)
@isolated
def test_whether_it_has_an_api_server(arguments, expected):
    with kubelet(*arguments):
        assert read().standalone is expected


def test_a_kubelet_that_has_just_ended_tells_nothing_of_an_api_server():
    ended = os.fork()
    if not ended:
        os._exit(0)
    os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
    try:
        assert observe_kubelet._is_standalone(Process(ended)) is None
    finally:
        os.waitpid(ended, 0)


VARIABLES = [
    pytest.param({}, {}, id="nothing is set: the defaults"),
    pytest.param(
        {"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "20", "HTTP2_PING_TIMEOUT_SECONDS": "10"},
        {"read_idle_timeout": 20, "ping_timeout": 10},
        id="both are set",
    ),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "0"}, {"read_idle_timeout": 0}, id="0 seconds: off"),
    pytest.param({"HTTP2_PING_TIMEOUT_SECONDS": "0"}, {}, id="0 seconds to answer: the default"),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "20s"}, {}, id="no number: the default"),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "9" * 30}, {}, id="no number of Go: the default"),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": " 20"}, {}, id="a blank before it: the default"),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": ""}, {}, id="empty: the default"),
    pytest.param({"DISABLE_HTTP2": "false"}, {"disable_http2": True}, id="any text switches HTTP/2 off"),
    pytest.param({"DISABLE_HTTP2": ""}, {}, id="empty does not"),
    pytest.param({"XDISABLE_HTTP2": "1", "DISABLE_HTTP2X": "1"}, {}, id="other names do not count"),
]


@pytest.mark.parametrize(("environment", "expected"), VARIABLES)
@isolated
def test_the_variables_in_force(environment, expected):
    with kubelet(environment=environment) as process:
        seen = read()
    assert (seen.running, seen.pid, seen.version, seen.error) == (True, process.pid, "v1.31.2", None)
    assert variables_of(seen) == dict(UNSET, **expected)


@isolated
def test_nothing_else_of_the_environment_is_returned():
    with kubelet(environment={"TOKEN": "secret-7f3a", "DISABLE_HTTP2": "1"}):
        seen = read()
    assert seen.disable_http2 is True
    assert "secret-7f3a" not in repr(seen)


@isolated
def test_a_user_who_alternates_between_kubelet_and_a_program_of_his_has_neither_run_by_root():
    """/proc/PID/exe is root's program when it is looked at, and the user's when it is run."""
    theirs, marker = "/run/user/kubelet", "/run/user/marker"
    put(PROGRAM, elf(VERSION, then=theirs))
    put(theirs, elf(marker=marker, then=PROGRAM), owner=NOBODY)
    os.chown("/run/user", NOBODY, NOBODY)
    made_by = set()
    with running(PROGRAM, user=NOBODY, becomes_others=True) as process:
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline and not made_by:
            seen = read()
            made_by |= {os.stat(marker).st_uid} if os.path.exists(marker) else set()
    assert made_by == set(), "the user's program was run, as the user who owns the file that it makes"
    assert (seen.running, seen.version) == (False, None)
    assert seen.error == f"Process {process.pid} calls itself kubelet, but runs as user {NOBODY}: it is not believed."


@isolated
def test_what_was_not_believed_is_told_beside_the_kubelet_of_the_node():
    with running(put("/run/user/kubelet", elf(VERSION), owner=NOBODY), user=NOBODY) as theirs, kubelet() as process:
        seen = read()
    assert (seen.pid, seen.version) == (process.pid, "v1.31.2")
    assert seen.error == f"Process {theirs.pid} calls itself kubelet, but runs as user {NOBODY}: it is not believed."


@isolated
def test_the_one_that_was_started_last_is_the_nodes():
    with kubelet(path="/run/old/kubelet", answer="Kubernetes v1.30.0\n") as old:
        time.sleep(0.05)
        with kubelet() as process:
            seen = read()
    assert (seen.pid, seen.version) == (process.pid, "v1.31.2")
    assert seen.error == (
        f"Processes {old.pid}, {process.pid} are all called kubelet, one is expected: {process.pid} is believed, "
        "because it was started last. Stop the others."
    )


@isolated
def test_not_root_gets_no_version_and_no_variables_and_is_told_why():
    with kubelet(environment={"DISABLE_HTTP2": "1"}) as process:
        os.seteuid(NOBODY)
        seen = read()
        os.seteuid(0)
    assert variables_of(seen) == dict.fromkeys(UNSET)
    assert (seen.running, seen.pid, seen.version) == (True, process.pid, None)
    # Another one on this machine, in another network namespace, may be told before it: not root cannot know.
    assert seen.error.endswith(
        f"kubelet's version: /proc/{process.pid}/exe: Permission denied. "
        f"kubelet's environment: /proc/{process.pid}/environ: Permission denied."
    )
