# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of /proc/PID/cgroup and names of directories as kubelets and container runtimes make them."""

import os
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import pod_names

UID = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"
SLICE_UID = UID.replace("-", "_")
STATIC = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
ID = "5c" * 32
OUTER = "77" * 32

CGROUPS = [
    pytest.param(
        f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SLICE_UID}.slice/cri-containerd-{ID}.scope\n",
        UID,
        id="cgroup v2, systemd driver, containerd",
    ),
    pytest.param(
        f"0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{SLICE_UID}.slice/crio-{ID}.scope\n",
        UID,
        id="CRI-O",
    ),
    pytest.param(f"0::/kubepods.slice/kubepods-pod{SLICE_UID}.slice/docker-{ID}.scope\n", UID, id="guaranteed, Docker"),
    pytest.param(f"0::/kubepods/burstable/pod{UID}/{ID}\n", UID, id="cgroupfs driver"),
    pytest.param(f"0::/kubepods/pod{UID}/{ID}\n", UID, id="cgroupfs driver, guaranteed"),
    pytest.param(f"0::/kubepods/besteffort/pod{UID}/crio-{ID}\n", UID, id="cgroupfs driver, CRI-O"),
    pytest.param(
        f"12:cpu,cpuacct:/\n11:pids:/kubepods/burstable/pod{UID}/{ID}\n1:name=systemd:/kubepods/burstable/pod{UID}/{ID}\n0::/\n",
        UID,
        id="cgroup v1, some hierarchies unused",
    ),
    pytest.param(
        f"1:name=systemd:/system.slice/containerd.service/kubepods-burstable-pod{SLICE_UID}.slice:cri-containerd:{ID}\n",
        UID,
        id="a containerd without SystemdCgroup",
    ),
    pytest.param(
        "0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
        f"kubelet-kubepods-burstable-pod{SLICE_UID}.slice/cri-containerd-{ID}.scope\n",
        UID,
        id="kind, from within",
    ),
    pytest.param(
        f"0::/docker/{OUTER}/kubelet/kubepods/burstable/pod{UID}/{ID}\n", UID, id="kind, seen from its machine"
    ),
    pytest.param(
        f"0::/system.slice/docker-{OUTER}.scope/kubelet.slice/kubelet-kubepods.slice/"
        f"kubelet-kubepods-pod{SLICE_UID}.slice/cri-containerd-{ID}.scope\n",
        UID,
        id="kind, seen from its machine, systemd driver",
    ),
    pytest.param(f"0::/../../pod{UID}/{ID}\n", UID, id="out of a cgroup namespace"),
    pytest.param(f"0::/../../../besteffort/pod{UID}/{ID}\n", UID, id="farther out of a cgroup namespace"),
    pytest.param(f"0::/../cri-containerd-{ID}.scope\n", None, id="another container of our own pod"),
    pytest.param(f"0::/kubepods/burstable/pod{STATIC}/{ID}\n", STATIC, id="a static pod"),
    pytest.param(
        f"0::/kubepods.slice/kubepods-pod{STATIC}.slice/crio-{ID}.scope\n", STATIC, id="static, systemd driver"
    ),
    pytest.param(f"0::/kubepods/burstable/podmy-own-uid/{ID}\n", "my-own-uid", id="a UID that somebody wrote"),
    pytest.param(f"0::/kubepods/burstable/pod{UID}\n", UID, id="the pod's own cgroup"),
    pytest.param(f"0::/kubepods/pod{UID}/{ID}/init.scope\n", UID, id="systemd in a container"),
    pytest.param(
        f"0::/kubepods/burstable/pod{UID}/{OUTER}/kubelet/kubepods/pod{STATIC}/{ID}\n",
        UID,
        id="a cluster in a pod: the pod of this node",
    ),
    pytest.param(f"0::/system.slice/docker-{ID}.scope\n", None, id="Docker without Kubernetes"),
    pytest.param(f"0::/machine.slice/libpod-{ID}.scope/container\n", None, id="podman"),
    pytest.param("0::/system.slice/containerd.service\n", None, id="a service"),
    pytest.param("0::/user.slice/user-0.slice/session-1.scope\n", None, id="a login"),
    pytest.param(f"0::/podman/pod{UID[:-1]}/x\n", None, id="not a UID"),
    pytest.param("0::/\n", None, id="the root of a cgroup namespace"),
    pytest.param("", None, id="a process that has ended"),
]


@pytest.mark.parametrize(("text", "uid"), CGROUPS)
def test_the_pod_of_a_process(text, uid):
    assert pod_names.owner_of(text).uid == uid


BOXES = [
    pytest.param(f"0::/system.slice/docker-{ID}.scope\n", ("docker", ID, False), id="Docker, systemd driver"),
    pytest.param(f"0::/system.slice/docker-{ID}.scope/init.scope\n", ("docker", ID, False), id="systemd in Docker"),
    pytest.param(f"12:pids:/docker/{ID}\n1:name=systemd:/docker/{ID}\n", ("docker", ID, False), id="Docker, cgroup v1"),
    pytest.param(f"12:pids:/\n1:name=systemd:/docker/{ID}\n0::/x.service\n", ("docker", ID, False), id="v1 in part"),
    pytest.param(f"0::/batch.slice/docker-{ID}.scope\n", ("docker", ID, False), id="Docker with a --cgroup-parent"),
    pytest.param(
        f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ID}.scope\n",
        ("docker", ID, True),
        id="rootless Docker",
    ),
    pytest.param(f"0::/machine.slice/libpod-{ID}.scope/container\n", ("podman", ID, False), id="podman"),
    pytest.param(f"0::/libpod_parent/libpod-{ID}\n", ("podman", ID, False), id="podman, cgroupfs"),
    pytest.param(
        f"0::/machine.slice/machine-libpod_pod_{OUTER}.slice/libpod-{ID}.scope\n",
        ("podman", ID, False),
        id="podman, in a pod of its own",
    ),
    pytest.param(f"0::/system.slice/web.service/libpod-payload-{ID}\n", ("podman", ID, False), id="a Quadlet"),
    pytest.param(
        f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container\n",
        ("podman", ID, True),
        id="rootless podman",
    ),
    pytest.param(f"0::/system.slice/nerdctl-{ID}.scope\n", ("nerdctl", ID, False), id="nerdctl"),
    pytest.param(f"0::/default/{ID}\n", ("containerd", ID, False), id="nerdctl, cgroupfs"),
    pytest.param("0::/machine.slice/machine-web.scope/payload\n", ("nspawn", "web", False), id="nspawn by hand"),
    pytest.param("0::/machine.slice/systemd-nspawn@web.service/payload\n", ("nspawn", "web", False), id="its unit"),
    pytest.param(r"0::/machine.slice/machine-my\x2dweb.scope", ("nspawn", "my-web", False), id="an escaped name"),
    pytest.param(r"0::/machine.slice/machine-lxc\x2d812\x2dold.scope", ("libvirt", "lxc-812-old", False), id="libvirt"),
    pytest.param("0::/lxc.payload.web-1/init.scope\n", ("lxc", "web-1", False), id="LXC, Incus"),
    pytest.param("4:cpu:/lxc/101/ns\n0::/lxc/101/ns\n", ("lxc", "101", False), id="Proxmox"),
    pytest.param(f"0::/system.slice/docker-{OUTER}.scope/docker/{ID}", ("docker", OUTER, False), id="Docker in Docker"),
    pytest.param(
        f"0::/system.slice/docker-{OUTER}.scope/kubelet.slice/kubelet-kubepods-pod{SLICE_UID}.slice/x-{ID}.scope",
        ("docker", OUTER, False),
        id="a pod in a node of kind",
    ),
    pytest.param(f"0::/kubepods.slice/kubepods-pod{SLICE_UID}.slice/docker-{ID}.scope", None, id="a pod of Docker"),
    pytest.param(f"0::/kubepods/pod{UID}/{OUTER}/docker/{ID}", None, id="Docker in a pod"),
    pytest.param(r"0::/machine.slice/machine-qemu\x2d1\x2dvm.scope", None, id="a virtual machine"),
    pytest.param("0::/system.slice/machine-learning.service", None, id="a service"),
    pytest.param(f"0::/machine.slice/libpod-conmon-{ID}.scope", None, id="podman's helper"),
    pytest.param(f"0::/system.slice/docker-{ID[1:]}.scope", None, id="not an ID"),
    pytest.param(r"0::/machine.slice/machine-\x1b\x5bweb.scope", None, id="control characters for a name"),
    pytest.param(r"0::/machine.slice/machine-\x2e\x2e\x2fetc.scope", None, id="a path for a name"),
    pytest.param("0::/lxc.payload.<b>", None, id="markup for a name"),
    pytest.param("0::/lxc.monitor.web", None, id="LXC's helper"),
]


@pytest.mark.parametrize(("text", "container"), BOXES)
def test_the_container_of_a_process(text, container):
    found = pod_names.owner_of(text).container
    assert (None if found is None else tuple(found)) == container


PIECES = st.sampled_from(
    [
        "/",
        ":",
        "-",
        "\n",
        "0::",
        "kubepods",
        "pod",
        UID,
        SLICE_UID,
        STATIC,
        ID,
        ".slice",
        ".scope",
        "burstable",
        "docker",
        "lxc.payload.",
        "machine-",
        r"\x1b",
        "..",
        "x",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=200))
@example("0::/kubepods/pod\n/x")
@example(f"0::/kubepods/pod{UID}/{ID}")
def test_any_text_gives_a_uid_of_harmless_characters(text):
    uid, container = pod_names.owner_of(text)
    assert uid is None or re.fullmatch("[0-9A-Za-z-]{1,64}", uid)
    assert container is None or re.fullmatch("[a-z]{3,10}-[0-9A-Za-z][0-9A-Za-z._-]{0,252}", container.key)


LOG_NAMES = [
    pytest.param(f"default_web-0_{UID}", (UID, ("default", "web-0")), id="a pod"),
    pytest.param(
        f"kube-system_etcd-master.example_{STATIC}", (STATIC, ("kube-system", "etcd-master.example")), id="static"
    ),
    pytest.param("default_web-0", None, id="no UID"),
    pytest.param(f"default_web_0_{UID}", None, id="one _ too many"),
    pytest.param(f"Default_web-0_{UID}", None, id="no name of the API"),
    pytest.param(f"default_web-0_{UID}\n", None, id="a line end"),
    pytest.param("", None, id="nothing"),
]


@pytest.mark.parametrize(("name", "pod"), LOG_NAMES)
def test_the_pod_of_a_log_directory(name, pod):
    assert pod_names.parse_log_directory(name) == pod


@given(st.text(max_size=300))
def test_any_directory_name_is_harmless(name):
    found = pod_names.parse_log_directory(name)
    assert found is None or "_".join((*found[1], found[0])) == name


def test_names_are_read_from_the_directory(tmp_path):
    for name in (f"default_web-0_{UID}", f"kube-system_etcd-master_{STATIC}", "lost+found"):
        (tmp_path / name).mkdir()
    assert pod_names.pod_names(str(tmp_path)) == {UID: ("default", "web-0"), STATIC: ("kube-system", "etcd-master")}


def test_a_directory_that_is_not_there_has_no_names(tmp_path):
    assert pod_names.pod_names(str(tmp_path / "absent")) == {}


# The line of a real process (pid 1043), then a few that a process could call itself.
TAIL = " S 1 1043 1043 0 -1 4194560 1543 0 0 0 5 3 0 0 20 0 4 0 {} 1251934208 9893 18446744073709551615 1 1 0 0"
STATS = [
    pytest.param("1043 (cron)" + TAIL.format(31337), (31337, 1043, "cron"), id="a process"),
    pytest.param("7 (a) b (c)" + TAIL.format(5), (5, 7, "a) b (c"), id="parentheses in the name"),
    pytest.param("7 ()" + TAIL.format(5), (5, 7, ""), id="no name"),
    pytest.param("7 (\n)" + TAIL.format(5), (5, 7, "\n"), id="a line end for a name"),
    pytest.param("7 (x)" + TAIL.format("-1"), None, id="a time that makes no sense"),
    pytest.param("7 (x) S 1", None, id="half a line"),
    pytest.param("", None, id="a process that has ended"),
]


@pytest.mark.parametrize(("text", "process"), STATS)
def test_a_process(text, process):
    assert pod_names.parse_stat(text) == process


@given(st.text(max_size=200) | st.text(max_size=20).map(lambda name: f"7 ({name})" + TAIL.format(5)))
def test_any_stat_is_harmless(text):
    process = pod_names.parse_stat(text)
    assert process is None or process.name in text


def test_this_process():
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as handle:
        process = pod_names.parse_stat(handle.read())
    with open("/proc/self/comm", encoding="utf-8", errors="replace") as handle:
        assert (process.pid, process.name) == (os.getpid(), handle.read()[:-1])
    assert process.started > 0
