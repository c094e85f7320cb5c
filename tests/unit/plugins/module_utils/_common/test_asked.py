# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of what is refused are those of node_settings' options: tests/unit/plugins/module_utils/_converge/."""

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common import asked
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError


def test_names_are_canonical_and_values_text():
    wanted = {"net/ipv4/conf/eth0.100/x": 1, "vm.swappiness": " 10 "}
    assert asked.sysctls("sysctls", wanted) == {"net.ipv4.conf.eth0/100.x": "1", "vm.swappiness": "10"}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"bad key": 1}, "mine: 'bad key' is not the name of a setting below /proc/sys "),
        ({"a.b": 1, "a/b": 2}, "mine: 'a/b' names a.b a second time. "),
        ({"a.b": True}, "mine: a.b: True is bool, expected text or a whole number. "),
    ],
)
def test_what_is_refused_begins_with_whose_it_is(wanted, message):
    with pytest.raises(NodeError) as caught:
        asked.sysctls("mine", wanted)
    assert str(caught.value).startswith(message)


def test_a_path_is_normalised():
    assert asked.config_path("mine", "/etc//sysctl.d/../x.conf", "/etc/y.conf") == "/etc/x.conf"
    with pytest.raises(NodeError) as caught:
        asked.config_path("mine", "x.conf", "/etc/y.conf")
    assert str(caught.value) == (
        "mine: 'x.conf' is not the absolute path of a configuration file. Write a path such as /etc/y.conf."
    )


LONG = 10**5000  # Python does not write it, so pytest cannot name a row by it


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**20, id="a number"),
        pytest.param(-LONG, id="a negative one"),
        pytest.param([{"cpus": [LONG]}], id="in a list"),
        pytest.param({LONG: 1}, id="as a key"),
        pytest.param({"tcp": (1, LONG)}, id="in a mapping"),
    ],
)
def test_a_number_that_python_does_not_write_is_refused_wherever_it_is(value):
    with pytest.raises(NodeError, match=r"^mine: a number of more than 20 digits is in it"):
        asked.refuse_long_numbers({"fine": [1, {"a": 2}, None, "x", 1.5, True], "mine": value})
