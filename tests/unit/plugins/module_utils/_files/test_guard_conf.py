# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import zipfile
from io import BytesIO

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import (
    FIRST_LINE,
    NAME,
    Conf,
    conf_text,
    in_program,
    parse,
)

CONF = Conf("wörker 1", 300, {"watch": {"kept": ["10.96.0.1:80"]}})


def program(name=NAME, first=FIRST_LINE, compression=zipfile.ZIP_STORED):
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        archive.writestr(name, conf_text(CONF))
    return first + packed.getvalue()


def test_it_reads_as_it_was_written():
    assert parse(conf_text(CONF)) == CONF


@pytest.mark.parametrize("data", [b"", b"# x\n", b"[]", b"{}", b"{"])
def test_another_text_is_refused(data):
    with pytest.raises(ValueError, match=r"line|keys"):
        parse(data)


def test_it_is_found_in_a_program():
    assert in_program(program()) == conf_text(CONF)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(FIRST_LINE, id="no zip file"),
        pytest.param(program()[:-8], id="a part of one"),
        pytest.param(program("other"), id="one with something else in it"),
        pytest.param(program(first=b"#!/bin/sh\n"), id="one of somebody else"),
        pytest.param(program(compression=zipfile.ZIP_DEFLATED), id="one that may unpack to much more"),
    ],
)
def test_in_another_file_it_is_not(data):
    assert in_program(data) is None
