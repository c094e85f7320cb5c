# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.systemd_unit import enforce_steps
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import run
from ansible_collections.kubenode.connections.plugins.module_utils._files.enforce_unit import (
    LINK,
    PATH,
    SCRIPT,
    AtBoot,
    at_boot,
    unit_text,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    write,
)

WANTED = Enforcement(Keepalive(600, 30, 9), (443,), ("/system.slice/sshd.service",))
TEXT = b"""\
# Written by kubenode.connections, which removes it again (node_settings with state=absent).
[Unit]
Description=Give every new TCP connection a keepalive
Before=kubelet.service containerd.service crio.service docker.service
Before=k3s.service k3s-agent.service rke2-server.service rke2-agent.service k0scontroller.service k0sworker.service

[Service]
Type=oneshot
RemainAfterExit=yes
LimitMEMLOCK=infinity
ExecStart=/usr/bin/python3 -I /etc/kubenode.connections/enforce.py

[Install]
WantedBy=multi-user.target
"""


def test_the_unit_reads_so():
    assert unit_text("/usr/bin/python3") == TEXT


def enabled():
    os.makedirs(os.path.dirname(LINK))
    os.makedirs(os.path.dirname(SCRIPT))
    run(enforce_steps(WANTED, {}).steps)


@isolated
def test_what_the_enabled_unit_enforces_at_boot_can_be_told():
    assert at_boot() is None
    enabled()
    assert at_boot() == AtBoot(WANTED, True)
    os.unlink(LINK)
    assert at_boot() == AtBoot(WANTED, False)


@isolated
def test_a_unit_whose_python_is_gone_enforces_nothing_at_boot():
    enabled()
    write(PATH, read(PATH).replace(b"ExecStart=/", b"ExecStart=/gone/"))
    assert at_boot() == AtBoot(WANTED, False)


@isolated
def test_the_program_without_its_unit_is_not_run_at_boot():
    enabled()
    os.unlink(PATH)
    assert at_boot() == AtBoot(WANTED, False)


@isolated
def test_without_its_program_a_unit_enforces_nothing():
    enabled()
    os.unlink(SCRIPT)
    assert at_boot() is None
