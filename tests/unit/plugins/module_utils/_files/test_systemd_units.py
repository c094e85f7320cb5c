# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files import systemd_units
from ansible_collections.kubenode.connections.plugins.module_utils._files.systemd_units import (
    can_start,
    has_systemd,
    link_of,
    node_python,
    path_of,
    quote,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, write
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._units import systemd_words


def test_where_a_unit_lies():
    assert path_of("our.service") == "/etc/systemd/system/our.service"
    assert link_of("our.service") == "/etc/systemd/system/multi-user.target.wants/our.service"


@isolated
def test_whether_there_is_a_systemd():
    assert has_systemd()
    os.rmdir("/etc/systemd/system")
    assert not has_systemd()
    os.makedirs("/run/systemd/system")
    assert has_systemd()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_a_quoted_word_is_one_word_to_systemd(word):
    assert systemd_words(quote(word)) == [word]


def test_what_means_something_to_systemd_is_escaped():
    assert quote('a "b" 100% \\n $x') == '"a \\"b\\" 100%% \\\\n $$x"'


@pytest.mark.parametrize("place", ["/run/python3.11", "/run/100% of $x/python3"])
@pytest.mark.parametrize("arguments", ["-c code", "-I /etc/file.py"])
@isolated
def test_a_unit_can_start_while_its_program_is_there(place, arguments):
    text = f"[Service]\nType=oneshot\nExecStart={quote(place)} {arguments}\n"
    assert not can_start(text)
    write(place)
    assert not can_start(text)
    os.chmod(place, 0o755)
    assert can_start(text)
    assert not can_start(text.replace("ExecStart=", "ExecStop="))


@isolated
def test_what_a_person_is_told_to_do_without_a_python_that_root_alone_can_change(monkeypatch):
    os.chmod(write("/run/user/python3"), 0o755)
    os.chown("/run/user", 1000, 1000)
    monkeypatch.setattr(sys, "executable", "/run/user/python3")
    monkeypatch.setattr(systemd_units, "_STABLE", ())
    with pytest.raises(NodeError) as error:
        node_python("")
    assert str(error.value) == (
        "Python: /run/user belongs to user 1000 (mode 0755), root is expected: systemd would start it as root at each "
        "boot. Set ansible_python_interpreter to the distribution's own."
    )
