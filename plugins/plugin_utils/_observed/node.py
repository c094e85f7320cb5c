# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node_info saw on one node, as typed values. Private to this collection.

None and empty mean "not seen", which every reader must take for "unknown", never for "fine".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import raises_only

from .other_writers import Line, Others
from .pods import Pods
from .rps import Rps


@dataclass(frozen=True)
class Module:
    """A kernel module: there now, part of the kernel itself, and the modules-load.d line that loads it at boot."""

    loaded: bool
    builtin: bool
    boot: str | None

    @property
    def at_boot(self) -> bool:
        return self.builtin or self.boot is not None


@dataclass(frozen=True)
class Boot:
    """What a sysctl will be after a boot: ``value`` by the line ``source``, or None and None where no file sets it."""

    value: str | None
    source: str | None
    file: str | None
    module: str | None
    in_time: bool
    procps_value: str | None


@dataclass(frozen=True)
class Sysctl:
    """One sysctl now (``value`` None: absent or unreadable, ``error`` says why) and after a boot (None: not seen)."""

    state: str
    value: str | None
    error: str | None
    boot: Boot | None


@dataclass(frozen=True)
class Draining:
    """A real server with weight 0 that still has connections; ``protocol`` is that of its service."""

    protocol: str
    service: str
    server: str
    active: int
    inactive: int


CUT_WITHIN = ("60", "300", "900")
"""Seconds, as node_info returns them."""


@dataclass(frozen=True)
class Idle:
    """An established connection that is idle; ``idle_seconds`` None: since when is not known."""

    client: str
    service: str
    real_server: str
    idle_seconds: int | None
    seconds_left: int


@dataclass(frozen=True)
class Ipvs:
    """IPVS of the node; ``timeouts`` in seconds by tcp, tcpfin, udp, None where they could not be read.

    ``timeouts_at_boot``: those of them that our own unit sets again after a reboot, None where no unit can.
    ``persistent``: the services with session affinity; ``scattering``: those where a connection that was forgotten may
    get another real server. ``draining`` lists those with most connections of ``draining_servers``. ``cut_within``: how
    many established connections expire within so many seconds if they stay idle; ``idlest``: those that do first.
    """

    loaded: bool | None
    timeouts: Mapping[str, int] | None
    timeouts_at_boot: Mapping[str, int] | None
    services: int
    connections: Mapping[str, Mapping[str, int]]
    draining: tuple[Draining, ...]
    draining_servers: int
    draining_connections: int
    persistent: int
    scattering: int
    cut_within: Mapping[str, int]
    idlest: tuple[Idle, ...]


@dataclass(frozen=True)
class Conntrack:
    """Connection tracking of the node; timeouts in seconds, ``statistics`` the counters of each CPU.

    ``cut_within`` as that of IPVS.
    """

    loaded: bool | None
    established: int | None
    close_wait: int | None
    count: int | None
    max: int | None
    statistics: tuple[Mapping[str, int], ...]
    cut_within: Mapping[str, int]

    def counted(self, counter: str) -> int:
        """A counter over all CPUs, since the module was loaded. A kernel without it counts nothing."""
        return sum(row.get(counter, 0) for row in self.statistics)


@dataclass(frozen=True)
class Growth:
    """By how much counters grew in ``seconds``, all CPUs together; a table that was not there has none."""

    seconds: float
    conntrack: Mapping[str, int]
    softnet: Mapping[str, int]


@dataclass(frozen=True)
class KubeProxy:
    """kube-proxy by its own words. ``ipvs_timeouts`` and ``conntrack`` are its configuration, 0 keeps a value.

    ``version`` such as v1.34.2, None where it was not told.
    """

    running: bool | None
    address: str | None
    mode: str | None
    error: str | None
    ipvs_timeouts: Mapping[str, int]
    conntrack: Mapping[str, int]
    version: str | None

    @property
    def raises_only(self) -> bool | None:
        """Whether it leaves a conntrack sysctl alone that is higher than its own value; None: nobody can tell.

        tcpBeLiberal came with 1.29, the release that writes in either direction again: served, it tells as much.
        """
        by_version = raises_only(self.version)
        return False if by_version is None and "be_liberal" in self.conntrack else by_version


@dataclass(frozen=True)
class Kubelet:
    """kubelet of the node and its HTTP/2 health check; seconds are those in force, the defaults included."""

    running: bool | None
    version: str | None
    disable_http2: bool | None
    read_idle_timeout: int | None
    ping_timeout: int | None
    error: str | None


@dataclass(frozen=True)
class Group:
    """``namespaces`` network namespaces with the same keepalive; ``own``: the node's own namespace is among them."""

    keepalive: Keepalive
    namespaces: int
    own: bool


@dataclass(frozen=True)
class Namespaces:
    """The network namespaces of the node; ``unreadable`` of them could not be entered, ``error`` says why."""

    count: int | None
    unreadable: int
    error: str | None
    groups: tuple[Group, ...]

    @property
    def complete(self) -> bool:
        return bool(self.groups) and not self.unreadable and self.error is None

    @property
    def not_read(self) -> str:
        """How many could not be read and why, where they are not complete, without a full stop."""
        # Of processes that hide their namespace nobody can tell which of them share one.
        noun = "network namespace or process" if self.unreadable == 1 else "network namespaces or processes"
        which = f"{self.unreadable} {noun}" if self.unreadable else "network namespaces"
        return f"{which} could not be read" + (f": {self.error}" if self.error else "")


IPVS_TIMEOUTS = "ipvs-timeouts"
IPVS_SERVICES = "ipvs-services"
CONNTRACK = "conntrack"
KUBE_PROXY = "kube-proxy"
KUBELET = "kubelet"
NAMESPACES = "namespaces"
"""The ids of node_info's problems that are told in a finding of their own."""


@dataclass(frozen=True)
class Problem:
    """Something that could not be read on the node, why, and what to do; ``id`` is empty from an older node_info."""

    id: str
    what: str
    why: str
    do: str


@dataclass(frozen=True)
class Observed:
    """One node as it was seen."""

    hostname: str
    kernel: str
    root: bool
    container: str | None
    modules: Mapping[str, Module]
    ipvs: Ipvs
    conntrack: Conntrack
    growth: Growth | None
    rps: Rps | None
    sysctls: Mapping[str, Sysctl]
    kube_proxy: KubeProxy
    others: Others
    kubelet: Kubelet
    namespaces: Namespaces
    pods: Pods | None
    problems: tuple[Problem, ...]
    boot_problems: tuple[str, ...]

    @property
    def mode(self) -> str:
        """ipvs, iptables or nftables; ``none`` without kube-proxy, ``unknown`` where it did not say a mode we know."""
        if self.kube_proxy.running is False:
            return "none"
        return self.kube_proxy.mode if self.kube_proxy.mode in ("ipvs", "iptables", "nftables") else "unknown"

    @property
    def on_kubernetes(self) -> bool:
        """Whether it is a node of a cluster. K3s has kubelet in its own process, which shows by the pods."""
        return self.kubelet.running is True or (self.pods is not None and self.pods.count > 0)

    @property
    def ipvs_on_path(self) -> bool:
        """Whether IPVS handles connections. Merely loaded it does not: kube-proxy loads it in any mode to clean up."""
        return self.ipvs.loaded is not False and (self.mode == "ipvs" or self.ipvs.services > 0)

    @property
    def keepalive(self) -> Keepalive | None:
        """The keepalive in force in the node's own network namespace, None where one of the three was not seen."""
        return self._keepalive(lambda key: self.sysctls[key].value if key in self.sysctls else None)

    @property
    def boot_keepalive(self) -> Keepalive | None:
        """The keepalive after a reboot, None where that was not seen."""
        return self._keepalive(self.boot_value)

    def problem(self, identity: str) -> Problem | None:
        return next((problem for problem in self.problems if problem.id == identity), None)

    def number(self, key: str) -> int | None:
        """The live value of a sysctl that is a whole number, None where it was not seen or is none."""
        return whole_number(self.sysctls[key].value) if key in self.sysctls else None

    def boot_value(self, key: str) -> str | None:
        """What ``key`` will be after a boot: the kernel's default where no file sets it, or one does too early."""
        boot = self.sysctls[key].boot if key in self.sysctls else None
        if boot is None:
            return None
        tuned = self.tuned_line(key)
        return _by_files(key, boot) if tuned is None else tuned.value

    def boot_source(self, key: str) -> str | None:
        """Who decides that: ``FILE:LINE`` or ``TuneD FILE:LINE``; None where nobody does or it was not seen."""
        tuned = self.tuned_line(key)
        if tuned is not None:
            return f"TuneD {tuned.source}"
        boot = self.sysctls[key].boot if key in self.sysctls else None
        return boot.source if boot else None

    def tuned_line(self, key: str) -> Line | None:
        """What TuneD sets ``key`` to at its start, None where the files decide."""
        boot = self.sysctls[key].boot if key in self.sysctls else None
        return self.others.tuned_line(key, boot.file, _by_files(key, boot)) if boot else None

    def _keepalive(self, read: Callable[[str], str | None]) -> Keepalive | None:
        time, intvl, probes = (whole_number(read(key)) for key in KEEPALIVE_KEYS)
        if time is None or intvl is None or probes is None:
            return None
        return Keepalive(time, intvl, probes)


def _by_files(key: str, boot: Boot) -> str | None:
    """What sysctl.d and the kernel make of a key at boot."""
    if boot.value is None or not boot.in_time:
        return KEYS[key].default if key in KEYS else None
    return boot.value
