# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running pods for whole runs: real network namespaces, with real processes in them."""

import contextlib
import os
import subprocess

from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import pod_keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import pods as steps_pods
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.running_pods import Pod

REWRITE = "while :; do echo {} > /proc/sys/net/ipv4/tcp_keepalive_time; {} done"


class Pods:
    """The pods of a node: a network namespace each, held by a process."""

    def __init__(self):
        self._processes = {}
        self._others = []

    def add(self, uid):
        process = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
        process.stdout.readline()
        self._processes[uid] = process

    def inside(self, uid, script):
        """Start a script in the pod; mounts that it makes are there for this node."""
        command = ["nsenter", "--net=" + self._way(uid), "sh", "-c", script]
        self._others.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        return self._others[-1]

    def rewrites(self, uid, value=7200, pause=""):
        self.inside(uid, "echo; " + REWRITE.format(value, pause)).stdout.readline()

    def mounted(self, uid, name, options):
        path = "/proc/sys/net/ipv4/tcp_keepalive_" + name
        script = f"mountpoint -q {path} || mount -n --bind {path} {path}; mount -n -o remount,bind,{options} {path}"
        assert self.inside(uid, script).wait() == 0

    def live(self, uid):
        script = "cd /proc/sys/net/ipv4; cat tcp_keepalive_time tcp_keepalive_intvl tcp_keepalive_probes"
        return "/".join(self.inside(uid, script).communicate()[0].decode().split())

    def find(self):
        ways = {uid: self._way(uid) for uid in self._processes}
        pods = {uid: Pod("shop/" + uid, os.stat(way).st_ino, [way], None, None) for uid, way in ways.items()}
        return steps_pods.Running(pod_keepalive.read(pods), None)

    def end(self):
        for process in [*self._processes.values(), *self._others]:
            process.kill()
            process.wait()

    def _way(self, uid):
        return f"/proc/{self._processes[uid].pid}/ns/net"


@contextlib.contextmanager
def running(monkeypatch, *uids):
    """Pods that are all that a run finds: the processes of this machine are there too, and are none of its business."""
    pods = Pods()
    monkeypatch.setattr(steps_pods, "running_pods", pods.find)
    monkeypatch.setattr(steps_pods, "running_containers", lambda: steps_pods.Running({}, None))
    try:
        for uid in uids:
            pods.add(uid)
        yield pods
    finally:
        pods.end()
