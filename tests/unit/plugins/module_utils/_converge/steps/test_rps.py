# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Receive Packet Steering set and given back for real, on veths in a network namespace with its own /sys."""

import os
import subprocess

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import (
    PATH,
    Row,
    RpsSettings,
    rule_masks,
    rule_text,
)
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import NOTHING, LiveRecord
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.rps import rps_steps
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import foresee, run
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.nics import read_nics
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    program,
    read,
    read_only,
    write,
)

BOTH = RpsSettings((Row("0-1"),), 32768)
FIRST = RpsSettings((Row("0", name="v0"), Row("0-1", name="gone")), 32768)
RULES = os.path.dirname(PATH)


def on_veths(test):
    """Run a test on a node of its own with two NICs, v0 with two receive queues and v1 with one."""

    def prepared(*args):
        mount("sysfs", "/sys", "sysfs")
        command = "ip link add v0 numrxqueues 2 type veth peer name v1 numrxqueues 1"
        subprocess.check_call(command.split())
        os.makedirs(RULES)
        test(*args)

    prepared.__name__ = test.__name__
    return isolated(prepared)


def queue(nic, number, attribute, value=None):
    """A setting of a receive queue, after it was set when a value is given."""
    path = f"/sys/class/net/{nic}/queues/rx-{number}/{attribute}"
    if value is not None:
        write(path, value.encode())
    return read(path).decode().strip()


def now():
    return [
        (queue(nic, number, "rps_cpus"), queue(nic, number, "rps_flow_cnt"))
        for nic, number in (("v0", 0), ("v0", 1), ("v1", 0))
    ]


def planned(settings, old=NOTHING):
    nics = [nic for nic in read_nics(virtual=True) if nic.name != "lo"]
    return rps_steps(settings, old, nics)


def apply(settings, old=NOTHING):
    """Bring the node to the settings; the originals as they are kept then."""
    made = planned(settings, old)
    foresee(made.steps)
    run(made.steps)
    files = {step.name: step.target.final for step in made.files}
    queues = {step.name: step.target.final for step in made.queues}
    return old._replace(
        files={name: record for name, record in dict(old.files, **files).items() if record},
        rps={name: record for name, record in dict(old.rps, **queues).items() if record},
    )


def changed(made):
    return [step.name for step in made.steps if step.changed]


@on_veths
def test_every_queue_gets_its_cpus_and_its_part_of_the_flows():
    kept = apply(BOTH)
    assert now() == [("3", "16384"), ("3", "16384"), ("3", "32768")]
    assert read(PATH) == rule_text(BOTH, {})
    assert kept.rps["/sys/class/net/v0/queues/rx-1/rps_flow_cnt"] == LiveRecord("0", ("16384",))
    assert changed(planned(BOTH, kept)) == []


@on_veths
def test_what_was_set_before_comes_back():
    queue("v0", 1, "rps_cpus", "2")
    queue("v0", 1, "rps_flow_cnt", "64")
    before = now()
    kept = apply(BOTH)
    assert apply(RpsSettings(), kept) == NOTHING
    assert (now(), read(PATH)) == (before, None)


@on_veths
def test_a_nic_that_is_no_longer_asked_for_gets_its_own_back():
    kept = apply(FIRST, apply(BOTH))
    assert now() == [("1", "16384"), ("1", "16384"), ("0", "0")]
    assert sorted({name.split("/")[4] for name in kept.rps}) == ["v0"]


@on_veths
def test_a_nic_that_is_not_there_is_told_and_no_error():
    assert planned(FIRST).notes == ["gone is not there, so it gets its own CPUs in the next run that finds it."]


@on_veths
def test_a_nic_that_has_gone_since_is_no_error_and_its_record_stays_until_all_is_given_back():
    kept = apply(BOTH)
    subprocess.check_call(["ip", "link", "delete", "v0"])
    made = planned(BOTH, kept)
    assert (changed(made), apply(BOTH, kept), made.notes) == ([], kept, [])
    assert apply(RpsSettings(), kept) == NOTHING


@on_veths
def test_a_nic_that_goes_during_the_run_is_no_error():
    made = planned(BOTH)
    subprocess.check_call(["ip", "link", "delete", "v0"])
    run(made.steps)
    assert rule_masks(read(PATH)) == {"3"}


@on_veths
def test_queues_that_our_rules_have_set_without_a_run_go_back_to_the_kernel_s_zero():
    """A NIC that appeared later, or under another name, has no record."""
    kept = apply(BOTH)
    subprocess.check_call(["ip", "link", "set", "v1", "down"])
    subprocess.check_call(["ip", "link", "set", "v1", "name", "v9"])
    again = planned(BOTH, kept)
    assert changed(again) == []
    assert apply(RpsSettings(), kept) == NOTHING
    assert queue("v9", 0, "rps_cpus") == queue("v9", 0, "rps_flow_cnt") == "0"


@on_veths
def test_what_someone_else_has_set_since_stays_and_is_told():
    kept = apply(BOTH)
    queue("v1", 0, "rps_cpus", "2")
    back = planned(RpsSettings(), kept)
    (note,) = back.notes
    assert note == (
        "/sys/class/net/v1/queues/rx-0/rps_cpus is 2, not the 3 that was set here: someone else has set it since, "
        "so it stays. Before the first run it was 0."
    )
    apply(RpsSettings(), kept)
    assert now() == [("0", "0"), ("0", "0"), ("2", "0")]


@on_veths
def test_what_the_kernel_does_not_keep_is_undone_wholly():
    before = now()
    with pytest.raises(NodeError) as error:
        apply(RpsSettings((Row("0-1,4095"),), 32768))
    assert str(error.value).startswith("/sys/class/net/v0/queues/rx-0/rps_cpus: ")
    assert str(error.value).endswith(
        "The node is as before: everything that this run had written was undone and read back."
    )
    assert (now(), read(PATH)) == (before, None)


@on_veths
def test_a_read_only_sys_is_foreseen():
    read_only("/sys")
    with pytest.raises(NodeError) as error:
        foresee(planned(BOTH).steps)
    assert str(error.value) == (
        "/sys/class/net/v0/queues/rx-0/rps_cpus: cannot be written: Read-only file system (EROFS). "
        "It is mounted read-only here (an unprivileged container, or a read-only image): "
        "run this on the host, or remount it writable."
    )


@on_veths
def test_udev_reads_its_rules_again_only_when_they_change():
    write("/run/udev/control")
    log = program("udevadm", "")
    kept = apply(BOTH)
    assert read(log) == b"control --reload\n"
    kept = apply(BOTH, kept)
    assert read(log) == b"control --reload\n"
    apply(RpsSettings(), kept)
    assert read(log) == b"control --reload\n" * 2


@on_veths
def test_when_udev_does_not_answer_all_is_undone():
    write("/run/udev/control")
    log = program("udevadm", f"[ -e {PATH} ] || exit 0; echo timed out; exit 1")
    with pytest.raises(NodeError) as error:
        apply(BOTH)
    assert str(error.value) == (
        "udevadm control --reload: it ended with status 1: timed out. See systemctl status udev. "
        "The node is as before: everything that this run had written was undone and read back."
    )
    assert (now(), read(PATH), read(log)) == ([("0", "0")] * 3, None, b"control --reload\n" * 2)


@on_veths
def test_without_udev_a_note_says_that_it_does_not_last():
    os.rmdir(RULES)
    for path in ("/usr/lib/udev", "/lib/udev"):
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs")
    made = planned(BOTH)
    assert (made.files, made.notes) == (
        [],
        ["No udev is installed here (/usr/lib/udev/rules.d is not there): RPS lasts until the next boot."],
    )
    run(made.steps)
    assert now()[0] == ("3", "16384")


@on_veths
def test_rules_that_someone_else_has_edited_stay_with_a_note():
    kept = apply(BOTH)
    write(PATH, b"edited")
    made = planned(RpsSettings(), kept)
    assert made.notes == [
        PATH + " was edited by someone else since it was written here, so it stays. Remove it if it is of no use."
    ]


@on_veths
def test_nothing_asked_for_and_nothing_of_ours_is_nothing_to_do():
    write(PATH, b"foreign")
    for settings in (None, RpsSettings(), RpsSettings((), 32768)):
        assert planned(settings) == ([], [], [], [])
