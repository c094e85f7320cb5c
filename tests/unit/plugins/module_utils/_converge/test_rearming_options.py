# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import re

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, settings_from
from ansible_collections.kubenode.connections.plugins.module_utils._converge.rearming_options import (
    KINDS,
    OpenConnections,
    remembered,
)

NOT_GIVEN = dict.fromkeys(("mode", "time", "intvl", "probes", "limit", "outside_limit", "kinds"))
VALUES = {"time": 600, "intvl": 30, "probes": 9}
PLANNED = Keepalive(600, 30, 9)


def asked(given, observe=None):
    """What becomes of the option as Ansible passes it on."""
    options = dict.fromkeys(("modules", "sysctls", "ipvs_timeouts", "rps", "pods", "containers", "enforce"))
    options.update(
        state="present",
        ipvs_timeouts_persistent=True,
        namespace_ipvs_timeouts=None,
        sysctl_file="/etc/sysctl.d/k8s.conf",
        modules_file="/etc/modules-load.d/k8s.conf",
        observe=observe,
        open_connections=given if given is None else dict(NOT_GIVEN, **given),
    )
    return settings_from(options).open_connections


ASKED = [
    pytest.param(None, None, id="not given"),
    pytest.param({}, None, id="nothing in it"),
    pytest.param(dict(VALUES, limit=900), OpenConnections("rearm", PLANNED, 900, None), id="connections to services"),
    pytest.param(
        dict(VALUES, mode="all", limit=900, outside_limit=350),
        OpenConnections("all", PLANNED, 900, 350),
        id="all of them",
    ),
    pytest.param(
        dict(VALUES, kinds=["node", "pod"]), OpenConnections("rearm", PLANNED, None, None, ("node", "pod")), id="kinds"
    ),
]


@pytest.mark.parametrize(("given", "expected"), ASKED)
def test_what_is_asked_for(given, expected):
    assert asked(given) == expected


def test_kube_proxy_is_asked_where_the_look_at_the_node_asks_it():
    found = asked(VALUES, {"kube_proxy_address": "10.0.0.7:10249", "kube_proxy_timeout": 1.5})
    assert found[4:] == (KINDS, "10.0.0.7:10249", 1.5)


def test_the_last_keepalives_that_were_given_are_remembered_each_once():
    kept = ()
    for seconds in (600, 350, 600, 300, 250, 200):
        kept = remembered(kept, OpenConnections("rearm", Keepalive(seconds, 30, 9), 900, None))
    assert [each.time for each in kept] == [350, 300, 250, 200]


def test_to_give_everything_back_touches_no_connection():
    assert NOTHING.open_connections is None


WRONG = [
    (
        {"time": 600},
        "open_connections: intvl is not given, and a keepalive has all three. Write time, intvl and probes.",
    ),
    (
        {"mode": "all"},
        "open_connections: time is not given, and a keepalive has all three. Write time, intvl and probes.",
    ),
    (
        dict(VALUES, probes=128),
        "open_connections: probes: 128 is not from 1 to 127 (tcp(7)). Choose such a value.",
    ),
    (
        dict(VALUES, limit=0),
        (
            "open_connections: limit: 0 is not from 1 to 2147483 seconds. Choose such a value, or leave it out for "
            "connections that nothing forgets."
        ),
    ),
    (
        dict(VALUES, outside_limit=2147484),
        (
            "open_connections: outside_limit: 2147484 is not from 1 to 2147483 seconds. Choose such a value, or leave "
            "it out for connections that nothing forgets."
        ),
    ),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_is_wrong_is_named(given, message):
    with pytest.raises(NodeError, match=f"^{re.escape(message)}$"):
        asked(given)
