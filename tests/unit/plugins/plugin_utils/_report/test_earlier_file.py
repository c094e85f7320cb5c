# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
import socket

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.earlier_file import (
    MAX_BYTES,
    read_earlier_file,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._hang_guard import hang_guard


@pytest.fixture(autouse=True)
def _guarded():
    with hang_guard():
        yield


def refused(path):
    with pytest.raises(PlanError) as caught:
        read_earlier_file(str(path))
    return str(caught.value)


def bound(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # no more than 107 bytes


def sparse(path):
    with open(path, "wb") as file:
        file.truncate(10 << 30)


PLACES = [
    (os.mkdir, "is a folder, not a plain file"),
    (os.mkfifo, "is a FIFO, not a plain file"),
    (bound, "cannot be read (No such device or address)"),
    (sparse, f"has {10 << 30} bytes, at most {MAX_BYTES} bytes are read"),
    (lambda path: os.symlink("/dev/zero", path), "is a character device, not a plain file"),
    (lambda path: os.symlink(path, path), "cannot be read (Too many levels of symbolic links)"),
]


@pytest.mark.parametrize(("make", "why"), PLACES)
def test_what_is_no_report_is_refused_at_once_in_words(make, why, tmp_path):
    path = tmp_path / "report.json"
    make(str(path))
    assert refused(path) == f"keepalive_report_compare: {path} {why}. Give the report.json of an earlier run."


def test_a_plain_file_is_read_whole(tmp_path):
    (tmp_path / "report.json").write_bytes(b"{}" * 70000)
    assert read_earlier_file(str(tmp_path / "report.json")) == b"{}" * 70000


def test_where_there_is_none_there_is_nothing(tmp_path):
    assert read_earlier_file(str(tmp_path / "report.json")) is None


def test_a_name_that_is_none_is_refused():
    assert re.search(r"cannot be read \(.*null", refused("a\0b"))
