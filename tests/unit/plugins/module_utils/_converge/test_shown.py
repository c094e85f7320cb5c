# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a file is shown. That no secret is printed by a real run is in tests/roles/test_disclosure.py."""

import hashlib
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import FileRecord
from ansible_collections.kubenode.connections.plugins.module_utils._converge.shown import (
    OUR_LINES,
    of_lines,
    of_whole,
    readable_by_all,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, write

FILE = "/etc/sysctl.d/k8s.conf"
OURS = FileRecord("sysctls", None, (), {"net.a": ("1",)})


@pytest.mark.parametrize(
    ("file", "folder", "expected"),
    [
        pytest.param(0o644, 0o755, True, id="the usual"),
        pytest.param(0o640, 0o755, False, id="a file for a group"),
        pytest.param(0o644, 0o700, False, id="a folder for root alone"),
        pytest.param(0o604, 0o701, True, id="no more than is needed"),
    ],
)
@isolated
def test_who_may_read_a_file(file, folder, expected):
    write("/run/one/two/file")
    os.chmod("/run/one/two/file", file)
    os.chmod("/run/one", folder)
    os.symlink("/run/one/two/file", "/run/link")
    assert readable_by_all("/run/one/two/file") is readable_by_all("/run/link") is expected


@isolated
def test_a_file_that_is_not_there_can_be_read_by_nobody():
    assert readable_by_all("/run/none") is readable_by_all("/run/none/none") is False


@isolated
def test_our_lines_are_those_of_the_record_and_of_the_wish():
    os.chmod(write(FILE), 0o600)
    shown = of_lines("sysctls", FILE, OURS, ["net.b"])
    assert shown(b"# x\nnet.c=3\nnet/a = 1\n") == OUR_LINES + "net/a = 1\n"
    assert shown(b"net.b=\xff2\n-net.b=3") == OUR_LINES + "-net.b=3"
    assert shown(b"net.c=3\n") == OUR_LINES
    assert shown(b"net.a=1\nnet.b=2\n") == "net.a=1\nnet.b=2\n"
    os.chmod(FILE, 0o644)  # what it was when it was asked for counts
    assert shown(b"net.c=3\n") == OUR_LINES
    assert of_lines("sysctls", FILE, OURS, ["net.b"])(b"net.c=\xff\n") == "net.c=\\xff\n"


@isolated
def test_modules_have_lines_of_their_own():
    os.chmod(write(FILE), 0o600)
    shown = of_lines("modules", FILE, None, ["br_netfilter"])
    assert shown(b"secret\nbr-netfilter\n# secret\n") == OUR_LINES + "br-netfilter\n"


def test_a_whole_file_is_shown_where_it_is_ours():
    record = FileRecord("whole", b"original\n", (hashlib.sha256(b"earlier\n").hexdigest(),), {})
    foreign = "# Somebody else wrote this, 9 bytes, which are not shown.\n"
    for shown in (of_whole(record, b"new\n"), of_whole(record, None)):
        assert (shown(b"earlier\n"), shown(b"original\n")) == ("earlier\n", foreign)
    assert of_whole(None, b"new\n")(b"new\n") == "new\n"
    assert of_whole(None, None)(b"original\n") == foreign
