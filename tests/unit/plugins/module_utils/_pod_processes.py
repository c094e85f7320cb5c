# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods as a kubelet leaves them: real network namespaces, real cgroups, real log directories, real processes."""

import json

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space
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
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import (
    attribution, bounded_rows, pods as pod_rows, running_pods
)
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


def shown(tmp_path, code):
    """What the last show() printed after the code ran on a machine without other processes."""
    script = PRELUDE.replace("sys.stdin.read()", repr(code)).replace("sys.argv[1]", repr(str(tmp_path)))
    return json.loads(run_python("_observe.connections.pods", script, *ISOLATED).splitlines()[-1])


def of_kind(pods, kind):
    return [row for row in pods["rows"] if row["kind"] == kind]


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


def outside(space, *peers):
    """The same namespace with connections to these addresses, too."""
    listed = [{"destination" if key == "service" else key: each[key] for key in each} for each in peers]
    total = sum(each["connections"] for each in listed)
    without = sum(each["without_keepalive"] for each in listed)
    return space._replace(
        inside=dict(space.inside, outside=listed, to_outside=total, outside_without_keepalive=without)
    )
