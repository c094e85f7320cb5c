# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import socket

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common import keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import HIGHEST, Keepalive, parse

OPTIONS = Keepalive(socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)


def test_the_three_values_as_text_and_back():
    assert str(Keepalive(600, 30, 9)) == "600/30/9"
    assert parse("600/30/9") == Keepalive(600, 30, 9)
    assert tuple("net.ipv4.tcp_keepalive_" + name for name in Keepalive._fields) == keepalive.KEYS


@pytest.mark.parametrize("text", ["", "600", "600/30", "600/30/9/1", "600/30/x", "600 30 9"])
def test_what_is_no_keepalive_is_refused(text):
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        parse(text)


@pytest.mark.parametrize("place", range(3), ids=Keepalive._fields)
def test_the_highest_values_are_those_of_the_running_kernel(place):
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, OPTIONS[place], HIGHEST[place])
        assert connection.getsockopt(socket.IPPROTO_TCP, OPTIONS[place]) == HIGHEST[place]
        for refused in (HIGHEST[place] + 1, 0):
            with pytest.raises(OSError, match="Invalid argument"):
                connection.setsockopt(socket.IPPROTO_TCP, OPTIONS[place], refused)
