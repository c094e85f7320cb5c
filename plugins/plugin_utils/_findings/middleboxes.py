# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on what stands between nodes: proxies, boxes of the user's own, and what a cloud may have there. Private to
this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.cloud import (
    names_to_consider,
    tracking_of,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.cloud import NAMES
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import Plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middlebox_table import KNOWN
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import Middlebox

from .rule import INFO, WARNING, Found, Rules

RULES = Rules()


_ENDS_TCP = (
    "A proxy ends TCP itself: it answers probes, and its idle timer counts payload alone. It cuts a connection after "
    "that time without payload, whatever the keepalive, so none is planned for it."
)
_TAKEN_FOR_PACKETS = (
    "Nothing is known of such a name. It is taken for a device that counts every packet, probes too: keepalive below "
    "its limit keeps connections."
)
_NOT_SHOWN = (
    "Load balancers, NAT gateways and firewalls of a cloud forget idle connections, too, and no node shows them."
)


@RULES.plan("proxy-on-path", WARNING)
def _proxy(plan: Plan) -> Iterator[tuple[str | None, Found]]:
    """A declared middlebox is a proxy that ends TCP, where the probes of keepalive do not count."""
    boxes = [box for box in plan.policy.middleboxes if box.proxy]
    if boxes:
        settings = some(list(dict.fromkeys(map(_setting, boxes))), "; ")
        remedy = tell(
            "Have the application send something in time: a ping, a heartbeat, a query, or HTTP/2 PING where the proxy "
            "counts it. Or raise the proxy's own timeout: {settings}.",
            settings=settings,
        )
        yield None, Found(_listed(boxes), _ENDS_TCP, remedy)


@RULES.plan("middlebox-own", INFO)
def _own(plan: Plan) -> Iterator[tuple[str | None, Found]]:
    """A declared middlebox of which nothing is known is taken for one that counts every packet."""
    boxes = [box for box in plan.policy.middleboxes if not box.id and not box.proxy]
    if boxes:
        proxy = f"{{name: {boxes[0].name}, seconds: {boxes[0].seconds}, proxy: true}}"
        remedy = tell(
            "If it ends TCP itself (a proxy), say so: {proxy}. Otherwise nothing has to be done.", proxy=proxy
        )
        yield None, Found(_listed(boxes), _TAKEN_FOR_PACKETS, remedy)


@RULES.plan("middleboxes-to-consider", INFO)
def _to_consider(plan: Plan) -> Iterator[tuple[str | None, Found]]:
    """The firmware or kernel of nodes names a cloud, and no middlebox of that cloud is declared."""
    declared = {box.id.partition("_")[0] for box in plan.policy.middleboxes}
    clouds = {name: node.observed.cloud for name, node in plan.nodes.items() if node.observed and node.observed.cloud}
    nodes = grouped((cloud.provider, name) for name, cloud in clouds.items() if cloud.provider not in declared)
    if not nodes:
        return
    tracking = grouped((key, name) for name, cloud in clouds.items() if (key := tracking_of(cloud)))
    observed = [
        tell("{nodes} on {cloud}", nodes=named(names), cloud=NAMES[provider])
        for provider, names in sorted(nodes.items())
    ]
    known = [name for provider in sorted(nodes) for name in names_to_consider(provider)]
    remedy = tell(
        "Name in keepalive_middleboxes those that connections go through: {known}; with seconds where yours is set "
        "otherwise.",
        known=joined(", ", known),
    )
    yield None, Found(joined("; ", [*observed, *_facts(tracking)]), _NOT_SHOWN, sentences(remedy, _override(tracking)))


def _facts(tracking: Mapping[str, list[str]]) -> Iterator[str]:
    for key, names in tracking.items():
        yield tell(
            "{box}, {seconds} s by default, is a limit on {nodes}",
            box=KNOWN[key].label,
            seconds=KNOWN[key].seconds,
            nodes=named(names),
        )


def _override(tracking: Mapping[str, list[str]]) -> str:
    boxes = [f"{{name: {key}, seconds: ...}}" for key in tracking]
    write = tell(
        "Where the network interfaces have another timeout for TCP, write {boxes}.", boxes=joined(" or ", boxes)
    )
    return write if boxes else ""


def _listed(boxes: list[Middlebox]) -> str:
    return some([tell("{box}: {seconds} s", box=box.name, seconds=box.seconds) for box in boxes], "; ")


def _setting(box: Middlebox) -> str:
    if not box.id:
        return tell("{box}: its idle timeout", box=box.name)
    return tell("{box}: {setting}", box=box.name, setting=KNOWN[box.id].setting)
