# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, more_rights
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import LiveRecord
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import live
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.ipvs import IpvsTimeouts
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.live import (
    LiveSysctl,
    LoadedModule,
    live_diff,
)
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import foresee, run
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import programs
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._converge.steps._failure import (
    AS_BEFORE,
    failure,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._ipvs_kernel import Kernel
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    program,
    read,
    read_only,
    sysctl,
)

TIME = "net.ipv4.tcp_keepalive_time"
PROBES = "net.ipv4.tcp_keepalive_probes"
RELEASE = os.uname().release


@isolated
def test_a_sysctl_is_set_in_the_kernel():
    step = LiveSysctl(TIME, None, "600")
    assert (step.before, step.after, sysctl(TIME)) == ("7200", "600", "7200")
    run([step])
    assert sysctl(TIME) == "600"
    assert LiveSysctl(TIME, step.target.final, "600").changed is False
    run([LiveSysctl(TIME, step.target.final, None)])
    assert sysctl(TIME) == "7200"


@isolated
def test_tabs_for_blanks_are_no_change():
    three = " ".join(sysctl("net.ipv4.tcp_rmem").split())
    assert LiveSysctl("net.ipv4.tcp_rmem", None, three).changed is False


@isolated
def test_a_value_that_the_kernel_refuses_undoes_the_good_ones_before_it():
    steps = [
        LiveSysctl(TIME, None, "600"),
        LiveSysctl("net.ipv4.tcp_retries2", None, "8"),
        LiveSysctl(PROBES, None, "999"),
    ]
    assert failure(steps) == (
        PROBES
        + ": kernel "
        + RELEASE
        + " does not take '999' in /proc/sys/net/ipv4/tcp_keepalive_probes: Invalid argument "
        "(EINVAL). Choose a value that this kernel accepts." + AS_BEFORE
    )
    assert (sysctl(TIME), sysctl("net.ipv4.tcp_retries2"), sysctl(PROBES)) == ("7200", "15", "9")


@isolated
def test_a_value_that_the_kernel_reads_differently_is_a_failure():
    assert failure([LiveSysctl(TIME, None, "0600")]) == (
        TIME
        + ": it holds '384' after '0600' was written (read back). Choose a value that this node keeps, or find out who "
        "else writes there." + AS_BEFORE
    )
    assert sysctl(TIME) == "7200"


@isolated
def test_a_key_that_this_kernel_lacks():
    assert failure([LiveSysctl("net.ipv4.tcp_no_such", None, "1")]) == (
        "net.ipv4.tcp_no_such: kernel " + RELEASE + " has no /proc/sys/net/ipv4/tcp_no_such. "
        "Mend the name, or leave the key out for this kernel."
    )


@isolated
def test_a_key_whose_module_is_there_but_not_the_key():
    assert failure([LiveSysctl("net.netfilter.nf_conntrack_no_such", None, "1")]) == (
        "net.netfilter.nf_conntrack_no_such: kernel "
        + RELEASE
        + " has no /proc/sys/net/netfilter/nf_conntrack_no_such, "
        "although its module nf_conntrack is loaded. Leave the key out for this kernel."
    )


@isolated
def test_a_key_whose_module_is_not_there(monkeypatch):
    monkeypatch.setattr(live, "module_loaded", lambda _name: False)
    assert failure([LiveSysctl("net.bridge.no-such", None, "1")]) == (
        "net.bridge.no-such: kernel "
        + RELEASE
        + " has no /proc/sys/net/bridge/no-such, because its module br_netfilter is "
        "not loaded. Add br_netfilter to modules."
    )


@isolated
def test_a_key_that_does_not_come_with_its_module_fails_when_it_is_written():
    step = LiveSysctl("net.bridge.no-such", None, "1", loading=["br_netfilter"])
    foresee([step])
    assert failure([step]).startswith(
        "net.bridge.no-such: kernel " + RELEASE + " has no /proc/sys/net/bridge/no-such, although"
    )


@isolated
def test_a_key_that_cannot_be_read_could_not_be_put_back():
    with pytest.raises(NodeError) as error:
        LiveSysctl("net.ipv4.route.flush", None, "1")
    assert str(error.value) == (
        "net.ipv4.route.flush: not readable (/proc/sys/net/ipv4/route/flush: Permission denied), so it could not "
        "be put back. "
        "Leave it out."
    )


@isolated
def test_a_read_only_proc_sys_is_foreseen():
    read_only("/proc/sys")
    assert failure([LiveSysctl(TIME, None, "600")]) == (
        "/proc/sys/net/ipv4/tcp_keepalive_time: cannot be written: Read-only file system (EROFS). It is mounted "
        "read-only here "
        "(an unprivileged container, or a read-only image): run this on the host, or remount it writable."
    )


@isolated
def test_a_key_that_only_the_first_namespace_may_set_is_foreseen():
    path = "/proc/sys/net/netfilter/nf_conntrack_buckets"
    assert failure([LiveSysctl("net.netfilter.nf_conntrack_buckets", None, "1")]) == (
        path + ": cannot be written: Permission denied (EACCES). " + more_rights()
    )


@isolated
def test_the_original_of_a_key_is_learnt_when_its_module_has_brought_it(monkeypatch):
    real = live.read_sysctl
    monkeypatch.setattr(live, "read_sysctl", lambda name: real(name)._replace(state="absent", value=None))
    step = LiveSysctl("net.bridge.bridge-nf-call-iptables", None, "0", loading=["br_netfilter"])
    assert step.target.final == LiveRecord(None, ("0",))
    monkeypatch.setattr(live, "read_sysctl", real)
    step.learn()
    assert step.target.final == LiveRecord("1", ("0",))


def loadable(load="mkdir /sys/module/$2$1", unload="rmdir /sys/module/$1"):
    """A kernel that loads modules, which a test's machine may not have: modprobe and rmmod make and remove the mark."""
    mount("tmpfs", "/sys/module", "tmpfs")
    return program("modprobe", '[ "$1" = --dry-run ] && exit 0\n' + load), program("rmmod", unload)


@isolated
def test_a_module_is_loaded_and_unloaded_again_when_a_later_step_fails():
    modprobe, rmmod = loadable()
    step = LoadedModule("dummy_one")
    assert (step.before, step.after) == (False, True)
    assert failure([step, LiveSysctl(PROBES, None, "999")]).endswith(AS_BEFORE)
    assert (read(modprobe), read(rmmod)) == (b"--dry-run dummy_one\ndummy_one\n", b"dummy_one\n")
    run([step])
    assert LoadedModule("dummy_one").changed is False


@isolated
def test_what_came_with_a_module_goes_with_it_in_the_kernels_order(monkeypatch):
    _modprobe, rmmod = loadable("mkdir /sys/module/ip_vs_like /sys/module/needed", "rmdir /sys/module/$1")
    listed = [["old"], ["ip_vs_like", "needed", "old"]]
    monkeypatch.setattr(live, "_loaded_modules", lambda: listed.pop(0))
    failure([LoadedModule("ip_vs_like"), LiveSysctl(PROBES, None, "999")])
    assert read(rmmod) == b"ip_vs_like\nneeded\n"


@isolated
def test_a_module_that_another_one_brought_along_is_not_loaded_nor_unloaded_again():
    modprobe, rmmod = loadable("mkdir /sys/module/ip_vs_like /sys/module/needed")
    failure([LoadedModule("ip_vs_like"), LoadedModule("needed"), LiveSysctl(PROBES, None, "999")])
    assert read(modprobe).splitlines() == [b"--dry-run ip_vs_like", b"--dry-run needed", b"ip_vs_like"]
    assert read(rmmod) == b"ip_vs_like\n"


@isolated
def test_every_module_is_tried_although_one_is_in_use(monkeypatch):
    loadable(
        "mkdir /sys/module/one /sys/module/two", "rmdir /sys/module/$1; [ $1 = two ] || { echo $1 in use; exit 1; }"
    )
    listed = [[], ["one", "two"]]
    monkeypatch.setattr(live, "_loaded_modules", lambda: listed.pop(0))
    assert "kernel module one: it stays loaded, rmmod says: one in use. Mend" in failure(
        [LoadedModule("one"), LiveSysctl(PROBES, None, "999")]
    )
    assert os.listdir("/sys/module") == []


@isolated
def test_a_module_in_use_by_then_stays_and_is_named():
    loadable(unload="echo rmmod: ERROR: Module dummy_one is in use; exit 1")
    assert failure([LoadedModule("dummy_one"), LiveSysctl(PROBES, None, "999")]).endswith(
        " The node is not as before, this could not be undone: kernel module dummy_one: it stays loaded, rmmod says: "
        "rmmod: ERROR: Module dummy_one is in use. dummy_one: it holds True, before it was False. Mend that by hand."
    )


TODO = ". Install the kernel's modules package or remove what blocks the module; after a kernel update, reboot first."


@pytest.mark.parametrize(
    ("script", "ends"),
    [
        pytest.param(
            "echo modprobe: FATAL: Module nothing not found in directory /lib/modules/x; exit 1",
            "modprobe says: modprobe: FATAL: Module nothing not found in directory /lib/modules/x" + TODO,
            id="a module that does not exist, foreseen",
        ),
        pytest.param(
            "[ $1 = --dry-run ] && exit 0; echo \"modprobe: ERROR: could not insert 'nothing'\"; exit 1",
            "modprobe says: modprobe: ERROR: could not insert 'nothing'" + TODO + AS_BEFORE,
            id="a module that is blocked",
        ),
        pytest.param(
            "exit 0", "modprobe says: nothing" + TODO + AS_BEFORE, id="a modprobe that succeeds and loads nothing"
        ),
        pytest.param(
            "[ $1 = --dry-run ] && { echo invalid option; exit 1; }; exit 1",
            "modprobe says: nothing" + TODO + AS_BEFORE,
            id="a modprobe without a dry run",
        ),
    ],
)
@isolated
def test_a_module_that_cannot_be_loaded(script, ends):
    program("modprobe", script)
    start = "kernel module nothing: it could not be loaded into kernel " + RELEASE + ", "
    assert failure([LoadedModule("nothing")]) == start + ends


@isolated
def test_where_there_is_no_modprobe(monkeypatch):
    monkeypatch.setattr(programs, "find_program", lambda _name: None)
    assert failure([LoadedModule("nothing")]) == (
        "kernel module nothing: it is not loaded, and no modprobe is here to load it (a container has none). "
        "Load it on the "
        "host, or install kmod."
    )


@isolated
def test_a_module_that_is_built_in_needs_no_modprobe(monkeypatch):
    monkeypatch.setattr(programs, "find_program", lambda _name: None)
    assert LoadedModule("kernel").changed is False


@isolated
def test_live_values_have_one_diff(monkeypatch):
    Kernel(monkeypatch, 900, 120, 300)
    steps = [
        LoadedModule("kernel"),
        LiveSysctl(TIME, None, "600"),
        LiveSysctl("net.bridge.no-such", None, "1", loading=["br_netfilter"]),
        IpvsTimeouts({}, {"tcp": 8284}),
    ]
    assert live_diff(steps) == [
        {
            "before_header": "live values",
            "before": f"kernel module kernel: loaded\n{TIME} = 7200\nnet.bridge.no-such = (not there)\n"
            "IPVS tcp timeout = 900\nIPVS tcpfin timeout = 120\nIPVS udp timeout = 300\n",
            "after_header": "live values",
            "after": f"kernel module kernel: loaded\n{TIME} = 600\nnet.bridge.no-such = 1\n"
            "IPVS tcp timeout = 8284\nIPVS tcpfin timeout = 120\nIPVS udp timeout = 300\n",
        }
    ]
    assert live_diff([LiveSysctl(TIME, None, "7200")]) == []
