# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else on a node writes our values, as typed values: daemons, TuneD, /etc/sysctl.conf. Private."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import (
    file_line,
    items,
    mapping,
    numbers,
    text,
)

SYSCTL_CONF = "/etc/sysctl.conf"

_REAPPLIED = ("/run/sysctl.d/", "/etc/sysctl.d/")
"""What TuneD applies again, and /etc/sysctl.conf after it; nothing of /usr (tuned/plugins/plugin_sysctl.py)."""


@dataclass(frozen=True)
class Line:
    """What a line sets a sysctl to (None: nobody can work it out) and where it stands, as ``FILE:LINE``."""

    value: str | None
    source: str


@dataclass(frozen=True)
class Keepalived:
    """The IPVS timeouts in seconds that keepalived sets at its start and reload."""

    source: str
    timeouts: Mapping[str, int]


@dataclass(frozen=True)
class KubeRouter:
    """kube-router that forwards Services, and the IPVS timeouts in seconds that its flags set at its start."""

    timeouts: Mapping[str, int]


@dataclass(frozen=True)
class Tuned:
    """TuneD's active profile. ``reapplies``: it applies sysctl.d and /etc/sysctl.conf again after its own sysctls.

    ``excluded`` are the keys that it then leaves as its profile set them.
    """

    profile: str
    reapplies: bool
    sysctls: Mapping[str, Line]
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SysctlConf:
    """/etc/sysctl.conf, and whether it is read at boot."""

    read_at_boot: bool
    sysctls: Mapping[str, Line]


@dataclass(frozen=True)
class Others:
    """All of them; None where there is none, or none that sets anything."""

    keepalived: Keepalived | None = None
    tuned: Tuned | None = None
    sysctl_conf: SysctlConf | None = None
    kube_router: KubeRouter | None = None

    @property
    def conf_lines(self) -> Mapping[str, Line]:
        return self.sysctl_conf.sysctls if self.sysctl_conf else {}

    @property
    def conf_is_read(self) -> bool:
        """Whether anybody reads /etc/sysctl.conf at boot."""
        by_tuned = self.tuned is not None and self.tuned.reapplies
        return by_tuned or (self.sysctl_conf is not None and self.sysctl_conf.read_at_boot)

    def tuned_line(self, key: str, file: str | None, value: str | None) -> Line | None:
        """What TuneD makes of a sysctl at its start, after ``file`` set it to ``value``; None where it leaves it so.

        Where it applies sysctl.d again, files of /run and /etc win over its profile, and /etc/sysctl.conf over all;
        not for a key that is excluded from that.
        """
        if self.tuned is None:
            return None
        if self.tuned.reapplies and key not in self.tuned.excluded:
            if key in self.conf_lines:
                return self.conf_lines[key]
            if file is not None and file.startswith(_REAPPLIED):
                return None
        line = self.tuned.sysctls.get(key)
        return _modified(line, value) if line else None


def parse_owners(owners: object, sysctl_conf: object) -> Others:
    """``owners`` and ``sysctl_conf`` of a node as node_info returned them, whatever they are."""
    return Others(
        _keepalived(mapping(mapping(owners).get("keepalived"))),
        _tuned(mapping(mapping(owners).get("tuned"))),
        _sysctl_conf(mapping(sysctl_conf)),
        _kube_router(mapping(owners).get("kube_router")),
    )


def _modified(line: Line, value: str | None) -> Line | None:
    """The line once ``>N`` (only to raise) and ``<N`` (only to lower) are worked out; a variable nobody can."""
    raw = line.value or ""
    if "${" in raw:
        return Line(None, line.source)
    if raw[:1] not in ("<", ">") or len(raw) == 1:
        return line
    new, now = whole_number(raw[1:]), whole_number(value)
    if new is None or now is None:
        return Line(None, line.source)
    applies = new > now if raw[0] == ">" else new < now
    return Line(str(new), line.source) if applies else None


def _keepalived(keepalived: dict[str, object]) -> Keepalived | None:
    timeouts = {cell: seconds for cell, seconds in numbers(keepalived.get("timeouts")).items() if seconds > 0}
    return Keepalived(file_line(keepalived, "its configuration"), timeouts) if timeouts else None


def _kube_router(kube_router: object) -> KubeRouter | None:
    if not isinstance(kube_router, dict):
        return None
    return KubeRouter({cell: each for cell, each in numbers(kube_router.get("timeouts")).items() if each > 0})


def _tuned(tuned: dict[str, object]) -> Tuned | None:
    profile = text(tuned.get("profile"))
    if not profile:
        return None
    excluded = frozenset(key for each in items(tuned.get("excluded")) if (key := text(each)))
    return Tuned(profile, tuned.get("reapplies") is True, _lines(tuned.get("sysctls"), "its profile"), excluded)


def _sysctl_conf(conf: dict[str, object]) -> SysctlConf | None:
    if not conf:
        return None
    return SysctlConf(conf.get("read_at_boot") is True, _lines(conf.get("sysctls"), SYSCTL_CONF))


def _lines(sysctls: object, file: str) -> dict[str, Line]:
    lines = {key: mapping(each) for key, each in mapping(sysctls).items()}
    return {
        key: Line(text(each["value"]), file_line(each, file)) for key, each in lines.items() if text(each.get("value"))
    }
