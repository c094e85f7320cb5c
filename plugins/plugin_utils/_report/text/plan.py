# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits, what was seen of a node, and the planned keepalive in a terminal. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.cloud import NAMES

from .nodes import keepalive_words, sources_words
from .page import SAFE, UNSAFE, Page, Span, Text

Document = Mapping[str, Any]
Node = Mapping[str, Any]

_MOST = 8


def write_limits(page: Page, document: Document) -> None:
    """Every idle limit and whose it is, the lowest first; those of the same name and length in one line."""
    if not document["limits"] and not document["not_seen"]:
        return
    page.heading(f"Limits: {document['limit_reason']}")
    whose = grouped(((limit["seconds"], limit["name"]), limit["node"]) for limit in document["limits"])
    width = max([len(f"{seconds} s  ") for seconds, _name in whose], default=9)
    for (seconds, name), nodes in list(whose.items())[:_MOST]:
        where = f"on {named(nodes)}" if all(nodes) else "(declared in keepalive_middleboxes)"
        page.field(f"{seconds} s", f"{name} {where}", width)
    if len(whose) > _MOST:
        page.line(f"and {len(whose) - _MOST} higher", indent=2)
    unseen = _unseen(document)
    for what in unseen[:_MOST]:
        page.field("?", what, width)
    if len(unseen) > _MOST:
        page.line(f"and {len(unseen) - _MOST} more that are not known", indent=2)


def _unseen(document: Document) -> list[str]:
    """Limits that are not known; of the same nodes and for the same reason in one."""
    nodes = grouped(((each["why"], each["name"]), each["node"]) for each in document["not_seen"])
    names = grouped(((why, tuple(where)), name) for (why, name), where in nodes.items())
    return [f"{', '.join(each)} on {named(where)}: {why}" for (why, where), each in names.items()]


def write_keepalive(page: Page, document: Document) -> None:
    """The plan's three values, each with its reason, and the sum that shows whether they are soon enough."""
    keepalive, policy = document["keepalive"], document["policy"]
    if not keepalive:
        page.heading("Keepalive: none planned, no limit asks for it")
        return
    stays = "stays" if keepalive["stays"] else "planned"
    page.heading(f"Keepalive {stays}: {keepalive_words(keepalive)} (time/intvl/probes)")
    for name, reason in keepalive["reasons"].items():
        page.field(f"{name:<8}{keepalive[name]:>5}  ", reason, 15)
    if keepalive["sum"]:
        verdict = Span("SAFE", SAFE) if keepalive["safe"] else Span("UNSAFE", UNSAFE)
        seen = " for the limits that were seen" if keepalive["safe"] and document["not_seen"] else ""
        page.field("sum", [f"{keepalive['sum']}: ", verdict, seen], 15)
        lost = count(policy["lost_probes"], "lost probe")
        margin = f", a margin of {policy['margin']} s" if policy["margin"] else ""
        page.field("", f"counts {lost} in a row{margin}, and timers that fire up to 8/63 late (slack)", 15)


def write_seen(page: Page, document: Document) -> None:
    """What was read of a single node; of several nodes only the notes on them."""
    nodes = document["nodes"]
    if len(nodes) == 1 and nodes[0]["observed"]:
        page.heading(f"Seen on {nodes[0]['name']}")
        for label, text in _fields(nodes[0]):
            page.field(label, text, 12)
    notes = grouped((note, node["name"]) for node in nodes for note in node["notes"])
    if notes:
        page.heading("Notes")
    for note, names in list(notes.items())[:_MOST]:
        page.line(f"{named(names)}: {note}", indent=2, hanging=2)
    if len(notes) > _MOST:
        page.line(f"and {len(notes) - _MOST} more", indent=2)


def _fields(node: Node) -> Iterator[tuple[str, Text]]:
    place = f", inside a container ({node['container']})" if node["container"] else ""
    cloud = _cloud(node["cloud"]) if node["cloud"] else ""
    user = "read as root" if node["root"] else "NOT read as root, so a part is missing"
    yield "node", f"{node['hostname']}, kernel {node['kernel']}{cloud}{place}; {user}"
    yield "kube-proxy", _kube_proxy(node)
    yield "IPVS", _ipvs(node["ipvs"])
    yield "conntrack", _conntrack(node["conntrack"])
    yield "keepalive", f"{_now(node)}; {_after_boot(node)}"
    enforcement = node.get("enforcement")
    if enforcement and (enforcement["attached"] or enforcement["boot"]):
        yield "enforced", _enforced(enforcement)
    yield "namespaces", _namespaces(node["namespaces"])


def _cloud(cloud: Mapping[str, str | None]) -> str:
    """``, on AWS (m8i.large)``"""
    kind = f" ({cloud['instance_type']})" if cloud["instance_type"] else ""
    return f", on {NAMES[cloud['provider'] or '']}{kind}"


def _kube_proxy(node: Node) -> str:
    mode, proxy = node["mode"], node["kube_proxy"]
    if mode == "none":
        return "does not run here"
    if mode == "unknown":
        return f"did not say its mode ({proxy['error'] or proxy['address']})"
    version = f"{proxy['version']}, " if proxy["version"] else ""
    return f"{version}{mode} mode, says {proxy['address']}"


def _ipvs(ipvs: Mapping[str, Any]) -> str:
    if not ipvs["loaded"]:
        return "could not be read" if ipvs["loaded"] is None else "not loaded"
    timeouts = "timeouts could not be read"
    if ipvs["timeouts"]:
        timeouts = ", ".join(f"{cell} {seconds} s" for cell, seconds in ipvs["timeouts"].items())
    states = [f"{number} {state}" for each in ipvs["connections"].values() for state, number in each.items()]
    connections = f"; {some(states)}" if states else ""
    return f"{timeouts}; {count(ipvs['services'], 'virtual service')}{connections}"


def _conntrack(conntrack: Mapping[str, Any]) -> str:
    if not conntrack["loaded"]:
        return "could not be read" if conntrack["loaded"] is None else "not loaded"
    established = conntrack["established_seconds"]
    text = f"established {established} s" if established is not None else "timeouts could not be read"
    if conntrack["count"] is not None:
        text += f"; {conntrack['count']} of {conntrack['max'] or '?'} entries"
    return text


def _now(node: Node) -> str:
    live = node["keepalive"]["live"]
    return f"{keepalive_words(live)} now" if live else "could not be read"


def _enforced(enforcement: Mapping[str, Any]) -> str:
    """``600/30/9 for new connections, now and after a reboot``"""
    if enforcement["attached"] is None:
        return f"nothing now; {keepalive_words(enforcement['boot'])} for new connections after a reboot"
    when = "now and after a reboot" if enforcement["in_force"] else "now, not surely after a reboot (see the findings)"
    return f"{keepalive_words(enforcement['attached'])} for new connections, {when}"


def _after_boot(node: Node) -> str:
    boot, sources = node["keepalive"]["at_boot"], node["keepalive"]["boot_sources"]
    if boot is None:
        return "not known after a reboot"
    return f"{keepalive_words(boot)} after a reboot ({sources_words(sources)})"


def _namespaces(spaces: Mapping[str, Any]) -> str:
    if not spaces["groups"]:
        return f"could not be read: {spaces['error'] or 'no data'}"
    groups = [f"{keepalive_words(each['keepalive'])} in {_which(each)}" for each in spaces["groups"]]
    unread = f"; {spaces['unreadable']} could not be read" if spaces["unreadable"] else ""
    return f"{some(groups)}{unread}"


def _which(group: Mapping[str, Any]) -> str:
    if not group["own"]:
        return f"{count(group['namespaces'], 'other')}"
    return "the node's own" + (f" and {count(group['namespaces'] - 1, 'other')}" if group["namespaces"] > 1 else "")
