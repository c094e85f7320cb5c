# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step on a cgroup of the test's own, which stands for the root of cgroup v2, with real connections."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.enforce import Enforce
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import Step, foresee, run
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, sock_ops
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._own_cgroup import (
    KERNEL,
    OURS,
    WANTED,
    as_root,
    as_root_cgroup,
    as_root_without_entry,
    attach,
    attach_alone,
    attach_foreign,
    attach_marker,
    attach_ours,
    connect,
    names,
    opened,
    own_cgroup,
)

WISH = Enforcement(WANTED)


class LaterStep(Step):
    """It does something when it is applied, which nobody undoes."""

    def __init__(self, work):
        super().__init__("a later step", 0, 1)
        self._work = work
        self._now = 0

    def read(self):
        return self._now

    def apply(self):
        self._work()
        self._now = 1

    def undo(self):
        self._now = 0


class FailingStep(LaterStep):
    def __init__(self, work=lambda: None):
        super().__init__(work)

    def apply(self):
        super().apply()
        raise NodeError("a later step: it failed.")


SOONER = Enforcement(Keepalive(300, 10, 9))
LATER = Enforcement(Keepalive(900, 40, 9))
NAME = sock_ops.name_of(WANTED)
AS_BEFORE = " The node is as before: everything that this run had written was undone and read back."
OR_NOT = " Or leave enforce out (keepalive_enforce false)."


def programs(path):
    with opened(path) as cgroup:
        return bpf.attached(cgroup)[0]


def apply(record, wanted):
    """The record afterwards."""
    step = Enforce(record, wanted)
    foresee([step])
    run([step])
    return step.kept(final=True)


def test_new_connections_have_it_from_then_on_and_no_more_when_it_is_given_back():
    with as_root_cgroup("/pod") as path:
        record = apply(None, WISH)
        assert record == WISH
        assert connect(path + "/pod") == [OURS, OURS]
        assert apply(record, None) is None
        assert (names(path), connect(path + "/pod")) == ([], [KERNEL, KERNEL])


def test_a_second_run_changes_nothing():
    with as_root_cgroup("/excluded") as path:
        wish = Enforcement(WANTED, (443,), ("/excluded",))
        apply(None, wish)
        before = programs(path)
        again = Enforce(wish, wish)
        assert not again.changed
        run([again])
        assert programs(path) == before


@pytest.mark.parametrize("wish", [SOONER, LATER, Enforcement(WANTED, (443,))])
def test_other_values_or_ports_take_the_place_of_the_first(wish):
    with as_root_cgroup() as path:
        record = apply(None, WISH)
        apply(record, wish)
        assert names(path) == [sock_ops.name_of(wish.keepalive)]
        assert {end[1:] for end in connect(path)} == {(True, *wish.keepalive)}


def test_the_programs_of_others_stay_in_every_case():
    with as_root_cgroup() as path:
        foreign = attach_foreign(path)
        for record, wish in ((None, WISH), (WISH, SOONER), (SOONER, None)):
            apply(record, wish)
            assert programs(path)[0] == foreign
        assert programs(path) == [foreign]


def test_of_several_of_ours_one_stays():
    with as_root_cgroup() as path:
        attach_ours(path, Keepalive(60, 10, 3))
        exact = attach_ours(path)
        attach_ours(path)
        apply(None, WISH)
        assert programs(path) == [exact]


def test_cgroups_that_are_excluded_and_no_more():
    with as_root_cgroup("/one", "/two") as path:
        record = apply(None, WISH._replace(exclude_cgroups=("/one",)))
        assert [connect(path + place)[0] for place in ("/one", "/two")] == [KERNEL, OURS]
        step = Enforce(record, WISH._replace(exclude_cgroups=("/two",)))
        assert step.kept(final=False).exclude_cgroups == ("/one", "/two")
        run([step])
        assert [connect(path + place)[0] for place in ("/one", "/two")] == [OURS, KERNEL]
        apply(step.kept(final=True), None)
        assert (names(path + "/one"), names(path + "/two")) == ([], [])


def test_an_excluded_cgroup_that_is_not_there_is_a_note_and_no_change_until_it_is():
    with as_root_cgroup() as path:
        wish = WISH._replace(exclude_cgroups=("/later",))
        step = Enforce(None, wish)
        run([step])
        assert step.notes() == ["The cgroup /later is not there now, so it is not excluded. Run again once it is."]
        assert step.kept(final=True) == wish
        assert not Enforce(wish, wish).changed
        os.mkdir(path + "/later")
        again = Enforce(wish, wish)
        assert (again.changed, again.notes()) == (True, [])
        run([again])
        assert names(path + "/later") == [sock_ops.MARKER]


def test_one_that_is_gone_by_then_needs_nothing_to_be_given_back():
    with as_root_cgroup("/gone") as path:
        record = apply(None, WISH._replace(exclude_cgroups=("/gone",)))
        os.rmdir(path + "/gone")
        assert apply(record, None) is None


def test_one_that_goes_away_during_the_run_is_not_missed():
    with as_root_cgroup("/gone", "/one") as path:
        wish = WISH._replace(exclude_cgroups=("/gone", "/one"))
        step = Enforce(None, wish)
        run([step, LaterStep(lambda: os.rmdir(path + "/gone"))])
        assert step.show(step.after)["exclude_cgroups"] == ["/one"]
        assert (step.kept(final=True), names(path), names(path + "/one")) == (wish, [NAME], [sock_ops.MARKER])
        back = Enforce(wish, None)
        with pytest.raises(NodeError) as error:
            run([back, FailingStep(lambda: os.rmdir(path + "/one"))])
        assert str(error.value) == "a later step: it failed." + AS_BEFORE


def test_a_program_that_is_only_named_like_that_of_excluded_cgroups_is_replaced_and_comes_back_with_undo():
    with as_root_cgroup("/one") as path:
        stale = attach(path + "/one", sock_ops.code_of(sock_ops.program(WANTED)), sock_ops.MARKER)
        attach_ours(path)
        wish = WISH._replace(exclude_cgroups=("/one",))
        with pytest.raises(NodeError) as error:
            run([Enforce(wish, wish), FailingStep()])
        assert str(error.value).endswith(AS_BEFORE)
        assert programs(path + "/one") == [stale]
        run([Enforce(wish, wish)])
        assert names(path + "/one") == [sock_ops.MARKER]
        assert connect(path + "/one") == [KERNEL, KERNEL]
        assert not Enforce(wish, wish).changed


def test_such_a_program_goes_when_it_is_given_back():
    with as_root_cgroup("/one") as path:
        attach(path + "/one", sock_ops.code_of(sock_ops.program(WANTED)), sock_ops.MARKER)
        run([Enforce(WISH._replace(exclude_cgroups=("/one",)), None)])
        assert names(path + "/one") == []


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(Keepalive(60, 10, 3), id="all of it"),
        pytest.param(Keepalive(600, 10, 3), id="the intvl"),
        pytest.param(Keepalive(60, 30, 3), id="the time"),
    ],
)
def test_what_somebody_else_makes_sooner_is_no_failure(foreign):
    with own_cgroup("/root") as path:
        attach(path, sock_ops.code_of(sock_ops.program(foreign)), "foreign")
        with as_root(path + "/root"):
            apply(None, WISH)
            assert names(path + "/root") == [NAME]


@pytest.mark.parametrize(
    ("option", "value", "holds"),
    [
        pytest.param(4, 601, "601/30/9", id="a later time"),
        pytest.param(5, 31, "600/31/9", id="a later intvl"),
        pytest.param(6, 8, "600/30/8", id="other probes"),
    ],
)
def test_what_somebody_else_makes_later_is_a_failure(option, value, holds):
    with own_cgroup("/root") as path:
        attach_foreign(path, option, value)
        with as_root(path + "/root"), pytest.raises(
            NodeError, match=f"SO_KEEPALIVE on, {holds}, expected on, 600/30/9"
        ):
            apply(None, WISH)


def test_the_trial_takes_neither_a_port_nor_a_cgroup_that_is_excluded():
    with as_root_cgroup("/excluded") as path:
        attach_marker(path + "/excluded")
        apply(None, Enforcement(WANTED, (65535, 65534), ("/excluded",)))
        assert names(path) == [NAME]


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(None, id="nothing"),
        pytest.param(SOONER._replace(exclude_cgroups=("/one",)), id="another one of ours"),
    ],
)
def test_when_a_later_step_fails_it_is_as_before(before):
    with as_root_cgroup("/one", "/two") as path:
        foreign = attach_foreign(path)
        if before:
            apply(None, before)
        seen = {place: programs(path + place) for place in ("", "/one", "/two")}
        step = Enforce(before, WISH._replace(exclude_cgroups=("/two",)))
        with pytest.raises(NodeError) as error:
            run([step, FailingStep()])
        assert str(error.value).endswith(AS_BEFORE)
        assert programs(path)[0] == foreign
        assert programs(path) == seen[""]
        assert [names(path + place) for place in ("/one", "/two")] == [
            [each.name for each in seen[place]] for place in ("/one", "/two")
        ]
        assert connect(path)[0] == (OURS._replace(time=300, intvl=10) if before else KERNEL)


def test_what_was_given_back_is_there_again_when_a_later_step_fails():
    with as_root_cgroup("/one") as path:
        record = apply(None, WISH._replace(exclude_cgroups=("/one",)))
        before = programs(path)
        with pytest.raises(NodeError):
            run([Enforce(record, None), FailingStep()])
        assert (programs(path), names(path + "/one")) == (before, [sock_ops.MARKER])


def test_a_trial_that_shows_other_values_fails_and_all_is_as_before():
    """Another program, on the cgroup above, sets TCP_KEEPIDLE (4) afterwards: as where a kernel does not take it."""
    with own_cgroup("/root") as path:
        attach_foreign(path, option=4, value=7000)
        with as_root(path + "/root"):
            step = Enforce(None, WISH)
            with pytest.raises(NodeError) as error:
                run([step])
        assert names(path + "/root") == []
    assert str(error.value) == (
        "keepalive of every new connection: a trial connection (IPv4, the end that opened it) has SO_KEEPALIVE on, "
        f"7000/30/9, expected on, 600/30/9: Linux {os.uname().release} does not take these options from a program, or "
        "the program of somebody else sets them (bpftool cgroup tree). Set keepalive_enforce to false, or have that "
        "program detached." + AS_BEFORE
    )


def test_a_run_that_cannot_enter_the_root_for_the_trial_says_so():
    with as_root_without_entry(), pytest.raises(NodeError) as error:
        apply(None, WISH)
    assert "(IPv4, the end that opened it) has SO_KEEPALIVE off, 7200/75/9, expected on, 600/30/9: " in str(error.value)
    assert str(error.value).endswith(
        " Or this very run is in an excluded cgroup: it could not enter the root cgroup for the trial." + AS_BEFORE
    )


def test_where_it_is_clear_beforehand_nothing_is_tried():
    with as_root_cgroup() as path:
        attach_alone(path)
        with pytest.raises(NodeError) as error:
            foresee([Enforce(None, WISH)])
    assert str(error.value) == (
        "keepalive of every new connection: it cannot be enforced here. The program alone of somebody else is attached "
        "to the root cgroup and lets none be beside it: have it attached with BPF_F_ALLOW_MULTI, or detached." + OR_NOT
    )


@isolated
def test_in_a_container_with_the_cgroups_of_its_host_nothing_is_tried():
    mount(write("/run/cgroup", b"0::/docker/abc\n"), "/proc/1/cgroup", "none", 4096)
    with pytest.raises(NodeError) as error:
        foresee([Enforce(None, WISH)])
    assert str(error.value) == (
        "keepalive of every new connection: it cannot be enforced here. The first process here is in the cgroup "
        "/docker/abc, so this is a container that reaches the root of its host or a part of it alone: run on the host "
        "itself, or give the container cgroup and process namespaces of its own." + OR_NOT
    )


def test_it_is_clear_beforehand_which_cgroup_cannot_be_excluded():
    with as_root_cgroup("/one", "/two") as path:
        attach_marker(path + "/one")
        attach_alone(path + "/two")
        with pytest.raises(NodeError) as error:
            foresee([Enforce(None, WISH._replace(exclude_cgroups=("/gone", "/one", "/two")))])
        foresee([Enforce(None, WISH._replace(exclude_cgroups=("/gone", "/one")))])
    assert str(error.value) == (
        "keepalive of every new connection: the cgroup /two cannot be excluded. The program alone of somebody else is "
        "attached to it and lets none be beside it: have it attached with BPF_F_ALLOW_MULTI, or detached. Or leave the "
        "cgroup out of exclude_cgroups (keepalive_enforce_exclude_cgroups)."
    )


def test_what_cannot_be_seen_is_nothing_without_a_record_and_an_error_with_one(tmp_path):
    with as_root(str(tmp_path)):
        assert not Enforce(None, None).changed
        assert Enforce(None, WISH).before == ((), ())
        with pytest.raises(NodeError) as error:
            Enforce(WISH, None)
        assert str(error.value) == (
            "keepalive of every new connection: not read: Bad file descriptor (EBADF). Mend that and run again."
        )


def test_what_it_shows():
    with as_root_cgroup("/one") as path:
        wish = Enforcement(WANTED, (443,), ("/gone", "/one"))
        step = Enforce(None, wish)
        assert (step.show(step.before), step.show(step.after)) == (
            None,
            {"keepalive": "600/30/9", "exclude_ports": [443], "exclude_cgroups": ["/one"]},
        )
        run([step])
        back = Enforce(wish, SOONER)
        assert back.show(back.before) == step.show(step.after)
        assert back.show(back.after) == {"keepalive": "300/10/9", "exclude_ports": [], "exclude_cgroups": []}
        assert names(path) == [NAME]
