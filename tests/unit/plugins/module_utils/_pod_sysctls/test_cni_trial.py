# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which configuration a runtime takes, and the real tuning plugin tried out (Debian: containernetworking-plugins)."""

import json
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files.conflist import parse
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls import cni_trial
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    sysctl,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._new_pods import PLUGINS, SYSCTLS

TUNING = os.path.join(PLUGINS, "tuning")


@pytest.mark.parametrize(
    ("names", "first"),
    [
        pytest.param(["20-b.conflist", "10-a.conflist"], "10-a.conflist", id="the first by name"),
        pytest.param(["10-a.conf", "10-a.conflist"], "10-a.conf", id="a single plugin before a list of that name"),
        pytest.param(["10-a.conflist.bak", "00-x.txt", "05-y.json"], "05-y.json", id="no other extension"),
        pytest.param(["Z.conflist", "a.conflist"], "Z.conflist", id="capitals first, as bytes are compared"),
    ],
)
def test_the_configuration_that_a_runtime_takes(tmp_path, names, first):
    (tmp_path / "00-folder.conflist").mkdir()
    for name in names:
        (tmp_path / name).write_text("{}")
    assert cni_trial.find_conf(str(tmp_path)) == str(tmp_path / first)


def test_no_configuration(tmp_path):
    with pytest.raises(NodeError) as error:
        cni_trial.find_conf(str(tmp_path))
    assert str(error.value) == (
        f"{tmp_path}: it holds no network configuration (.conflist), one is expected where pods have networks (CNI). "
        "Run this once the cluster's network is installed, or name the directory of your runtime."
    )


def test_no_directory(tmp_path):
    with pytest.raises(NodeError) as error:
        cni_trial.find_conf(str(tmp_path / "none"))
    assert str(error.value) == (
        f"{tmp_path}/none: no network configuration can be looked for: No such file or directory (ENOENT). Mend that "
        "and run again."
    )


FLANNEL = '{"plugins": [{"type": "flannel"}, {"type": "portmap"}]}'


def find_tuning(tmp_path, conflist=FLANNEL, **folders):
    """The directory of the plugin that is found, where each folder has these plugins."""
    for name, plugins in folders.items():
        (tmp_path / name).mkdir()
        for plugin in plugins.split():
            (tmp_path / name / plugin).write_text("")
            (tmp_path / name / plugin).chmod(0o755)
    places = [str(tmp_path / name) for name in folders]
    return os.path.dirname(cni_trial.find_tuning(places, parse(conflist.encode(), "/x.conflist"), "/x.conflist"))


ALL = "flannel portmap tuning"


@pytest.mark.parametrize(
    ("folders", "place"),
    [
        pytest.param({"a": "", "b": ALL}, "b", id="the only directory with plugins"),
        pytest.param({"a": ALL, "b": ALL}, "a", id="the first of two that are alike"),
        pytest.param({"a": "tuning portmap", "b": ALL}, "b", id="the one with the first plugin of the list"),
        pytest.param({"a": "flannel", "b": ALL}, "b", id="the only one that is enough for the whole list"),
        pytest.param({"a": "flannel tuning", "b": "portmap tuning"}, "a", id="a runtime that looks in both"),
    ],
)
def test_the_plugin_is_taken_from_where_the_runtime_finds_the_others(tmp_path, folders, place):
    assert find_tuning(tmp_path, **folders) == str(tmp_path / place)


@pytest.mark.parametrize(
    "plugins", ['[{"type": "tuning"}, {"type": "flannel"}]', '[{"type": "tuning"}]'], ids=["chained already", "alone"]
)
def test_a_list_that_has_it_already(tmp_path, plugins):
    assert find_tuning(tmp_path, f'{{"plugins": {plugins}}}', a="", b=ALL) == str(tmp_path / "b")


@pytest.mark.parametrize(
    ("folders", "having", "without"),
    [
        pytest.param({"a": "flannel portmap", "b": "tuning portmap"}, "b", "a", id="the first plugin is elsewhere"),
        pytest.param({"a": "flannel", "b": "portmap tuning"}, "b", "a", id="the plugins are in two places"),
        pytest.param({"a": ALL, "b": "flannel portmap"}, "a", "b", id="the runtime may look in either"),
    ],
)
def test_a_plugin_that_the_runtime_may_not_find(tmp_path, folders, having, without):
    with pytest.raises(NodeError) as error:
        find_tuning(tmp_path, **folders)
    assert str(error.value) == (
        f"tuning: the CNI plugin is in {tmp_path}/{having}, but not in {tmp_path}/{without}, where the runtime may "
        "look, since flannel, the first plugin of /x.conflist, is there. Without it no pod would start any more. Put "
        "tuning there, too, or name the directory of your runtime alone in cni_plugin_directories."
    )


def test_a_plugin_where_none_of_the_others_is(tmp_path):
    with pytest.raises(NodeError) as error:
        find_tuning(tmp_path, a="tuning portmap", b="bridge")
    assert str(error.value) == (
        f"tuning: the CNI plugin is in {tmp_path}/a, but flannel, the first plugin of /x.conflist, is in none of "
        f"{tmp_path}/a, {tmp_path}/b: the runtime looks elsewhere, and without tuning there no pod would start any "
        "more. Put tuning beside flannel, and name that directory in cni_plugin_directories."
    )


def test_no_plugin(tmp_path):
    (tmp_path / "tuning").write_text("not executable")
    with pytest.raises(NodeError) as error:
        cni_trial.find_tuning([str(tmp_path), "/none"], parse(FLANNEL.encode(), "/x"), "/x")
    assert str(error.value) == (
        f"tuning: the CNI plugin is in none of {tmp_path}, /none, where runtimes look for it. Without it no pod would "
        "start any more. Install the CNI plugins (Debian: containernetworking-plugins), or name their place."
    )


@pytest.mark.parametrize(
    ("plugins", "owner"),
    [
        pytest.param(["calico", "bandwidth", "portmap"], "Calico", id="Calico"),
        pytest.param(["cilium-cni"], "Cilium", id="Cilium"),
        pytest.param(["flannel", "portmap"], "flannel", id="flannel"),
        pytest.param(["multus-shim"], "Multus", id="Multus, the thick one"),
        pytest.param(["kube-ovn", "portmap"], "Kube-OVN", id="Kube-OVN"),
        pytest.param(["ovn-k8s-cni-overlay"], "OVN-Kubernetes", id="OVN-Kubernetes"),
        pytest.param(["terway", "portmap"], "Terway", id="Terway"),
        pytest.param(["azure-vnet", "portmap"], "Azure CNI", id="Azure CNI"),
        pytest.param(["cni-kindnet"], "kindnet", id="kindnet"),
        pytest.param(["weave-net", "portmap"], None, id="Weave, which writes it only where there is none"),
        pytest.param(["bridge", "portmap", "tuning"], None, id="nobody who is known"),
    ],
)
def test_who_writes_a_configuration_again(plugins, owner):
    text = ",".join(f'{{"type": "{name}"}}' for name in plugins)
    found = cni_trial.writer_of(parse(f'{{"plugins": [{text}]}}'.encode(), "/x"), "/x")
    assert (found.name if found else None) == owner


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        pytest.param("/var/lib/rancher/k3s/agent/etc/cni/net.d/10-flannel.conflist", "K3s", id="in its usual place"),
        pytest.param("/data/agent/etc/cni/net.d/10-flannel.conflist", "K3s", id="with --data-dir"),
        pytest.param("/var/lib/rancher/k3s/agent/etc/cni/net.d/05-mine.conflist", "flannel", id="another file there"),
        pytest.param("/etc/cni/net.d/10-flannel.conflist", "flannel", id="flannel of its own"),
    ],
)
def test_flannel_within_k3s_is_written_again_by_k3s(path, owner):
    assert cni_trial.writer_of(parse(FLANNEL.encode(), path), path).name == owner


def test_kindnet_of_kind_is_told_by_its_file():
    path = "/etc/cni/net.d/10-kindnet.conflist"
    assert cni_trial.writer_of(parse(b'{"plugins": [{"type": "ptp"}]}', path), path).name == "kindnet"
    assert cni_trial.writer_of(parse(b'{"plugins": [{"type": "ptp"}]}', "/x"), "/x") is None


@pytest.mark.parametrize("version", ["0.2.0", "0.3.1", "0.4.0", "1.0.0"])
@isolated
def test_the_plugin_accepts_ours_and_our_own_namespace_keeps_its_values(version):
    cni_trial.try_tuning(TUNING, version, SYSCTLS)
    assert [sysctl(name) for name in SYSCTLS] == ["7200", "75", "9"]
    assert not os.path.exists("/run/cni")


@isolated
def test_a_plugin_that_is_older_than_the_configuration():
    with pytest.raises(NodeError) as error:
        cni_trial.try_tuning(TUNING, "9.0.0", SYSCTLS)
    assert str(error.value).startswith(
        f'{TUNING}: it refuses what would be chained (incompatible CNI versions: config is "9.0.0", plugin supports '
    )
    assert str(error.value).endswith(
        "tried in a network namespace of its own. With that no pod would start any more. Mend it, or choose another "
        "way."
    )


@isolated
def test_an_allowlist_that_leaves_ours_out():
    """What tuning 1.9.1 answers then; the one of Debian 12 has no allowlist yet."""
    said = "Sysctl net.ipv4.tcp_keepalive_time is not allowed. Only the following sysctls are allowed: [^net\\.core]"
    answer = json.dumps({"code": 999, "msg": said}).encode()
    program = write("/run/tuning", b"#!/bin/sh\ncat << 'END'\n" + answer + b"\nEND\nexit 1\n")
    os.chmod(program, 0o755)
    with pytest.raises(NodeError) as error:
        cni_trial.try_tuning(program, "0.4.0", SYSCTLS)
    assert str(error.value).startswith(
        "/run/tuning: it refuses what would be chained (Sysctl net.ipv4.tcp_keepalive_time is not allowed. Only the "
    )


@isolated
def test_a_sysctl_that_the_kernel_does_not_have():
    with pytest.raises(NodeError, match="open /proc/sys/net/ipv4/nope: no such file or directory"):
        cni_trial.try_tuning(TUNING, "0.4.0", {"net.ipv4.nope": "1"})


@isolated
def test_the_plugin_is_not_called_in_the_namespace_that_it_shall_change():
    """tuning 1.9.1 refuses that: plugin's netns and netns from CNI_NETNS should not be the same."""
    script = b"#!/bin/sh\nreadlink $CNI_NETNS /proc/self/ns/net > /run/namespaces\n"
    program = write("/run/tuning", script)
    os.chmod(program, 0o755)
    cni_trial.try_tuning(program, "0.4.0", SYSCTLS)
    its, own = read("/run/namespaces").decode().split()
    assert own == os.readlink("/proc/self/ns/net") != its


@isolated
def test_a_program_that_is_no_plugin():
    program = write("/run/tuning", b"#!/bin/sh\necho out of order\nexit 3\n")
    os.chmod(program, 0o755)
    with pytest.raises(NodeError, match=r"/run/tuning: it refuses what would be chained \(out of order\)"):
        cni_trial.try_tuning(program, "0.4.0", SYSCTLS)


@isolated
def test_a_plugin_that_others_can_change_is_not_tried_out():
    program = write("/run/plugins/tuning", b"#!/bin/sh\ntouch /run/tried\n")
    os.chmod(program, 0o755)
    os.chown("/run/plugins", 997, 997)
    with pytest.raises(NodeError) as error:
        cni_trial.try_tuning(program, "0.4.0", SYSCTLS)
    assert str(error.value) == (
        "/run/plugins/tuning: not run, since /run/plugins belongs to user 997 (mode 0755), root is expected: what "
        "others can change must not run with the rights of root. Look at who changed it, then give it back to root "
        "(chown root:, chmod go-w)."
    )
    assert not os.path.exists("/run/tried")


@isolated
def test_a_program_that_hangs(monkeypatch):
    monkeypatch.setattr(cni_trial, "_LIMIT_SECONDS", 0.2)
    program = write("/run/tuning", b"#!/bin/sh\nexec sleep 60\n")
    os.chmod(program, 0o755)
    with pytest.raises(
        NodeError, match=r"^/run/tuning: it did not end within 0\.2 s\. Run it by hand and see what it waits"
    ):
        cni_trial.try_tuning(program, "0.4.0", SYSCTLS)
