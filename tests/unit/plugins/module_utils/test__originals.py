# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._originals import (
    NOTHING,
    PATH,
    FileRecord,
    LiveRecord,
    Originals,
    dump,
    parse,
)

texts = st.text(max_size=8)
files = st.builds(
    FileRecord,
    st.sampled_from(["sysctls", "modules", "whole", "link"]),
    st.one_of(st.none(), st.binary(max_size=20)),
    st.lists(texts, max_size=2).map(tuple),
    st.dictionaries(texts, st.lists(texts, max_size=2).map(tuple), max_size=2),
)


def live(values):
    return st.dictionaries(
        texts, st.builds(LiveRecord, st.one_of(st.none(), values), st.lists(values).map(tuple)), max_size=2
    )


originals = st.builds(
    Originals,
    st.dictionaries(texts, files, max_size=2),
    live(texts),
    live(st.integers()),
    st.lists(texts).map(tuple),
    live(texts),
    live(texts),
)


@given(originals)
def test_what_is_kept_comes_back_as_it_was(kept):
    assert parse(dump(kept)) == kept


def test_nothing_to_keep_is_no_file():
    assert dump(NOTHING) is None
    assert parse(None) == NOTHING


def broken(**changes):
    document = {"version": 1, "files": {}, "sysctls": {}, "ipvs_timeouts": {}, "directories": [], "rps": {}, "pods": {}}
    document.update(changes)
    return json.dumps({name: value for name, value in document.items() if value is not KeyError}).encode()


RECORD = {"kind": "sysctls", "original": None, "hashes": [], "ours": {}}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "Expecting value: line 1 column 1 (char 0)", id="an empty file"),
        pytest.param(b'{"version": 1,', "Expecting property name", id="a file cut off"),
        pytest.param(b"\xff", "'utf-8' codec can't decode byte 0xff in position 0", id="bytes that are no text"),
        pytest.param(broken(version=2), "it has version 2, expected 1", id="a later version"),
        pytest.param(broken(files=KeyError), "it lacks 'files'", id="a part is missing"),
        pytest.param(broken(files=[]), "'list' object has no attribute 'items'", id="a list for a table"),
        pytest.param(b"[]", "list indices must be integers", id="a list for the whole"),
        pytest.param(
            broken(files={"/f": dict(RECORD, kind="exec")}), "a file of kind 'exec' is not known", id="an unknown kind"
        ),
        pytest.param(
            broken(files={"/f": dict(RECORD, original="%%")}),
            "base64",
            id="contents that are no base64",
        ),
        pytest.param(
            broken(sysctls={"a.b": {"original": 7, "ours": []}}), "7 is not of type str", id="a number for a sysctl"
        ),
        pytest.param(
            broken(ipvs_timeouts={"tcp": {"original": True, "ours": []}}),
            "True is not of type int",
            id="true for seconds",
        ),
    ],
)
def test_a_file_that_is_not_ours_is_refused(data, why):
    with pytest.raises(NodeError) as error:
        parse(data)
    message = str(error.value)
    assert message.startswith(PATH + ": the record of what this node had before the first run cannot be used (")
    assert why in message
    assert message.endswith(
        "). Put the file back from a backup; or move it away, then what the node has now counts as original."
    )
