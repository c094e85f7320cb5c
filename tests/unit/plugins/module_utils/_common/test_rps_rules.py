# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which NIC gets what, and the udev rules that say the same: their command runs for real on veths with many queues."""

import os
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common import rps_rules
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import (
    Nic,
    Queue,
    Row,
    RpsSettings,
    Wanted,
    flow_count,
    rule_masks,
    rule_text,
    wanted_of,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.nics import read_nics
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, mount

PATHS = {
    "eth0": "/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0",
    "ens1": "/devices/pci0000:80/0000:80:02.0/0000:81:00.0/net/ens1",
    "odd": '/devices/a"b\\c*/net/odd',
}
TEXT = b"""\
# Written by kubenode.connections, which removes it again (node_settings with state=absent).
# Receive Packet Steering for the queues of NICs, at boot and when they appear later.
ACTION!="add|move", GOTO="kubenode_rps_end"
SUBSYSTEM!="net|queues", GOTO="kubenode_rps_end"
SUBSYSTEM=="queues", KERNEL!="rx-*", GOTO="kubenode_rps_end"
DEVPATH=="/devices/virtual/*", GOTO="kubenode_rps_end"
DEVPATH=="/devices/pci0000:00/0000:00:03.0/virtio*/net/*", \
ENV{.kubenode_rps_cpus}="e", ENV{.kubenode_rps_queues}="4", GOTO="kubenode_rps_set"
ATTRS{numa_node}=="1", \
ENV{.kubenode_rps_cpus}="f,00000000", ENV{.kubenode_rps_queues}="65536", GOTO="kubenode_rps_set"
ENV{.kubenode_rps_cpus}="f", ENV{.kubenode_rps_queues}="65536", GOTO="kubenode_rps_set"
GOTO="kubenode_rps_end"
LABEL="kubenode_rps_set"
RUN+="/bin/sh -c 'q=/sys$$DEVPATH; if [ -d $$q/queues ]; then q=$$q/queues; else q=$${q%%/*}; fi; \
cat $$q/../speed >/dev/null 2>&1; cd $$q 2>/dev/null || exit 0; set -- rx-*; \
[ -e $$1/rps_cpus ] && [ $$# -lt $env{.kubenode_rps_queues} ] || exit 0; \
n=32768; while [ $$((n * $$#)) -gt 32768 ]; do n=$$((n / 2)); done; \
for q; do echo $env{.kubenode_rps_cpus} > $$q/rps_cpus; echo $$n > $$q/rps_flow_cnt; done'"
LABEL="kubenode_rps_end"
"""
SETTINGS = RpsSettings((Row("1-3", name="eth0", fewer_queues_than=4), Row("32-35", numa_node=1), Row("0-3")), 32768)


def nic(name="eth0", queues=1, numa_node=None, mask="0"):
    each = tuple(Queue(f"rx-{number}", mask, 0) for number in range(queues))
    return Nic(name, "/devices/x/net/" + name, "up", numa_node, each, None)


def test_the_rules_read_so():
    assert rule_text(SETTINGS, PATHS) == TEXT
    assert rule_masks(TEXT) == {"e", "f", "f,00000000"}


def test_without_rows_there_are_no_rules():
    assert rule_text(RpsSettings(flow_entries=32768), PATHS) is None
    assert rule_masks(None) == frozenset()


def test_a_nic_by_name_that_is_not_there_has_no_rule():
    assert rule_text(RpsSettings((Row("0", name="eth7"),)), PATHS) is None
    assert rule_text(SETTINGS, {}) == re.sub(rb"DEVPATH==\"/devices/pci.*\n", b"", TEXT)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        pytest.param(
            "eth0", 'DEVPATH=="/devices/pci0000:00/0000:00:03.0/virtio*/net/*", ', id="any number of virtio's"
        ),
        pytest.param("ens1", 'DEVPATH=="/devices/pci0000:80/0000:80:02.0/0000:81:00.0/net/*", ', id="as it is"),
        pytest.param("odd", 'DEVPATH=="/devices/a?b?c*/net/*", ', id="without what udev would take for syntax"),
    ],
)
def test_a_nic_is_known_by_the_place_of_its_device(name, match):
    assert "\n" + match in rule_text(RpsSettings((Row("0", name=name),)), PATHS).decode()


WANTED = [
    pytest.param(nic("eth0"), Wanted("e", 32768), id="by its name"),
    pytest.param(nic("eth0", 3), Wanted("e", 8192), id="by its name, three queues share the flows"),
    pytest.param(nic("eth0", 4, 1), None, id="with four queues it is left alone, and no later row counts for it"),
    pytest.param(nic("ens1", 6, 1), Wanted("f,00000000", 4096), id="by its NUMA node"),
    pytest.param(nic("ens1", 1, 0), Wanted("f", 32768), id="of another NUMA node, so by what is for all"),
    pytest.param(nic("ens1", 1, None), Wanted("f", 32768), id="of no NUMA node"),
    pytest.param(nic("ens1", 0), None, id="without receive queues"),
    pytest.param(nic("ens1", 2, mask=None), None, id="on a kernel without RPS"),
]


@pytest.mark.parametrize(("one", "wanted"), WANTED)
def test_the_first_row_that_fits_counts(one, wanted):
    assert wanted_of(SETTINGS, one) == wanted


def test_without_rows_every_nic_is_left_alone():
    assert wanted_of(RpsSettings(flow_entries=32768), nic()) is None


@pytest.mark.parametrize(("entries", "queues", "count"), [(32768, 1, 32768), (32768, 5, 4096), (0, 4, 0), (2, 4, 0)])
def test_the_flows_of_one_queue(entries, queues, count):
    assert flow_count(entries, queues) == count


@given(st.integers(0, 20).map(lambda bit: 1 << bit), st.integers(1, 300))
def test_all_queues_together_never_have_more_flows_than_there_are(entries, queues):
    count = flow_count(entries, queues)
    assert count & (count - 1) == 0
    assert count * queues <= entries
    assert entries < queues or 2 * count * queues > entries


def udev_command(settings, queues):
    """The command as udev gives it to sh, with what the rule of a NIC has set."""
    text = rule_text(settings, {}).decode()
    values = dict(re.findall(r'ENV\{(\.kubenode_rps_\w+)\}="([^"]*)"', text), **{".kubenode_rps_queues": str(queues)})
    command = re.search(r"RUN\+=\"/bin/sh -c '([^']*)'\"", text).group(1)
    command = re.sub(r"\$env\{([^}]*)\}", lambda found: values[found.group(1)], command)
    return command.replace("$$", "$").replace("%%", "%")


def veth(name, queues):
    subprocess.check_call(["ip", "link", "add", name, "numrxqueues", str(queues), "type", "veth", "peer", name + "p"])


def values_of(name):
    (one,) = [one for one in read_nics(virtual=True) if one.name == name]
    return [(queue.rps_cpus, queue.rps_flow_cnt) for queue in one.queues]


EVENTS = [
    pytest.param("", 1, 5, [("1", 32768)], id="the event of a NIC with one queue"),
    pytest.param("", 5, 65536, [("1", 4096)] * 5, id="the event of a NIC with five"),
    pytest.param("/queues/rx-3", 5, 6, [("1", 4096)] * 5, id="the event of one of its queues"),
    pytest.param("", 5, 5, [("0", 0)] * 5, id="no fewer queues than asked for"),
    pytest.param("/queues/rx-9", 2, 6, [("1", 16384)] * 2, id="the event of a queue that is gone since"),
]


@pytest.mark.parametrize(("event", "queues", "limit", "values"), EVENTS)
@isolated
def test_the_command_of_the_rules_is_a_working_program(event, queues, limit, values):
    mount("sysfs", "/sys", "sysfs")
    veth("v0", queues)
    command = udev_command(RpsSettings((Row("0"),), 32768), limit)
    environment = dict(os.environ, DEVPATH="/devices/virtual/net/v0" + event)
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True
    )
    assert done.stdout == b""
    assert values_of("v0") == values
    assert set(values_of("v0p")) == {("0", 0)}


@isolated
def test_without_flow_entries_it_sets_none():
    mount("sysfs", "/sys", "sysfs")
    veth("v0", 2)
    environment = dict(os.environ, DEVPATH="/devices/virtual/net/v0")
    subprocess.check_call(["/bin/sh", "-c", udev_command(RpsSettings((Row("0"),)), 9)], env=environment)
    assert values_of("v0") == [("1", 0), ("1", 0)]


@pytest.mark.parametrize(
    "path", ["/devices/virtual/net/gone", "/devices/virtual/net/gone/queues/rx-0", "/devices/none"]
)
def test_a_nic_that_is_gone_when_its_event_comes_is_no_error(path):
    command = udev_command(SETTINGS, 9)
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=dict(os.environ, DEVPATH=path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_what_is_no_mask_is_none():
    assert rps_rules.normal_mask("0000,x") is None


def test_of_a_file_that_somebody_else_has_written_nothing_is_shown():
    assert rps_rules.ours_of(None) is None
    assert rps_rules.ours_of(TEXT.decode()) == TEXT.decode()
    assert rps_rules.ours_of("root:$6$x:1::\n") == ""
