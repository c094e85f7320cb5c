# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import FileRecord, LiveRecord
from ansible_collections.kubenode.connections.plugins.module_utils._converge.restorable import (
    LiveTarget,
    changed_since,
    file_target,
    live_target,
    whole_target,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._sysctl_files import (
    KEYS,
    files,
    foreign,
    foreign_lines,
    values,
    wishes,
)

NAME = "net.ipv4.tcp_keepalive_time"


def lines(*texts):
    return b"".join(text.encode() + b"\n" for text in texts)


def runs(current, *wanted):
    """The bytes and the record after runs that want this and that of the file."""
    record = None
    for wish in wanted:
        target = file_target("sysctls", current, record, wish)
        current, record = target.after, target.final
    return current, record


@given(st.one_of(st.none(), files), wishes, wishes)
def test_runs_and_a_restore_give_the_bytes_back(data, first, second):
    current, record = runs(data, first, second)
    assert runs(data, first, second, {}) == (data, None)
    assert file_target("sysctls", current, record, second).after == current


@given(st.one_of(st.none(), files), wishes, wishes)
def test_a_run_cut_off_before_or_after_its_write_can_be_given_back(data, first, second):
    current, record = runs(data, first)
    target = file_target("sysctls", current, record, second)
    for found in (current, target.after):
        assert file_target("sysctls", found, target.ahead, {}).after == data


@given(files, wishes, wishes, foreign_lines, foreign_lines)
def test_foreign_lines_added_between_runs_survive_a_restore(data, first, second, early, late):
    current, record = runs(data, first)
    current = early + b"\n" + (current or b"")
    target = file_target("sysctls", current, record, second)
    final = file_target("sysctls", late + b"\n" + (target.after or b""), target.final, {}).after
    without_us = late + b"\n" + early + b"\n" + data
    assert foreign(final, KEYS) == foreign(without_us, KEYS)
    assert values(final) == values(without_us)


CHANGES = [
    (
        "someone else's value is the original from then on",
        lines("%s = 7200"),
        [{NAME: "600"}, lines("%s = 300"), {NAME: "600"}, {}],
        lines("%s = 300"),
    ),
    (
        "our line comes back when someone else has removed it, and goes at the end",
        lines("vm.x=1"),
        [{NAME: "600"}, lines("vm.x=1"), {NAME: "600"}, {}],
        lines("vm.x=1"),
    ),
    (
        "a file that someone else has removed stays away",
        lines("vm.x=1"),
        [{NAME: "600"}, None, {}],
        None,
    ),
    (
        "a file of ours with foreign lines in it loses only our line",
        None,
        [{NAME: "600"}, lines("%s = 600", "vm.x=1"), {}],
        lines("vm.x=1"),
    ),
    (
        "a file of ours in which someone left only blank lines goes",
        None,
        [{NAME: "600"}, lines("", "%s = 600", ""), {}],
        None,
    ),
    (
        "an empty file that was there stays, empty",
        b"",
        [{NAME: "600"}, {}],
        b"",
    ),
    (
        "a key that is no longer wanted gets its line back, the others stay ours",
        lines("%s = 7200", "a.b = 1"),
        [{NAME: "600", "a.b": "2"}, {"a.b": "2"}],
        lines("%s = 7200", "a.b = 2"),
    ),
    (
        "a later value and a restore give the first original",
        lines("%s = 7200"),
        [{NAME: "600"}, {NAME: "300"}, {NAME: "100"}, {}],
        lines("%s = 7200"),
    ),
    (
        "foreign edits before and after a second run stay",
        lines("%s = 7200"),
        [{NAME: "600"}, lines("%s = 600", "vm.x=1"), {NAME: "300"}, lines("vm.y=1", "%s = 300", "vm.x=1"), {}],
        lines("vm.y=1", "%s = 7200", "vm.x=1"),
    ),
]


@pytest.mark.parametrize(("data", "story", "after"), [pytest.param(*row[1:], id=row[0]) for row in CHANGES])
def test_a_file_that_others_edit_too(data, story, after):
    """A story has our wishes (dict) and what someone else then makes of the file (bytes or None)."""
    current, record = named(data), None
    for event in story:
        if isinstance(event, dict):
            target = file_target("sysctls", current, record, event)
            current, record = target.after, target.final
        else:
            current = named(event)
    assert current == named(after)


def named(data):
    return None if data is None else data.replace(b"%s", NAME.encode())


def test_a_file_that_is_right_is_not_recorded():
    assert file_target("sysctls", b"a.b=1\n", None, {"a.b": "1"}).final is None


def test_lines_that_are_right_again_leave_the_record_as_it_is():
    current, record = runs(b"", {"a.b": "1"})
    assert file_target("sysctls", current + b"x.y=1\n", record, {"a.b": "1"}) == (
        current + b"x.y=1\n",
        record,
        record,
        None,
    )


FOUR = {NAME: "600", "a.b": "2", "c.d": "3", "e.f": "4"}
LINES = lines(f"{NAME} = 600", "a.b = 2", "c.d = 3", "e.f = 4")
SINCE = [
    ("nothing", LINES, {}, None),
    ("a foreign line was added", LINES + b"x.y = 1\n", {}, None),
    ("all is back as it was", lines(f"{NAME} = 7200", "a.b = 1"), {}, None),
    ("one line is back as it was", LINES.replace(b"600", b"7200"), {}, None),
    (
        "lines were changed and removed",
        lines(f"{NAME} = 300", "c.d = 3", "e.f = 5"),
        {},
        "/f: someone else has changed lines since they were written here, so they stay as they are: "
        + NAME
        + " (300 now, 600 as written here, 7200 before that), a.b (not there now, 2 as written here, 1 before that), "
        "e.f (5 now, 4 as written here, not there before that).",
    ),
    (
        "a line that is wanted was changed",
        lines(f"{NAME} = 300", "a.b = 2", "c.d = 3", "e.f = 4"),
        {NAME: "60"},
        None,
    ),
    ("the file is gone, and comes again", None, {NAME: "600"}, None),
    (
        "the file is gone",
        None,
        {},
        (
            "/f was removed by someone else since it was written here, so it stays away, and so do the 43 bytes that "
            "it had before the first run."
        ),
    ),
]


@pytest.mark.parametrize(("current", "wanted", "note"), [pytest.param(*row[1:], id=row[0]) for row in SINCE])
def test_what_someone_else_did_to_lines_of_ours_is_said(current, wanted, note):
    _current, record = runs(lines(f"{NAME} = 7200", "a.b = 1"), FOUR)
    assert changed_since("/f", current, record, wanted) == note


def test_a_module_that_someone_else_took_out_is_said():
    target = file_target("modules", b"overlay\n", None, {"ip_vs": ""})
    assert changed_since("/m", b"overlay\n# mine\n", target.final, {}) is None  # as it was
    record = target.final._replace(original=b"ip_vs\n")
    assert changed_since("/m", b"overlay\n# mine\n", record, {}) == (
        "/m: someone else has changed lines since they were written here, so they stay as they are: ip_vs (not there "
        "now, there as written here, there before that)."
    )


@given(st.one_of(st.none(), files), wishes, wishes)
def test_of_files_that_nobody_else_has_touched_nothing_is_said(data, first, second):
    current, record = runs(data, first)
    target = file_target("sysctls", current, record, second)
    for found in (current, target.after):
        assert changed_since("/f", found, target.ahead, {}) is None
    assert changed_since("/f", current, record, second) is None


WHOLE = FileRecord("whole", b"old", (), {})


def test_a_whole_file_comes_and_goes():
    there = whole_target("whole", "/u", None, None, b"unit")
    assert (there.after, there.final.original) == (b"unit", None)
    assert whole_target("whole", "/u", b"unit", there.final, b"unit") == (b"unit", there.final, there.final, None)
    assert whole_target("whole", "/u", b"unit", there.final, None).after is None
    newer = whole_target("whole", "/u", b"unit", there.final, b"newer")
    for found in (b"unit", b"newer"):
        assert whole_target("whole", "/u", found, newer.ahead, None) == (None, newer.ahead, None, None)


def test_a_whole_file_that_a_run_was_killed_before_writing_is_no_news():
    there = whole_target("whole", "/u", None, None, b"unit")
    assert whole_target("whole", "/u", None, there.ahead, None) == (None, there.ahead, None, None)


@pytest.mark.parametrize(
    ("original", "note"),
    [
        pytest.param(
            None,
            "/u was removed by someone else since it was written here, so there is nothing left to remove.",
            id="one that was not there before",
        ),
        pytest.param(
            b"old",
            "/u was removed by someone else since it was written here, so it stays away, and so do the 3 bytes that it "
            "had before the first run.",
            id="one that was there before",
        ),
    ],
)
def test_a_whole_file_that_someone_else_has_removed_is_said(original, note):
    there = whole_target("whole", "/u", original, None, b"unit")
    assert whole_target("whole", "/u", None, there.final, None) == (None, there.final, None, note)


OLDER = b"# Written by kubenode.connections, which removes it again.\nold\n"


@pytest.mark.parametrize("current", [b"unit", OLDER], ids=["as wanted", "with our first line"])
def test_a_whole_file_of_ours_without_a_record_was_not_there_before(current):
    target = whole_target("whole", "/u", current, None, b"unit")
    assert (target.after, target.final.original) == (b"unit", None)
    assert whole_target("whole", "/u", b"unit", target.final, None).after is None


@pytest.mark.parametrize(
    "current",
    [
        pytest.param(b"[Unit]\n# Written by kubenode.connections\n", id="a mark further down"),
        pytest.param(b"# Written by somebody for kubenode\n", id="another first line"),
    ],
)
def test_a_whole_file_of_somebody_else_is_the_original(current):
    assert whole_target("whole", "/u", current, None, b"unit").final.original == current


def test_a_whole_file_that_someone_else_has_edited_stays_with_a_note():
    there = whole_target("whole", "/u", None, None, b"unit")
    target = whole_target("whole", "/u", b"edited", there.final, None)
    assert (target.after, target.final) == (b"edited", None)
    assert target.note == (
        "/u was edited by someone else since it was written here, so it stays. Remove it if it is of no use."
    )


def test_a_whole_file_that_is_not_ours_and_not_wanted_stays():
    assert whole_target("whole", "/u", b"foreign", None, None) == (b"foreign", None, None, None)


OURS = LiveRecord("7200", ("600",))
LIVE = [
    ("the first run keeps the original", "7200", None, "600", ("600", OURS, OURS, None)),
    ("a value that is right is not ours", "600", None, "600", ("600", None, None, None)),
    ("a second run changes nothing", "600", OURS, "600", ("600", OURS, OURS, None)),
    (
        "another value keeps the first original, and meanwhile both values",
        "600",
        OURS,
        "300",
        ("300", LiveRecord("7200", ("600", "300")), LiveRecord("7200", ("300",)), None),
    ),
    ("after a reboot without our file the original stays", "7200", OURS, "600", ("600", OURS, OURS, None)),
    (
        "what someone else has set is the original from then on",
        "500",
        OURS,
        "600",
        ("600", LiveRecord("500", ("600",)), LiveRecord("500", ("600",)), None),
    ),
    ("giving back restores the original", "600", OURS, None, ("7200", OURS, None, None)),
    ("giving back what is back already does nothing", "7200", OURS, None, ("7200", OURS, None, None)),
    (
        "giving back leaves what someone else has set",
        "500",
        OURS,
        None,
        (
            "500",
            OURS,
            None,
            (
                "net.ipv4.tcp_keepalive_time is 500, not the 600 that was set here: someone else has set it "
                "since, so it stays. "
                "Before the first run it was 7200."
            ),
        ),
    ),
    (
        "giving back a key that has gone with its module",
        None,
        OURS,
        None,
        (
            None,
            OURS,
            None,
            NAME + " is not there any more (its kernel module is gone), so its value was not put back.",
        ),
    ),
    ("a key that was never ours stays", "5", None, None, ("5", None, None, None)),
]


@pytest.mark.parametrize(("current", "record", "wanted", "target"), [pytest.param(*row[1:], id=row[0]) for row in LIVE])
def test_a_live_value(current, record, wanted, target):
    assert live_target(NAME, current, record, wanted) == LiveTarget(*target)


def test_while_a_run_is_under_way_the_values_of_the_one_before_are_ours_too():
    """It may be cut off before its write, and somebody else may edit the file then."""
    current, record = runs(b"", {NAME: "300"})
    target = file_target("sysctls", current, record, {NAME: "600"})
    assert (target.ahead.ours, target.final.ours) == ({NAME: ("300", "600")}, {NAME: ("600",)})
    edited = current + b"vm.x = 1\n"
    assert file_target("sysctls", edited, target.ahead, {}).after == b"vm.x = 1\n"
