# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many connections are at risk and how many are not, in words. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.plugins.module_utils._common.connection_counts import Counts
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, plural, tell


def to_services(counts: Counts) -> Iterator[Message]:
    """What is to tell of connections to services."""
    if counts.without_keepalive:
        yield plural(
            "{number} connections without SO_KEEPALIVE",
            "{number} connection without SO_KEEPALIVE",
            counts.without_keepalive,
        )
    if counts.late:
        yield plural(
            "{number} connections with a timer beyond the limit",
            "{number} connection with a timer beyond the limit",
            counts.late,
        )
    if counts.kept_by_server:
        yield plural(
            "{number} connections kept by the server's probes",
            "{number} connection kept by the server's probes",
            counts.kept_by_server,
        )


def to_others(counts: Counts) -> Iterator[Message]:
    """The same of those to other addresses."""
    if counts.without_keepalive:
        yield plural(
            "{number} connections to other addresses without SO_KEEPALIVE",
            "{number} connection to other addresses without SO_KEEPALIVE",
            counts.without_keepalive,
        )
    if counts.late:
        yield plural(
            "{number} connections to other addresses with a timer beyond the limit",
            "{number} connection to other addresses with a timer beyond the limit",
            counts.late,
        )
    if counts.kept_by_server:
        yield plural(
            "{number} connections to other addresses kept by the server's probes",
            "{number} connection to other addresses kept by the server's probes",
            counts.kept_by_server,
        )


def through_proxies(number: int) -> Iterator[Message]:
    """The same of those that keepalive does not keep."""
    if number:
        yield plural(
            "{number} connections through a proxy, where keepalive does not count",
            "{number} connection through a proxy, where keepalive does not count",
            number,
        )


def lost(number: int) -> Iterator[Message]:
    """The same of those to services that IPVS has forgotten already."""
    if number:
        yield plural(
            "{number} connections lost already: IPVS has forgotten them",
            "{number} connection lost already: IPVS has forgotten it",
            number,
        )


def at_risk_text(to_services: int, to_others: int, rearm: bool) -> str:
    """A sentence about so many open connections at risk, empty where there are none; ``rearm``: an apply may help."""
    told = joined(" and ", _open(to_services, to_others))
    if not told:
        return ""
    if rearm:
        return tell(
            "{connections} stay at risk until an apply re-arms them or their programs change that (see the findings).",
            connections=told,
        )
    return tell("{connections} stay at risk until their programs change that (see the findings).", connections=told)


def _open(to_services: int, to_others: int) -> Iterator[Message]:
    if to_services:
        yield plural("{number} open connections to services", "{number} open connection to services", to_services)
    if to_others:
        yield plural(
            "{number} open connections to other addresses", "{number} open connection to other addresses", to_others
        )
