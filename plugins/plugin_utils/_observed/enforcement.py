# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node can do for connections of programs that never ask for keepalive, as typed values. Private.

Enforcement gives each new connection of the node its keepalive in the kernel; re-arming gives it to open ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive, of_values
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import (
    fields,
    flag,
    items,
    number,
    text,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some

OBSTACLES = ("kernel", "cgroup", "rights", "lockdown", "architecture", "unknown")
"""What may stand against it, by the words of the node."""

_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Enforced:
    """What a program gives to new connections, but for those on the ports and of the cgroups that are left out.

    ``replaces``: what a socket has by then is replaced, sooner or not, for the kernel does not let the program read it.
    """

    keepalive: Keepalive
    exclude_ports: tuple[int, ...] = ()
    exclude_cgroups: tuple[str, ...] = ()
    replaces: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        left_out: list[str] = []
        if self.exclude_ports:
            left_out.append(tell("ports {ports}", ports=some(list(map(str, self.exclude_ports)))))
        if self.exclude_cgroups:
            left_out.append(some(list(self.exclude_cgroups)))
        if not left_out:
            return str(self.keepalive)
        return tell("{keepalive} (not: {left_out})", keepalive=self.keepalive, left_out=joined(" and ", left_out))

    def as_dict(self) -> dict[str, Any]:
        """As node_settings takes it."""
        left_out = {"exclude_ports": list(self.exclude_ports), "exclude_cgroups": list(self.exclude_cgroups)}
        return {**self.keepalive.as_dict(), **left_out}


@dataclass(frozen=True)
class Enforcement:
    """Whether the node can (``possible``, None: not known), and what is there.

    ``attached`` is what new connections get now, by our program; ``exact``: it is that of this very version with these
    values. ``boot`` is what our script attaches when it is run at boot; ``enabled``: our unit runs it. ``systemd``:
    there can be a unit. ``others``: so many programs of others are attached in the same place.
    """

    possible: bool | None
    reason: str | None
    obstacle: str | None
    cgroup: str | None
    attached: Enforced | None
    exact: bool
    boot: Enforced | None
    enabled: bool
    systemd: bool
    others: int

    @property
    def ours(self) -> bool:
        """Whether anything of ours is there, now or at boot."""
        return self.attached is not None or self.boot is not None

    @property
    def attached_known(self) -> bool:
        """Whether None is nothing: who may not attach a program does not see one either."""
        hidden = self.possible is None or self.obstacle in ("rights", "lockdown")
        return self.attached is not None or not hidden

    @property
    def kept_at_boot(self) -> bool:
        """Whether what is attached now is attached again by the next boot, with no group excluded any less.

        A group that was made anew is excluded again only then, or by the next run.
        """
        now, boot = self.attached, self.boot
        if now is None or boot is None or not self.enabled or not {*now.exclude_cgroups} <= {*boot.exclude_cgroups}:
            return False
        return replace(now, exclude_cgroups=boot.exclude_cgroups) == boot

    @property
    def in_force(self) -> Enforced | None:
        """What every new connection gets, now and after a reboot; None where that is not certain."""
        return self.boot if self.exact and self.kept_at_boot else None

    def as_dict(self) -> dict[str, Any]:
        return {
            **vars(self),
            "attached": self.attached.as_dict() if self.attached else None,
            "boot": self.boot.as_dict() if self.boot else None,
            "in_force": self.in_force is not None,
        }


@dataclass(frozen=True)
class Rearming:
    """Whether a sooner timer can be given to open connections on the node, None: not known; why not."""

    possible: bool | None
    reason: str | None


def parse_enforcement(enforcement: object) -> Enforcement | None:
    """None where an older node_info did not look."""
    if not isinstance(enforcement, dict) or not enforcement:
        return None
    get = enforcement.get
    obstacle, attached, boot = text(get("obstacle")), fields(get("attached")), fields(get("boot"))
    return Enforcement(
        possible=flag(get("possible")),
        reason=_sentence(get("reason")),
        obstacle=obstacle if obstacle in OBSTACLES or obstacle is None else "unknown",
        cgroup=text(get("cgroup")),
        attached=_enforced(attached, enforcement),
        exact=attached.get("exact") is True,
        boot=_enforced(boot, boot),
        enabled=boot.get("enabled") is True,
        systemd=get("systemd") is True,
        others=number(get("others")),
    )


def parse_rearming(rearming: object) -> Rearming | None:
    """None where an older node_info did not look."""
    if not isinstance(rearming, dict) or not rearming:
        return None
    return Rearming(flag(rearming.get("possible")), _sentence(rearming.get("reason")))


def _sentence(value: object) -> str | None:
    """Text of a node, without its full stop; None where there is none."""
    return (text(value) or "").strip().rstrip(".") or None


def _enforced(values: Mapping[str, object], left_out: Mapping[str, object]) -> Enforced | None:
    keepalive = of_values(*map(values.get, Keepalive._fields))
    return enforced_of(keepalive, left_out) if keepalive else None


def enforced_of(keepalive: Keepalive, left_out: Mapping[str, object]) -> Enforced:
    """With the ports and groups of a mapping from a node; what are none are left out."""
    ports = {port for each in items(left_out.get("exclude_ports")) if (port := whole_number(each)) is not None}
    cgroups = {path for each in items(left_out.get("exclude_cgroups")) if (path := text(each))}
    return Enforced(
        keepalive, tuple(sorted(port for port in ports if 0 < port <= _HIGHEST_PORT)), tuple(sorted(cgroups))
    )
