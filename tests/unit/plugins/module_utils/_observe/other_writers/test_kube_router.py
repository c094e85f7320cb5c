# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes that go by the name of kube-router."""

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import find
from ansible_collections.kubenode.connections.plugins.module_utils._observe.other_writers import kube_router, summary
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    NOBODY,
    elf,
    needs_x86,
    put,
    running,
)

pytestmark = needs_x86

FLAGS = [
    pytest.param([], {}, id="no flags"),
    pytest.param(["--run-router=true", "--run-service-proxy=true"], {}, id="as its manifest has it"),
    pytest.param(["--service-tcp-timeout=2h30m"], {"tcp": 9000}, id="a timeout"),
    pytest.param(
        ["--service-tcpfin-timeout", "90s", "--service-udp-timeout=5m"], {"tcpfin": 90, "udp": 300}, id="the others"
    ),
    pytest.param(["--service-tcp-timeout=0s"], {}, id="0 leaves it alone"),
    pytest.param(["--service-tcp-timeout=500ms"], {}, id="less than a second leaves it alone, too"),
    pytest.param(["--service-tcp-timeout=10s", "--service-tcp-timeout=20s"], {"tcp": 20}, id="the last one counts"),
]


@pytest.mark.parametrize(("flags", "timeouts"), FLAGS)
@isolated
def test_the_timeouts_that_its_flags_set(flags, timeouts):
    with running(put("/run/root/kube-router", elf()), *flags) as process:
        assert kube_router.read(find(summary.WANTED[1]).process) == ({"pid": process.pid, "timeouts": timeouts}, [])


@pytest.mark.parametrize("flag", ["--run-service-proxy=false", "--run-service-proxy=0", "--run-service-proxy=F"])
@isolated
def test_where_it_does_not_forward_services_it_sets_nothing(flag):
    with running(put("/run/root/kube-router", elf()), "--service-tcp-timeout=1h", flag):
        assert kube_router.read(find(summary.WANTED[1]).process) == (None, [])


@isolated
def test_a_flag_that_is_no_duration_is_said():
    with running(put("/run/root/kube-router", elf()), "--service-tcp-timeout=1 hour") as process:
        found, problems = kube_router.read(find(summary.WANTED[1]).process)
    assert found == {"pid": process.pid, "timeouts": {}}
    assert [(each.file, each.what) for each in problems] == [
        (f"/proc/{process.pid}/cmdline", "the flag --service-tcp-timeout is '1 hour', no duration")
    ]


@isolated
def test_one_of_another_user_or_of_a_pod_is_not_believed():
    theirs = put("/run/user/kube-router", elf(), owner=NOBODY)
    with running(theirs, user=NOBODY), running(put("/run/root/kube-router", elf()), prefix=("unshare", "--net")):
        assert summary.read([], [find(each) for each in summary.WANTED]).kube_router is None
