# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way a node has: its files in a mount namespace, its processes are real ones."""

import contextlib
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls.methods import Wish, choose
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, write
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._new_pods import (
    PLUGINS,
    SYSCTLS,
    conflist,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    NOBODY,
    elf,
    needs_x86,
    put,
    running,
)

pytestmark = needs_x86

NETWORKS = "/run/networks"
CONFIGS = "/run/kubelet.conf.d"
CRIO = "/etc/crio/crio.conf.d/"
OURS = "99-kubenode-connections.conf"
GATE = b"featureGates:\n  DefaultPodSysctls: true\n"


def wish(way="auto", **changed):
    return Wish(SYSCTLS, way, NETWORKS, None, (PLUGINS,))._replace(**changed)


@contextlib.contextmanager
def processes(kubelet=None, flags=(), crio=False):
    """A running kubelet of that version and a running CRI-O: their processes by name."""
    with contextlib.ExitStack() as stack:
        found = {}
        if kubelet:
            program = put("/run/programs/kubelet", elf(f"Kubernetes {kubelet}\n"))
            found["kubelet"] = stack.enter_context(running(program, *flags))
        if crio:
            found["crio"] = stack.enter_context(running(put("/run/programs/crio", elf())))
        yield found


def chosen(wanted, *arguments, **how):
    """The way that is chosen where these processes run."""
    with processes(*arguments, **how):
        return choose(wanted)


def network(name="10-net.conflist"):
    return write(os.path.join(NETWORKS, name), conflist())


@isolated
def test_kubelet_comes_first_where_its_gate_is_on():
    os.makedirs(CONFIGS)
    os.makedirs(CRIO)
    network()
    write("/run/config.yaml", GATE)
    with processes("v1.37.0", ["--config=/run/config.yaml", f"--config-dir={CONFIGS}"], crio=True) as there:
        way = choose(wish())
    assert way.reader.split()[1] == str(there["kubelet"].pid)
    assert (way.name, way.path, way.notes) == ("kubelet", f"{CONFIGS}/{OURS}", ())
    assert b"featureGates" not in way.content
    assert way.reason == f"kubelet v1.37.0 has defaultPodSysctls, and reads {CONFIGS}."


@isolated
def test_then_crio_where_it_runs():
    os.makedirs(CRIO)
    network()
    with processes("v1.36.1", ["--container-runtime-endpoint=unix:///var/run/crio/crio.sock"], crio=True) as there:
        way = choose(wish())
    assert way.reader.split()[1] == str(there["crio"].pid)
    assert (way.name, way.path) == ("crio", CRIO + OURS)
    assert way.reason == "CRI-O runs here and has default_sysctls."
    assert way.notes == ("Not by kubelet: kubelet is v1.36.1, defaultPodSysctls came with 1.37.",)


@isolated
def test_then_cni():
    os.makedirs(CRIO)
    path = network()
    way = chosen(wish(), "v1.37.0", ["--container-runtime-endpoint=unix:///run/containerd.sock"], crio=True)
    assert (way.name, way.path, way.content, way.reader) == ("cni", path, None, "")
    assert way.reason == f"{path} is the network of new pods, and {PLUGINS}/tuning accepted the sysctls."
    assert way.notes == (
        "Not by kubelet: The feature gate DefaultPodSysctls of kubelet v1.37.0 is alpha, and not on.",
        "Not by crio: CRI-O runs here, but kubelet uses unix:///run/containerd.sock.",
    )


@isolated
def test_none_says_why_each_is_none():
    with pytest.raises(NodeError) as error:
        choose(wish())
    assert str(error.value) == (
        "New pods cannot get their sysctls on this node: one of kubelet, crio and cni must work, and none does. "
        "kubelet: No kubelet runs here. Start it first. crio: CRI-O does not run here. Choose another way. "
        f"cni: {NETWORKS}: no network configuration can be looked for: No such file or directory (ENOENT). Mend that "
        "and run again. Or use the manifests of the role pod_defaults, which need nothing on the node."
    )


@isolated
def test_kubelet_asked_for_by_name_gets_its_gate_from_the_same_file():
    write(f"{CONFIGS}/{OURS}", GATE)  # of an earlier run: it does not count
    content = chosen(wish("kubelet"), "v1.38.0", ["--config-dir", CONFIGS]).content
    assert b"featureGates:\n  DefaultPodSysctls: true\n" in content


@isolated
def test_kubelet_whose_gate_is_on_in_another_file_of_the_directory():
    write(f"{CONFIGS}/10-gates.conf", GATE)
    assert b"featureGates" not in chosen(wish("kubelet"), "v1.37.0", ["--config-dir", CONFIGS]).content


@isolated
def test_kubelet_without_a_directory_for_our_file():
    with pytest.raises(NodeError) as error:
        chosen(wish("kubelet"), "v1.37.0", ["--config=/var/lib/kubelet/config.yaml"])
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
    way = choose(wish("crio"))
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
        choose(wish("crio"))
    assert str(error.value) == (
        f"{CRIO}99-zz.conf sets default_sysctls, and its list would count, not that of {CRIO}{OURS}, which comes "
        "before it (CRI-O takes the last one whole, pkg/config/config.go). Put the entries there, or give that file a "
        "name that sorts before."
    )


@isolated
def test_crio_that_is_not_installed():
    with pytest.raises(NodeError, match="so CRI-O is not installed"):
        choose(wish("crio"))


@isolated
def test_a_network_that_its_owner_writes_again_is_said():
    write(NETWORKS + "/10-calico.conflist", conflist().replace(b'"ptp"', b'"calico"'))
    plugins = "/run/plugins"
    os.makedirs(plugins)
    for name in ("calico", "portmap", "tuning"):
        os.symlink(f"{PLUGINS}/tuning", f"{plugins}/{name}")
    [note] = choose(wish("cni", cni_plugin_directories=(plugins,))).notes
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
    assert choose(wish("cni", cni_file=path)).path == path


@isolated
def test_a_network_that_is_named_and_not_there():
    with pytest.raises(NodeError) as error:
        choose(wish("cni", cni_file="/run/none.conflist"))
    assert str(error.value) == (
        "/run/none.conflist: no such file, a network configuration is expected there. Name another one."
    )


FOREIGN = [
    pytest.param(
        lambda: os.chown(CONFIGS, NOBODY, 0),
        f"{CONFIGS} belongs to user 65534 (mode 0755), root is expected",
        id="a user's",
    ),
    pytest.param(
        lambda: os.chmod(CONFIGS, 0o777),
        f"others can write {CONFIGS} (mode 0777, user 0), root alone is expected",
        id="anybody's",
    ),
    pytest.param(
        lambda: (
            os.rmdir(CONFIGS),
            os.makedirs("/run/user/conf"),
            os.chown("/run/user", NOBODY, 0),
            os.symlink("/run/user/conf", CONFIGS),
        ),
        "/run/user belongs to user 65534 (mode 0755), root is expected",
        id="a link below a user's",
    ),
    pytest.param(lambda: os.rmdir(CONFIGS), f"{CONFIGS}: No such file or directory", id="not there"),
]


@pytest.mark.parametrize(("change", "why"), FOREIGN)
@isolated
def test_nothing_is_written_into_a_folder_of_kubelets_that_others_can_change(change, why):
    os.makedirs(CONFIGS)
    change()
    with pytest.raises(NodeError) as error:
        chosen(wish("kubelet"), "v1.37.0", ["--config-dir", CONFIGS])
    assert str(error.value) == (
        f"Root writes nothing below {CONFIGS}: {why}. Give the folder back to root (chown root:, chmod go-w), or "
        "choose another way."
    )


@isolated
def test_a_users_kubelet_has_nothing_written_where_it_says():
    """A user who starts the real program with a folder of root's: our file there would be a file of root's."""
    program = put("/run/programs/kubelet", elf("Kubernetes v1.37.0\n"))
    with running(
        program, "--config-dir=/etc/systemd/system", "--feature-gates=DefaultPodSysctls=true", user=NOBODY
    ) as theirs, pytest.raises(NodeError) as error:
        choose(wish("kubelet"))
    said = f"Process {theirs.pid} calls itself kubelet, but runs as user {NOBODY}: it is not believed. Start it first."
    assert str(error.value) == said


UNREADABLE = [
    pytest.param(os.mkfifo, "is a FIFO, not a plain file", id="a FIFO"),
    pytest.param(lambda path: os.symlink("/dev/zero", path), "is a character device, not a plain file", id="a device"),
    pytest.param(lambda path: os.symlink(path, path), "Too many levels of symbolic links", id="a circle"),
]


@pytest.mark.parametrize("flag", ["--config=", "--config-dir="])
@pytest.mark.parametrize(("make", "why"), UNREADABLE)
@isolated
def test_a_configuration_that_is_no_file_is_told_and_not_waited_for(make, why, flag):
    path = "/run/kubelet/x.conf"
    os.makedirs("/run/kubelet")
    make(path)
    with pytest.raises(NodeError) as error:
        chosen(wish("kubelet"), "v1.37.0", [flag + (path if flag == "--config=" else "/run/kubelet")])
    assert str(error.value) == (
        f"{path}, a configuration of kubelet's, cannot be read: {why}. Mend that, or choose another way."
    )


@isolated
def test_a_users_cri_o_does_not_run_here():
    os.makedirs(CRIO)
    with running(put("/run/programs/crio", elf()), user=NOBODY) as theirs, pytest.raises(NodeError) as error:
        choose(wish())
    assert f"crio: Process {theirs.pid} calls itself crio, but runs as user {NOBODY}: it is not" in str(error.value)


@pytest.mark.parametrize(("way", "folder"), [("crio", "/etc/crio/crio.conf.d"), ("cni", NETWORKS)])
@isolated
def test_the_folders_of_the_other_ways_are_roots_too(way, folder):
    os.makedirs(CRIO)
    network()
    os.chown(folder, NOBODY, 0)
    with pytest.raises(NodeError) as error:
        choose(wish(way))
    assert str(error.value).startswith(f"Root writes nothing below {folder}: {folder} belongs to user 65534 (mode ")
