# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd unit that has new TCP connections given a keepalive after boot, as files. Private to this collection."""

import os
from typing import NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_text

from .systemd_units import can_start, link_of, path_of, quote

NAME = "kubenode-keepalive-enforce.service"
PATH = path_of(NAME)
LINK = link_of(NAME)
SCRIPT = "/etc/kubenode.connections/enforce.py"

_TEXT = """\
# Written by kubenode.connections, which removes it again (node_settings with state=absent).
[Unit]
Description=Give every new TCP connection a keepalive
Before=kubelet.service containerd.service crio.service docker.service
Before=k3s.service k3s-agent.service rke2-server.service rke2-agent.service k0scontroller.service k0sworker.service

[Service]
Type=oneshot
RemainAfterExit=yes
LimitMEMLOCK=infinity
ExecStart={python} -I {script}

[Install]
WantedBy=multi-user.target
"""


class AtBoot(NamedTuple):
    """What our script enforces, and whether our unit runs it at the next boot."""

    enforced: Enforcement
    enabled: bool


def unit_text(python: str) -> bytes:
    """The unit, with the node's own Python."""
    return _TEXT.format(python=quote(python), script=SCRIPT).encode()


def at_boot() -> Optional[AtBoot]:
    """What our script enforces at the next boot; None where it is not there."""
    script = read_text(SCRIPT).value
    if script is None:
        return None
    from .enforce_script import script_values  # few nodes have it

    enforced, unit = script_values(script.encode()), read_text(PATH).value or ""
    return None if enforced is None else AtBoot(enforced, os.path.lexists(LINK) and can_start(unit))
