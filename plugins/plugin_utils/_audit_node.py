# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One node's part of the audit's words. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils import _keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed import Group, Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._page import Page, count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy import IPVS_CELLS, KEEPALIVE_KEYS

Field = tuple[str, str]


def write(page: Page, nodes: Mapping[str, Observed | None], plan: Mapping[str, Any]) -> None:
    """A block a node; nodes of which everything but the counters is the same share one."""
    groups: dict[tuple[Field, ...], list[str]] = {}
    for name, node in nodes.items():
        groups.setdefault(tuple(_fields(node, plan["nodes"][name], counters=False)), []).append(name)
    for names in groups.values():
        first, node_plan = nodes[names[0]], plan["nodes"][names[0]]
        page.blank()
        page.line(f"{', '.join(names)}: {_headline(node_plan, first, plan)}", hanging=2)
        for label, text in _fields(first, node_plan, counters=len(names) == 1):
            page.field(label, text)


def _headline(node_plan: Mapping[str, Any], node: Observed | None, plan: Mapping[str, Any]) -> str:
    spare, margin = node_plan["spare_seconds"], plan["policy"]["margin"]
    text: str = node_plan["verdict"].upper()
    if spare is not None and spare < 0:
        text += f", too late by {-spare} s"
    elif spare is not None and spare < margin:
        text += f", {margin - spare} s less than keepalive_margin {margin}"
    elif spare is not None and node_plan["verdict"] == "safe":
        text += f", {spare} s to spare"
    if node is not None and node_plan["verdict"] == "safe" and not _safe_after_boot(node, plan):
        text += " now, UNSAFE after a reboot"
    return text


def _safe_after_boot(node: Observed, plan: Mapping[str, Any]) -> bool:
    boot, limit, policy = node.boot_keepalive, plan["limit"], plan["policy"]
    if boot is None or limit is None:
        return True
    return _keepalive.is_safe(boot, limit["seconds"], policy["lost_probes"], policy["margin"])


def _fields(node: Observed | None, node_plan: Mapping[str, Any], *, counters: bool) -> Iterator[Field]:
    yield "Why", f"{node_plan['why']}."
    if node is not None:
        yield "Node", f"{node.hostname}, {_node_text(node)}" if counters else _node_text(node)
        yield "Mode", _mode_text(node)
        yield "IPVS", _ipvs_text(node, counters)
        yield "Conntrack", _conntrack_text(node, counters)
        yield "Keepalive", _keepalive_text(node)
        yield "Namespaces", _namespaces_text(node, counters)
    for note in node_plan["notes"]:
        yield "Note", note
    changes = node_plan["changes"]
    for number, change in enumerate(changes):
        text = f"{change['what']}: {change['from']} -> {change['to']}; {change['why']}"
        yield "" if number else "To change", text
    if node is not None and not changes:
        yield "To change", "nothing"


def _node_text(node: Observed) -> str:
    place = f", inside a container ({node.container})" if node.container else ""
    user = "read as root" if node.root else "NOT read as root, so a part is missing"
    return f"kernel {node.kernel}{place}; {user}"


def _mode_text(node: Observed) -> str:
    address = node.kube_proxy.address
    if node.mode == "none":
        return "no kube-proxy runs here"
    if node.mode == "unknown":
        return f"kube-proxy did not say its mode ({node.kube_proxy.error or address})"
    return f"{node.mode}, says kube-proxy at {address}"


def _ipvs_text(node: Observed, counters: bool) -> str:
    if node.ipvs.loaded is None:
        return "could not be read"
    if not node.ipvs.loaded:
        return "not loaded"
    timeouts = "timeouts could not be read"
    if node.ipvs.timeouts:
        values = ", ".join(f"{cell} {node.ipvs.timeouts[cell]} s" for cell in IPVS_CELLS)
        timeouts = f"{values} (read by {node.ipvs.timeouts_from})"
    if not counters:
        return timeouts
    states = [f"{number} {state}" for each in node.ipvs.connections.values() for state, number in each.items()]
    connections = f"; connections: {some(states)}" if states else ""
    return f"{timeouts}; {count(node.ipvs.services, 'virtual service')}{connections}"


def _conntrack_text(node: Observed, counters: bool) -> str:
    if node.conntrack.loaded is None:
        return "could not be read"
    if not node.conntrack.loaded:
        return "not loaded"
    established = node.conntrack.established
    text = f"established {established} s" if established is not None else "timeouts could not be read"
    if counters and node.conntrack.count is not None:
        text += f"; {node.conntrack.count} of {node.conntrack.max or '?'} entries"
    return text


def _keepalive_text(node: Observed) -> str:
    live = f"{node.keepalive} now" if node.keepalive else "could not be read"
    if node.boot_keepalive is None:
        return f"{live}; after a reboot: not seen"
    return f"{live}; {node.boot_keepalive} after a reboot ({_boot_sources(node)})"


def _boot_sources(node: Observed) -> str:
    boots = [sysctl.boot for key in KEEPALIVE_KEYS if (sysctl := node.sysctls.get(key)) and sysctl.boot]
    lines: dict[str, list[str]] = {}
    for boot in boots:
        if boot.file and boot.source:
            lines.setdefault(boot.file, []).append(boot.source[len(boot.file) + 1 :])
    if not lines:
        return "no file sets it: the kernel's default"
    return ", ".join(f"{file}:{','.join(numbers)}" for file, numbers in lines.items())


def _namespaces_text(node: Observed, counters: bool) -> str:
    spaces = node.namespaces
    if not spaces.groups:
        return f"could not be read: {spaces.error or 'no data'}"
    groups = ", ".join(f"{group.keepalive} in {_where(group, counters)}" for group in spaces.groups)
    if not counters:
        return f"{groups}; some could not be read" if spaces.unreadable else groups
    unread = f"; {spaces.unreadable} could not be read" if spaces.unreadable else ""
    return f"{spaces.count or sum(group.namespaces for group in spaces.groups)} in all: {groups}{unread}"


def _where(group: Group, counters: bool) -> str:
    if not group.own:
        return str(group.namespaces) if counters else "others"
    if group.namespaces == 1:
        return "the node's own"
    return f"{group.namespaces}, the node's own among them" if counters else "the node's own and others"
