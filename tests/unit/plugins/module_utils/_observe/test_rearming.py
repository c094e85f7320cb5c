# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import errno
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import pidfd
from ansible_collections.kubenode.connections.plugins.module_utils._observe import rearming
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    run_python,
    run_without_rights,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._open_clients import lines_of

SHOW = "import json\nprint(json.dumps(rearming.read()))"


def test_this_machine_can_and_nothing_stays_open():
    before = os.listdir("/proc/self/fd")
    assert rearming.read() == {"possible": True, "reason": None}
    assert os.listdir("/proc/self/fd") == before


def refused(number, error):
    code = (
        "from ansible_collections.kubenode.connections.plugins.module_utils._observe import rearming\n"
        f"refuse({number}, errno.{error})\nprint(json.dumps(rearming.read()))"
    )
    return lines_of(code)[0]


RELEASE = os.uname().release
REFUSED = [
    pytest.param(
        "ENOSYS",
        False,
        f"Kernel {RELEASE} cannot do it (pidfd_getfd came with Linux 5.6). Boot a newer kernel.",
        id="an old kernel",
    ),
    pytest.param(
        "EPERM",
        False,
        "pidfd_getfd answers Operation not permitted even for an own file: a filter for system calls (seccomp) forbids "
        "it, as in a container. Run on the host.",
        id="a container",
    ),
    pytest.param(
        "EIO",
        None,
        f"pidfd_getfd answers Input/output error even for an own file. Report it and the kernel ({RELEASE}) to the "
        "collection.",
        id="what nobody expects",
    ),
]


@pytest.mark.parametrize("number", ["pidfd.OPEN", "pidfd.GETFD"])
@pytest.mark.parametrize(("error", "possible", "reason"), REFUSED)
def test_a_kernel_that_refuses(number, error, possible, reason):
    assert refused(number, error) == {"possible": possible, "reason": reason}


def test_yama_at_three(monkeypatch):
    monkeypatch.setattr(pidfd, "nobody_may", lambda: True)
    assert rearming.read() == {
        "possible": False,
        "reason": "kernel.yama.ptrace_scope is 3, at which not even root may do it until the next boot. Set it to 2 or "
        "lower at boot, or restart what has connections at risk.",
    }


def test_without_root_nobody_knows():
    drop = "import json, os\nrearming.read()\nos.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
    assert run_python("_observe.rearming", drop + SHOW) == (
        '{"possible": null, "reason": "Not looked at as user 65534, only root may do it. Run again as root '
        '(-e keepalive_become=true)."}'
    )


def test_a_root_without_the_capability():
    assert run_without_rights("_observe.rearming", SHOW) == (
        '{"possible": false, "reason": "This root lacks CAP_SYS_PTRACE, as in a container. Run on the host, or with '
        'all capabilities."}'
    )


def test_a_python_without_ctypes(monkeypatch):
    def call(*_arguments):
        raise ImportError("No module named '_ctypes'")

    monkeypatch.setattr(pidfd, "call", call)
    assert rearming.read() == {
        "possible": None,
        "reason": "This Python cannot tell (No module named '_ctypes'). Have Ansible use a Python on the node that has "
        "ctypes.",
    }


def test_the_number_of_an_error_is_told_as_it_is(monkeypatch):
    def call(*_arguments):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(pidfd, "call", call)
    assert rearming.read()["possible"] is None
