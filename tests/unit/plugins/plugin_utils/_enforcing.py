# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Enforcement and re-arming as node_info returns them, for tests."""

from __future__ import annotations

from typing import Any

POLICY = {"enforce": True}
WANTED = (600, 30, 9)
OLD_KERNEL = "its kernel 4.19.0 cannot set these options in a BPF program. Leave keepalive_enforce at false there."
YAMA = "kernel.yama.ptrace_scope is 3, which lets nobody have another process's socket"


def able(node: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The node as one that can enforce keepalive, and does not, and that can re-arm open connections."""
    node["enforcement"] = {
        "possible": True,
        "reason": None,
        "obstacle": None,
        "cgroup": "/sys/fs/cgroup",
        "attached": None,
        "exclude_ports": [],
        "exclude_cgroups": [],
        "boot": None,
        "systemd": True,
        "others": 0,
        **more,
    }
    node["rearming"] = {"possible": True, "reason": None}
    return node


def unable(node: dict[str, Any], reason: str | None = OLD_KERNEL, obstacle: str | None = "kernel") -> dict[str, Any]:
    """The same node, which can do neither."""
    able(node, possible=False, reason=reason, obstacle=obstacle)
    node["rearming"] = {"possible": False, "reason": YAMA}
    return node


def enforcing(
    node: dict[str, Any],
    keepalive: tuple[int, int, int] | None = WANTED,
    boot: tuple[int, int, int] | None = WANTED,
    *,
    exact: bool = True,
    enabled: bool = True,
    ports: tuple[int, ...] = (),
    cgroups: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """The node with our program attached, and our unit that attaches it again; None for none of them."""
    left_out = {"exclude_ports": list(ports), "exclude_cgroups": list(cgroups)}
    return able(
        node,
        **{
            "attached": {**_values(keepalive), "exact": exact} if keepalive else None,
            **(left_out if keepalive else {}),
            "boot": {**_values(boot), **left_out, "enabled": enabled} if boot else None,
            **more,
        },
    )


def _values(keepalive: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("time", "intvl", "probes"), keepalive, strict=True))
