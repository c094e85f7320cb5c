# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""node_settings run for real, in a network namespace with files of its own."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from ansible_collections.kubenode.connections.plugins.modules import node_settings
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    read_only,
    sysctl,
    tree,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.modules._module_runs import ROOT, result_of, run, start

TIME = "net.ipv4.tcp_keepalive_time"
PROBES = "net.ipv4.tcp_keepalive_probes"
FILE = "/etc/sysctl.d/k8s.conf"
RIGHT = {"modules": ["br_netfilter"], "sysctls": {TIME: 600, "net.bridge.bridge-nf-call-iptables": 0}}
EXAMPLES = [task["kubenode.connections.node_settings"] for task in yaml.safe_load(node_settings.EXAMPLES)]


@isolated
def test_a_check_with_diff_returns_what_the_run_returns_and_writes_nothing():
    write(FILE, b"# mine\xff\n" + TIME.encode() + b"=7200\n")
    for options in (RIGHT, {"sysctls": {}}, {"state": "absent"}):
        write("/run/arguments/x")
        before = {path: found for path, found in tree().items() if "/run/arguments" not in path}
        foreseen = run(options, check=True)
        assert {path: found for path, found in tree().items() if "/run/arguments" not in path} == before
        done = run(options)
        assert done == foreseen
        assert done["changed"] is True
        for diff in done["diff"]:
            if diff["after_header"] == FILE:
                assert diff["after"] == read(FILE).decode("utf-8", "backslashreplace")


@isolated
def test_apply_apply_restore_restore():
    assert run(RIGHT, diff=False) == {
        "changed": True,
        "before": {
            "modules": {"br_netfilter": True},
            "sysctls": {TIME: "7200", "net.bridge.bridge-nf-call-iptables": "1"},
            "files": {FILE: None, "/etc/modules-load.d/k8s.conf": None},
            "ipvs_timeouts": None,
            "rps": {},
            "pods": {},
            "containers": {},
            "namespace_ipvs_timeouts": {},
            "enforce": None,
        },
        "after": {
            "modules": {"br_netfilter": True},
            "sysctls": {TIME: "600", "net.bridge.bridge-nf-call-iptables": "0"},
            "files": {
                FILE: TIME + " = 600\nnet.bridge.bridge-nf-call-iptables = 0\n",
                "/etc/modules-load.d/k8s.conf": "br_netfilter\n",
            },
            "ipvs_timeouts": None,
            "rps": {},
            "pods": {},
            "containers": {},
            "namespace_ipvs_timeouts": {},
            "enforce": None,
        },
        "notes": [],
        "pods_not_taken": [],
        "open_connections": None,
    }
    again = run(RIGHT)
    assert (again["changed"], again["diff"], again["before"] == again["after"]) == (False, [], True)
    assert run({"state": "absent"})["changed"] is True
    assert (sysctl(TIME), read(FILE), os.listdir("/var/lib")) == ("7200", None, [])
    assert run({"state": "absent"})["changed"] is False


@isolated
def test_a_value_that_the_kernel_refuses_fails_with_the_node_as_before():
    write(FILE, b"# mine\n")
    failed = run({"sysctls": {TIME: 600, PROBES: 999}})
    assert failed["msg"] == (
        f"{PROBES}: kernel {os.uname().release} does not take '999' in /proc/sys/net/ipv4/tcp_keepalive_probes: "
        f"Invalid "
        "argument (EINVAL). Choose a value that this kernel accepts. The node is as before: everything that this "
        "run had "
        "written was undone and read back."
    )
    assert (failed["failed"], sysctl(TIME), read(FILE), os.listdir("/var/lib")) == (True, "7200", b"# mine\n", [])


# Without IPVS, RPS, pods, containers and their connections, which are no part of a network namespace of one's own.
@pytest.mark.parametrize("options", [EXAMPLES[0], EXAMPLES[-1]], ids=["keepalive", "restore"])
@isolated
def test_the_examples_of_the_documentation_work(options):
    assert "msg" not in run(options)


def test_the_documentation_has_every_key_of_the_result():
    documented = yaml.safe_load(node_settings.RETURN)
    assert set(documented) == {"before", "after", "notes", "pods_not_taken", "open_connections", "node"}
    areas = {"modules", "sysctls", "files", "ipvs_timeouts", "rps", "pods", "containers"}
    areas |= {"namespace_ipvs_timeouts", "enforce"}
    assert set(documented["before"]["contains"]) == set(documented["after"]["sample"]) == areas


@isolated
def test_it_looks_at_the_node_afterwards():
    done = run(dict(RIGHT, observe={"kube_proxy_timeout": 0.2}))
    assert (done["changed"], done["node"]["sysctls"][TIME]["value"]) == (True, "600")
    assert done["node"]["ours"]["sysctls"] == {FILE: ["net.bridge.bridge-nf-call-iptables", TIME]}
    assert done["node"]["growth"] is None
    again = run(dict(RIGHT, observe={}))
    assert (again["changed"], again["node"]["sysctls"][TIME]["value"]) == (False, "600")


@isolated
def test_it_does_not_look_unless_asked_nor_in_check_mode_nor_after_a_failure():
    assert "node" not in run(RIGHT, check=False)
    assert "node" not in run(dict(RIGHT, observe={}), check=True)
    assert "node" not in run({"sysctls": {PROBES: 999}, "observe": {}})


@pytest.mark.parametrize("seconds", [0, -1, 60.5, "nan"])
@pytest.mark.parametrize("check", [False, True])
@isolated
def test_a_time_that_node_info_refuses_is_refused_in_its_words_before_anything_is_written(seconds, check):
    failed = run(dict(RIGHT, observe={"kube_proxy_timeout": seconds}), check=check)
    assert failed["msg"] == (
        f"observe.kube_proxy_timeout: {seconds} is not between 0 and 60 seconds. Give a time in that range."
    )
    assert (sysctl(TIME), read(FILE)) == ("7200", None)
    assert not os.path.exists("/run/kubenode.connections.lock")


@isolated
def test_two_modules_at_once_do_not_mix():
    processes = [start({"sysctls": {TIME: 600 + number, PROBES: 3 + number}}) for number in range(4)]
    assert [result_of(process)["changed"] for process in processes] == [True] * 4
    number = int(sysctl(TIME)) - 600
    assert (sysctl(PROBES), read(FILE)) == (
        str(3 + number),
        f"{TIME} = {600 + number}\n{PROBES} = {3 + number}\n".encode(),
    )
    run({"state": "absent"})
    assert (sysctl(TIME), sysctl(PROBES), read(FILE)) == ("7200", "9", None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"modules": ["a b"]}, "modules: 'a b' is not the name of a kernel module", id="a module's name"),
        pytest.param({"sysctls": {"../x": 1}}, "sysctls: '../x' is not the name of a setting", id="a path for a name"),
        pytest.param({"sysctls": {"a.b": [1]}}, "sysctls: a.b: [1] is list, expected text", id="a list for a value"),
        pytest.param(
            {"sysctls": "net"}, "dictionary requested, could not parse JSON or key=value", id="text for a table"
        ),
        pytest.param({"ipvs_timeouts": {"tcp": 0}}, "ipvs_timeouts: tcp: 0 is no timeout", id="no seconds"),
        pytest.param({"ipvs_timeouts": {"sctp": 9}}, "sctp. Supported parameters include: tcp, tcpfin, udp", id="sctp"),
        pytest.param(
            {"open_connections": {"time": 600}}, "open_connections: intvl is not given", id="half a keepalive"
        ),
        pytest.param(
            {"open_connections": {"mode": "never"}}, "value of mode must be one of: rearm, all", id="an unknown mode"
        ),
        pytest.param({"sysctl_file": "/"}, "sysctl_file: '/' is not the absolute path", id="a folder for a file"),
    ],
)
@isolated
def test_options_that_make_no_sense_fail_before_anything_is_written(options, message):
    failed = run(options)
    assert failed["failed"] is True
    assert message in failed["msg"]
    assert not os.path.exists("/run/kubenode.connections.lock")


@isolated
def test_inside_an_unprivileged_container_it_fails_before_it_writes():
    read_only("/proc/sys")
    failed = run(RIGHT)
    assert failed["msg"].startswith(
        "/proc/sys/net/ipv4/tcp_keepalive_time: cannot be written: Read-only file system (EROFS)."
    )
    assert (read(FILE), os.listdir("/var/lib")) == (None, [])


@isolated
def test_ansible_packs_everything_that_the_module_needs():
    write("/run/ansible/tmp")
    environment = dict(
        os.environ,
        ANSIBLE_COLLECTIONS_PATH=ROOT,
        ANSIBLE_LOCAL_TEMP="/run/ansible",
        ANSIBLE_REMOTE_TEMP="/run/ansible",
        ANSIBLE_STDOUT_CALLBACK="minimal",
    )
    command = [
        sys.executable,
        "-m",
        "ansible",
        "adhoc",
        "localhost",
        "--diff",
        "-m",
        "kubenode.connections.node_settings",
    ]
    command += ["-e", f"ansible_python_interpreter={sys.executable}", "-a", json.dumps(RIGHT)]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--- live values\n+++ live values\n" in done.stdout.replace("before: ", "").replace("after: ", "")
    assert sysctl(TIME) == "600"
