# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gc

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.collector import paused


def test_it_is_paused_only_there():
    with paused():
        with paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error():
    @paused()
    def fail():
        assert not gc.isenabled()
        raise KeyError

    for _time in range(2):
        with pytest.raises(KeyError):
            fail()
        assert gc.isenabled()
