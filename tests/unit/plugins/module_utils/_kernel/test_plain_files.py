# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain files and nothing else: nothing is waited for. Everything is real; devices need root."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import plain_files
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import NotPlainError, read_plain
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._odd_files import (
    KINDS,
    root_with_odd_files,
)


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    with root_with_odd_files(tmp_path) as root:
        yield root


@pytest.mark.parametrize(("path", "kind"), KINDS)
def test_what_is_no_plain_file_is_told_and_never_opened(root, path, kind):
    before = os.listdir("/proc/self/fd")
    with pytest.raises(NotPlainError) as caught:
        read_plain(str(root / path), 100)
    assert caught.value.kind == kind
    assert os.listdir("/proc/self/fd") == before


def test_a_link_at_the_end_is_followed(root):
    assert read_plain(str(root / "etc/relative"), 100) == (b"0123456789", False)


@pytest.mark.parametrize(("limit", "expected"), [(9, (b"012345678", True)), (10, (b"0123456789", False))])
def test_no_more_than_the_limit_is_read(root, limit, expected):
    assert read_plain(str(root / "etc/plain"), limit) == expected


@pytest.mark.parametrize("size", [65535, 65536, 65537, 200000])
@pytest.mark.parametrize("limit", [65535, 65536, 199999, 200000, 1 << 20])
def test_long_files_are_read_to_the_limit_too(tmp_path, size, limit):
    data = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "long").write_bytes(data[:size])
    assert read_plain(str(tmp_path / "long"), limit) == (data[: min(size, limit)], size > limit)


def test_what_is_put_in_the_place_of_a_checked_file_is_not_opened(root, monkeypatch):
    path = str(root / "etc/plain")
    real = plain_files.reopen_plain

    def swap(place, name):
        os.unlink(path)
        os.mkfifo(path)
        return real(place, name)

    monkeypatch.setattr(plain_files, "reopen_plain", swap)
    assert read_plain(path, 100) == (b"0123456789", False)


def test_a_file_that_is_not_there(root):
    with pytest.raises(FileNotFoundError) as caught:
        read_plain(str(root / "missing"), 100)
    assert caught.value.filename == str(root / "missing")
