# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import untrusted


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        pytest.param(untrusted.text, "a", "a", id="text"),
        pytest.param(untrusted.text, 1, None, id="a number is no text"),
        pytest.param(untrusted.text, "a" * 501, "a" * 500 + "... (501 characters)", id="long text is cut"),
        pytest.param(untrusted.shared_text, "a" * 501, "a" * 500 + "... (501 characters)", id="shared text is text"),
        pytest.param(untrusted.shared_text, 1, None, id="a number is no shared text"),
        pytest.param(untrusted.mapping, {"a": 1, 2: 3}, {"a": 1, "": 3}, id="a mapping"),
        pytest.param(untrusted.mapping, [1], {}, id="a list is no mapping"),
        pytest.param(untrusted.fields, {"a": 1}, {"a": 1}, id="a mapping has fields"),
        pytest.param(untrusted.fields, [1], {}, id="a list has no fields"),
        pytest.param(untrusted.items, [1], [1], id="a list"),
        pytest.param(untrusted.items, {"a": 1}, [], id="a mapping is no list"),
        pytest.param(untrusted.number, "7", 7, id="the text of a number counts"),
        pytest.param(untrusted.number, -1, 0, id="nothing is counted below 0"),
        pytest.param(untrusted.number, True, 0, id="a flag is no number"),
        pytest.param(
            untrusted.numbers, {"a": True, "b": False}, {"a": 1, "b": 0}, id="a flag among numbers counts as 0 or 1"
        ),
        pytest.param(untrusted.flag, False, False, id="a flag"),
        pytest.param(untrusted.flag, 0, None, id="a number is no flag"),
        pytest.param(untrusted.numbers, {"a": 1, "b": "x", "c": -2}, {"a": 1, "c": -2}, id="the numbers of a mapping"),
    ],
)
def test_a_value_has_its_type_or_is_nothing(read, value, expected):
    assert read(value) == expected


@pytest.mark.parametrize(
    ("value", "otherwise", "expected"),
    [
        ({"file": "/etc/x", "line": 3}, "", "/etc/x:3"),
        ({"file": "/etc/x", "line": "last"}, "", "/etc/x"),
        ({"file": 7, "line": 3}, "", ""),
        ({"line": 3}, "its profile", "its profile:3"),
        ({}, "its profile", "its profile"),
    ],
)
def test_a_line_of_a_file(value, otherwise, expected):
    assert untrusted.file_line(value, otherwise) == expected


def test_equal_shared_texts_are_one_object():
    first, second = (untrusted.shared_text("".join(["10.96.0.10", ":80"])) for _time in range(2))
    assert first is second
