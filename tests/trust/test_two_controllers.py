# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two controllers at once, with different plans for the same hosts."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.kubenode.connections.tests.playbooks._fleet import BEATEN, fleet
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import TIME

FILE = "/etc/sysctl.d/k8s.conf"
ROUNDS = 10
LEAD_SECONDS = 0.2
"""More in each round: the second one comes into another moment of the first."""


def test_the_hosts_are_never_a_mixture_and_who_was_beaten_says_so(tmp_path, every):
    with fleet(tmp_path, "w1", "w2", "w3") as hosts, ThreadPoolExecutor(1) as elsewhere:
        hosts.variables["keepalive_middleboxes"] = ["aws_nlb"]
        other = hosts.another_controller()
        for number in range(ROUNDS if every == 1 else 1):
            wanted = 200 + number, 100 + number
            begun = elsewhere.submit(hosts.run, "apply", keepalive_time=wanted[0])
            time.sleep(number * LEAD_SECONDS)
            second = other.run("apply", keepalive_time=wanted[1])
            ran = {wanted[0]: begun.result(), wanted[1]: second}
            (now,) = {int(hosts.sysctl(name, TIME)) for name in hosts.pids}
            for name in hosts.pids:
                assert f"{TIME} = {now}\n" in (hosts.file(name, FILE) or "")
            assert ran[now].returncode == 0, ran[now].stdout
            for each in ran.values():
                assert each.returncode == 0 or any(words in " ".join(each.stdout.split()) for words in BEATEN)
