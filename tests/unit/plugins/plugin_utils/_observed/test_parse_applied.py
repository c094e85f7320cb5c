# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse_applied import (
    REFUSED,
    UNREAD,
    NotTaken,
    pods_not_taken,
)

POD = {"pod": "shop/web-0", "uid": "u", "wanted": "600/30/9", "found": "7200/75/9", "cause": "refused", "why": "EPERM"}


def test_a_pod_that_did_not_take_it():
    taken = NotTaken("shop/web-0", "u", "600/30/9", "7200/75/9", REFUSED, "EPERM")
    assert pods_not_taken({"pods_not_taken": [POD]}) == (taken,)


@pytest.mark.parametrize("pod", [7, {}, dict.fromkeys(POD, 7), {"cause": ["refused"]}, {"cause": "else"}])
def test_what_says_nothing_could_not_be_read(pod):
    nothing = NotTaken("?", None, "?", None, UNREAD, "no reason was given")
    assert pods_not_taken({"pods_not_taken": [pod]}) == (nothing,)


@pytest.mark.parametrize("outcome", [None, {}, {"failed": True}, {"pods_not_taken": "web"}, {"pods_not_taken": {}}])
def test_an_outcome_without_such_pods(outcome):
    assert pods_not_taken(outcome) == ()
