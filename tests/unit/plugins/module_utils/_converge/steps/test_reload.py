# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reloads around a step, with real programs."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.restorable import FileTarget
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.files import TextFile
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.reload import around
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import Step, run
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated

FILE = "/etc/sysctl.d/file"
SEEN = "/run/seen"
LOOK = ("sh", "-c", f"cat {FILE} >>{SEEN}")
"""A service that reads the file again: what it read each time is in SEEN."""


class Failing(Step):
    """A step that fails after the others."""

    def __init__(self):
        super().__init__("last", 0, 1)

    def read(self):
        return 0

    def apply(self):
        raise NodeError("last: no.")

    def undo(self):
        pass


def file_step():
    with open(FILE, "w") as handle:
        handle.write("old ")
    return TextFile(FILE, b"old ", FileTarget(b"new ", None, None, None))


def seen():
    with open(SEEN) as handle:
        return handle.read().split()


@isolated
def test_after_the_files_were_written_they_are_read_once_and_what_follows_is_done():
    run(around([file_step()], LOOK, "the log", True, lambda: os.mkdir("/run/followed")))
    assert seen() == ["new"]
    assert os.path.isdir("/run/followed")


@isolated
def test_after_they_were_undone_they_are_read_again():
    with pytest.raises(NodeError, match=r"last: no\. The node is as before"):
        run([*around([file_step()], LOOK, "the log", True), Failing()])
    assert seen() == ["new", "old"]


@isolated
def test_where_nothing_changes_nothing_is_run():
    run(around([], LOOK, "the log", False))
    assert not os.path.exists(SEEN)


@isolated
def test_a_command_that_fails_says_where_to_look_and_is_undone():
    steps = around([file_step()], ["sh", "-c", "echo why; exit 3"], "the log", True)
    with pytest.raises(NodeError) as error:
        run(steps)
    assert str(error.value).startswith("sh -c echo why; exit 3: it ended with status 3: why. See the log. ")
    with open(FILE) as handle:
        assert handle.read() == "old "
