# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container whose root does all that he can to be believed, to be followed out of it, or to be waited for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ansible_collections.kubenode.connections.tests.trust import node
from ansible_collections.kubenode.connections.tests.trust.places import SECONDS
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import environment
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, write

NAMESPACES = 300
SECRET = b"a secret of the node\n"

CONTAINER = """
import ctypes, os, sys, time
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import elf, put
ROOT, NEWNET = "/run/root", 0x40000000
unshare = ctypes.CDLL(None).unshare
for folder in ("/etc", "/var/log/pods", "/dev"):
    os.makedirs(ROOT + folder)
os.mkfifo(ROOT + "/fifo")
os.symlink("/proc/1/root/etc/secret", ROOT + "/out")
os.symlink("../../../../../etc/secret", ROOT + "/up")
os.mknod(ROOT + "/zero", 0o020666, os.makedev(1, 5))
with open(ROOT + "/sparse", "wb") as handle:
    handle.truncate(1 << 40)
names = ("kubelet", "kube-proxy", "containerd", "crio", "dockerd", "keepalived", "tuned", "cilium-agent", "calico-node")
for name in (*names, "\\x1b]0;x\\x07", "a\\nb", "{{ 7*7 }}"):
    program = put(ROOT + "/" + name, elf())
    for path in ("/fifo", "/zero", "/sparse", "/out", "/up", "/etc/../../../etc/secret"):
        if os.fork() == 0:
            os.chroot(ROOT)
            os.chdir("/")
            words = ["--config=" + path, "--config-dir=" + path, "-f", path, "\\x1b[2J", "a\\nb", "x" * 100000]
            os.execv("/" + name, ["/" + name, *words])
for _number in range(int(sys.argv[1])):
    if os.fork() == 0:
        unshare(NEWNET)
        time.sleep(600)
        os._exit(0)
print("ready", flush=True)
while True:  # processes that come and go
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    time.sleep(0.001)
"""


@pytest.mark.parametrize(
    ("namespaces", "rights", "may_change_the_nodes_network"),
    [
        pytest.param("-pfmnu", "+all", False, id="a network of its own"),
        pytest.param("-pfmu", "+all", True, id="the node's network"),
        pytest.param("-pfmu", "-net_admin", False, id="the node's network, which it may not change"),
    ],
)
@isolated
def test_a_look_at_the_node_ends_and_takes_nothing_of_it_for_the_nodes_own(
    namespaces, rights, may_change_the_nodes_network, tmp_path
):
    node.take_over()
    write("/etc/secret", SECRET)
    prefix = ["unshare", namespaces, "--mount-proc", "setpriv", f"--bounding-set={rights}"]
    command = [*prefix, sys.executable, "-c", CONTAINER, str(NAMESPACES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as container:
        assert container.stdout.readline() == b"ready\n"
        answer = node.Running("node_info", {"sample_seconds": 0}, tmp_path).end(SECONDS)
        container.kill()
    assert (answer.returncode, answer.err) == (0, "")
    assert answer.out.strip().isprintable()
    assert SECRET.decode().strip() not in answer.out
    seen = answer.result["node"]
    assert seen["namespaces"]["count"] >= NAMESPACES
    assert not seen["namespaces"]["error"]
    assert (seen["kubelet"]["running"], seen["kubelet"]["version"]) == (False, None)
    assert seen["container_runtimes"] == []
    assert set(seen["owners"].values()) == {None}
    # Whoever may change the node's network may pose as kube-proxy (docs/security.md).
    assert seen["kube_proxy"]["running"] == may_change_the_nodes_network
    assert (seen["kube_proxy"]["mode"], seen["kube_proxy"]["ipvs_timeouts"]) == (None, None)
