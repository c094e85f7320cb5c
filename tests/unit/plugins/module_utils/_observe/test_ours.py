# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node_settings has recorded for real, in a node of its own, and records that are none."""

import json
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._observe import ours
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    write,
)

TIME = "net.ipv4.tcp_keepalive_time"
PROBES = "net.ipv4.tcp_keepalive_probes"
NONE = {
    "sysctls": {},
    "modules": {},
    "ipvs_timeouts": [],
    "ipvs_unit": False,
    "rps": False,
    "originals": {},
    "plan_id": "",
}
EMPTY = {"version": 1, "files": {}, "ipvs_timeouts": {}, "rps": {}, "sysctls": {}}


@isolated
def test_nothing_is_ours_before_the_first_run():
    assert ours.read() == NONE


@isolated
def test_what_a_run_has_changed_is_ours_until_it_is_restored():
    write("/etc/sysctl.d/mine.conf", b"net.ipv4.ip_forward = 1\n")
    wanted = NOTHING._replace(
        modules=("br_netfilter",), sysctls={TIME: "600", PROBES: "5"}, sysctl_file="/etc/sysctl.d/mine.conf"
    )
    converge(wanted, False)
    assert ours.read() == dict(
        NONE,
        sysctls={"/etc/sysctl.d/mine.conf": [PROBES, TIME]},
        modules={"/etc/modules-load.d/k8s.conf": ["br_netfilter"]},
        originals={TIME: "7200", PROBES: "9"},
    )
    converge(NOTHING, False)
    assert ours.read() == NONE


def record(**parts):
    return json.dumps(dict(EMPTY, **parts)).encode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(record(ipvs_timeouts={"udp": 300, "tcp": 900}), {"ipvs_timeouts": ["tcp", "udp"]}, id="timeouts"),
        pytest.param(
            record(files={"/etc/systemd/system/kubenode-ipvs-timeouts.service": {"kind": "unit"}}),
            {"ipvs_unit": True},
            id="the unit",
        ),
        pytest.param(record(rps={"/sys/x": "0"}), {"rps": True}, id="RPS"),
        pytest.param(record(plan_id="12-5f0c93ab"), {"plan_id": "12-5f0c93ab"}, id="the plan"),
    ],
)
@isolated
def test_each_part_of_a_record(data, expected):
    write(ours.PATH, data)
    assert ours.read() == dict(NONE, **expected)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(record()[:-1], id="cut off"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100000, id="nested too deep"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="nothing of a record in it"),
        pytest.param(record(files=[]), id="files that are a list"),
        pytest.param(record(files={"/x": {"kind": "sysctls"}}), id="a file without lines of ours"),
        pytest.param(record(files={"/x": {"kind": "sysctls", "ours": 5}}), id="lines that are a number"),
        pytest.param(record(files={"/x": None}), id="a file that is null"),
        pytest.param(record(ipvs_timeouts=None), id="timeouts that are null"),
    ],
)
@isolated
def test_a_record_that_is_none_is_not_taken_for_nothing(data):
    write(ours.PATH, data)
    assert ours.read() is None


@isolated
def test_a_record_that_is_no_plain_file_is_not_waited_for():
    os.makedirs(ours.DIRECTORY)
    os.mkfifo(ours.PATH)
    assert ours.read() is None


@isolated
def test_a_record_longer_than_any_is_not_read():
    write(ours.PATH, record().ljust(ours.MAX_BYTES + 1))
    assert ours.read() is None


@isolated
def test_a_record_that_others_may_not_read_is_unknown_to_them():
    converge(NOTHING._replace(sysctls={TIME: "600"}), False)
    assert read(ours.PATH) is not None
    os.setegid(65534)
    os.seteuid(65534)
    assert ours.read() is None
