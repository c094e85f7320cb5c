# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds of each run, by the settings of node_settings: one at a time, wholly or not at all, and given back."""

import base64
import contextlib
import errno
import os
import resource
import signal
import time
from collections import namedtuple

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge import one_run, transaction
from ansible_collections.kubenode.connections.plugins.module_utils._converge.lock import locked
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import parse
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._observe.ours import PATH as ORIGINALS
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._broken_disk import fail_every_sync
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    read,
    read_only,
    sysctl,
    tree,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._lived_in_node import (
    BRIDGE,
    FILE,
    FOREIGN,
    INTVL,
    PROBES,
    TIME,
    WISH,
    lived_in,
    refusal,
    without_directories,
)


@isolated
def test_two_runs_at_once_come_one_after_the_other():
    lived_in()
    before = tree()
    children = []
    for number in range(6):
        child = os.fork()
        if child == 0:
            converge(Settings(sysctls={TIME: str(600 + number), INTVL: str(30 + number)}), False)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    number = int(sysctl(TIME)) - 600
    assert sysctl(INTVL) == str(30 + number)
    assert read(FILE) == FOREIGN.replace(b"7200", b"%d" % (600 + number)).replace(b"99", b"%d" % (30 + number))
    converge(NOTHING, False)
    assert tree() == before


@isolated
def test_where_the_answer_fails_the_run_is_told_to_be_complete():
    def outcome(_plan):
        raise OSError(errno.EIO, "Input/output error")

    plan = namedtuple("Plan", "steps notes")([], [])
    with pytest.raises(NodeError, match=r"\(EIO\)\. .* This run is complete, but for its answer\.$"):
        one_run.converge(lambda: plan, outcome, False, "kubenode.connections.node_settings")


@isolated
def test_a_check_does_not_wait_for_a_run():
    with locked():
        start = time.monotonic()
        assert converge(WISH, True).changed is True
        assert time.monotonic() - start < 5


@pytest.mark.parametrize("check", [False, True], ids=["a run", "a check"])
@isolated
def test_without_root_it_says_so(check):
    os.seteuid(65534)
    assert refusal(WISH, check) == "This task: it runs as user 65534, expected root (user 0). Set become to true."


@pytest.mark.parametrize("check", [False, True], ids=["a run", "a check"])
@pytest.mark.parametrize(
    ("path", "start"),
    [
        pytest.param(
            "/proc/sys", "/proc/sys/net/ipv4/tcp_keepalive_time: cannot be written: Read-only", id="/proc/sys"
        ),
        pytest.param("/etc", "/etc/modules-load.d/k8s.conf: cannot be written: Read-only file system", id="/etc"),
        pytest.param("/var/lib", ORIGINALS + ": cannot be written: Read-only file system (EROFS)", id="/var/lib"),
    ],
)
@isolated
def test_what_is_read_only_is_refused_before_anything_is_written(path, start, check):
    read_only(path)
    before = tree()
    message = refusal(WISH, check)
    assert message.startswith(start)
    assert message.endswith(" run this on the host, or remount it writable. Nothing was changed.")
    assert tree() == before


@isolated
def test_on_a_read_only_node_where_all_is_right_nothing_is_refused():
    converge(WISH, False)
    read_only("/proc/sys")
    read_only("/etc")
    assert converge(WISH, False).changed is False


@pytest.mark.parametrize("settings", [WISH, NOTHING], ids=["present", "absent"])
@isolated
def test_originals_that_cannot_be_used_stop_everything(settings):
    write(ORIGINALS, b"{}")
    before = tree()
    assert refusal(settings).startswith(
        ORIGINALS + ": the record of what this node had before the first run cannot be used"
    )
    assert tree() == before


def crashing(number, after):
    """Have the process die at the n-th write, before or after it, as by SIGKILL."""
    applied = []

    def crash(step, real):
        applied.append(step)
        if len(applied) == number and not after:
            os._exit(9)
        real()
        if len(applied) == number and after:
            os._exit(9)

    real_run = transaction.run

    def run(steps, restorer):
        for step in steps:
            step.apply = lambda step=step, real=step.apply: crash(step, real)
        return real_run(steps, restorer)

    return run


@pytest.mark.parametrize("after", [pytest.param(False, id="before a write"), pytest.param(True, id="after a write")])
@pytest.mark.parametrize("prepare", [lived_in, without_directories], ids=["a node lived in", "no directories"])
@isolated
def test_a_run_that_is_killed_can_be_given_back(prepare, after):
    prepare()
    before = tree()
    for wishes in ([WISH], [WISH, WISH._replace(modules=(), sysctls={TIME: "300", PROBES: "5"})], [WISH, NOTHING]):
        ends = set()
        for number in range(1, 12):
            for wish in wishes[:-1]:
                converge(wish, False)
            ends.add(_in_dying_child(wishes[-1], number, after))
            converge(NOTHING, False)
            left = tree()
            left.pop("/run/kubenode.connections.lock", None)
            assert left == before, (wishes, number)
        assert ends == {0, 9}


def _in_dying_child(wish, number, after):
    child = os.fork()
    if child == 0:
        one_run.run = crashing(number, after)
        converge(wish, False)
        os._exit(0)
    return os.waitpid(child, 0)[1] >> 8


@isolated
def test_a_signal_in_the_middle_undoes_the_run(monkeypatch):
    real = os.replace
    monkeypatch.setattr(
        os, "replace", lambda *paths: (real(*paths), FILE in paths and os.kill(os.getpid(), signal.SIGTERM))
    )
    before = tree()
    assert refusal(WISH).startswith("This run: it got signal 15 from outside. Run again. The node is as before")
    assert tree() == before


@isolated
def test_signals_at_any_moment_leave_the_node_wholly_old_or_wholly_new():
    """Twenty at once, at all moments of a run: the first one stops it, the others come while it is undone."""
    lived_in()
    old = tree()
    converge(WISH, False)
    new = tree()
    seen = []
    for number in range(24):
        wish = NOTHING if number % 2 == 0 else WISH
        converge(WISH if wish == NOTHING else NOTHING, False)
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(NodeError):
                converge(wish, False)
            os._exit(0)
        while time.monotonic() - start < number * 0.0035:
            pass
        for _signal in range(20):
            os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        left = {path: found for path, found in tree().items() if path != "/run/kubenode.connections.lock"}
        assert left in (old, new), number
        seen.append(left == old)
    assert {True, False} == set(seen)


def before_last(work):
    """Have work done right before the last step of a run, which brings the record up to date."""
    real_run = transaction.run

    def run(steps, restorer):
        steps[-1].apply = lambda real=steps[-1].apply: (work(), real())
        return real_run(steps, restorer)

    one_run.run = run  # each test has a process of its own


@pytest.mark.parametrize(
    "prepare", [pytest.param(list, id="an empty node"), pytest.param(lived_in, id="a node lived in")]
)
@isolated
def test_a_restore_whose_last_sync_fails_is_complete_and_says_so(prepare):
    prepare()
    before = tree()
    converge(WISH, False)
    before_last(fail_every_sync)
    outcome = converge(NOTHING, False)
    (note,) = outcome.notes
    assert note == (
        f"{ORIGINALS}: it was removed, but /var/lib/kubenode.connections could not be synced to disk: Input/output "
        "error (EIO). Mend that and run again. This run is complete all the same."
    )
    assert (outcome.changed, tree()) == (True, before)


def _in_child(work):
    """Do work in a process of its own: what its kernel refuses it does not refuse us."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


@pytest.mark.parametrize("wishes", [[WISH], [WISH, NOTHING], [WISH, Settings(sysctls={TIME: "60"})]])
@pytest.mark.parametrize("early", [True, False], ids=["from the start", "at the end"])
@isolated
def test_a_node_whose_disk_breaks_can_be_given_back_on_another_one(wishes, early):
    lived_in()
    before = tree()
    for wish in wishes[:-1]:
        converge(wish, False)

    def broken():
        if early:
            fail_every_sync()
        else:
            before_last(fail_every_sync)
        converge(wishes[-1], False)

    _in_child(broken)
    converge(NOTHING, False)
    assert tree() == before


def _full():
    with open("/var/lib/fill", "wb", buffering=0) as handle, contextlib.suppress(OSError):
        while True:
            handle.write(b"x" * 4096)


def _no_file_may_grow():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _folder_is_read_only():
    read_only(os.path.dirname(ORIGINALS))


@pytest.mark.parametrize(
    ("break_it", "why"),
    [
        pytest.param(_full, "No space left on device (ENOSPC)", id="a full disk"),
        pytest.param(_no_file_may_grow, "File too large (EFBIG)", id="a limit of file sizes"),
        pytest.param(_folder_is_read_only, "Read-only file system (EROFS)", id="a folder that is read-only by then"),
    ],
)
@isolated
def test_a_record_that_cannot_be_brought_up_to_date_undoes_the_run(break_it, why):
    mount("tmpfs", "/var/lib", "tmpfs", data="mode=755,size=64k")
    converge(WISH, False)
    before, kept = tree(), read(ORIGINALS)
    before_last(break_it)
    wish = NOTHING if break_it is _folder_is_read_only else WISH._replace(sysctls={TIME: "600", INTVL: "30"})
    message = refusal(wish)
    assert f"{ORIGINALS}: not " in message
    assert why in message
    assert base64.b64encode(b"7200")[:4].decode() not in message
    if break_it is _folder_is_read_only:
        assert message.endswith("The node is as before: everything that this run had written was undone and read back.")
        assert (tree(), read(ORIGINALS)) == (before, kept)
    else:
        assert (sysctl(TIME), sysctl(INTVL), sysctl(BRIDGE)) == ("600", "30", "0")
        assert parse(read(ORIGINALS)).sysctls.keys() == {TIME, INTVL, BRIDGE}
