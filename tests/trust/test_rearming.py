# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls on open connections fail while these are re-armed: what is told is true, and the next run does the rest."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.tests.trust import node, page
from ansible_collections.kubenode.connections.tests.trust.connections import NUMBER, Connections
from ansible_collections.kubenode.connections.tests.trust.faults import SIGNALS, Seen, sampled
from ansible_collections.kubenode.connections.tests.trust.strace import ON_SOCKETS, Call, Fault, calls, injector, logger
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated

KEEPALIVE = {"time": 600, "intvl": 30, "probes": 9}
LIMITS = {"limit": 900, "outside_limit": 900}
OPTIONS = {"open_connections": {**KEEPALIVE, **LIMITS}}
ERRORS = ("EIO", "EPERM", "EMFILE", "ENOSYS", "ENOMEM")
ARMED, BEFORE, SILENT = [1, 600, 30, 9], [1, 7200, 75, 9], [0, 7200, 75, 9]


def faults_of(call: Call) -> Iterator[Fault]:
    for what in ERRORS:
        yield Fault(call, what)
        yield Fault(call, what, True)
    for what in SIGNALS:
        yield Fault(call, what)


def judge(fault: Fault, answer: node.Answer, now: list[list[int]]) -> tuple[str, list[str]]:
    """What came of a run, and what of that must not be: to promise more than there is, or to leave one in silence.

    Where a process was ended, or could not read back what it has set, fewer are told than are armed.
    """
    if answer.returncode < 0:
        return "killed", []
    if answer.err or answer.failed:
        return "traceback", [answer.err or answer.result["msg"]]
    armed = sum(each == ARMED for each in now)
    told, notes = answer.result["open_connections"], "\n".join(answer.result["notes"])
    ended = fault.what.startswith("SIG")
    wrong = []
    if told["rearmed"] > armed or (told["rearmed"] < armed and not (ended or fault.call.name == "getsockopt")):
        wrong.append(f"{told['rearmed']} told as re-armed, {armed} are: {notes}")
    undone = not (ended or fault.stays)
    if undone and any(each not in (ARMED, BEFORE, SILENT) for each in now):
        wrong.append(f"half of its values, and the run goes on: {now}")
    if told["rearmed"] == NUMBER:
        return "new", wrong
    if not notes or (told["rearmed"] + told["not_rearmed"] != NUMBER and "were not looked at" not in notes):
        wrong.append(f"{told['rearmed']} are re-armed, {told['not_rearmed']} are not, expected {NUMBER}: {notes}")
    return "said", wrong


@isolated
def test_what_is_told_of_open_connections_is_true_whatever_fails(tmp_path, every, figures):
    node.take_over()
    connections = Connections()

    def run(tracer=None):
        return node.Running("node_settings", OPTIONS, tmp_path, tracer).end()

    def anew() -> None:
        assert not node.Running("node_settings", {"state": "absent"}, tmp_path).end().failed
        connections.renew()

    anew()
    assert run(logger(tmp_path)).result["open_connections"]["rearmed"] == NUMBER
    faults = [fault for call in calls(tmp_path, ON_SOCKETS) for fault in faults_of(call)]
    assert len({fault.call.name for fault in faults}) == len(ON_SOCKETS)
    wrong = []
    for fault in sampled(faults, every):
        anew()
        outcome, found = judge(fault, run(injector(fault)), connections.read())
        page.remember(figures, page.OPEN, "converge", Seen(fault, outcome, tuple(found)))
        again = run()
        if again.failed or connections.read()[:NUMBER] != [ARMED] * NUMBER:
            found.append(f"the next run leaves {connections.read()}: {again.out}")
        wrong += [f"{fault}: {each}" for each in found]
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong])
