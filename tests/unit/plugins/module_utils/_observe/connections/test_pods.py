# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods as a kubelet leaves them, and rows as the reader of namespaces gives them."""

import functools
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import pods as pod_rows
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pod_processes import (
    ID,
    STATIC,
    UID,
    of_kind,
    outside,
    service,
    shown,
    space,
)


@pytest.fixture
def pods_of(tmp_path):
    return functools.partial(shown, tmp_path)


def test_the_node_itself(pods_of):
    pods = pods_of("show()")
    assert (pods["count"], pods["omitted"], pods["error"]) == (0, 0, None)
    (row,) = pods["rows"]
    assert row.pop("netns") > 0
    assert row == {
        "kind": "node",
        "label": "the node itself",
        "uid": None,
        "namespace": None,
        "name": None,
        "keepalive": {"time": 7200, "intvl": 75, "probes": 9},
        "retries2": 15,
        "error": None,
        "sandbox": None,
        "process": None,
        "connections": 0,
        "to_services": 0,
        "without_keepalive": 0,
        "in_flight": 0,
        "services_omitted": 0,
        "services": [],
        "to_outside": 0,
        "outside_without_keepalive": 0,
        "outside_in_flight": 0,
        "lost": 0,
        "outside": [],
        "accepted": 0,
        "accepted_at": [],
        "accepted_omitted": 0,
    }


def test_the_pause_container_says_less_than_the_program_beside_it(pods_of):
    pods = pods_of(
        f"pause = namespace(600, 'pause')\ninto(pause, V1, 'kubepods/pod{UID}/{ID}')\n"
        f"into(beside(pause), V1, 'kubepods/pod{UID}/{'6d' * 32}')\nshow()"
    )
    (row,) = of_kind(pods, "pod")
    assert row["process"]["name"] == "sleep"


def test_other_namespaces_are_known_by_a_process_or_their_name(pods_of):
    pods = pods_of(
        "subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/run'])\n"
        "subprocess.check_call(['ip', 'netns', 'add', 'vpn'])\nnamespace()\nshow()"
    )
    labels = [row["label"] for row in of_kind(pods, "other")]
    assert labels == ["network namespace vpn", "process sleep ({})".format(of_kind(pods, "other")[1]["process"]["pid"])]
    assert (pods["count"], of_kind(pods, "other")[0]["process"]) == (0, None)


def test_a_namespace_of_docker_swarm_that_no_process_is_in(pods_of):
    pods = pods_of(
        "subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/run'])\nos.makedirs('/run/docker/netns')\n"
        "for name in ('ingress_sbox', 'lb_x1y2z3'):\n    path = '/run/docker/netns/' + name\n"
        "    open(path, 'w').close()\n    subprocess.check_call(['unshare', '--net=' + path, 'true'])\nshow()"
    )
    assert sorted(row["label"] for row in of_kind(pods, "other")) == [
        "network namespace ingress_sbox",
        "network namespace lb_x1y2z3",
    ]


def test_a_container_in_the_nodes_own_namespace_names_its_process(pods_of):
    pods = pods_of(
        f"host = start('sh', '-c', 'echo ready; exec sleep 600')\ninto(host, V1, 'docker/{ID}')\nsettle()\n"
        "process = {'pid': host.pid, 'name': 'sleep', 'without_keepalive': 1, 'gap': None}\n"
        "rows = [{'kind': 'node', 'services': [{'processes': [process]}], 'process': None, 'outside': []}]\n"
        "pod_rows._add_pods(rows, pod_rows.Names({}, {}), '/proc')\nprint(json.dumps(process['pod']))"
    )
    assert pods == f"container {ID[:12]} (docker)"


def test_without_root_the_node_is_a_row_and_the_rest_is_not_there(pods_of):
    pods = pods_of(
        f"into(namespace(), V1, 'kubepods/pod{UID}/{ID}')\nsettle()\n"
        "child = os.fork()\n"
        "if child == 0:\n    os.setgroups([])\n    os.setgid(65534)\n    os.setuid(65534)\n    show()\n"
        "    sys.stdout.flush()\n    os._exit(0)\n"
        "os.waitpid(child, 0)"
    )
    assert [row["kind"] for row in pods["rows"]] == ["node"]
    assert pods["rows"][0]["keepalive"]["time"] == 7200


def test_what_is_read_inside_of_each_namespace(pods_of):
    pods = pods_of(
        f"into(namespace(), V1, 'kubepods/pod{UID}/{ID}')\nsettle()\n"
        "def inside(pids):\n"
        "    here = int(open('/proc/sys/net/ipv4/tcp_fin_timeout').read())\n"
        "    return {'connections': len(pids), 'to_services': here, 'without_keepalive': 0, 'services': [],"
        " 'in_flight': 0, 'services_omitted': 0, 'sockets_from': 'sock_diag', 'sockets_error': None}\n"
        "subprocess.check_call(['sysctl', '-qw', 'net.ipv4.tcp_fin_timeout=33'])\n"
        "show(inside)"
    )
    node, pod = pods["rows"]
    assert (node["to_services"], pod["to_services"]) == (33, 60)
    assert pod["connections"] == 1
    assert pods["totals"]["connections"] == node["connections"] + 1
    assert pods["sockets_from"] == "sock_diag"


CLIENT = r"""
import mmap, signal, socket, sys
signal.alarm(60)
library = open(sys.argv[1], 'rb')
kept = mmap.mmap(library.fileno(), 0, prot=mmap.PROT_READ)
server = socket.socket()
server.bind(('127.0.0.1', 8080))
server.listen(9)
clients = [socket.create_connection(('127.0.0.1', 8080)) for _number in range(3)]
clients[0].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
print('ready', flush=True)
input()
"""


def test_real_connections_of_a_real_client(pods_of, tmp_path):
    library = tmp_path / "cygrpc.cpython-311-x86_64-linux-gnu.so"
    library.write_bytes(b"x" * 4096)
    (tmp_path / "client.py").write_text(CLIENT)
    pods = pods_of(
        "from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag\n"
        "from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import sockets\n"
        f"os.mkdir(LOGS + '/default_web-0_{UID}')\n"
        f"run = 'ip link set lo up; exec {{}} {tmp_path}/client.py {library}'.format(sys.executable)\n"
        "pod = subprocess.Popen(['unshare', '-n', 'sh', '-c', run], stdin=-1, stdout=-1)\n"
        "running.append(pod)\nassert pod.stdout.readline() == b'ready\\n'\n"
        f"into(pod, V1, 'kubepods/pod{UID}/{ID}')\n"
        "names, ask = {(bytes([127, 0, 0, 1]), 8080): '127.0.0.1:8080'}, inet_diag.loads_nothing()\n"
        "show(lambda pids: sockets.as_plain(sockets.read(names, ask, pids)))"
    )
    (row,) = of_kind(pods, "pod")
    assert (row["label"], row["connections"], row["to_services"], row["without_keepalive"]) == (
        "default/web-0",
        6,
        3,
        2,
    )
    (found,) = row["services"]
    assert (found["service"], found["connections"], found["without_keepalive"]) == ("127.0.0.1:8080", 3, 2)
    assert [number for _seconds, number in found["gaps"]] == [1]
    assert 7190 <= found["gaps"][0][0] <= 7264
    assert [(each["runtime"], each["without_keepalive"]) for each in found["processes"]] == [("grpcio", 2)]
    assert row["process"] == {
        "pid": found["processes"][0]["pid"],
        "name": found["processes"][0]["name"],
        "runtime": "grpcio",
        "pod": None,
    }
    assert pods["totals"] == {
        "connections": 6,
        "to_services": 3,
        "without_keepalive": 2,
        "to_outside": 0,
        "outside_without_keepalive": 0,
        "lost": 0,
    }
    assert row["accepted"] == 3


def test_a_node_of_more_pods_than_rows(pods_of):
    pods = pods_of(
        "import ctypes, signal\nlibc, children = ctypes.CDLL(None), []\nbounded_rows.MAX_ROWS = 40\n"
        "for number in range(50):\n"
        "    reading, writing = os.pipe()\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os.write(writing, b'y' if libc.unshare(0x40000000) == 0 else b'n')\n"
        "        signal.pause()\n"
        "    assert os.read(reading, 1) == b'y'\n"
        "    os.close(reading)\n    os.close(writing)\n"
        "    children.append(child)\n"
        "visited = []\n"
        "def inside(pids):\n"
        "    visited.append(pids)\n"
        "    return {'connections': len(visited), 'to_services': 0, 'without_keepalive': 0, 'services': [],"
        " 'in_flight': 0, 'services_omitted': 0, 'sockets_from': None, 'sockets_error': None}\n"
        "try:\n    show(inside)\n"
        "finally:\n"
        "    for child in children:\n        os.kill(child, 9)\n        os.waitpid(child, 0)"
    )
    assert (len(pods["rows"]), pods["omitted"], pods["error"]) == (40, 11, None)
    # Each was entered once, all by one process: their numbers are 1 to 51.
    assert pods["totals"]["connections"] == sum(range(52))
    assert len({row["netns"] for row in pods["rows"]}) == 40


def test_the_time_outs_are_those_of_the_node_itself(tmp_path):
    spaces = [space(1), space(2, own=True), space(3)]
    for each in spaces:
        each.inside["rto"] = {"sockets": each.inode, "p95_ms": 204, "max_ms": 208}
    assert pod_rows.read(spaces, str(tmp_path), str(tmp_path))["rto"]["sockets"] == 2
    assert pod_rows.read(spaces[::2], str(tmp_path), str(tmp_path))["rto"] is None


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        pytest.param(["sock_diag", "sock_diag"], "sock_diag", id="netlink alone"),
        pytest.param(["sock_diag", "/proc/net/tcp"], "/proc/net/tcp", id="one of them tells less"),
        pytest.param([None, "sock_diag"], "sock_diag", id="one could not be read"),
        pytest.param([None, None], None, id="none could be read"),
    ],
)
def test_the_source_is_the_one_that_tells_least(sources, told, tmp_path):
    spaces = [space(number) for number, _source in enumerate(sources)]
    for each, source in zip(spaces, sources):
        each.inside["sockets_from"] = source
    assert pod_rows.read(spaces, str(tmp_path), str(tmp_path))["sockets_from"] == told


def test_a_process_without_services_is_named_by_its_other_connections(tmp_path):
    (tmp_path / "4711").mkdir()
    (tmp_path / "4711" / "cgroup").write_text(f"0::/kubepods/pod{UID}/{ID}\n")
    logs = tmp_path / "logs"
    (logs / f"shop_cart-1_{UID}").mkdir(parents=True)
    seen = outside(space(1, own=True), service(without=3, name="192.0.2.2:5432", processes=[("python3", 4711, 3)]))
    (row,) = pod_rows.read([seen], str(tmp_path), str(logs))["rows"]
    named = {"name": "python3", "pid": 4711, "runtime": None, "pod": "shop/cart-1"}
    assert row["process"] == named
    assert row["outside"][0]["processes"] == [{**named, "without_keepalive": 3, "gap": None}]


def test_the_process_with_most_at_risk_and_its_runtime(tmp_path):
    os.mkdir(str(tmp_path / "12"))
    os.symlink("/usr/bin/node", str(tmp_path / "12" / "exe"))
    one = service(without=2, processes=[("api", 11, 2)])
    two = service(without=5, processes=[("api", 11, 1), ("worker", 12, 4), ("idle", 13, 0)])
    row = pod_rows.read([space(1, [one, two])], str(tmp_path), str(tmp_path))["rows"][0]
    assert row["process"] == {"pid": 12, "name": "worker", "runtime": "node", "pod": None}
    assert [each["runtime"] for each in row["services"][1]["processes"]] == [None, "node", None]


def test_processes_of_hostnetwork_pods_are_named_by_their_pod(tmp_path):
    logs = tmp_path / "logs"
    (logs / f"kube-system_etcd-cp1_{STATIC}").mkdir(parents=True)
    cgroups = {11: f"0::/kubepods/pod{STATIC}/{ID}\n", 12: f"0::/kubepods/pod{UID}/{ID}\n", 13: "0::/system.slice\n"}
    for pid, text in cgroups.items():
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cgroup").write_text(text)
    processes = [("etcd", 11, 3), ("cni", 12, 1), ("sshd", 13, 1), ("gone", 14, 1)]
    spaces = [space(inode, [service(without=6, processes=processes)], own=inode == 1) for inode in (1, 2)]
    rows = pod_rows.read(spaces, str(tmp_path), str(logs))["rows"]
    node, other = rows
    assert node["process"]["pod"] == "kube-system/etcd-cp1"
    pods = [each["pod"] for each in node["services"][0]["processes"]]
    assert pods == ["kube-system/etcd-cp1", f"pod {UID}", None, None]
    assert {each["pod"] for each in [other["process"], *other["services"][0]["processes"]]} == {None}


def test_namespaces_within_a_pod_do_not_hide_other_pods(pods_of):
    pods = pods_of(
        "first = namespace()\n"
        f"into(first, V1, 'kubepods/pod{UID}')\n"
        "for _number in range(15):\n"
        f"    into(namespace(99999), V1, 'kubepods/pod{UID}')\n"
        f"into(namespace(600), V1, 'kubepods/pod{STATIC}')\n"
        "bounded_rows.MAX_ROWS = 13\n"
        "show()"
    )
    assert (pods["count"], pods["omitted"], len(pods["rows"])) == (2, 5, 13)
    assert [row["uid"] for row in of_kind(pods, "pod")] == [UID, STATIC]
    assert [row["uid"] for row in of_kind(pods, "other")] == [UID] * 10
