# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd unit that sets the IPVS timeouts again after boot, as a file. Private to this collection."""

import os
import re
from typing import Dict, Mapping, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import Timeouts
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_text

from .systemd_units import can_start, has_systemd, link_of, path_of, quote

NAME = "kubenode-ipvs-timeouts.service"
PATH = path_of(NAME)
LINK = link_of(NAME)

_VALUES = rb"pack\('3i', *([0-9]{1,10}), *([0-9]{1,10}), *([0-9]{1,10})\)"

# 1162 is IP_VS_SO_SET_TIMEOUT on SOL_IP (0), its argument three ints of which 0 keeps (include/uapi/linux/ip_vs.h).
_CODE = "import socket, struct; socket.socket().setsockopt(0, 1162, struct.pack('3i', {tcp}, {tcpfin}, {udp}))"

_TEXT = """\
# Written by kubenode.connections, which removes it again (node_settings with state=absent).
[Unit]
Description=Set the IPVS timeouts again after boot
After=systemd-modules-load.service
Before=kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
{load}ExecStart={command}

[Install]
WantedBy=multi-user.target
"""


def unit_text(seconds: Mapping[str, int], python: str, modprobe: Optional[str]) -> bytes:
    """The unit that sets these timeouts (names that are missing are kept), with the node's own Python and modprobe."""
    code = _CODE.format(**dict(Timeouts(0, 0, 0)._asdict(), **seconds))
    load = f"ExecStartPre=-{quote(modprobe)} ip_vs\n" if modprobe else ""
    return _TEXT.format(load=load, command=f"{quote(python)} -c {quote(code)}").encode()


def unit_seconds(data: Optional[bytes]) -> Dict[str, int]:
    """The timeouts that a unit of ours sets, by name; nothing for no unit or another one."""
    found = re.search(_VALUES, data or b"")
    values = Timeouts(*(int(text) for text in found.groups())) if found else Timeouts(0, 0, 0)
    return {name: seconds for name, seconds in values._asdict().items() if seconds}


def seconds_at_boot() -> Optional[Dict[str, int]]:
    """The timeouts that our unit sets at the next boot, by name: {} where it is not there, not enabled or cannot run.

    None where no systemd is installed, so that no unit can.
    """
    if not has_systemd():
        return None
    text = (read_text(PATH).value if os.path.lexists(LINK) else None) or ""
    return unit_seconds(text.encode()) if can_start(text) else {}
