# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is pure of it; test__steps_pods has the pods."""

import os
import signal
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import pod_keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.pod_keepalive import (
    Order,
    has_ours,
    mixtures,
)


def test_what_a_pod_can_have_between_two_keepalives():
    assert mixtures("7200/75/9", "600/30/9") == ["7200/30/9", "600/75/9"]
    assert mixtures("7200/75/9", "600/75/9") == []
    assert len(mixtures("7200/75/9", "233/11/5")) == 6


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        pytest.param("7200/75/9", False, id="what was there before"),
        pytest.param("600/30/9", True, id="what was written"),
        pytest.param("7200/30/9", True, id="one value of it"),
        pytest.param("1000/75/9", False, id="what somebody else has set"),
        pytest.param("1000/30/9", True, id="one value of it beside that"),
        pytest.param(None, True, id="nobody knows"),
    ],
)
def test_whether_something_of_ours_is_left(found, ours):
    assert has_ours(found, Order(None, "600/30/9", "7200/75/9")) is ours


def test_a_child_that_dies_costs_one_pod():
    def work(uid):
        if uid == "b":
            os.kill(os.getpid(), signal.SIGKILL)
        return uid.upper()

    found = pod_keepalive.in_each(work, "abc", lambda why: why)
    assert (found["a"], found["c"]) == ("A", "C")
    assert "the process that enters its network namespace ended with wait status" in found["b"]


def test_slow_pods_are_no_pods_that_hang(monkeypatch):
    """Each has its time, so the time of a child is not that of all."""
    monkeypatch.setattr(pod_keepalive, "_CHILD_SECONDS", 1)
    found = pod_keepalive.in_each(lambda uid: time.sleep(0.4) or uid.upper(), "abcd", lambda why: why)
    assert found == {uid: uid.upper() for uid in "abcd"}
