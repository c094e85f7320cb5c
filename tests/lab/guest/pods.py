# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods as a kubelet and a runtime leave them: namespaces, cgroups, programs. Runs in the guest, as root.

    build LIMIT        a node whose IPVS timeout is LIMIT seconds, and its pods, a JSON list on stdin
    clients            start the programs of the pods, return when all are connected
    client CASE        in a pod: a connection that says something, is silent and says something again (run_cases.py)
    cni NETNS CGROUP   a pod whose network the plugins of /etc/cni/net.d make; prints its keepalive as JSON
    end NETNS          end a pod, its processes and its namespace
    churn SECONDS      pods that come and go
    keepalive NETNS... time/intvl/probes in each namespace as JSON

A pod is a mapping: netns ("node": hostNetwork), cgroup (of its container, below the root), v1 (in a hierarchy of cgroup
v1), log (its directory in /var/log/pods), sysctls (["key=value"]), program (words for Python, none for pause alone).
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
import uuid

import network
from _new_pods import KEYS, Pod
from network import NODE, inside
from run_cases import idle

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE = os.path.join(HERE, "pause")
STATE = "/run/proof/pods.json"
CONFIGURATIONS = "/etc/cni/net.d"
CGROUP_V2, CGROUP_V1 = "/sys/fs/cgroup", "/run/cgroup-v1"
ENTER_CGROUP = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"']
"""The words before a cgroup's folder and the command that is to run there."""
CONNECT_SECONDS = 120
VIP = "{3:02X}{2:02X}{1:02X}{0:02X}".format(*map(int, network.VIP_IPVS.split(".")))
"""The address of the Services as /proc/net/tcp shows it, and where /proc/net/tcp6 ends with it (gRPC's sockets)."""
BACKENDS = {"s1": "10.2.0", "s2": "10.3.0"}
ESTABLISHED_SECONDS = "86400"
CHURNING = 8
LIFETIMES_SECONDS = ("0.2", "0.4", "0.8", "1.6")
"""Some end before they are named, some between being found and being entered."""


def build(limit):
    """The node, its network and its Services, and a sandbox for each pod. Nothing here loads tcp_diag, as ss would."""
    pods = json.load(sys.stdin)
    os.makedirs(os.path.dirname(STATE), exist_ok=True)
    with open(STATE, "w") as state:
        json.dump(pods, state)
    own = [pod["netns"] for pod in pods if pod["netns"] != NODE]
    network.PODS = dict(BACKENDS, **{name: f"10.{number}.0" for number, name in enumerate(own, 100)})
    network.build(NODE, limit, ESTABLISHED_SECONDS)
    subprocess.run(["cp", "/usr/bin/sleep", PAUSE], check=True)
    os.makedirs(CGROUP_V1, exist_ok=True)
    network.run("mount", "-t", "cgroup", "-o", "none,name=kubelet", "none", CGROUP_V1)
    for pod in pods:
        network.set_sysctls(pod["netns"], pod["sysctls"])
        if pod["log"]:
            os.makedirs(os.path.join("/var/log/pods", pod["log"]))
        start(pod, "sandbox", [PAUSE, "infinity"])


def start(pod, container, command):
    """A container of a pod; its cgroup is made by systemd or by hand, as the two drivers of a kubelet do it."""
    container_id = uuid.uuid4().hex + uuid.uuid4().hex
    parent, name = os.path.split(pod["cgroup"].format(container=container_id))
    if name.endswith(".scope"):
        into = ["systemd-run", "--scope", "--quiet", f"--slice={os.path.basename(parent)}", f"--unit={name}"]
    else:
        folder = os.path.join(CGROUP_V1 if pod["v1"] else CGROUP_V2, parent, name)
        os.makedirs(folder)
        into = [*ENTER_CGROUP, folder]
    with open(f"/run/proof/{pod['netns']}.{container}", "w") as output:
        subprocess.Popen(
            [*into, *inside(pod["netns"]), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def clients():
    """The programs of all pods side by side."""
    with open(STATE) as state:
        pods = [pod for pod in json.load(state) if pod["program"]]
    for pod in pods:
        start(pod, "program", [sys.executable, os.path.join(HERE, pod["program"][0]), *pod["program"][1:]])
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        missing = [pod["netns"] for pod in pods if not connected(pod["netns"])]
        if not missing:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"{', '.join(missing)}: not connected after {CONNECT_SECONDS} s. See /run/proof.")
        time.sleep(0.3)


def connected(netns):
    """Whether a namespace has an established connection to a Service (state 01 in /proc/net/tcp)."""
    rows = network.run(*inside(netns), "cat", "/proc/net/tcp", "/proc/net/tcp6").splitlines()
    return any(VIP + ":" in row.split()[2] and row.split()[3] == "01" for row in rows)


def cni(netns, cgroup):
    """A pod made as a runtime makes it: a namespace, then the plugins of the first configuration list."""
    configuration = sorted(os.listdir(CONFIGURATIONS))[0]
    with open(os.path.join(CONFIGURATIONS, configuration), "rb") as opened:
        data = opened.read()
    answer = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        for descriptor in (1, 2):
            os.dup2(nowhere.fileno(), descriptor)  # what the pod inherits, so that nobody waits for its end
    pod = Pod(data)
    pod.add()
    network.run("ip", "netns", "attach", netns, str(pod._process.pid))
    folder = os.path.join(CGROUP_V2, cgroup)
    os.makedirs(folder)
    with open(os.path.join(folder, "cgroup.procs"), "w") as processes:
        processes.write(str(pod._process.pid))
    os.write(answer, json.dumps("/".join(map(str, pod.keepalive()))).encode())


def end(netns):
    """End a pod as a runtime does: its processes, then its namespace."""
    for pid in network.run("ip", "netns", "pids", netns).split():
        os.kill(int(pid), signal.SIGKILL)
    network.run("ip", "netns", "delete", netns)


def churn(seconds):
    """Pods that live for a blink, always some at a time."""
    deadline = time.monotonic() + float(seconds)
    living = []
    for number in itertools.count():
        folder = os.path.join(CGROUP_V2, f"kubepods/besteffort/pod{uuid.uuid4()}/{number:064x}")
        os.makedirs(folder)
        command = ["unshare", "--net", "sleep", LIFETIMES_SECONDS[number % len(LIFETIMES_SECONDS)]]
        living.append((folder, subprocess.Popen([*ENTER_CGROUP, folder, *command])))
        while len(living) >= CHURNING or (living and time.monotonic() > deadline):
            time.sleep(0.02)
            living = [each for each in living if not ended(*each)]
        if time.monotonic() > deadline:
            return


def ended(folder, process):
    """Whether a pod is over; then its cgroups are removed."""
    if process.poll() is None:
        return False
    os.rmdir(folder)
    os.rmdir(os.path.dirname(folder))
    return True


def keepalive(*names):
    """What is in force in each namespace."""
    values = {name: network.run(*inside(name), "sysctl", "-n", *KEYS).split() for name in names}
    print(json.dumps({name: "/".join(each) for name, each in values.items()}))


def client(case):
    """In a pod: one connection; its result goes to the container's output."""
    print(json.dumps(idle(json.loads(case))), flush=True)


VERBS = {each.__name__: each for each in (build, clients, client, cni, end, churn, keepalive)}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
