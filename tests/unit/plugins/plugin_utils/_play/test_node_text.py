# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import zlib

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_text import MAX_BYTES, node_in, with_text


def test_a_node_comes_back_as_it_was():
    result = {"changed": False, "node": {"hostname": "节\udcff", "pods": [1, None, {"x": "{{ y }}"}]}}
    assert isinstance(with_text(result)["node"], str)
    assert node_in(with_text(result)) == node_in(result) == result["node"]


@pytest.mark.parametrize("node", [None, "text", ["text"]], ids=repr)
def test_a_result_without_a_node_has_none_afterwards(node):
    result = {"failed": True, "msg": "x"}
    assert with_text(result) == with_text({**result, "node": node}) == result
    assert node_in({**result, "node": node}) is None


def packed(text):
    return base64.b64encode(zlib.compress(text)).decode()


def test_a_text_that_a_node_has_packed_itself_is_never_unpacked():
    assert with_text({"changed": False, "node": packed(b'{"hostname": "worker1"}')}) == {"changed": False}


@pytest.mark.parametrize(("blanks", "node"), [(0, {}), (MAX_BYTES - 2, {}), (MAX_BYTES - 1, None)])
def test_a_text_that_unpacks_to_more_than_a_node_is_none(blanks, node):
    assert node_in({"node": packed(b" " * blanks + b"{}")}) == node


@pytest.mark.parametrize("text", ["", "{", "[1]", "5", "null", "[" * 100_000])
def test_a_text_that_is_no_node(text):
    packed = base64.b64encode(zlib.compress(text.encode())).decode()
    assert [node_in({"node": each}) for each in (packed, text, packed[:-4], "节")] == [None] * 4
