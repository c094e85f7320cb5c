# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits, what was seen of a node, and the planned keepalive in a terminal. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import columns, count, some
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
    page.heading(tell("Limits: {reason}", reason=document["limit_reason"]))
    whose = grouped(((limit["seconds"], limit["name"]), limit["node"]) for limit in document["limits"])
    width = max([columns(page.said(_seconds(seconds))) + 2 for seconds, _name in whose], default=9)
    for (seconds, name), nodes in list(whose.items())[:_MOST]:
        declared = tell("{name} (declared in keepalive_middleboxes)", name=name)
        where = tell("{name} on {nodes}", name=name, nodes=named(nodes)) if all(nodes) else declared
        page.field(_seconds(seconds), where, width)
    if len(whose) > _MOST:
        page.line(tell("and {number} higher", number=len(whose) - _MOST), indent=2)
    unseen = _unseen(document)
    for what in unseen[:_MOST]:
        page.field("?", what, width)
    if len(unseen) > _MOST:
        page.line(tell("and {number} more that are not known", number=len(unseen) - _MOST), indent=2)


def _seconds(seconds: int) -> Message:
    return tell("{seconds} s", seconds=seconds)


def _unseen(document: Document) -> list[Message]:
    """Limits that are not known; of the same nodes and for the same reason in one."""
    nodes = grouped(((each["why"], each["name"]), each["node"]) for each in document["not_seen"])
    names = grouped(((why, tuple(where)), name) for (why, name), where in nodes.items())
    return [
        tell("{names} on {nodes}: {why}", names=joined(", ", each), nodes=named(where), why=why)
        for (why, where), each in names.items()
    ]


def write_keepalive(page: Page, document: Document) -> None:
    """The plan's three values, each with its reason, and the sum that shows whether they are soon enough."""
    keepalive, policy = document["keepalive"], document["policy"]
    if not keepalive:
        page.heading("Keepalive: none planned, no limit asks for it")
        return
    words = keepalive_words(keepalive)
    if keepalive["stays"]:
        page.heading(tell("Keepalive stays: {keepalive} (time/intvl/probes)", keepalive=words))
    else:
        page.heading(tell("Keepalive planned: {keepalive} (time/intvl/probes)", keepalive=words))
    for name, reason in keepalive["reasons"].items():
        page.field(f"{name:<8}{keepalive[name]:>5}  ", reason, 15)
    if keepalive["sum"]:
        verdict = Span("SAFE", SAFE) if keepalive["safe"] else Span("UNSAFE", UNSAFE)
        seen = " for the limits that were seen" if keepalive["safe"] and document["not_seen"] else ""
        page.field("sum", [tell("{sum}: ", sum=keepalive["sum"]), verdict, seen], 15)
        lost, margin = count(policy["lost_probes"], "lost probe"), policy["margin"]
        if margin:
            counts = tell(
                "counts {lost} in a row, a margin of {margin} s, and timers that fire up to 8/63 late (slack)",
                lost=lost,
                margin=margin,
            )
        else:
            counts = tell("counts {lost} in a row, and timers that fire up to 8/63 late (slack)", lost=lost)
        page.field("", counts, 15)


def write_seen(page: Page, document: Document) -> None:
    """What was read of a single node; of several nodes only the notes on them."""
    nodes = document["nodes"]
    if len(nodes) == 1 and nodes[0]["observed"]:
        page.heading(tell("Seen on {node}", node=nodes[0]["name"]))
        for label, text in _fields(nodes[0]):
            page.field(label, text, 12)
    notes = grouped((note, node["name"]) for node in nodes for note in node["notes"])
    if notes:
        page.heading("Notes")
    for note, names in list(notes.items())[:_MOST]:
        page.line(tell("{names}: {text}", names=named(names), text=note), indent=2, hanging=2)
    if len(notes) > _MOST:
        page.line(tell("and {number} more", number=len(notes) - _MOST), indent=2)


def _fields(node: Node) -> Iterator[tuple[str, Text]]:
    yield "node", _machine(node)
    yield "kube-proxy", _kube_proxy(node)
    yield "IPVS", _ipvs(node["ipvs"])
    yield "conntrack", _conntrack(node["conntrack"])
    yield "keepalive", joined("; ", [_now(node), _after_boot(node)])
    enforcement = node.get("enforcement")
    if enforcement and (enforcement["attached"] or enforcement["boot"]):
        yield "enforced", _enforced(enforcement)
    yield "namespaces", _namespaces(node["namespaces"])


def _machine(node: Node) -> Message:
    """``worker1, kernel 6.1.0, on AWS (m8i.large); read as root``"""
    place = [tell("{hostname}, kernel {kernel}", hostname=node["hostname"], kernel=node["kernel"])]
    if node["cloud"]:
        place.append(_cloud(node["cloud"]))
    if node["container"]:
        place.append(tell("inside a container ({name})", name=node["container"]))
    user = "read as root" if node["root"] else "NOT read as root, so a part is missing"
    return joined("; ", [joined(", ", place), user])


def _cloud(cloud: Mapping[str, str | None]) -> Message:
    """``on AWS (m8i.large)``"""
    name, kind = NAMES[cloud["provider"] or ""], cloud["instance_type"]
    return tell("on {cloud} ({instance_type})" if kind else "on {cloud}", cloud=name, instance_type=kind)


def _kube_proxy(node: Node) -> str:
    mode, proxy = node["mode"], node["kube_proxy"]
    if mode == "none":
        return "does not run here"
    if mode == "unknown":
        return tell("did not say its mode ({why})", why=proxy["error"] or proxy["address"])
    if proxy["version"]:
        values = {"version": proxy["version"], "mode": mode, "address": proxy["address"]}
        return tell("{version}, {mode} mode, says {address}", **values)
    return tell("{mode} mode, says {address}", mode=mode, address=proxy["address"])


def _ipvs(ipvs: Mapping[str, Any]) -> str:
    if not ipvs["loaded"]:
        return "could not be read" if ipvs["loaded"] is None else "not loaded"
    timeouts: str = "timeouts could not be read"
    if ipvs["timeouts"]:
        cells = [tell("{cell} {seconds} s", cell=cell, seconds=seconds) for cell, seconds in ipvs["timeouts"].items()]
        timeouts = joined(", ", cells)
    states = [f"{number} {state}" for each in ipvs["connections"].values() for state, number in each.items()]
    services = count(ipvs["services"], "virtual service")
    return joined("; ", [timeouts, services, *([some(states)] if states else [])])


def _conntrack(conntrack: Mapping[str, Any]) -> str:
    if not conntrack["loaded"]:
        return "could not be read" if conntrack["loaded"] is None else "not loaded"
    established = conntrack["established_seconds"]
    text: str = "timeouts could not be read"
    if established is not None:
        text = tell("established {seconds} s", seconds=established)
    if conntrack["count"] is None:
        return text
    entries = tell("{number} of {max} entries", number=conntrack["count"], max=conntrack["max"] or "?")
    return joined("; ", [text, entries])


def _now(node: Node) -> str:
    live = node["keepalive"]["live"]
    return tell("{keepalive} now", keepalive=keepalive_words(live)) if live else "could not be read"


def _enforced(enforcement: Mapping[str, Any]) -> Message:
    """``600/30/9 for new connections, now and after a reboot``"""
    if enforcement["attached"] is None:
        boot = keepalive_words(enforcement["boot"])
        return tell("nothing now; {keepalive} for new connections after a reboot", keepalive=boot)
    attached = keepalive_words(enforcement["attached"])
    if enforcement["in_force"]:
        return tell("{keepalive} for new connections, now and after a reboot", keepalive=attached)
    return tell(
        "{keepalive} for new connections, now, not surely after a reboot (see the findings)", keepalive=attached
    )


def _after_boot(node: Node) -> str:
    boot, sources = node["keepalive"]["at_boot"], node["keepalive"]["boot_sources"]
    if boot is None:
        return "not known after a reboot"
    words = {"keepalive": keepalive_words(boot), "sources": sources_words(sources)}
    return tell("{keepalive} after a reboot ({sources})", **words)


def _namespaces(spaces: Mapping[str, Any]) -> Message:
    if not spaces["groups"]:
        return tell("could not be read: {why}", why=spaces["error"] or "no data")
    groups = some([_group(each) for each in spaces["groups"]])
    if not spaces["unreadable"]:
        return groups
    return joined("; ", [groups, tell("{number} could not be read", number=spaces["unreadable"])])


def _group(group: Mapping[str, Any]) -> Message:
    keepalive, number = keepalive_words(group["keepalive"]), group["namespaces"]
    if not group["own"]:
        return tell("{keepalive} in {others}", keepalive=keepalive, others=count(number, "other"))
    if number == 1:
        return tell("{keepalive} in the node's own", keepalive=keepalive)
    return tell("{keepalive} in the node's own and {others}", keepalive=keepalive, others=count(number - 1, "other"))
