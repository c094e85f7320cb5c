# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which NIC gets which Receive Packet Steering, and the udev rules that say the same. Pure. Private to this collection.

udev and not systemd.link, whose ReceivePacketSteeringCPUMask= came with systemd 256, knows neither NUMA nodes nor
rps_flow_cnt, and where the first .link file that fits a NIC is the only one that counts.
"""

import re
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Tuple

from .cpu_sets import format_mask, parse_list, parse_mask

DIRECTORY = "/etc/udev/rules.d"
PATH = DIRECTORY + "/60-kubenode-connections-rps.rules"

_ANY_NUMBER = 65536
"""More queues than a NIC can have."""

# A NIC's own event may come before the kernel has made its queues; reading its speed waits until it has (speed_show in
# net/core/net-sysfs.c takes the lock that registering holds). After a rename the queues' events name a path that is
# gone, so the NIC's own event (move) sets all of them. $DEVPATH is that after a rename, $devpath of udev before.
_COMMAND = (
    "q=/sys$DEVPATH; if [ -d $q/queues ]; then q=$q/queues; else q=${{q%/*}}; fi; cat $q/../speed >/dev/null 2>&1; "
    "cd $q 2>/dev/null || exit 0; set -- rx-*; "
    "[ -e $1/rps_cpus ] && [ $# -lt $env{{.kubenode_rps_queues}} ] || exit 0; "
    "n={flow_entries}; while [ $((n * $#)) -gt {flow_entries} ]; do n=$((n / 2)); done; "
    "for q; do echo $env{{.kubenode_rps_cpus}} > $q/rps_cpus; echo $n > $q/rps_flow_cnt; done"
)

_TEXT = """\
# Written by kubenode.connections, which removes it again (node_settings with state=absent).
# Receive Packet Steering for the queues of NICs, at boot and when they appear later.
ACTION!="add|move", GOTO="kubenode_rps_end"
SUBSYSTEM!="net|queues", GOTO="kubenode_rps_end"
SUBSYSTEM=="queues", KERNEL!="rx-*", GOTO="kubenode_rps_end"
DEVPATH=="/devices/virtual/*", GOTO="kubenode_rps_end"
{rows}GOTO="kubenode_rps_end"
LABEL="kubenode_rps_set"
RUN+="/bin/sh -c '{command}'"
LABEL="kubenode_rps_end"
"""
_ROW = '{match}ENV{{.kubenode_rps_cpus}}="{mask}", ENV{{.kubenode_rps_queues}}="{queues}", GOTO="kubenode_rps_set"\n'
_MASKS = rb'ENV\{\.kubenode_rps_cpus\}="([0-9a-f,]+)"'

MAX_FLOW_ENTRIES = 1 << 29
"""The kernel takes no more for net.core.rps_sock_flow_entries (rps_sock_flow_sysctl in net/core/sysctl_net_core.c)."""


class Queue(NamedTuple):
    """One receive queue: the mask of its CPUs without leading zeros, and the size of its table of flows.

    None where this kernel has no Receive Packet Steering (CONFIG_RPS), or it could not be read.
    """

    name: str
    rps_cpus: Optional[str]
    rps_flow_cnt: Optional[int]


class Nic(NamedTuple):
    """One NIC: path is its folder below /sys, irq_cpus the list of CPUs that its interrupts go to (None: not known)."""

    name: str
    path: str
    operstate: str
    numa_node: Optional[int]
    queues: Tuple[Queue, ...]
    irq_cpus: Optional[str]


def normal_mask(text: Optional[str]) -> Optional[str]:
    """A mask of the kernel without leading zeros; None for none, or for what is no mask."""
    try:
        return None if text is None else format_mask(parse_mask(text))
    except ValueError:
        return None


class Row(NamedTuple):
    """CPUs, as a list such as 0-3, for the NICs that fit: by name, by NUMA node, or (neither) for all that are left.

    fewer_queues_than: a NIC that fits and has as many receive queues is left alone.
    """

    cpus: str
    name: Optional[str] = None
    numa_node: Optional[int] = None
    fewer_queues_than: Optional[int] = None


class RpsSettings(NamedTuple):
    """The first row that fits a NIC counts. flow_entries: flows to remember by all queues of a NIC together, 0 none."""

    rows: Tuple[Row, ...] = ()
    flow_entries: int = 0

    def as_dict(self) -> Dict[str, Any]:
        """The settings as node_settings takes them, {} to give back what was set."""
        if not self.rows:
            return {}
        rows = [{name: value for name, value in row._asdict().items() if value is not None} for row in self.rows]
        return {"nics": rows, "flow_entries": self.flow_entries}


class Wanted(NamedTuple):
    """What each receive queue of a NIC shall have."""

    rps_cpus: str
    rps_flow_cnt: int


def wanted_of(settings: RpsSettings, nic: Nic) -> Optional[Wanted]:
    """What the queues of a NIC shall have, None where it is to be left alone."""
    row = next((row for row in settings.rows if _fits(row, nic)), None)
    queues = [queue for queue in nic.queues if queue.rps_cpus is not None]
    if row is None or not queues or len(queues) >= (row.fewer_queues_than or _ANY_NUMBER):
        return None
    return Wanted(format_mask(parse_list(row.cpus)), flow_count(settings.flow_entries, len(queues)))


def flow_count(entries: int, queues: int) -> int:
    """The part of the entries that a queue gets, a power of two where entries is one.

    Documentation/networking/scaling.rst, "RFS Configuration"; the kernel rounds other values up.
    """
    count = entries
    while count * queues > entries:
        count //= 2
    return count


def rule_text(settings: RpsSettings, paths: Mapping[str, str]) -> Optional[bytes]:
    """The udev rules that do the same, None where there are none to make. paths: those of Nic, by name of NIC.

    A row by name goes by the place of the device, which stays when the name changes; it is left out without a path.
    """
    rows = [line for line in (_line(row, paths) for row in settings.rows) if line]
    if not rows:
        return None
    command = _COMMAND.format(flow_entries=settings.flow_entries)
    return _TEXT.format(rows="".join(rows), command=_escaped(command)).encode()


def ours_of(text: Optional[str]) -> Optional[str]:
    """What may be shown of the rules' file, "" for one that somebody else has written; None where there is none."""
    return text if text is None or text.startswith(_TEXT.partition("\n")[0]) else ""


def rule_masks(data: Optional[bytes]) -> FrozenSet[str]:
    """The masks that rules of ours give, none for no file or another one."""
    return frozenset(mask.decode() for mask in re.findall(_MASKS, data or b""))


def _fits(row: Row, nic: Nic) -> bool:
    return row.name in (None, nic.name) and row.numa_node in (None, nic.numa_node)


def _line(row: Row, paths: Mapping[str, str]) -> str:
    match: List[str] = []
    if row.name is not None:
        if row.name not in paths:
            return ""
        match.append(f'DEVPATH=="{_pattern(paths[row.name])}", ')
    if row.numa_node is not None:
        match.append(f'ATTRS{{numa_node}}=="{row.numa_node}", ')
    mask = format_mask(parse_list(row.cpus))
    return _ROW.format(match="".join(match), mask=mask, queues=row.fewer_queues_than or _ANY_NUMBER)


def _pattern(path: str) -> str:
    """What the paths of a NIC and of its queues look like. virtio's numbers may change from boot to boot."""
    device = re.sub(r"/virtio[0-9]+$", "/virtio*", path.rpartition("/net/")[0])
    return re.sub(r"[^A-Za-z0-9/:._*-]", "?", device) + "/net/*"


def _escaped(command: str) -> str:
    """A command in a udev rule: udev(7), "substitutions", where $env is one and the other $ and % are the shell's."""
    return re.sub(r"\$(?!env\{\.)", "$$", command.replace("%", "%%"))
