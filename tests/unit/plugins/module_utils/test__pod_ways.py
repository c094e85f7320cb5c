# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way a node has: its files in a mount namespace, its processes in a process directory of our own."""

import os
import subprocess
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils import _pod_ways
from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._pod_ways import Wish, choose
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, write
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pods_to_come import (
    PLUGINS,
    SYSCTLS,
    conflist,
)

NETWORKS = "/run/networks"
CONFIGS = "/run/kubelet.conf.d"
CRIO = "/etc/crio/crio.conf.d/"
OURS = "99-kubenode-connections.conf"
GATE = b"featureGates:\n  DefaultPodSysctls: true\n"


def wish(way="auto", **changed):
    return Wish(SYSCTLS, way, NETWORKS, None, (PLUGINS,))._replace(**changed)


def processes(kubelet=None, flags=(), crio=False):
    """A process directory with a kubelet of that version and a CRI-O; what both see is the namespace of the test."""
    proc = "/run/proc"
    programs = {7: "kubelet"} if kubelet else {}
    if crio:
        programs[8] = "crio"
    for pid, name in [*programs.items(), ("self", "python")]:
        folder = os.path.join(proc, str(pid))
        for kind in ("mnt", "pid", "user", "net"):
            os.makedirs(folder + "/ns", exist_ok=True)
            os.symlink(f"{kind}:[1]", f"{folder}/ns/{kind}")
        program = write(f"/run/programs-{pid}/{name}", f"#!/bin/sh\necho Kubernetes {kubelet}\n".encode())
        os.chmod(program, 0o755)
        write(folder + "/comm", name.encode() + b"\n")
        write(folder + "/cmdline", "\0".join([name, *flags, ""]).encode())
        os.symlink(program, folder + "/exe")
        os.symlink("/", folder + "/root")
    return proc


def network(name="10-net.conflist"):
    return write(os.path.join(NETWORKS, name), conflist())


@isolated
def test_kubelet_comes_first_where_its_gate_is_on():
    os.makedirs(CONFIGS)
    os.makedirs(CRIO)
    network()
    write("/run/config.yaml", GATE)
    proc = processes("v1.37.0", ["--config=/run/config.yaml", f"--config-dir={CONFIGS}"], crio=True)
    way = choose(wish(), proc)
    assert (way.name, way.path, way.pid, way.notes) == ("kubelet", f"{CONFIGS}/{OURS}", 7, ())
    assert b"featureGates" not in way.content
    assert way.reason == f"kubelet v1.37.0 has defaultPodSysctls, and reads {CONFIGS}."


@isolated
def test_then_crio_where_it_runs():
    os.makedirs(CRIO)
    network()
    proc = processes("v1.36.1", ["--container-runtime-endpoint=unix:///var/run/crio/crio.sock"], crio=True)
    way = choose(wish(), proc)
    assert (way.name, way.path, way.pid) == ("crio", CRIO + OURS, 8)
    assert way.reason == "CRI-O runs here and has default_sysctls."
    assert way.notes == ("Not by kubelet: kubelet is v1.36.1, defaultPodSysctls came with 1.37.",)


@isolated
def test_then_cni():
    os.makedirs(CRIO)
    path = network()
    way = choose(wish(), processes("v1.37.0", ["--container-runtime-endpoint=unix:///run/containerd.sock"], crio=True))
    assert (way.name, way.path, way.content, way.pid) == ("cni", path, None, None)
    assert way.reason == f"{path} is the network of pods to come, and {PLUGINS}/tuning accepted the sysctls."
    assert way.notes == (
        "Not by kubelet: The feature gate DefaultPodSysctls of kubelet v1.37.0 is alpha, and not on.",
        "Not by crio: CRI-O runs here, but kubelet uses unix:///run/containerd.sock.",
    )


@isolated
def test_none_says_why_each_is_none():
    with pytest.raises(NodeError) as error:
        choose(wish(), processes())
    assert str(error.value) == (
        "Pods to come: none of the ways kubelet, crio and cni can be gone on this node, one is expected. "
        "kubelet: No kubelet runs here. Start it first. crio: CRI-O does not run here. Choose another way. "
        f"cni: {NETWORKS}: no network configuration can be looked for: No such file or directory (ENOENT). Mend that "
        "and run again. Or use the manifests of the role pod_defaults, which need nothing on the node."
    )


@isolated
def test_kubelet_asked_for_by_name_gets_its_gate_from_the_same_file():
    write(f"{CONFIGS}/{OURS}", GATE)  # of an earlier run: it does not count
    proc = processes("v1.38.0", ["--config-dir", CONFIGS])
    assert b"featureGates:\n  DefaultPodSysctls: true\n" in choose(wish("kubelet"), proc).content


@isolated
def test_kubelet_whose_gate_is_on_in_another_file_of_the_directory():
    write(f"{CONFIGS}/10-gates.conf", GATE)
    assert b"featureGates" not in choose(wish("kubelet"), processes("v1.37.0", ["--config-dir", CONFIGS])).content


@isolated
def test_kubelet_without_a_directory_for_our_file():
    with pytest.raises(NodeError) as error:
        choose(wish("kubelet"), processes("v1.37.0", ["--config=/var/lib/kubelet/config.yaml"]))
    assert str(error.value) == (
        "kubelet was started without --config-dir, where a file of ours could lie, and its --config belongs to whoever "
        "installed it (kubeadm writes it anew at an upgrade). Start it with --config-dir, or put defaultPodSysctls and "
        "the feature gate DefaultPodSysctls into that file, with kubeadm into ConfigMap kube-system/kubelet-config."
    )


@isolated
def test_crio_keeps_what_other_files_set():
    write("/etc/crio/crio.conf", b'[crio.runtime]\ndefault_sysctls = ["net.a=0"]\n')
    write(CRIO + "02-crio.conf", b'[crio.runtime]\ndefault_sysctls = ["net.ipv4.ip_unprivileged_port_start=0"]\n')
    write(CRIO + "10-crio.conf", b"[crio.runtime]\nlog_level = 'info'\n")
    way = choose(wish("crio"), processes())
    assert way.reason == "CRI-O is installed here and has default_sysctls."
    assert way.content.decode().splitlines()[1:4] == [
        f"# This list stands for the one of {CRIO}02-crio.conf, whose other entries it repeats.",
        "[crio.runtime]",
        "default_sysctls = [",
    ]
    assert '"net.ipv4.ip_unprivileged_port_start=0",' in way.content.decode()
    assert "net.a" not in way.content.decode()


@isolated
def test_crio_with_a_list_that_comes_after_ours():
    write(CRIO + "99-zz.conf", b'[crio.runtime]\ndefault_sysctls = ["net.a=0"]\n')
    with pytest.raises(NodeError) as error:
        choose(wish("crio"), processes())
    assert str(error.value) == (
        f"{CRIO}99-zz.conf sets default_sysctls, and its list would count, not that of {CRIO}{OURS}, which comes "
        "before it (CRI-O takes the last one whole, pkg/config/config.go). Put the entries there, or give that file a "
        "name that sorts before."
    )


@isolated
def test_crio_that_is_not_installed():
    with pytest.raises(NodeError, match="so CRI-O is not installed"):
        choose(wish("crio"), processes())


@isolated
def test_a_network_that_its_owner_writes_again_is_said():
    write(NETWORKS + "/10-calico.conflist", conflist().replace(b'"ptp"', b'"calico"'))
    plugins = "/run/plugins"
    os.makedirs(plugins)
    for name in ("calico", "portmap", "tuning"):
        os.symlink(f"{PLUGINS}/tuning", f"{plugins}/{name}")
    [note] = choose(wish("cni", cni_plugin_directories=(plugins,)), processes()).notes
    assert note == (
        f"{NETWORKS}/10-calico.conflist belongs to Calico, which writes it anew whenever a calico-node pod starts (its "
        "init container install-cni). With the operator, set spec.calicoNetwork.sysctl of its Installation, which "
        "takes exactly these three keys; with the manifest, chain tuning in cni_network_config of ConfigMap "
        "kube-system/calico-config; or run this again after it."
    )


@isolated
def test_a_network_that_is_named():
    network()
    path = network("20-other.conflist")
    assert choose(wish("cni", cni_file=path), processes()).path == path


@isolated
def test_a_network_that_is_named_and_not_there():
    with pytest.raises(NodeError) as error:
        choose(wish("cni", cni_file="/run/none.conflist"), processes())
    assert str(error.value) == (
        "/run/none.conflist: no such file, a network configuration is expected there. Name another one."
    )


def test_whether_a_process_is_older_than_a_file(tmp_path):
    older, newer = tmp_path / "older", tmp_path / "newer"
    older.write_text("")
    time.sleep(0.05)
    process = subprocess.Popen(["sleep", "60"])
    time.sleep(0.05)
    newer.write_text("")
    try:
        assert _pod_ways.started_before(process.pid, str(older)) is False
        assert _pod_ways.started_before(process.pid, str(newer)) is True
        assert _pod_ways.started_before(process.pid, str(tmp_path / "none")) is None
    finally:
        process.kill()
        process.wait()
    assert _pod_ways.started_before(process.pid, str(newer)) is None
