# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import sys

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.systemd_unit import unit_steps
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import run
from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import (
    LINK,
    PATH,
    seconds_at_boot,
    unit_seconds,
    unit_text,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, write
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._units import TEXT


def test_the_unit_reads_so():
    assert unit_text({"tcp": 8284, "udp": 400}, "/usr/bin/python3", "/usr/sbin/modprobe") == TEXT


def test_without_modprobe_the_unit_loads_nothing():
    text = unit_text({"tcp": 1}, "/usr/bin/python3", None)
    assert text == unit_text({"tcp": 1}, "/usr/bin/python3", "/m").replace(b"ExecStartPre=-/m ip_vs\n", b"")


def test_the_timeouts_can_be_read_out_of_the_unit():
    assert unit_seconds(TEXT) == {"tcp": 8284, "udp": 400}
    assert unit_seconds(None) == {}
    assert unit_seconds(b"[Service]\nExecStart=/bin/true\n") == {}


@isolated
def test_what_the_enabled_unit_sets_at_boot_can_be_told():
    os.makedirs(os.path.dirname(LINK))
    run(unit_steps({"tcp": 8284, "udp": 400}, {}).steps)
    assert seconds_at_boot() == {"tcp": 8284, "udp": 400}
    os.unlink(LINK)
    assert seconds_at_boot() == {}


@pytest.mark.parametrize("lost", ["os.unlink", "os.chmod"])
@pytest.mark.parametrize("place", ["/run/python3.11", "/run/100% of $x/python3"])
@isolated
def test_a_unit_whose_python_is_gone_sets_nothing_at_boot(monkeypatch, place, lost):
    os.makedirs(os.path.dirname(LINK))
    os.chmod(write(place), 0o755)
    monkeypatch.setattr(sys, "executable", place)
    run(unit_steps({"tcp": 8284}, {}).steps)
    assert seconds_at_boot() == {"tcp": 8284}
    if lost == "os.unlink":
        os.unlink(place)
    else:
        os.chmod(place, 0o644)
    assert seconds_at_boot() == {}


@isolated
def test_a_unit_without_a_command_of_ours_sets_nothing_at_boot():
    write(PATH, TEXT.replace(b"ExecStart=", b"ExecStop="))
    os.makedirs(os.path.dirname(LINK))
    os.symlink(PATH, LINK)
    assert seconds_at_boot() == {}


@isolated
def test_without_systemd_no_unit_can_set_anything_at_boot():
    os.rmdir("/etc/systemd/system")
    assert seconds_at_boot() is None
