# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-playbook prints with --diff and -vvv of files that hold secrets of others: only our own part of them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys

import pytest

SECRETS = ("s3cr3t-token", "s3cr3t-key", "s3cr3t-file")

# All that these plays write; /run for the lock, and because a systemd that is not there needs no reload.
OWN = "for folder in /etc/sysctl.d /etc/systemd /var/lib /run; do mount -t tmpfs tmpfs $folder || exit 99; done"

TUNING = {"type": "tuning", "sysctl": {"net.core.somaxconn": "4096"}, "secret": SECRETS[0]}


def conflist(*more):
    """A network as Calico has it: with credentials of its own, and maybe with a tuning plugin already."""
    calico = {"type": "calico", "k8s_api_root": "https://10.0.0.1", "etcd_key": SECRETS[1]}
    calico["policy"] = {"type": "k8s", "k8s_auth_token": SECRETS[0]}
    calico["kubernetes"] = {"kubeconfig": f"/etc/cni/net.d/{SECRETS[2]}"}
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [calico, *more]}, indent=2) + "\n"


@pytest.fixture
def play(tmp_path):
    """Return a function that runs tasks on this machine, in namespaces of its own, and gives all that was printed."""

    def run(tasks, *options, before="true", code=0):
        playbook = tmp_path / "play.json"
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        words = ["playbook", "-i", "localhost,", "-c", "local", "--diff", "-vvv", str(playbook), *options]
        script = "\n".join([OWN, before, f'exec "$0" -m ansible {" ".join(words)}'])
        env = {**os.environ, "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
        env["ANSIBLE_PYTHON_INTERPRETER"] = sys.executable
        command = ["unshare", "--net", "--mount", "sh", "-c", script, sys.executable]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        printed = done.stdout + done.stderr
        assert done.returncode == code, f"these tests need root and namespaces: {printed}"
        assert "PLAY RECAP" in printed
        return printed

    return run


def assert_nothing_of(printed, *texts):
    """No secret, and no part of these texts in base64, as slurp returns a file."""
    for secret in SECRETS:
        assert secret not in printed, next(line for line in printed.splitlines() if secret in line)[:2000]
    for text in texts:
        encoded = base64.b64encode(text.encode()).decode()
        assert encoded[:60] not in printed


@pytest.fixture
def network(tmp_path):
    """The file of a network that only root may read, and the task that chains a plugin there."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name in ("calico", "tuning"):
        (plugins / name).symlink_to("/usr/lib/cni/tuning")
    (tmp_path / "net.d").mkdir()
    file = tmp_path / "net.d" / "10-calico.conflist"
    file.write_text(conflist())
    file.chmod(0o600)
    options = {"way": "cni", "cni_file": str(file), "cni_plugin_directories": [str(plugins)]}
    return file, pod_sysctls(**options)


def pod_sysctls(**options):
    return {"kubenode.connections.pod_sysctls": {"sysctls": {"net.ipv4.tcp_keepalive_time": 600}, **options}}


ABSENT = pod_sysctls(state="absent")


@pytest.mark.parametrize("more", [(), (TUNING,)], ids=["no tuning plugin", "a tuning plugin"])
@pytest.mark.parametrize("options", [(), ("--check",)], ids=["run", "check"])
def test_of_a_network_only_our_plugin_is_shown(play, network, more, options):
    file, task = network
    file.write_text(conflist(*more))
    printed = play([task, task, ABSENT], *options)
    assert_nothing_of(printed)
    assert '+    "net.ipv4.tcp_keepalive_time": "600"' in printed
    assert "somaxconn" not in printed
    assert file.read_text() == conflist(*more)


BROKEN = {
    "no JSON": conflist()[:-3],
    "no UTF-8": conflist()[:-3] + "\udcff\n",
    "a single plugin": json.dumps(json.loads(conflist())["plugins"][0]),
    "no list of plugins": json.dumps({"plugins": {"token": SECRETS[0]}}),
    "a plugin without a type": conflist({"token": SECRETS[0]}),
    "sysctls that are no text": conflist({**TUNING, "sysctl": {"net.core.somaxconn": {"token": SECRETS[0]}}}),
}


def test_what_is_wrong_with_a_network_is_said_without_it(play, network):
    file, task = network
    tasks = []
    for number, text in enumerate(BROKEN.values()):
        path = file.with_name(f"{number}.conflist")
        path.write_bytes(text.encode(errors="surrogateescape"))
        options = {**task["kubenode.connections.pod_sysctls"], "cni_file": str(path)}
        tasks.append({"kubenode.connections.pod_sysctls": options, "ignore_errors": True})
    printed = play(tasks)
    assert_nothing_of(printed)
    assert f"ignored={len(BROKEN)}" in printed


def test_a_network_that_cannot_be_written_is_not_shown_either(play, network):
    file, task = network
    read_only = f"mount --bind {file.parent} {file.parent} && mount -o remount,bind,ro {file.parent}"
    printed = play([task], before=read_only, code=2)
    assert_nothing_of(printed)
    assert "Read-only file system" in printed


@pytest.mark.parametrize("options", [(), ("--check",)], ids=["run", "check"])
def test_of_a_sysctl_file_that_not_all_may_read_only_our_lines_are_shown(play, tmp_path, options):
    file = "/etc/sysctl.d/k8s.conf"
    private = tmp_path / "private.conf"
    private.write_text(f"kernel.core_pattern = |/bin/send {SECRETS[0]}\nnet.ipv4.tcp_keepalive_time = 7200\n")
    settings = {"kubenode.connections.node_settings": {"sysctls": {"net.ipv4.tcp_keepalive_time": 600}}}
    absent = {"kubenode.connections.node_settings": {"state": "absent"}}
    printed = play([settings, settings, absent], *options, before=f"install -m 640 {private} {file}")
    assert_nothing_of(printed)
    assert "-net.ipv4.tcp_keepalive_time = 7200" in printed


def test_of_a_sysctl_file_that_all_may_read_everything_is_shown(play, tmp_path):
    public = tmp_path / "public.conf"
    public.write_text("vm.swappiness = 1\nnet.ipv4.tcp_keepalive_time = 7200\n")
    settings = {"kubenode.connections.node_settings": {"sysctls": {"net.ipv4.tcp_keepalive_time": 600}}}
    printed = play([settings], before=f"install -m 644 {public} /etc/sysctl.d/k8s.conf")
    assert "\n vm.swappiness = 1\n-net.ipv4.tcp_keepalive_time = 7200\n+net.ipv4.tcp_keepalive_time = 600\n" in printed
