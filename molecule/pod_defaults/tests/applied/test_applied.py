# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes after the role ran twice, each in its own way."""

from __future__ import annotations

import json

import pytest
import tomllib
import yaml
from testinfra.host import Host

CONFLIST = "/etc/cni/net.d/10-net.conflist"
CRIO = "/etc/crio/crio.conf.d/99-kubenode-connections.conf"
KUBELET = "/etc/kubernetes/kubelet.conf.d/99-kubenode-connections.conf"
SYSCTLS = {
    "net.ipv4.tcp_keepalive_time": "600",
    "net.ipv4.tcp_keepalive_intvl": "30",
    "net.ipv4.tcp_keepalive_probes": "9",
}
cni = pytest.mark.parametrize("node", ["kubenode-cni"], indirect=True)
crio = pytest.mark.parametrize("node", ["kubenode-crio"], indirect=True)
kubelet = pytest.mark.parametrize("node", ["kubenode-kubelet"], indirect=True)


@cni
def test_a_new_pod_has_the_planned_keepalive(new_pod: tuple[int, ...]) -> None:
    assert new_pod == (600, 30, 9)


@cni
def test_tuning_is_chained_once_behind_the_owners_plugins(host: Host, owners_files: dict[str, bytes]) -> None:
    plugins = json.loads(host.file(CONFLIST).content_string)["plugins"]
    assert plugins == [*json.loads(owners_files[CONFLIST])["plugins"], {"type": "tuning", "sysctl": SYSCTLS}]


@cni
def test_no_other_file_has_changed_for_cni(changed_below_etc: set[str]) -> None:
    assert changed_below_etc == {CONFLIST}


@crio
def test_crio_has_ours_and_what_its_owner_set(host: Host, changed_below_etc: set[str]) -> None:
    assert changed_below_etc == {CRIO}
    entries = ["net.ipv4.ip_unprivileged_port_start=0", *(f"{name}={value}" for name, value in SYSCTLS.items())]
    assert tomllib.loads(host.file(CRIO).content_string) == {"crio": {"runtime": {"default_sysctls": entries}}}


@crio
def test_crio_was_restarted_once_as_asked(host: Host, same_process: bool) -> None:
    starts = host.check_output("journalctl --unit=crio.service | grep -c 'Started crio.service'")
    assert (same_process, starts) == (False, "2")


@kubelet
def test_kubelet_has_them_and_its_gate(host: Host, changed_below_etc: set[str]) -> None:
    assert changed_below_etc == {KUBELET}
    document = yaml.safe_load(host.file(KUBELET).content_string)
    assert (document["defaultPodSysctls"], document["featureGates"]) == (SYSCTLS, {"DefaultPodSysctls": True})


@kubelet
def test_kubelet_is_the_same_process_for_nobody_asked(same_process: bool) -> None:
    assert same_process


@pytest.mark.parametrize(
    ("node", "path"),
    [("kubenode-cni", CONFLIST), ("kubenode-crio", CRIO), ("kubenode-kubelet", KUBELET)],
    indirect=["node"],
)
def test_the_file_is_roots_and_readable(host: Host, path: str) -> None:
    file = host.file(path)
    assert (file.user, file.group, file.mode) == ("root", "root", 0o644)
