# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import signal
import subprocess

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import Step, foresee, run
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import NotSyncedError

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def signals_as_usual():
    """Also where these tests themselves run with nohup or in the background of a shell, which ignore some."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


AS_BEFORE = "The node is as before: everything that this run had written was undone and read back."


class Shelf(Step):
    """A place in a dict, to see the order of things; the steps that touch the node have tests of their own."""

    def __init__(self, node, name, after, fail="", area="shelves", completes=False):
        super().__init__(name, node.get(name), after)
        self.node, self.fail, self.area, self.completes = node, fail, area, completes
        self.log = node.setdefault("log", [])

    def foresee(self):
        if self.fail == "foresee":
            raise NodeError(self.name + ": impossible.")

    def read(self):
        return self.node.get(self.name)

    def apply(self):
        self.log.append("+" + self.name)
        self.node[self.name] = "half" if self.fail == "apply" else self.after
        if self.fail == "apply":
            raise NodeError(self.name + ": refused.")
        if self.fail == "clamp":
            self.node[self.name] = "clamped"
        if self.fail == "crash":
            raise KeyError("oops")
        if self.fail == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        if self.fail == "not synced":
            raise NotSyncedError(self.name + ": not synced.")

    def undo(self):
        self.log.append("-" + self.name)
        if self.fail == "late signals":
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGHUP)
        if self.fail == "undo":
            raise NodeError(self.name + ": stuck.")
        self.node[self.name] = self.before
        if self.fail == "undo to something else":
            self.node[self.name] = "odd"


def shelves(*fails, **kwargs):
    node = dict.fromkeys("abcd", "old")
    fails = dict(zip("abcd", fails))
    return node, [Shelf(node, name, "new", fails.get(name, ""), **kwargs) for name in "abcd"]


def test_steps_apply_in_order_and_only_those_that_change_something():
    node, steps = shelves()
    steps[1].after = "old"
    run(steps)
    assert node == {"a": "new", "b": "old", "c": "new", "d": "new", "log": ["+a", "+c", "+d"]}


@pytest.mark.parametrize(
    ("fail", "cause"),
    [
        pytest.param("apply", "c: refused.", id="a write that is refused half-way"),
        pytest.param(
            "clamp",
            "c: it holds 'clamped' after 'new' was written (read back). Choose a value that this node keeps, or "
            "find out who "
            "else writes there.",
            id="a value that the node does not keep",
        ),
        pytest.param(
            "crash",
            "This run: it met KeyError: 'oops'. Please report it as a mistake in kubenode.connections.",
            id="a mistake in the code",
        ),
        pytest.param("signal", "This run: it got signal 15 from outside. Run again.", id="a signal from outside"),
    ],
)
def test_on_any_failure_everything_is_undone_in_reverse(fail, cause):
    node, steps = shelves("", "", fail)
    with pytest.raises(NodeError) as error:
        run(steps)
    assert str(error.value) == cause + " " + AS_BEFORE
    assert node == {"a": "old", "b": "old", "c": "old", "d": "old", "log": ["+a", "+b", "+c", "-c", "-b", "-a"]}


def test_a_step_that_a_later_one_spoils_is_a_failure():
    node, steps = shelves()
    real = steps[3].apply
    steps[3].apply = lambda: (real(), node.update(a="spoilt"))
    with pytest.raises(NodeError, match=r"^a: it holds 'spoilt' after 'new' was written"):
        run(steps)
    assert {node[name] for name in "abcd"} == {"old"}


def test_what_people_may_not_see_of_a_step_is_in_no_message(monkeypatch):
    monkeypatch.setattr(Shelf, "show", lambda _self, _value: "")
    _node, steps = shelves("", "undo to something else", "clamp")
    with pytest.raises(NodeError) as error:
        run(steps)
    assert str(error.value) == (
        "c: it holds something else than was written (read back). Choose a value that this node keeps, or find out "
        "who else writes there. The node is not as before, this could not be undone: b: it holds something else than "
        "before. Mend that by hand."
    )


@pytest.mark.parametrize(
    ("fail", "why"),
    [
        pytest.param("undo", "b: stuck. b: it holds 'new', before it was 'old'.", id="an undo that fails"),
        pytest.param("undo to something else", "b: it holds 'odd', before it was 'old'.", id="an undo without effect"),
    ],
)
def test_what_cannot_be_undone_is_named_and_the_rest_is_undone(fail, why):
    node, steps = shelves("", fail, "apply")
    with pytest.raises(NodeError) as error:
        run(steps)
    assert str(error.value) == (
        f"c: refused. The node is not as before, this could not be undone: {why} Mend that by hand."
    )
    assert (node["a"], node["c"]) == ("old", "old")


def test_the_originals_stay_when_something_else_could_not_be_undone():
    node, steps = shelves("", "undo", "apply")
    steps[0].needed_after_failure = True
    with pytest.raises(NodeError) as error:
        run(steps)
    assert node["a"] == "new"
    assert str(error.value).endswith(
        "b: it holds 'new', before it was 'old'. The originals are kept on the node: mend the cause, then run "
        "kubenode.connections.node_settings with state=absent."
    )


def test_nothing_is_applied_when_a_failure_is_foreseen():
    node, steps = shelves("", "", "foresee")
    with pytest.raises(NodeError) as error:
        foresee(steps)
    assert (str(error.value), node["log"]) == ("c: impossible.", [])


def test_a_step_without_a_change_foresees_nothing():
    _node, steps = shelves("", "", "foresee")
    steps[2].after = "old"
    foresee(steps)


def test_signals_are_as_before_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]
    run(shelves()[1])
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("fails", [("late signals", "", "apply"), ("late signals", "undo", "apply")])
def test_signals_while_a_run_is_undone_are_told_and_change_nothing(fails):
    node, steps = shelves(*fails)
    with pytest.raises(NodeError) as error:
        run(steps)
    assert str(error.value).startswith("c: refused. ")
    assert str(error.value).endswith(
        " Signal 1 came from outside meanwhile. It changed nothing about that. Signal 15 came from outside meanwhile. "
        "It changed nothing about that."
    )
    assert (node["a"], node["log"]) == ("old", ["+a", "+b", "+c", "-c", "-b", "-a"])


def test_a_signal_before_the_step_that_completes_undoes_the_run():
    """It comes when all others are written and read back for the second time."""
    node, steps = shelves()
    steps[3].completes = True
    real, reads = steps[2].read, []

    def read():
        reads.append(1)
        if len(reads) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return real()

    steps[2].read = read
    with pytest.raises(NodeError, match="signal 15 from outside"):
        run(steps)
    assert node["log"] == ["+a", "+b", "+c", "-c", "-b", "-a"]


def test_a_signal_during_the_last_step_finds_the_run_complete():
    node, steps = shelves("", "", "", "signal")
    steps[3].completes = True
    assert run(steps) == ["Signal 15 came from outside when this run was complete."]
    assert {node[name] for name in "abcd"} == {"new"}


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        node, steps = shelves("", "", "signal")
        assert run(steps) == []
        assert {node[name] for name in "abcd"} == {"new"}
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_program_that_a_step_runs_is_not_ended_by_a_signal_to_all():
    """As Ctrl-C in a terminal, which goes to every process of the group."""
    _node, steps = shelves()
    real, ended = steps[1].apply, []

    def apply():
        program = subprocess.Popen(["sh", "-c", "echo started; read line; exit 7"], stdin=-1, stdout=-1)
        program.stdout.readline()
        for number in SIGNALS:
            program.send_signal(number)
        program.communicate(b"\n")
        ended.append(program.returncode)
        real()

    steps[1].apply = apply
    run(steps)
    assert ended == [7]


@pytest.mark.parametrize(
    ("fail", "told"),
    [
        pytest.param("", [], id="all went well"),
        pytest.param("not synced", ["d: not synced. This run is complete all the same."], id="it is not on disk yet"),
        pytest.param(
            "clamp",
            [
                (
                    "d: it holds 'clamped' after 'new' was written (read back). Choose a value that this node keeps, "
                    "or find out who else writes there."
                )
            ],
            id="it does not read back",
        ),
    ],
)
def test_once_the_last_step_has_taken_effect_nothing_is_undone(fail, told):
    node, steps = shelves("", "", "", fail)
    steps[3].completes = True
    assert run(steps) == told
    assert [node[name] for name in "abc"] == ["new"] * 3
    assert node["log"] == ["+a", "+b", "+c", "+d"]


@pytest.mark.parametrize("fail", ["apply", "crash"])
def test_a_last_step_that_has_not_taken_effect_undoes_the_run(fail):
    node, steps = shelves("", "", "", fail)
    steps[3].completes = True
    with pytest.raises(NodeError, match="The node is as before"):
        run(steps)
    assert node["log"] == ["+a", "+b", "+c", "+d", "-c", "-b", "-a"]


def test_the_last_step_comes_after_all_others_were_read_back_a_second_time():
    node, steps = shelves()
    steps[3].completes = True
    real = steps[2].apply
    steps[2].apply = lambda: (real(), node.update(a="spoilt"))
    with pytest.raises(NodeError, match=r"^a: it holds 'spoilt'"):
        run(steps)
    assert "+d" not in node["log"]


def test_any_other_step_that_is_not_on_disk_yet_undoes_the_run():
    node, steps = shelves("", "not synced")
    with pytest.raises(NodeError, match=r"^b: not synced. The node is as before"):
        run(steps)
    assert {node[name] for name in "abcd"} == {"old"}
