# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._guard import main
from ansible_collections.kubenode.connections.plugins.module_utils._guard.judge import judge
from ansible_collections.kubenode.connections.plugins.module_utils._guard.samples import Run
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import (
    KERNEL,
    PLANNED,
    WATCH,
    conf,
    node,
    row,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    sysctl,
)


def run(seen, **more):
    values = dict({"now": 1, "problems": 0, "cured": 0, "node": seen, "changes": 0}, **more)
    return Run(figures=judge(seen, WATCH), **values)


def test_a_run_in_one_line():
    safe = run(node(row("node", PLANNED)))
    assert main.line(safe, []) == "safe: idle limit 900 s, keepalive 600/30/9, 0 pods and 0 connections at risk"
    late = run(node(row("node", PLANNED), row("pod", KERNEL)), changes=2, cured=1)
    assert main.line(late, ["a", "b", "c", "d"]) == (
        "unsafe: idle limit 900 s, keepalive 600/30/9, 1 pods and 0 connections at risk, "
        "2 values differ from the plan, 1 given the planned keepalive; a; b; c; 1 more"
    )
    assert main.line(Run(1, 1, 0, None, None, None), ["why"]) == "the node could not be read; why"


@isolated
def test_a_value_that_someone_else_changed_differs_from_the_plan():
    before = main.look(conf(), False)[0]
    sysctl("net.ipv4.tcp_keepalive_time", "600")
    after = main.look(conf(), False)[0]
    # The line in the file is still missing.
    assert (before.changes, after.changes) == (2, 1)
    assert after.figures.keepalive.time == 600


@isolated
def test_a_mistake_in_one_part_leaves_the_others(monkeypatch):
    def fail(_node, _watch):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(main.judge, "judge", fail)
    seen, problems = main.look(conf(), False)
    assert (seen.figures, seen.changes, seen.problems) == (None, 2, len(problems))
    assert "ZeroDivisionError: oops. Please report it as a mistake in kubenode.connections." in problems


@isolated
def test_without_a_cure_nothing_is_written_but_the_metrics():
    main.look(conf(), False)
    assert (read("/run/kubenode.prom"), sysctl("net.ipv4.tcp_keepalive_time")) == (None, "7200")
