# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import zlib

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_text import node_in, with_text


def test_a_node_comes_back_as_it_was():
    result = {"changed": False, "node": {"hostname": "节\udcff", "pods": [1, None, {"x": "{{ y }}"}]}}
    assert isinstance(with_text(result)["node"], str)
    assert node_in(with_text(result)) == node_in(result) == result["node"]


@pytest.mark.parametrize("result", [{"failed": True, "msg": "x"}, {"node": None}, {"node": "text"}], ids=repr)
def test_a_result_without_a_node_stays_as_it_is(result):
    assert with_text(result) == result
    assert node_in(result) is None


@pytest.mark.parametrize("text", ["", "{", "[1]", "5", "null", "[" * 100_000])
def test_a_text_that_is_no_node(text):
    packed = base64.b64encode(zlib.compress(text.encode())).decode()
    assert [node_in({"node": each}) for each in (packed, text, packed[:-4], "节")] == [None] * 4
