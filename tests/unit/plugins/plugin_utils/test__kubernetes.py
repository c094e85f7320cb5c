# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils import _kubernetes


@pytest.mark.parametrize(
    ("version", "release"),
    [
        pytest.param("v1.31.2", (1, 31, 2), id="a release"),
        pytest.param("1.31.2", (1, 31, 2), id="without the v"),
        pytest.param("v1.34.2+k3s1", (1, 34, 2), id="of a distribution"),
        pytest.param("v1.36.0-alpha.1", (1, 36, 0), id="of before the release"),
        pytest.param("v1.31", None, id="two numbers"),
        pytest.param("v1.31.12345678", None, id="absurd numbers"),
        pytest.param("unknown", None, id="a word"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_the_release_of_a_version(version, release):
    assert _kubernetes.release(version) == release


@pytest.mark.parametrize(
    ("version", "raises"),
    [
        pytest.param("v1.22.17", False, id="before 1.23 it writes in either direction"),
        pytest.param("v1.23.0", True, id="from 1.23 on it raises only"),
        pytest.param("v1.28.15", True, id="up to 1.28"),
        pytest.param("v1.29.0", False, id="from 1.29 on it writes in either direction again"),
        pytest.param(None, None, id="nobody knows"),
    ],
)
def test_whether_kube_proxy_only_raises(version, raises):
    assert _kubernetes.raises_only(version) is raises


def test_what_is_not_known_is_not_since():
    assert _kubernetes.since("v1.36.1", _kubernetes.MAX_CAPPED_SINCE)
    assert not _kubernetes.since("v1.35.9", _kubernetes.MAX_CAPPED_SINCE)
    assert not _kubernetes.since(None, _kubernetes.MAX_CAPPED_SINCE)


@given(st.text() | st.none())
def test_no_text_makes_it_raise(text):
    _kubernetes.raises_only(text)
