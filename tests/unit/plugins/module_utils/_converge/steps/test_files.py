# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import stat

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import (
    NOTHING,
    PATH,
    LiveRecord,
    parse,
)
from ansible_collections.kubenode.connections.plugins.module_utils._converge.restorable import FileTarget
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.files import (
    Directory,
    Link,
    OriginalsFile,
    TextFile,
    text_diff,
)
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import run, tidy
from ansible_collections.kubenode.connections.plugins.module_utils._files import atomic_write
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import temporary_of
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    read_only,
    tree,
    write,
)

FILE = "/etc/sysctl.d/k8s.conf"
LINK = "/etc/sysctl.d/link.conf"
KEPT = NOTHING._replace(sysctls={"a.b": LiveRecord("1", ("2",))})


def to(after):
    return FileTarget(after, None, None, None)


@isolated
def test_a_file_is_written_and_undone_with_its_mode():
    os.chmod(write(FILE, b"old\n"), 0o640)
    before = tree()
    step = TextFile(FILE, b"old\n", to(b"new\n"))
    step.apply()
    assert (step.read(), stat.S_IMODE(os.stat(FILE).st_mode)) == (b"new\n", 0o640)
    step.undo()
    assert tree() == before


@isolated
def test_a_file_that_comes_goes_again_and_one_that_goes_comes_again():
    os.chmod(write(FILE, b"old\n"), 0o600)
    before = tree()
    steps = [TextFile(FILE, b"old\n", to(None)), TextFile(LINK, None, to(b"new\n"))]
    run(steps)
    assert (read(FILE), read(LINK)) == (None, b"new\n")
    for step in steps:
        step.undo()
        step.undo()  # a second time does no harm
    assert tree() == before


@isolated
def test_a_file_that_someone_else_changes_meanwhile_is_left_to_him():
    step = TextFile(FILE, None, to(b"new\n"))
    write(FILE, b"quicker\n")
    with pytest.raises(NodeError) as error:
        run([step])
    assert str(error.value) == (
        FILE + ": someone else changed it during this run, and it stays so. Run again. "
        "The node is as before: everything that this run had written was undone and read back."
    )
    assert read(FILE) == b"quicker\n"


def saved(monkeypatch, at, text):
    """Have an editor save the file while the first new bytes of ours are brought to disk."""
    real, left = atomic_write.os.fsync, [at]

    def fsync(descriptor):
        if left:
            write(left.pop(), text)
        real(descriptor)

    monkeypatch.setattr(atomic_write.os, "fsync", fsync)


@isolated
def test_a_file_that_an_editor_saves_while_ours_is_written_is_left_to_it(monkeypatch):
    write(FILE, b"old\n")
    saved(monkeypatch, FILE, b"edited\n")
    with pytest.raises(NodeError, match="someone else changed it during this run, and it stays so"):
        run([TextFile(FILE, b"old\n", to(b"new\n"))])
    assert (read(FILE), os.listdir("/etc/sysctl.d")) == (b"edited\n", ["k8s.conf"])


@isolated
def test_a_file_that_an_editor_saves_before_a_later_step_fails_is_not_undone():
    step = TextFile(FILE, None, to(b"new\n"))
    step.apply()
    write(FILE, b"edited\n")
    with pytest.raises(NodeError, match="someone else changed it during this run, and it stays so"):
        step.undo()
    assert read(FILE) == b"edited\n"


@isolated
def test_what_a_killed_run_has_left_is_removed_where_nothing_else_is_to_do():
    write(FILE, b"new\n")
    os.symlink("/x", "/etc/sysctl.d/link")
    steps = [TextFile(FILE, b"new\n", to(b"new\n")), Link("/etc/sysctl.d/link", b"/x", to(b"/x"))]
    steps.append(OriginalsFile(None, lambda: NOTHING))
    before = tree()
    for step in steps:
        write(temporary_of(step.name), b"ne")
    tidy(steps)
    assert tree() == before


@isolated
def test_a_link_comes_changes_and_goes():
    for before, after in ((None, b"one"), (b"one", b"two"), (b"two", None)):
        step = Link(LINK, before, to(after))
        run([step])
        assert step.read() == after
        step.undo()
        assert step.read() == before
        run([step])


@isolated
def test_a_directory_comes_for_all_to_read_and_goes_while_empty():
    os.umask(0o077)
    step = Directory("/etc/new.d", True)
    run([step])
    assert stat.S_IMODE(os.stat("/etc/new.d").st_mode) == 0o755
    write("/etc/new.d/foreign")
    with pytest.raises(NodeError) as error:
        step.undo()
    assert str(error.value) == (
        "/etc/new.d: the directory was not removed: Directory not empty (ENOTEMPTY). Mend that and run again."
    )
    os.unlink("/etc/new.d/foreign")
    step.undo()
    step.undo()  # a second time does no harm
    assert not os.path.exists("/etc/new.d")


@isolated
def test_the_originals_are_for_root_alone_and_go_with_their_directory():
    before = tree()
    step = OriginalsFile(None, lambda: KEPT)
    run([step])
    assert parse(read(PATH)) == KEPT
    assert stat.S_IMODE(os.stat(PATH).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(PATH)).st_mode) == 0o700
    assert OriginalsFile(read(PATH), lambda: KEPT).changed is False
    run([OriginalsFile(read(PATH), lambda: NOTHING)])
    assert tree() == before


@isolated
def test_undoing_the_second_writing_of_the_originals_gives_the_first():
    ahead = OriginalsFile(None, lambda: KEPT)
    final = OriginalsFile(None, lambda: NOTHING, ahead)
    run([ahead, final])
    assert (final.changed, read(PATH)) == (True, None)
    final.undo()
    assert parse(read(PATH)) == KEPT
    ahead.undo()
    assert read(PATH) is None


@isolated
def test_originals_written_with_other_blanks_are_the_same():
    run([OriginalsFile(None, lambda: KEPT)])
    write(PATH, b" " + read(PATH) + b"\n")
    assert OriginalsFile(read(PATH), lambda: KEPT).changed is False


@isolated
def test_originals_that_cannot_be_written_are_foreseen():
    read_only("/var/lib")
    with pytest.raises(NodeError, match=PATH + ": cannot be written: Read-only file system"):
        OriginalsFile(None, lambda: KEPT).foresee()


def test_the_diff_names_files_that_come_and_go():
    steps = [
        TextFile("/a", None, to(b"1\xff\n")),
        TextFile("/b", b"2\n", to(None)),
        TextFile("/c", b"3\n", to(b"3\n")),
        Link("/d", None, to(b"/x")),
    ]
    assert text_diff(steps) == [
        {"before_header": "/a (not there)", "before": "", "after_header": "/a", "after": "1\\xff\n"},
        {"before_header": "/b", "before": "2\n", "after_header": "/b (not there)", "after": ""},
        {"before_header": "/d (not there)", "before": "", "after_header": "/d", "after": "link to /x\n"},
    ]
