# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is converged and given back while faults happen: each step of a run is in one of these."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.kubenode.connections.plugins.module_utils._guard import zipapp
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils import _small_programs
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard import _watched
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import mount, write
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._new_pods import PLUGINS, conflist

from .pods import Pods

Options = Mapping[str, Any]

KEEPALIVE = tuple(f"net.ipv4.tcp_keepalive_{name}" for name in ("time", "intvl", "probes"))
LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
FOREIGN = b"# gr\xfc\xdfe\r\nvm.swappiness=10\n-net/ipv4/tcp_keepalive_time =\t7200\nnet.ipv4.tcp_keepalive_intvl=99\n"


class Values(Protocol):
    """Live values that a run changes, each by a name."""

    def read(self) -> Mapping[str, str]: ...

    def write(self, values: Mapping[str, str]) -> None: ...


class Paths:
    """Those of files below /proc/sys and /sys."""

    def __init__(self, *paths: str) -> None:
        self._paths = paths

    def read(self) -> dict[str, str]:
        return {path: Path(path).read_text(encoding="ascii").strip() for path in self._paths}

    def write(self, values: Mapping[str, str]) -> None:
        now = self.read()
        for path, value in values.items():
            if path in now and now[path] != value:
                Path(path).write_text(value + "\n", encoding="ascii")


@dataclass(frozen=True)
class Scenario:
    """What a module is given to converge, then to change, then to give back, and the node beforehand.

    in_kernel: it attaches a program, too.
    """

    name: str
    steps: str
    converge: Options
    change: Options
    restore: Options = field(default_factory=lambda: {"state": "absent"})
    module: str = "node_settings"
    values: Values = field(default_factory=Paths)
    prepare: Callable[[], None] = lambda: None
    in_kernel: bool = False


def sysctls(*values: int) -> dict[str, str]:
    return {name: str(value) for name, value in zip((*KEEPALIVE, LIBERAL), values, strict=False)}


def live(*names: str) -> Paths:
    return Paths(*("/proc/sys/" + name.replace(".", "/") for name in names))


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


def metrics() -> None:
    """The folder, and the rooms read once: to find them anew takes longer than all the rest of a run."""
    os.mkdir(_METRICS)
    zipapp.rooms = functools.cache(zipapp.rooms)
    zipapp.rooms()


def kubelet() -> None:
    """One runs that reads a folder of configurations; it lies where no fault is put in."""
    os.makedirs(_KUBELETS)
    mount("tmpfs", "/opt", "tmpfs", data="mode=755")
    program = _small_programs.put("/opt/kubelet", _small_programs.elf("Kubernetes v1.37.0\n"))
    _running.enter_context(_small_programs.running(program, "--config-dir", _KUBELETS))


def cni() -> None:
    write("/etc/cni/net.d/10-net.conflist", conflist())


_METRICS = "/run/metrics"
_KUBELETS = "/etc/kubernetes/kubelet.conf.d"
_running = contextlib.ExitStack()
_BIND = 4096  # include/uapi/linux/mount.h
_QUEUES = Paths(
    *(f"/sys/class/net/nic0/queues/rx-{number}/{name}" for number in (0, 1) for name in ("rps_cpus", "rps_flow_cnt"))
)
_LINES = {"modules": ["nf_conntrack"], "sysctls": sysctls(600, 30, 9, 1)}
_OTHER_LINES = {"modules": [], "sysctls": sysctls(300, 10)}
_LIVE = live(*KEEPALIVE, LIBERAL)
_ENFORCE = {"time": 600, "intvl": 30, "probes": 9, "exclude_ports": [443]}
_POD = {"sysctls": sysctls(600, 30, 9)}
_OTHER_POD = {"sysctls": sysctls(300)}
_GUARD = {"node": "w1", "interval": 300, "textfile": _METRICS, "plan": _watched.conf().plan}
_CNI = {"way": "cni", "cni_plugin_directories": [PLUGINS]}
_RUNNING = Pods("0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0", "1b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0")

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
        {"way": "crio", **_POD},
        {"way": "crio", **_OTHER_POD},
        module="pod_sysctls",
        prepare=crio,
    ),
    Scenario(
        "kubelet",
        "drop-in of kubelet",
        {"way": "kubelet", **_POD},
        {"way": "kubelet", **_OTHER_POD},
        module="pod_sysctls",
        prepare=kubelet,
    ),
    Scenario(
        "cni",
        "network configuration of new pods",
        {**_CNI, **_POD},
        {**_CNI, **_OTHER_POD},
        module="pod_sysctls",
        prepare=cni,
    ),
    Scenario(
        "pods",
        "running pods",
        {"pods": {"time": 600, "intvl": 30, "probes": 9}},
        {"pods": {"time": 300, "intvl": 10, "probes": 9}},
        values=_RUNNING,
        prepare=_RUNNING.start,
    ),
    Scenario(
        "enforce",
        "program in the kernel, its script, unit and link",
        {"enforce": _ENFORCE},
        {"enforce": dict(_ENFORCE, time=300, exclude_ports=[])},
        in_kernel=True,
    ),
    Scenario(
        "guard",
        "the guard's program, plan, units and link",
        {"guard": _GUARD},
        {"guard": dict(_GUARD, interval=60)},
        prepare=metrics,
    ),
)
