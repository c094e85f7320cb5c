# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge.enforced import (
    from_json,
    from_options,
    is_cgroup,
    to_json,
)

VALUES = Keepalive(600, 30, 9)


def options(ports=(), cgroups=()):
    return {"exclude_ports": list(ports), "exclude_cgroups": list(cgroups)}


def test_what_is_excluded_is_in_order_and_once():
    given = options([443, 80, 443], ["/b/", "/a/b", "/b"])
    assert from_options(VALUES, given) == Enforcement(VALUES, (80, 443), ("/a/b", "/b"))


def test_no_keepalive_gives_it_back():
    assert from_options((), options()) == ()


@pytest.mark.parametrize(
    ("values", "given", "message"),
    [
        pytest.param(
            (),
            options([443]),
            "enforce: exclude_ports and exclude_cgroups are given without a keepalive. Write time, intvl and probes, "
            "or leave them out, too.",
            id="ports without a keepalive",
        ),
        pytest.param(
            VALUES,
            options([0]),
            "enforce: exclude_ports: 0 is not from 1 to 65535. Write such a port.",
            id="no port",
        ),
        pytest.param(
            VALUES,
            options(range(1, 300)),
            "enforce: exclude_ports: 299 ports, at most 256 can be told apart at each new connection. Exclude the "
            "cgroups of the programs instead (exclude_cgroups).",
            id="too many ports",
        ),
        pytest.param(
            VALUES,
            options(cgroups=["/"]),
            "enforce: exclude_cgroups: '/' is not the path of a cgroup below the root, without . and .. in it. Write "
            "one such as /system.slice/sshd.service (see /proc/PID/cgroup).",
            id="the root itself",
        ),
    ],
)
def test_what_cannot_be_enforced_is_refused(values, given, message):
    with pytest.raises(NodeError) as error:
        from_options(values, given)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/system.slice/sshd.service", True),
        ("/kubepods.slice/kubepods-pod0b1c.slice/cri-containerd-5c.scope", True),
        ("system.slice", False),
        ("", False),
        ("//", False),
        ("/a//b", False),
        ("/a/../b", False),
        ("/./a", False),
        ("/a\n", False),
        ("/" + "a" * 4096, False),
    ],
)
def test_the_path_of_a_cgroup(path, expected):
    assert is_cgroup(path) is expected


def test_the_record_comes_back_as_it_was():
    kept = Enforcement(VALUES, (443,), ("/a",))
    assert to_json(kept) == {"keepalive": "600/30/9", "ports": [443], "cgroups": ["/a"]}
    assert from_json(to_json(kept)) == kept


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"keepalive": "0/30/9"}, "0/30/9 is no keepalive that is enforced here"),
        ({"keepalive": "600/30/128"}, "600/30/128 is no keepalive that is enforced here"),
        ({"ports": ["443"]}, "'443' is no port that is excluded here"),
        ({"ports": [70000]}, "70000 is no port that is excluded here"),
        ({"cgroups": ["/../etc"]}, "'/../etc' is no cgroup that is excluded here"),
        ({"cgroups": [1]}, "1 is no cgroup that is excluded here"),
    ],
)
def test_a_record_of_what_no_run_enforces_is_refused(changed, why):
    with pytest.raises(ValueError, match=f"^{why}$"):
        from_json(dict(to_json(Enforcement(VALUES)), **changed))
