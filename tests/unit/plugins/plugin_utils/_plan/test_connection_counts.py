# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.connection_counts import Counts
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.connection_counts import (
    at_risk_text,
    through_proxies,
    to_others,
    to_services,
)

SEEN = Counts(without_keepalive=1, late=2, undecided=3, safe=4, kept_by_server=5)


def test_connections_to_services_in_words() -> None:
    assert list(to_services(SEEN)) == [
        "1 connection without SO_KEEPALIVE",
        "2 connections with a timer beyond the limit",
        "5 connections kept by the server's probes",
    ]
    assert list(to_services(Counts(safe=1))) == []


def test_connections_to_other_addresses_in_words() -> None:
    assert list(to_others(SEEN)) == [
        "1 connection to other addresses without SO_KEEPALIVE",
        "2 connections to other addresses with a timer beyond the limit",
        "5 connections to other addresses kept by the server's probes",
    ]


def test_connections_through_proxies_in_words() -> None:
    assert [*through_proxies(0), *through_proxies(1)] == [
        "1 connection through a proxy, where keepalive does not count"
    ]


@pytest.mark.parametrize(
    ("connections", "rearm", "text"),
    [
        pytest.param((0, 0), True, "", id="none"),
        pytest.param(
            (1, 0),
            False,
            "1 open connection to services stay at risk until their programs change that (see the findings).",
            id="their programs alone can change it",
        ),
        pytest.param(
            (2, 1),
            True,
            "2 open connections to services and 1 open connection to other addresses stay at risk until an apply "
            "re-arms them or their programs change that (see the findings).",
            id="an apply may help",
        ),
    ],
)
def test_open_connections_at_risk_in_words(connections: tuple[int, int], rearm: bool, text: str) -> None:
    assert at_risk_text(*connections, rearm) == text
