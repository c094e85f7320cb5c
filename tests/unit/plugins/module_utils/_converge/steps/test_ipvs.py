# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import LiveRecord
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.ipvs import IpvsTimeouts
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.live import LiveSysctl
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import foresee, run
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_timeouts
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._converge.steps._failure import (
    AS_BEFORE,
    failure,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._ipvs_kernel import Kernel


def test_ipvs_timeouts_are_set_in_one_call_and_given_back(monkeypatch):
    kernel = Kernel(monkeypatch, 900, 120, 300)
    step = IpvsTimeouts({}, {"tcp": 8284})
    assert step.before == {"tcp": 900, "tcpfin": 120, "udp": 300}
    assert step.after == {"tcp": 8284, "tcpfin": 120, "udp": 300}
    foresee([step])
    run([step])
    records = {name: target.final for name, target in step.targets.items()}
    assert (kernel.now, records) == ((8284, 120, 300), {"tcp": LiveRecord(900, (8284,))})
    assert IpvsTimeouts(records, {"tcp": 8284}).changed is False
    run([IpvsTimeouts(records, {"tcp": None})])
    assert (kernel.now, len(kernel.calls)) == ((900, 120, 300), 2)


def test_ipvs_timeouts_of_a_failed_run_are_undone(monkeypatch):
    kernel = Kernel(monkeypatch, 900, 120, 300)
    steps = [IpvsTimeouts({}, {"tcp": 8284}), LiveSysctl("net.bridge.no-such", None, "1", ["br_netfilter"])]
    assert failure(steps).endswith(AS_BEFORE)
    assert kernel.now == (900, 120, 300)


def test_ipvs_timeouts_that_the_kernel_refuses(monkeypatch):
    kernel = Kernel(monkeypatch, 900, 120, 300)
    assert failure([IpvsTimeouts({}, {"tcp": 13})]) == (
        "IPVS timeouts: not set, the kernel answers Invalid argument." + AS_BEFORE
    )
    assert kernel.now == (900, 120, 300)


def test_ipvs_timeouts_without_ipvs_are_refused(monkeypatch):
    Kernel(monkeypatch)
    assert failure([IpvsTimeouts({}, {"tcp": 8284})]) == (
        "IPVS timeouts: the kernel has no IPVS loaded (module ip_vs, /proc/net/ip_vs), so there is nothing to "
        "set. Load it "
        "first (modprobe ip_vs), or list ip_vs in modules of kubenode.connections.node_settings."
    )


def test_ipvs_timeouts_are_learnt_when_ip_vs_is_loaded_by_the_same_run(monkeypatch):
    kernel = Kernel(monkeypatch)
    step = IpvsTimeouts({}, {"tcp": 8284}, loading=["ip_vs"])
    foresee([step])
    assert (step.before, step.after) == (None, {"tcp": 8284})
    kernel.now = ipvs_timeouts.Timeouts(900, 120, 300)
    step.learn()
    assert step.targets["tcp"].final == LiveRecord(900, (8284,))
    run([step])
    assert kernel.now == (8284, 120, 300)


def test_ipvs_timeouts_are_gone_with_ip_vs(monkeypatch):
    Kernel(monkeypatch)
    step = IpvsTimeouts({"tcp": LiveRecord(900, (8284,))}, {"tcp": None})
    assert step.changed is False
    assert step.targets["tcp"].note == (
        "the IPVS timeout tcp is not there any more (its kernel module is gone), so its value was not put back."
    )
