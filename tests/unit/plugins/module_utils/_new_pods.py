# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods as a container runtime makes them: a network namespace, and the real CNI plugins run one after the other."""

import contextlib
import json
import os
import subprocess

PLUGINS = "/usr/lib/cni"

KEYS = ("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes")
SYSCTLS = dict(zip(KEYS, ("600", "30", "9")))
KERNEL, SAFE = (7200, 75, 9), (600, 30, 9)


def conflist(version="0.4.0"):
    """A network as small clusters have it: one end of a veth pair and an address for each pod."""
    ipam = {"type": "host-local", "subnet": "10.88.0.0/24", "dataDir": "/run/cni-addresses"}
    plugins = [{"type": "ptp", "ipam": ipam}, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return json.dumps({"cniVersion": version, "name": "kubenode", "plugins": plugins}, indent=2).encode() + b"\n"


class Pod:
    """A network namespace that a runtime brings into the network of a configuration list."""

    def __init__(self, data):
        self._list = json.loads(data.decode())
        self._result = None
        self._process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self._namespace = f"/proc/{self._process.pid}/ns/net"
        while os.readlink(self._namespace) == os.readlink("/proc/self/ns/net"):
            pass  # until unshare is done

    def add(self):
        for plugin in self._list["plugins"]:
            self._result = self._call("ADD", plugin)

    def check(self):
        for plugin in self._list["plugins"]:
            self._call("CHECK", plugin)

    def delete(self):
        for plugin in reversed(self._list["plugins"]):
            self._call("DEL", plugin)

    def keepalive(self):
        """time, intvl and probes in the namespace."""
        files = ["/proc/sys/" + key.replace(".", "/") for key in KEYS]
        command = ["nsenter", f"--net={self._namespace}", "cat", *files]
        return tuple(int(line) for line in subprocess.check_output(command).split())

    def end(self):
        self._process.kill()
        self._process.wait()

    def _call(self, command, plugin):
        """Run one plugin, as libcni does (libcni/api.go)."""
        configuration = dict(plugin, name=self._list["name"], cniVersion=self._list["cniVersion"])
        if self._result is not None:
            configuration["prevResult"] = self._result
        environment = dict(
            os.environ,
            CNI_COMMAND=command,
            CNI_CONTAINERID=f"pod-{self._process.pid}",
            CNI_IFNAME="eth0",
            CNI_NETNS=self._namespace,
            CNI_PATH=PLUGINS,
        )
        done = subprocess.run(
            [os.path.join(PLUGINS, plugin["type"])],
            input=json.dumps(configuration).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
        output = done.stdout.decode()
        needs = "it needs the CNI plugins in /usr/lib/cni (Debian: containernetworking-plugins)"
        assert done.returncode == 0, f"{plugin['type']} {command} failed ({needs}): {output}"
        return json.loads(output) if command == "ADD" else None


@contextlib.contextmanager
def pod(data):
    """A pod in the network of a configuration list, until the end of the block."""
    made = Pod(data)
    try:
        made.add()
        yield made
        made.delete()
    finally:
        made.end()
