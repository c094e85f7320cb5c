# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node_info saw on one node, as typed values. Private to this collection.

None and empty mean "not seen", which every reader must take for "unknown", never for "fine".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive, of_values
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import plural, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import udp_stream_defaults

from .cloud import Cloud
from .connection_tables import Conntrack, Growth, Ipvs
from .enforcement import Enforcement, Rearming
from .kubernetes import Kubelet, KubeProxy
from .namespace_tables import Tables
from .other_writers import Line, Others
from .ours import Ours
from .pods import Pods
from .rps import Rps

_UDP_STREAM = "net.netfilter.nf_conntrack_udp_timeout_stream"


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
    """What a sysctl will be after a boot: ``value`` by the line ``source``, or None and None where no file sets it.

    ``written`` is the text of that line where the kernel takes something else for it, or refuses it (``value`` None).
    """

    value: str | None
    source: str | None
    file: str | None
    module: str | None
    in_time: bool
    procps_value: str | None
    written: str | None = None

    @property
    def refused(self) -> bool:
        return self.value is None and self.written is not None


@dataclass(frozen=True)
class Sysctl:
    """One sysctl now (``value`` None: absent or unreadable, ``error`` says why) and after a boot (None: not seen)."""

    state: str
    value: str | None
    error: str | None
    boot: Boot | None


@dataclass(frozen=True)
class Group:
    """``namespaces`` network namespaces with the same keepalive; ``own``: the node's own namespace is among them."""

    keepalive: Keepalive
    namespaces: int
    own: bool


@dataclass(frozen=True)
class Namespaces:
    """The network namespaces of the node; ``unreadable`` of them could not be entered, ``error`` says why.

    ``tables`` are None where an older node_info did not look for any. ``shared``: there is one keepalive for all.
    """

    count: int | None
    unreadable: int
    error: str | None
    groups: tuple[Group, ...]
    tables: Tables | None = None
    shared: bool = False

    @property
    def complete(self) -> bool:
        return bool(self.groups) and not self.unreadable and self.error is None

    @property
    def hidden(self) -> str:
        """How many could not be read, where they are not complete."""
        # Of processes that hide their namespace nobody can tell which of them share one.
        if not self.unreadable:
            return "network namespaces"
        return plural(
            "{number} network namespaces or processes", "{number} network namespace or process", self.unreadable
        )

    @property
    def not_read(self) -> str:
        """That and why, without a full stop."""
        if self.error:
            return tell("{name} could not be read: {why}", name=self.hidden, why=self.error)
        return tell("{name} could not be read", name=self.hidden)


IPVS_TIMEOUTS = "ipvs-timeouts"
IPVS_SERVICES = "ipvs-services"
_KEEPALIVED = "the configuration of keepalived"
CONNTRACK = "conntrack"
KUBE_PROXY = "kube-proxy"
KUBELET = "kubelet"
NAMESPACES = "namespaces"
CONNECTIONS = "connections"
PROGRAMS = "programs"
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
    """One node as it was seen; ``runtimes`` are the container runtimes that run there.

    ``data_planes``: what forwards packets of pods beside kube-proxy. ``enforcement`` and ``rearming`` are None where an
    older node_info did not look.
    """

    hostname: str
    kernel: str
    root: bool
    container: str | None
    cloud: Cloud | None
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
    runtimes: tuple[str, ...] | None
    ours: Ours | None
    problems: tuple[Problem, ...]
    boot_problems: tuple[str, ...]
    data_planes: tuple[str, ...] = ()
    enforcement: Enforcement | None = None
    rearming: Rearming | None = None

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
    def is_node(self) -> bool:
        """Whether it may be a node. Not one is where all was looked at, and no Kubernetes, container or IPVS was there.

        A bastion, a file server, a load balancer in user space.
        """
        daemons = self.kubelet.running is not False or self.kubelet.error or self.kube_proxy.running is not False
        containers = self.runtimes != () or self.pods is None or self.pods.count
        balances = self.ipvs.services or self.problem(IPVS_SERVICES) or self.ipvs_elsewhere is not False
        keepalived = self.others.keepalived or any(problem.what == _KEEPALIVED for problem in self.problems)
        return bool(daemons or containers or balances or keepalived or self.others.kube_router)

    @property
    def ipvs_on_path(self) -> bool:
        """Whether IPVS handles TCP connections in the node's own network namespace.

        Merely loaded it does not: kube-proxy loads it in any mode to clean up.
        """
        proxied = self.mode == "ipvs" or self.others.kube_router is not None
        return self.ipvs.loaded is not False and (proxied or self.ipvs.tcp_services > 0)

    @property
    def ipvs_elsewhere(self) -> bool | None:
        """Whether it does so in another network namespace, None where that was not seen."""
        spaces, tables = self.namespaces, self.namespaces.tables
        if tables is not None and any(row.tcp_services for row in tables.rows):
            return True
        if self.ipvs.loaded is False or (spaces.count == 1 and not spaces.unreadable):
            return False
        return None if tables is None or tables.unread or spaces.unreadable else False

    @property
    def keepalive(self) -> Keepalive | None:
        """The keepalive in force in the node's own network namespace, None where one of the three was not seen."""
        return of_values(*(self.sysctls[key].value if key in self.sysctls else None for key in KEEPALIVE_KEYS))

    @property
    def boot_keepalive(self) -> Keepalive | None:
        """The keepalive after a reboot, None where that was not seen."""
        return of_values(*map(self.boot_value, KEEPALIVE_KEYS))

    def problem(self, identity: str) -> Problem | None:
        return next((problem for problem in self.problems if problem.id == identity), None)

    def number(self, key: str) -> int | None:
        """The live value of a sysctl that is a whole number, None where it was not seen or is none."""
        return whole_number(self.sysctls[key].value) if key in self.sysctls else None

    def boot(self, key: str) -> Boot | None:
        """What sysctl.d makes of ``key`` at boot, None where that was not seen."""
        return self.sysctls[key].boot if key in self.sysctls else None

    def boot_value(self, key: str) -> str | None:
        """What ``key`` will be after a boot: the kernel's default where no file sets it, or one does too early."""
        boot = self.boot(key)
        if boot is None:
            return None
        tuned = self.tuned_line(key)
        return self._by_files(key, boot) if tuned is None else tuned.value

    def boot_source(self, key: str) -> str | None:
        """Who decides that: ``FILE:LINE`` or ``TuneD FILE:LINE``; None where nobody does or it was not seen."""
        tuned = self.tuned_line(key)
        if tuned is not None:
            return f"TuneD {tuned.source}"
        boot = self.boot(key)
        return boot.source if boot else None

    def boot_text(self, key: str) -> str:
        """Who sets ``key`` to what after a boot, in words, without a full stop; where anybody does."""
        boot = self.boot(key)
        if boot is not None and boot.refused and self.tuned_line(key) is None:
            return tell(
                "{source} sets {key} to {value} (which the kernel refuses)",
                source=boot.source,
                key=key,
                value=boot.written,
            )
        value = self.boot_value(key) or "something that depends on the machine"
        return tell("{source} sets {key} to {value}", source=self.boot_source(key), key=key, value=value)

    def tuned_line(self, key: str) -> Line | None:
        """What TuneD sets ``key`` to at its start, None where the files decide."""
        boot = self.boot(key)
        return self.others.tuned_line(key, boot.file, self._by_files(key, boot)) if boot else None

    def _by_files(self, key: str, boot: Boot) -> str | None:
        """What sysctl.d and the kernel make of a key at boot."""
        return boot.value if boot.value is not None and boot.in_time else self._kernel_default(key)

    def _kernel_default(self, key: str) -> str | None:
        if key != _UDP_STREAM:
            return KEYS[key].default if key in KEYS else None
        first, *others = udp_stream_defaults(self.kernel)
        live = self.sysctls[key].value if key in self.sysctls else None
        return live if live in others else first
