# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods as a kubelet leaves them: real network namespaces, real cgroups, real log directories, real processes."""

import json
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import pods as pod_rows
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

ISOLATED = ("unshare", "-pfmn", "--mount-proc")
UID = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"
OTHER_UID = "1b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"
STATIC = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
ID = "5c" * 32

# A cgroup hierarchy of our own for each driver: a named one of version 1, and the one of version 2. What is made in
# them is removed when the processes have ended.
PRELUDE = r"""
import json, os, shutil, subprocess, sys, time
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import namespace_paths, namespaces
LOGS, V1, V2 = (os.path.join(sys.argv[1], name) for name in ('logs', 'v1', 'v2'))
for folder in (LOGS, V1, V2):
    os.mkdir(folder)
subprocess.check_call(['mount', '-t', 'cgroup', '-o', 'none,name=kubenode-test', 'none', V1])
subprocess.check_call(['mount', '-t', 'cgroup2', 'none', V2])
made, running = [], []
def into(process, root, path):
    for folder in path.split('/'):
        root = os.path.join(root, folder)
        if not os.path.isdir(root):
            os.mkdir(root)
            made.append(root)
    with open(os.path.join(root, 'cgroup.procs'), 'w') as handle:
        handle.write(str(process.pid))
def start(*command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    running.append(process)
    process.stdout.readline()
    return process
def namespace(time_seconds=7200, program='sleep'):
    # A process in a network namespace of its own; it is known under the name of its program.
    if program != 'sleep':
        shutil.copy(shutil.which('sleep'), os.path.join(sys.argv[1], program))
    values = 'echo {} >/proc/sys/net/ipv4/tcp_keepalive_time; echo ready; '.format(time_seconds)
    return start('unshare', '-n', 'sh', '-c', values + 'PATH={}:$PATH; exec {} 600'.format(sys.argv[1], program))
def beside(process):
    return start('nsenter', '-n', '-t', str(process.pid), 'sh', '-c', 'echo ready; exec sleep 600')
def settle():
    # sh becomes the program that it runs.
    while any(open('/proc/%d/comm' % process.pid).read() == 'sh\n' for process in running):
        time.sleep(0.01)
def remove(folder):
    # The kernel may take a while to let a cgroup go whose processes have ended (EBUSY).
    end = time.time() + 60
    while True:
        try:
            return os.rmdir(folder)
        except OSError:
            if time.time() > end:
                raise
            time.sleep(0.01)
def show(inside=None):
    settle()
    print(json.dumps(pod_rows.read(namespaces.read(inside=inside).spaces, log_directory=LOGS)))
try:
    exec(sys.stdin.read())
finally:
    for process in running:
        process.kill()
        process.wait()
    for folder in reversed(made):
        remove(folder)
"""


@pytest.fixture(name="pods_of")
def _pods_of(tmp_path):
    """What the last show() printed after the code ran on a machine without other processes."""

    def pods_of(code):
        script = PRELUDE.replace("sys.stdin.read()", repr(code)).replace("sys.argv[1]", repr(str(tmp_path)))
        return json.loads(run_python("_observe.connections.pods as pod_rows", script, *ISOLATED).splitlines()[-1])

    return pods_of


def of_kind(pods, kind):
    return [row for row in pods["rows"] if row["kind"] == kind]


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
        "outside": [],
        "accepted": 0,
    }


DRIVERS = [
    pytest.param("V1", f"kubepods/burstable/pod{UID}/{ID}", id="cgroup v1, cgroupfs driver"),
    pytest.param(
        "V1",
        f"kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/docker-{ID}.scope",
        id="cgroup v1, systemd driver, Docker",
    ),
    pytest.param(
        "V2",
        "kubepods.slice/kubepods-burstable.slice/"
        f"kubepods-burstable-pod{UID.replace('-', '_')}.slice/cri-containerd-{ID}.scope",
        id="cgroup v2, systemd driver, containerd",
    ),
    pytest.param(
        "V2", f"kubelet/kubepods/besteffort/pod{UID}/crio-{ID}", id="cgroup v2, cgroupfs driver, CRI-O, in kind"
    ),
]


@pytest.mark.parametrize(("hierarchy", "path"), DRIVERS)
def test_a_pod_by_name(pods_of, hierarchy, path):
    pods = pods_of(
        f"os.mkdir(LOGS + '/default_web-0_{UID}')\n"
        f"pod = namespace(600, 'web')\ninto(pod, {hierarchy}, {path!r})\nshow()"
    )
    assert pods["count"] == 1
    (row,) = of_kind(pods, "pod")
    assert (row["label"], row["uid"], row["namespace"], row["name"]) == ("default/web-0", UID, "default", "web-0")
    assert row["keepalive"] == {"time": 600, "intvl": 75, "probes": 9}
    assert row["retries2"] == 15
    assert row["process"]["name"] == "web"
    assert [row["kind"] for row in pods["rows"]] == ["node", "pod"]


def test_a_static_pod_and_one_without_log_directory(pods_of):
    pods = pods_of(
        f"os.mkdir(LOGS + '/kube-system_etcd-master_{STATIC}')\n"
        f"for uid in ({STATIC!r}, {UID!r}):\n"
        f"    into(namespace(), V1, 'kubepods/burstable/pod' + uid + '/{ID}')\nshow()"
    )
    assert [row["label"] for row in of_kind(pods, "pod")] == ["kube-system/etcd-master", f"pod {UID}"]


def test_the_pause_container_says_less_than_the_program_beside_it(pods_of):
    pods = pods_of(
        f"pause = namespace(600, 'pause')\ninto(pause, V1, 'kubepods/pod{UID}/{ID}')\n"
        f"into(beside(pause), V1, 'kubepods/pod{UID}/{'6d' * 32}')\nshow()"
    )
    (row,) = of_kind(pods, "pod")
    assert row["process"]["name"] == "sleep"


def test_a_visitor_from_the_node_does_not_hide_the_pod(pods_of):
    pods = pods_of(f"pod = namespace()\ninto(pod, V1, 'kubepods/pod{UID}/{ID}')\nbeside(pod)\nbeside(pod)\nshow()")
    assert [row["label"] for row in of_kind(pods, "pod")] == [f"pod {UID}"]


def test_a_namespace_that_a_program_made_within_its_pod_is_not_the_pods(pods_of):
    pods = pods_of(
        f"first, second = namespace(), namespace()\n"
        f"for each in (second, first):\n    into(each, V1, 'kubepods/pod{UID}/{ID}')\nshow()"
    )
    (pod,), (other,) = of_kind(pods, "pod"), of_kind(pods, "other")
    assert (pod["label"], pods["count"]) == (f"pod {UID}", 1)
    assert pod["process"]["pid"] < other["process"]["pid"]
    assert other["label"] == "pod {}, process sleep ({})".format(UID, other["process"]["pid"])


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


BOXES = [
    ("V1", f"docker/{ID}", f"container {ID[:12]} (docker)"),
    ("V2", f"system.slice/docker-{ID}.scope/init.scope", f"container {ID[:12]} (docker)"),
    ("V2", f"machine.slice/libpod-{ID}.scope/container", f"container {ID[:12]} (podman)"),
    ("V2", "machine.slice/systemd-nspawn@web.service/payload", "container web (nspawn)"),
    ("V2", "lxc.payload.db", "container db (lxc)"),
]


@pytest.mark.parametrize(("hierarchy", "path", "label"), BOXES)
def test_a_container_outside_of_pods(pods_of, hierarchy, path, label):
    pods = pods_of(f"into(namespace(600, 'web'), {hierarchy}, {path!r})\nshow()")
    (row,) = of_kind(pods, "container")
    assert (row["label"], row["keepalive"]["time"], row["process"]["name"]) == (label, 600, "web")
    assert (pods["count"], pods["containers"]) == (0, 1)


def test_a_container_by_the_name_that_docker_wrote(pods_of):
    pods = pods_of(
        f"subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/var/lib'])\n"
        f"os.makedirs('/var/lib/docker/containers/{ID}')\n"
        f"with open('/var/lib/docker/containers/{ID}/config.v2.json', 'w') as handle:\n"
        "    json.dump({'Name': '/shop_web_1'}, handle)\n"
        f"into(namespace(), V1, 'docker/{ID}')\nshow()"
    )
    (row,) = of_kind(pods, "container")
    assert (row["label"], row["uid"]) == ("container shop_web_1 (docker)", f"docker-{ID}")


def test_a_users_container_is_no_more_than_a_label(pods_of):
    path = f"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container"
    pods = pods_of(f"into(namespace(), V2, {path!r})\nshow()")
    (row,) = of_kind(pods, "other")
    assert (row["label"], pods["containers"]) == (f"container {ID[:12]} (podman, rootless)", 0)


def test_a_node_of_kind_and_a_pod_in_it(pods_of):
    """Pods with hostNetwork, such as kube-proxy, are in the namespace of the container that is the node."""
    node = f"docker/{ID}"
    pods = pods_of(
        f"node = namespace()\ninto(node, V1, '{node}/init.scope')\n"
        f"into(beside(node), V1, '{node}/kubelet/kubepods/pod{OTHER_UID}/{ID}')\n"
        f"into(namespace(), V1, '{node}/kubelet/kubepods/pod{UID}/{ID}')\nshow()"
    )
    box = f"container {ID[:12]} (docker)"
    assert [row["label"] for row in of_kind(pods, "container")] == [box]
    assert [(row["label"], row["uid"]) for row in of_kind(pods, "pod")] == [(f"pod {UID} in {box}", UID)]


def test_a_visitor_of_an_older_container_does_not_hide_the_pod(pods_of):
    pods = pods_of(
        f"visitor = namespace()\npod = beside(visitor)\ninto(visitor, V1, 'docker/{ID}')\n"
        f"into(pod, V1, 'kubepods/pod{UID}/{ID}')\nshow()"
    )
    assert [row["label"] for row in of_kind(pods, "pod")] == [f"pod {UID}"]


def test_a_container_in_the_nodes_own_namespace_names_its_process(pods_of):
    pods = pods_of(
        f"host = start('sh', '-c', 'echo ready; exec sleep 600')\ninto(host, V1, 'docker/{ID}')\nsettle()\n"
        "process = {'pid': host.pid, 'name': 'sleep', 'without_keepalive': 1, 'gap': None}\n"
        "rows = [{'kind': 'node', 'services': [{'processes': [process]}], 'process': None, 'outside': []}]\n"
        "pod_rows._add_pods(rows, pod_rows._Names({}, {}), '/proc')\nprint(json.dumps(process['pod']))"
    )
    assert pods == f"container {ID[:12]} (docker)"


def test_processes_that_end_while_we_look_are_no_error(pods_of):
    pods = pods_of(
        f"pods = [namespace(), namespace()]\nfor each, uid in zip(pods, ({UID!r}, {OTHER_UID!r})):\n"
        f"    into(each, V1, 'kubepods/pod' + uid + '/{ID}')\n"
        "read = pod_rows.pod_names\n"
        "def end_and_read(directory):\n    pods[0].kill()\n    pods[0].wait()\n    return read(directory)\n"
        "pod_rows.pod_names = end_and_read\nshow()"
    )
    assert [row["label"] for row in of_kind(pods, "pod")] == [f"pod {OTHER_UID}"]
    (ended,) = of_kind(pods, "other")
    assert ended["label"] == "network namespace {}".format(ended["netns"])
    assert (ended["process"], ended["keepalive"]["time"]) == (None, 7200)


def test_a_running_pod_that_the_reader_did_not_reach_says_why(pods_of):
    pods = pods_of(
        f"pod = namespace()\ninto(pod, V1, 'kubepods/pod{UID}/{ID}')\nsettle()\nnamespaces._CHILD_SECONDS = 1\n"
        "spaces = namespaces.read(inside=lambda pids: time.sleep(60)).spaces\n"
        "found = pod_rows.pods_of(spaces, log_directory=LOGS)\n"
        "print(json.dumps({uid: [pod.keepalive, pod.error] for uid, pod in found.items()}))"
    )
    assert pods == {UID: [None, "the reader of the other network namespaces took longer than 3 s"]}


RUNNING = """
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import pods as steps_pods
def say_running(*processes):
    # The UID of the pod whose own namespace each process is in, by what the step that writes takes for running pods.
    settle()
    found = {pod.inode: [uid, pod.keepalive] for uid, pod in steps_pods.running_pods().pods.items()}
    print(json.dumps([found.get(os.stat('/proc/%d/ns/net' % process.pid).st_ino) for process in processes]))
"""
DEFAULT = [7200, 75, 9]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"kubepods/pod{OTHER_UID}/{ID}/kubepods/pod{UID}/{ID}", id="a container below its own cgroup"),
        pytest.param(f"kubepods.slice/kubepods-pod{OTHER_UID}.slice/{ID}/pod{UID}", id="the same by systemd"),
        pytest.param(f"user.slice/user-1000.slice/user@1000.service/kubepods/pod{UID}/{ID}", id="a user of the node"),
    ],
)
def test_nobody_takes_a_pods_place_by_the_name_of_a_cgroup(pods_of, path):
    """The impostor is the older one: of two namespaces of one pod that of the oldest process counts."""
    impostor, pod = pods_of(
        RUNNING + f"impostor, pod = namespace(), namespace()\ninto(impostor, V1, {path!r})\n"
        f"into(pod, V1, 'kubepods/pod{UID}/{ID}')\nsay_running(impostor, pod)"
    )
    assert pod == [UID, DEFAULT]
    assert impostor in (None, [OTHER_UID, DEFAULT])


def test_a_namespace_that_a_program_made_within_its_pod_is_not_even_entered(pods_of):
    """So that neither thousands of them nor one that hangs cost the other pods their turn."""
    assert pods_of(
        RUNNING + f"pod, nested, other = namespace(), namespace(), namespace()\n"
        f"for each, uid in ((pod, {UID!r}), (nested, {UID!r}), (other, {OTHER_UID!r})):\n"
        f"    into(each, V1, 'kubepods/pod' + uid + '/{ID}')\n"
        "enter, inode = namespace_paths.enter, os.stat('/proc/%d/ns/net' % nested.pid).st_ino\n"
        "namespace_paths.enter = lambda number, ways: os.abort() if number == inode else enter(number, ways)\n"
        "say_running(pod, nested, other)"
    ) == [[UID, DEFAULT], None, [OTHER_UID, DEFAULT]]


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
    }
    assert row["accepted"] == 3


def test_a_node_of_more_pods_than_rows(pods_of):
    pods = pods_of(
        "import ctypes, signal\nlibc, children = ctypes.CDLL(None), []\npod_rows.MAX_ROWS = 40\n"
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


def service(without=0, gaps=(), name="10.96.0.10:80", processes=()):
    connections = without + sum(number for _seconds, number in gaps)
    return {
        "service": name,
        "connections": connections,
        "without_keepalive": without,
        "in_flight": 0,
        "gaps": [list(gap) for gap in gaps],
        "processes": [
            {"name": name, "pid": pid, "without_keepalive": number, "gap": None} for name, pid, number in processes
        ],
    }


def space(inode, services=(), own=False, keepalive=(7200, 75, 9), error=None):
    total = sum(each["connections"] for each in services)
    inside = {
        "connections": total,
        "to_services": total,
        "without_keepalive": sum(each["without_keepalive"] for each in services),
        "in_flight": 0,
        "services": list(services),
        "services_omitted": 0,
        "sockets_from": "sock_diag",
        "sockets_error": None,
    }
    return Space(inode, own, [], [], Keepalive(*keepalive) if keepalive else None, 15, inside, error)


def test_the_time_outs_are_those_of_the_node_itself(tmp_path):
    spaces = [space(1), space(2, own=True), space(3)]
    for each in spaces:
        each.inside["rto"] = {"sockets": each.inode, "p95_ms": 204, "max_ms": 208}
    assert pod_rows.read(spaces, str(tmp_path), str(tmp_path))["rto"]["sockets"] == 2
    assert pod_rows.read(spaces[::2], str(tmp_path), str(tmp_path))["rto"] is None


def order(spaces, tmp_path):
    return [row["netns"] for row in pod_rows.read(spaces, str(tmp_path), str(tmp_path))["rows"]]


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


def test_the_worst_come_first(tmp_path):
    spaces = [
        space(1, keepalive=(600, 30, 9)),
        space(2),
        space(3, [service(gaps=[(600, 5)])], keepalive=(600, 30, 9)),
        space(4, [service(gaps=[(7200, 1)])], keepalive=(600, 30, 9)),
        space(5, [service(without=1)], keepalive=(600, 30, 9)),
        space(6, [service(without=3)], keepalive=(600, 30, 9)),
        space(7, own=True),
        space(8, [service(gaps=[(7200, 9)])]),
        space(9, keepalive=None, error="/proc/9/ns/net: Operation not permitted"),
    ]
    assert order(spaces, tmp_path) == [7, 6, 5, 8, 4, 2, 9, 3, 1]


def test_rows_are_bounded_and_totals_count_all(tmp_path):
    spaces = [space(number, [service(gaps=[(600, 2)])]) for number in range(1, 251)]
    pods = pod_rows.read(spaces, str(tmp_path), str(tmp_path))
    assert (len(pods["rows"]), pods["omitted"]) == (200, 50)
    assert pods["totals"] == {
        "connections": 500,
        "to_services": 500,
        "without_keepalive": 0,
        "to_outside": 0,
        "outside_without_keepalive": 0,
    }


def test_services_are_bounded_over_all_rows(tmp_path):
    many = [service(gaps=[(600, 1)], name=f"10.96.0.{number}:80") for number in range(20)]
    pods = pod_rows.read([space(number, many) for number in range(1, 101)], str(tmp_path), str(tmp_path))
    assert [len(row["services"]) for row in pods["rows"]] == [20] * 50 + [0] * 50
    assert [row["services_omitted"] for row in pods["rows"]] == [0] * 50 + [20] * 50
    assert len(json.dumps(pods)) < 300000


def outside(space, *peers):
    """The same namespace with connections to these addresses, too."""
    listed = [{"destination" if key == "service" else key: each[key] for key in each} for each in peers]
    total = sum(each["connections"] for each in listed)
    without = sum(each["without_keepalive"] for each in listed)
    return space._replace(
        inside=dict(space.inside, outside=listed, to_outside=total, outside_without_keepalive=without)
    )


def test_other_addresses_are_bounded_by_themselves_and_their_totals_stay(tmp_path):
    many = [service(gaps=[(600, 1)], name=f"192.0.2.{number}:5432") for number in range(20)]
    spaces = [outside(space(number, [service(without=1)]), *many) for number in range(1, 101)]
    pods = pod_rows.read(spaces, str(tmp_path), str(tmp_path))
    assert [len(row["outside"]) for row in pods["rows"]] == [20] * 50 + [0] * 50
    assert [(len(row["services"]), row["services_omitted"], row["to_outside"]) for row in pods["rows"]] == [
        (1, 0, 20)
    ] * 100
    assert (pods["totals"]["to_outside"], pods["totals"]["to_services"]) == (2000, 100)


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


def test_many_different_gaps_are_put_together_under_the_longest_and_none_is_lost(tmp_path):
    gaps = [(seconds, 1) for seconds in range(1, 32768, 50)]
    few = pod_rows.read([space(1, [service(gaps=gaps)])], str(tmp_path), str(tmp_path))["rows"][0]
    assert few["services"][0]["gaps"] == [list(gap) for gap in gaps]
    rows = pod_rows.read([space(n, [service(gaps=gaps)]) for n in range(1, 9)], str(tmp_path), str(tmp_path))["rows"]
    rounded = rows[0]["services"][0]["gaps"]
    assert len(rounded) < 200
    assert sum(number for _seconds, number in rounded) == len(gaps)
    assert {seconds for seconds, _number in rounded} <= {seconds for seconds, _number in gaps}
    assert all(any(seconds <= up <= seconds * 17 / 16 + 1 for up, _number in rounded) for seconds, _number in gaps)


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
