# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.connection_counts import (
    Counts,
    Tallied,
    Under,
    count,
    unlisted,
    unlisted_outside,
    without_limit,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KERNEL_DEFAULT, Keepalive

SAFE = Keepalive(600, 30, 9)
SEEN = Counts(without_keepalive=1, late=2, undecided=3, safe=4, kept_by_server=5)


def test_those_at_risk():
    assert SEEN.at_risk == 3


def test_a_server_keeps_those_at_risk():
    assert SEEN.by_server() == Counts(undecided=3, safe=4, kept_by_server=8)


def test_of_those_without_keepalive_nobody_can_tell():
    assert SEEN.but_without() == Counts(late=2, undecided=4, safe=4, kept_by_server=5)


def test_several_add_up():
    assert SEEN.plus(Counts(late=1)) == Counts(1, 3, 3, 4, 5)


@pytest.mark.parametrize(
    ("keepalive", "under", "idle_unseen", "counted"),
    [
        pytest.param(SAFE, Under(900, True), False, (Counts(1, 3, 2, 4), 0), id="a safe namespace"),
        pytest.param(KERNEL_DEFAULT, Under(900, True), False, (Counts(1, 3, 6, 0), 0), id="a namespace that is late"),
        pytest.param(None, Under(900, True), False, (Counts(1, 0, 9, 0), 0), id="a keepalive that nobody read"),
        pytest.param(SAFE, Under(900, True), True, (Counts(1, 3, 6, 0), 4), id="how long they are idle was not seen"),
        pytest.param(SAFE, Under(None, True), False, (Counts(safe=10), 0), id="nothing forgets"),
        pytest.param(SAFE, Under(None, False), False, (Counts(undecided=10), 0), id="a limit may be hidden"),
    ],
)
def test_the_connections_to_one_peer(keepalive, under, idle_unseen, counted):
    assert count(Tallied(10, 1, 2, [(500, 4), (7200, 3)]), keepalive, under, idle_unseen) == counted


@pytest.mark.parametrize(
    ("under", "counted"),
    [(Under(900, True), Counts(without_keepalive=3, undecided=5)), (Under(None, True), Counts(safe=8))],
)
def test_connections_to_services_that_are_not_listed(under, counted):
    assert unlisted(10, 4, [Tallied(2, 1, 0, [])], under) == counted


@pytest.mark.parametrize(
    ("is_long", "bound", "counted"),
    [
        (False, False, Counts(without_keepalive=3, undecided=5)),
        (True, True, Counts(undecided=8)),
        (True, False, Counts(safe=8)),
    ],
)
def test_connections_to_other_addresses_that_are_not_listed(is_long, bound, counted):
    assert unlisted_outside(10, 4, [Tallied(2, 1, 0, [])], is_long, bound) == counted


def test_without_a_limit_they_are_safe_only_where_every_limit_was_seen():
    assert (without_limit(2, True), without_limit(2, False)) == (Counts(safe=2), Counts(undecided=2))
