# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""node_info run for real through Ansible, on this machine."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

from ansible_collections.kubenode.connections.plugins.modules import node_info
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, write

ROOT = os.path.dirname(os.path.abspath(node_info.__file__)).rsplit(os.sep + "ansible_collections" + os.sep, 1)[0]


def environment(tmp_path):
    """Variables with which the Ansible of the running Python finds this collection."""
    variables = dict(
        os.environ,
        ANSIBLE_COLLECTIONS_PATH=ROOT,
        ANSIBLE_LOCAL_TEMP=str(tmp_path),
        ANSIBLE_REMOTE_TEMP="/tmp",
        ANSIBLE_PIPELINING="1",
        ANSIBLE_NOCOLOR="1",
    )
    variables.pop("PYTHONPATH", None)  # ansible-test puts an Ansible there that only modules can use
    return variables


def run_module(tmp_path, arguments="", *options):
    """The module's result as the ad-hoc command prints it, with the Ansible of the running Python."""
    command = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-m", "kubenode.connections.node_info"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}", "-a", arguments, *options]
    process = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, check=False)
    result = process.stdout.partition(" => ")[2]
    assert result, process.stdout + process.stderr
    return json.loads(result)


def test_it_reads_this_node_and_changes_nothing(tmp_path):
    result = run_module(tmp_path)
    assert result["changed"] is False
    node = result["node"]
    assert node["kernel"] == os.uname().release
    assert node["root"] is True
    assert node["sysctls"]["net.ipv4.tcp_keepalive_time"]["state"] == "present"
    assert node["namespaces"]["count"] >= 1


def test_check_mode_reads_the_same(tmp_path):
    result = run_module(tmp_path, "", "--check", "--diff")
    assert result["changed"] is False
    assert result["node"]["sysctls"]["net.ipv4.tcp_keepalive_time"]["state"] == "present"


def test_nobody_gets_what_can_be_read_and_is_told_the_rest(tmp_path):
    python = shutil.which("python3", path="/usr/bin:/bin")
    assert python, "needs a python3 in /usr/bin, which every user may run"
    wrapper = tmp_path / "python3"
    wrapper.write_text(f'#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups {python} "$@"\n')
    wrapper.chmod(0o755)
    node = run_module(tmp_path, "", "-e", f"ansible_python_interpreter={wrapper}")["node"]
    assert node["root"] is False
    assert node["sysctls"]["net.ipv4.tcp_keepalive_time"]["state"] == "present"
    assert "keepalive in other network namespaces" in [problem["what"] for problem in node["problems"]]


def test_a_silent_kube_proxy_costs_no_more_than_its_timeout(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)  # the kernel accepts, nobody answers
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        node = run_module(tmp_path, f"kube_proxy_address={address} kube_proxy_timeout=0.5")["node"]
    assert node["kube_proxy"]["error"] == f"kube-proxy at {address}: /proxyMode is not answered in time."
    assert "kube-proxy's mode and configuration" in [problem["what"] for problem in node["problems"]]
    assert time.monotonic() - started < 60


def test_an_impossible_time_is_refused(tmp_path):
    """All of them in one play: most of each would be the start of Ansible."""
    times = {"kube_proxy_timeout": ["0", "-1", "61", "nan"], "sample_seconds": ["-1", "61", "nan"]}
    cases = [(name, seconds) for name, values in times.items() for seconds in values]
    tasks = [{"kubenode.connections.node_info": dict([case]), "ignore_errors": True} for case in cases]
    playbook = tmp_path / "play.json"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = [sys.executable, "-m", "ansible", "playbook", "-e", f"ansible_python_interpreter={sys.executable}"]
    process = subprocess.run(
        [*command, str(playbook)], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert re.findall(r'"msg": "(\w+: .*?)"', process.stdout) == [
        f"{name}: {float(seconds):g} is not between 0 and 60 seconds. Give a time in that range."
        for name, seconds in cases
    ], process.stderr


def test_counters_are_sampled_for_a_second_by_default_and_not_at_all_with_0(tmp_path):
    growth = run_module(tmp_path)["node"]["growth"]
    assert growth["seconds"] >= 1
    assert sorted(growth) == ["conntrack", "seconds", "softnet"]
    assert run_module(tmp_path, "sample_seconds=0")["node"]["growth"] is None


@isolated
def test_names_of_bytes_and_escapes_leave_the_node_as_printable_text(tmp_path):
    write(os.fsdecode(b"/etc/sysctl.d/50-\xff\x1b]0;owned\x07\xc2\x9b.conf"), b"net.ipv4.tcp_retries2\n")
    write(os.fsdecode(b"/etc/sysctl.d/60-\xfe.conf"), b"net.ipv4.tcp_retries2 = 8\x1b[31m\n")
    name = "50-\\udcff\\x1b]0;owned\\x07\\x9b.conf"
    node = run_module(tmp_path)["node"]
    assert {"file": f"/etc/sysctl.d/{name}", "line": 1, "what": "the line has no ="} in node["boot_problems"]
    boot = node["sysctls"]["net.ipv4.tcp_retries2"]["boot"]
    assert (boot["file"], boot["written"]) == ("/etc/sysctl.d/60-\\udcfe.conf", "8\\x1b[31m")
