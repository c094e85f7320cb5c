# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is converged and given back while faults happen: each step of a run is in one of these."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import mount, write

Options = Mapping[str, Any]

KEEPALIVE = tuple(f"net.ipv4.tcp_keepalive_{name}" for name in ("time", "intvl", "probes"))
LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
FOREIGN = b"# gr\xfc\xdfe\r\nvm.swappiness=10\n-net/ipv4/tcp_keepalive_time =\t7200\nnet.ipv4.tcp_keepalive_intvl=99\n"


@dataclass(frozen=True)
class Scenario:
    """What a module is given to converge, then to change, then to give back, and the node beforehand.

    values are the paths of the live values that it changes. in_kernel: it attaches a program, too.
    """

    name: str
    steps: str
    converge: Options
    change: Options
    restore: Options = field(default_factory=lambda: {"state": "absent"})
    module: str = "node_settings"
    values: tuple[str, ...] = ()
    prepare: Callable[[], None] = lambda: None
    in_kernel: bool = False


def sysctls(*values: int) -> dict[str, str]:
    return {name: str(value) for name, value in zip((*KEEPALIVE, LIBERAL), values, strict=False)}


def paths(*names: str) -> tuple[str, ...]:
    return tuple("/proc/sys/" + name.replace(".", "/") for name in names)


def lived_in() -> None:
    """Others have files here: one with a mode and an owner of its own, one behind a link, one without a line end."""
    os.chmod(write("/var/lib/dotfiles/k8s.conf", FOREIGN), 0o640)
    os.chown("/var/lib/dotfiles/k8s.conf", 5, 6)
    os.symlink("/var/lib/dotfiles/k8s.conf", "/etc/sysctl.d/k8s.conf")
    write("/etc/modules-load.d/k8s.conf", b"overlay")
    write("/etc/sysctl.d/other.conf", b"garbage\n" + b"x" * 5000)


def bare() -> None:
    """Nobody has made the folders."""
    for folder in ("/etc/sysctl.d", "/etc/modules-load.d"):
        os.rmdir(folder)


def nics() -> None:
    """A NIC with two receive queues, real ones of a veth: /sys says of it that it is no virtual one."""
    mount("sysfs", "/sys", "sysfs")
    command = "ip link add nic0 numrxqueues 2 type veth peer name peer0 numrxqueues 1"
    subprocess.check_call(command.split())
    device = "/sys/devices/platform"
    mount("tmpfs", device, "tmpfs", data="mode=755")
    os.makedirs(device + "/card/net/nic0")
    mount("/sys/devices/virtual/net/nic0", device + "/card/net/nic0", "none", _BIND)
    mount("tmpfs", "/sys/class/net", "tmpfs", data="mode=755")
    os.symlink("../../devices/platform/card/net/nic0", "/sys/class/net/nic0")
    os.makedirs("/etc/udev/rules.d", exist_ok=True)


def crio() -> None:
    os.makedirs("/etc/crio/crio.conf.d")


_BIND = 4096  # include/uapi/linux/mount.h
_QUEUES = tuple(
    f"/sys/class/net/nic0/queues/rx-{number}/{name}" for number in (0, 1) for name in ("rps_cpus", "rps_flow_cnt")
)
_LINES = {"modules": ["nf_conntrack"], "sysctls": sysctls(600, 30, 9, 1)}
_OTHER_LINES = {"modules": [], "sysctls": sysctls(300, 10)}
_LIVE = paths(*KEEPALIVE, LIBERAL)
_ENFORCE = {"time": 600, "intvl": 30, "probes": 9, "exclude_ports": [443]}
_POD = {"way": "crio", "sysctls": sysctls(600, 30, 9)}

ALL = (
    Scenario("files", "files of others and live sysctls", _LINES, _OTHER_LINES, values=_LIVE, prepare=lived_in),
    Scenario("new files", "folders, new files, live sysctls", _LINES, _OTHER_LINES, values=_LIVE, prepare=bare),
    Scenario(
        "rps",
        "udev rule, receive queues",
        {"rps": {"nics": [{"cpus": "0-1"}], "flow_entries": 32768}},
        {"rps": {"nics": [{"cpus": "0"}], "flow_entries": 0}},
        values=_QUEUES,
        prepare=nics,
    ),
    Scenario(
        "crio",
        "drop-in of CRI-O",
        _POD,
        dict(_POD, sysctls=sysctls(300)),
        module="pod_sysctls",
        prepare=crio,
    ),
    Scenario(
        "enforce",
        "program in the kernel, its script, unit and link",
        {"enforce": _ENFORCE},
        {"enforce": dict(_ENFORCE, time=300, exclude_ports=[])},
        in_kernel=True,
    ),
)
