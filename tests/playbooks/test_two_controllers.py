# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two controllers with different plans for the same four hosts."""

from __future__ import annotations

import os
import signal

from ansible_collections.kubenode.connections.tests.playbooks._fleet import BEATEN
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import TIME


def test_an_apply_that_stood_still_while_another_ran_touches_no_further_node(four):
    """A laptop that slept in the midst of it: its plan is that of before, and the nodes have another one now."""
    other = four.another_controller()
    with four.stopped(lambda: four.sysctl("cp1", TIME) == "200", "apply", keepalive_time=200) as asleep:
        ran = other.run("apply", keepalive_time=100)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        os.killpg(asleep.pid, signal.SIGCONT)
        told, _nothing = asleep.communicate()
    assert [four.sysctl(name, TIME) for name in four.pids] == ["100"] * 4
    assert asleep.returncode != 0
    assert any(words in " ".join(told.split()) for words in BEATEN), told
    again = four.run("apply", keepalive_time=200)
    assert again.returncode == 0, again.stdout + again.stderr
    assert [four.sysctl(name, TIME) for name in four.pids] == ["200"] * 4
