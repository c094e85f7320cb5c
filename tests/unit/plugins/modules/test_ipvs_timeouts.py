# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ipvs_timeouts: the module's door. Where the kernel has IPVS it is run for real; a reboot is tested in a VM."""

import contextlib
import io
import json
import os
import subprocess

import pytest
import yaml
from ansible.module_utils import basic

from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import PATH as UNIT
from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import unit_seconds
from ansible_collections.kubenode.connections.plugins.modules import ipvs_timeouts
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._ipvs_kernel import Kernel, Kernels
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, read
from ansible_collections.kubenode.connections.tests.unit.plugins.modules._module_runs import run

TCP, BOTH = {"tcp": 900, "tcpfin": 120, "udp": 300}, {"tcp": 8284, "tcpfin": 120, "udp": 300}


def in_process(monkeypatch, options, check=False, diff=False):
    """The module's result, run in this process so that it meets the Kernel of the test."""
    arguments = dict(options, _ansible_check_mode=check, _ansible_diff=diff)
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        ipvs_timeouts.main()
    return {key: value for key, value in json.loads(out.getvalue()).items() if key != "invocation"}


@isolated
def test_a_check_a_run_and_a_second_run(monkeypatch):
    kernel = Kernel(monkeypatch, 900, 120, 300)
    foreseen = in_process(monkeypatch, {"tcp": "8284", "udp": "keep"}, check=True, diff=True)
    assert (kernel.calls, read(UNIT)) == ([], None)
    done = in_process(monkeypatch, {"tcp": "8284", "udp": "keep"}, diff=True)
    assert done == foreseen
    assert (done["changed"], done["before"], done["after"], done["notes"]) == (True, TCP, BOTH, [])
    assert [diff["after_header"] for diff in done["diff"]] == [
        UNIT,
        "/etc/systemd/system/multi-user.target.wants/kubenode-ipvs-timeouts.service",
        "live values",
    ]
    assert done["diff"][0]["after"].encode() == read(UNIT)
    assert (kernel.calls, unit_seconds(read(UNIT))) == ([(8284, 120, 300)], {"tcp": 8284})
    again = in_process(monkeypatch, {"tcp": "8284", "udp": "keep"})
    assert again == {"changed": False, "before": BOTH, "after": BOTH, "notes": []}


@isolated
def test_not_persistent_writes_no_unit(monkeypatch):
    Kernel(monkeypatch, 900, 120, 300)
    done = in_process(monkeypatch, {"tcp": "8284", "persistent": False})
    assert (done["changed"], done["after"], read(UNIT)) == (True, BOTH, None)


@isolated
def test_a_namespace_of_its_own_name_and_no_unit(monkeypatch):
    kernels = Kernels(monkeypatch, "/run")
    os.makedirs("/run/netns")
    subprocess.check_call(["sh", "-c", "touch /run/netns/vpn; unshare --net=/run/netns/vpn true"])
    done = in_process(monkeypatch, {"tcp": "8284", "udp": "keep", "namespace": "vpn"})
    assert (done["changed"], done["before"], done["after"], read(UNIT)) == (True, TCP, BOTH, None)
    assert tuple(kernels.now(os.stat("/run/netns/vpn").st_ino)) == (8284, 120, 300)
    assert in_process(monkeypatch, {"tcp": "8284", "namespace": "vpn"})["changed"] is False
    failed = in_process(monkeypatch, {"tcp": "8284", "namespace": "vpm"})
    there = failed["msg"].partition("has the name 'vpm'. There are: ")[2].partition(". Nothing was changed.")[0]
    assert "vpn" in there.split(", "), "beside containers that this machine may have"


@isolated
def test_keeping_all_changes_nothing(monkeypatch):
    kernel = Kernel(monkeypatch, 900, 120, 300)
    done = in_process(monkeypatch, {"tcp": "keep", "tcpfin": "keep", "udp": "keep"})
    assert (done, kernel.calls) == ({"changed": False, "before": TCP, "after": TCP, "notes": []}, [])


@isolated
def test_it_sets_real_timeouts_or_says_that_there_is_no_ipvs():
    done = run({"tcp": "8284"}, name="ipvs_timeouts")
    if os.path.exists("/proc/net/ip_vs"):
        assert (done["before"], done["after"]) == (TCP, BOTH)
        assert run({"tcp": "8284"}, name="ipvs_timeouts")["changed"] is False
        assert run({"state": "absent"})["after"]["ipvs_timeouts"] == TCP
    else:
        assert done["failed"] is True
        assert done["msg"].startswith("IPVS timeouts: the kernel has no IPVS loaded (module ip_vs, /proc/net/ip_vs)")
        assert read(UNIT) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"tcp": 0},
            "tcp: 0 is no timeout, to the kernel it means keep. Write keep, or leave tcp out.",
            id="zero",
        ),
        pytest.param(
            {"udp": 2678400},
            "udp: 2678400 seconds, but at most 2147483 (the kernel's INT_MAX / HZ at HZ=1000). "
            "Choose a value between 1 and 2147483.",
            id="more than every kernel takes, though ipvsadm would",
        ),
        pytest.param(
            {"tcpfin": "2m"}, "tcpfin: '2m' is not a whole number of seconds. Write seconds such as 900.", id="minutes"
        ),
        pytest.param({}, "one of the following is required: tcp, tcpfin, udp", id="nothing asked for"),
    ],
)
@isolated
def test_options_that_make_no_sense(options, message):
    assert run(options, name="ipvs_timeouts")["msg"] == message


def test_the_documentation_has_every_key_of_the_result():
    assert set(yaml.safe_load(ipvs_timeouts.RETURN)) == {"before", "after", "notes"}
