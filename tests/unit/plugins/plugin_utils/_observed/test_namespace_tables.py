# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.namespace_tables import (
    Table,
    Tables,
    parse_tables,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    NO_TABLES,
    conntrack_in,
    ipvs_in,
)


@pytest.mark.parametrize("tables", [None, {}, [], "none"])
def test_an_older_node_info_did_not_look(tables):
    assert parse_tables(tables) is None


def test_none_are_another_thing():
    assert parse_tables(NO_TABLES) == Tables((), 0, 0, None)


def test_each_namespace_with_tables_of_its_own():
    rows = [ipvs_in("network namespace ingress_sbox"), conntrack_in("shop/api", 600, kind="pod", unprivileged=True)]
    seen = parse_tables({"rows": rows, "omitted": 2, "unread": 1, "error": "denied"})
    timeouts = {"tcp": 300, "tcpfin": 60, "udp": 60}
    assert seen == Tables(
        (
            Table("other", "network namespace ingress_sbox", 4026532801, 2, 1, timeouts, None, None, False, None),
            Table("pod", "shop/api", 4026532801, 0, 0, None, 600, 4, True, None),
        ),
        2,
        1,
        "denied",
    )


def test_whatever_has_another_type_is_not_seen():
    rows = [7, {"label": ["x"], "ipvs": {"services": "many", "timeouts": {"tcp": 300}}, "conntrack": {"entries": -1}}]
    nothing = Table("other", "?", None, 0, 0, None, None, None, False, None)
    assert parse_tables({"rows": rows}) == Tables((nothing, nothing._replace(entries=-1)), 0, 0, None)


@pytest.mark.parametrize(
    ("row", "where"),
    [
        (ipvs_in("network namespace lb_1"), "network namespace lb_1"),
        (ipvs_in("container web (docker)", kind="container"), "container web (docker)"),
        (ipvs_in("container lvs (podman, rootless)"), "container lvs (podman, rootless)"),
        (ipvs_in("shop/api", kind="pod"), "pod shop/api"),
        (ipvs_in("pod 0b1c2d3e", kind="pod"), "pod 0b1c2d3e"),
        (ipvs_in("process keepalived (812)"), "the network namespace of process keepalived (812)"),
    ],
)
def test_where_it_is_in_a_sentence(row, where):
    assert parse_tables({"rows": [row]}).rows[0].where == where


@pytest.mark.parametrize(("entries", "tracks"), [(4, True), (None, True), (0, False)])
def test_what_tracks_nothing_forgets_nothing(entries, tracks):
    assert parse_tables({"rows": [conntrack_in("x", 600, entries)]}).rows[0].tracks is tracks
