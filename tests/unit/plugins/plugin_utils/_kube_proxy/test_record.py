# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._kube_proxy.record import (
    Original,
    dump_record,
    parse_record,
)

RECORD = {"a": {"ipvs.tcpTimeout": Original(None, "8284s")}, "b": {"conntrack.min": Original("1", "9")}}


def test_a_record_is_read_as_it_was_written():
    assert parse_record(dump_record(RECORD), "x") == RECORD


def test_what_has_no_field_is_not_in_the_record():
    assert parse_record(dump_record({**RECORD, "a": {}}), "x") == {"b": RECORD["b"]}
    assert dump_record({"a": {}}) == ""
    assert parse_record(" \n", "x") == {}


@pytest.mark.parametrize(
    ("record", "why"),
    [
        pytest.param("x", "line 1, column 1: Expecting value", id="no JSON"),
        pytest.param("{}", "it lacks 'version'", id="no version"),
        pytest.param('{"version": 2}', "it has version 2, expected 1", id="of a later release"),
        pytest.param(
            '{"version": 1, "configurations": {"a": {"mode": {"before": "x", "ours": "y"}}}}',
            "'mode' is no field that the role sets",
            id="another field",
        ),
        pytest.param(
            '{"version": 1, "configurations": {"a": {"ipvs.tcpTimeout": {"before": 1, "ours": "y"}}}}',
            "ipvs.tcpTimeout is not recorded as text",
            id="a number",
        ),
    ],
)
def test_a_record_of_another_is_refused(record, why):
    with pytest.raises(PlanError) as refused:
        parse_record(record, "x")
    assert str(refused.value) == (
        f"x: the record of what it said before the first run cannot be used ({why}). Put the record back "
        "from a backup; or remove it, then what the configuration says now counts as original."
    )
