# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node compiles at every task: only rooms of what it has, and nothing heavy of the library.

Ansible sends sources without bytecode, so that each import is compiled anew. It finds them within functions, too.
"""

import json

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils import _kube_proxies
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import MODULE_UTILS, run_python
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._strange_nodes import (
    FIXTURES,
    ISOLATED,
    PRELUDE,
    with_ipvs,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import write_tree

HEAVY = {"decimal", "email", "fractions", "http", "ipaddress", "ssl", "urllib"}
ENFORCE = {
    "_files.enforce_script",
    "_kernel.bpf_instructions",
    "_kernel.sock_ops",
    "_kernel.trial_connection",
}
CONTAINERS = {"_observe.connections.container_names"}
IPVS = {"_kernel.ipvs_tables", "_kernel.ipvs_timeouts", "_observe.connections.services", "_observe.ipvs_loaded"}
KUBE_PROXY = {"_common.kube_proxy_config", "_observe.bounded_http", "_observe.kube_proxy_answer"}
KUBELET = {"_observe.connections.go_buildinfo", "_observe.kubelet_answer", "_observe.kubelet_version"}
PROGRAMS = {"_kernel.programs"}
ROOTED_FILES = {"_kernel.rooted_files"}
RUNTIMES = {"_observe.connections.runtimes"}
SOCKETS = {"_kernel.socket_holders"}
"""Only of sockets that are told."""

# An interpreter may have imported some of the library at its start.
BEGIN = "import importlib, json, sys\nbefore = set(sys.modules)\n"
END = "\nprint(json.dumps(sorted(set(sys.modules) - before)))"


def imported(room, code, prelude="", prefix=ISOLATED):
    """The rooms, and the modules of the library, that a new interpreter imports with that room and for that code."""
    load = f"room = importlib.import_module('{MODULE_UTILS}.{room}')\n"
    names = json.loads(run_python("_common.ipvs", prelude + BEGIN + load + code + END, *prefix).splitlines()[-1])
    start = MODULE_UTILS + "."
    rooms = {name[len(start) :] for name in names if name.startswith(start)}
    return rooms, {name.split(".")[0] for name in names if not name.startswith(start)}


def test_a_node_without_ipvs_kubelet_and_kube_proxy():
    rooms, library = imported("_observe.node", "room.read_node(None, 1)", PRELUDE + "empty_net()\n")
    assert {"_files.sysctl_d", "_kernel.namespaces", "_observe.connections.pods"} <= rooms
    assert (
        rooms & (CONTAINERS | ENFORCE | IPVS | KUBE_PROXY | KUBELET | PROGRAMS | ROOTED_FILES | RUNTIMES | SOCKETS)
        == set()
    )
    assert library & HEAVY == set()


def test_a_node_with_ipvs():
    kernel = sorted(path.name for path in FIXTURES.iterdir())[0]
    given = f"from {MODULE_UTILS}._kernel import programs\n"
    prelude = PRELUDE + given + with_ipvs(kernel, "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300")
    rooms, library = imported("_observe.node", "room.read_node(None, 1)", prelude)
    assert rooms >= IPVS
    assert rooms & (KUBE_PROXY | KUBELET) == set()
    assert library & HEAVY == set()


def test_a_kube_proxy_that_is_asked():
    code = "assert room.read(processes.find(room.WANTED), None, 5).mode == 'ipvs'"
    prelude = f"from {MODULE_UTILS}._kernel import processes\n" + _kube_proxies.PRELUDE + "listening('kube-proxy')\n"
    rooms, library = imported("_observe.kube_proxy", code, prelude, _kube_proxies.ISOLATED)
    assert rooms >= KUBE_PROXY
    assert library & HEAVY == set()


@pytest.mark.parametrize(
    ("installed", "written"),
    [
        pytest.param([], set(), id="none"),
        pytest.param(["tuned"], {"tuned"}, id="TuneD"),
        pytest.param(["keepalived"], {"keepalived", "keepalived_program"}, id="keepalived"),
        pytest.param(["keepalived", "tuned"], {"keepalived", "keepalived_program", "tuned"}, id="both"),
    ],
)
def test_other_writers_that_are_installed(tmp_path, installed, written):
    root = write_tree(tmp_path, {f"usr/sbin/{name}": "" for name in ["other", *installed]})
    rooms, _library = imported("_observe.other_writers.summary", f"room.read([], root={root!r})", prefix=())
    folder = "_observe.other_writers."
    assert {room[len(folder) :] for room in rooms if room.startswith(folder)} == {"in_use", "summary", *written}


STEPS = {"enforce", "ipvs", "namespace_ipvs", "pods", "rps", "systemd_unit"}


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        pytest.param("sysctls={'net.ipv4.tcp_keepalive_time': '600'}", set(), id="a sysctl"),
        pytest.param("sysctls={}", set(), id="sysctls that are given back"),
        pytest.param("pods=(600, 30, 9)", {"pods"}, id="pods"),
        pytest.param("rps=options.RpsSettings((options.Row('0'),))", {"rps"}, id="RPS"),
        pytest.param("ipvs_timeouts={'udp': 300}, persistent=False", {"ipvs"}, id="timeouts until the next boot"),
    ],
)
def test_a_run_has_the_steps_that_it_needs(settings, steps):
    """In check mode, which has the steps of a run and writes nothing."""
    code = (
        f"options = importlib.import_module('{MODULE_UTILS}._converge.options')\n"
        f"try:\n    room.converge(options.Settings({settings}), True)\n"
        "except room.one_run.NodeError as error:\n    assert 'IPVS' in str(error), error\n"
    )
    rooms, library = imported("_converge.run", code)
    folder = "_converge.steps."
    assert {room[len(folder) :] for room in rooms if room.startswith(folder)} & STEPS == steps
    assert ("_observe.connections.running_pods" in rooms) == ("pods" in steps)
    assert "_observe.connections.pods" not in rooms
    assert [room for room in rooms if "rearm" in room or "open_connections" in room] == []
    assert ("_converge.leftovers" in rooms) == ("{}" in settings)
    assert ("_kernel.ipvs_timeouts" in rooms) == ("ipvs" in steps)
    assert rooms & (ENFORCE | {"_converge.enforced", "_kernel.bpf"}) == set()
    assert rooms & PROGRAMS == (PROGRAMS if "rps" in steps else set())
    assert library & HEAVY == set()
