# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pod_sysctls run for real: files of its own, the real CNI plugins, a process named crio."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from ansible_collections.kubenode.connections.plugins.modules import pod_sysctls
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._new_pods import (
    KEYS,
    PLUGINS,
    SYSCTLS,
    conflist,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.modules import _module_runs

NETWORKS = "/run/networks"
NETWORK = NETWORKS + "/10-net.conflist"
CNI = {"sysctls": SYSCTLS, "way": "cni", "cni_directory": NETWORKS}
CRIO = {"sysctls": SYSCTLS, "way": "crio"}
DROP_IN = "/etc/crio/crio.conf.d/99-kubenode-connections.conf"
ORIGINALS = "/var/lib/kubenode.connections/originals.json"
LOCK = "/run/kubenode.connections.lock"
ABSENT = {"state": "absent"}


TUNING = json.dumps({"type": "tuning", "sysctl": SYSCTLS}, indent=2) + "\n"
"""What is shown of a network."""


def shown(data):
    """What is to be seen of a file: all of a drop-in, which is ours, and our plugin of a network."""
    if data is None or data[:1] != b"{":
        return None if data is None else data.decode()
    return TUNING if b"tuning" in data else ""


def run(options, check=False, diff=False, name="pod_sysctls"):
    return _module_runs.run(options, check, diff, name)


@isolated
def test_a_check_with_diff_returns_what_the_run_returns_and_writes_nothing():
    write(NETWORK, conflist())
    os.makedirs(os.path.dirname(DROP_IN))
    for options in (CNI, CRIO, ABSENT):
        before = (read(NETWORK), read(DROP_IN), read(ORIGINALS), os.path.exists(LOCK))
        foreseen = run(options, check=True, diff=True)
        assert (read(NETWORK), read(DROP_IN), read(ORIGINALS), os.path.exists(LOCK)) == before
        done = run(options, diff=True)
        assert done == foreseen
        assert done["changed"] is True
        assert [(diff["before_header"].split()[0], diff["before"], diff["after"]) for diff in done["diff"]] == [
            (path, done["before"][path] or "", done["after"][path] or "") for path in sorted(done["before"])
        ]
        for path, text in done["after"].items():
            assert text == shown(read(path))
    assert read(NETWORK) == conflist()


@isolated
def test_apply_apply_restore_restore():
    os.makedirs(NETWORKS)
    write(NETWORK, conflist().replace(b"\n", b"\r\n"))
    os.chmod(NETWORK, 0o600)
    os.chown(NETWORK, 7, 8)
    first = run(CNI)
    assert first["way"] == "cni"
    assert first["reason"] == f"{NETWORK} is the network of new pods, and {PLUGINS}/tuning accepted the sysctls."
    assert (first["restart"], first["notes"]) == ([], [])
    assert (first["before"], first["after"]) == ({NETWORK: ""}, {NETWORK: TUNING})
    found = os.stat(NETWORK)
    assert (found.st_mode & 0o777, found.st_uid, found.st_gid) == (0o600, 7, 8)
    plugins = json.loads(read(NETWORK).decode())["plugins"]
    assert [plugin["type"] for plugin in plugins] == ["ptp", "portmap", "tuning"]
    assert plugins[2]["sysctl"] == SYSCTLS
    second = run(CNI)
    assert (second["changed"], second["after"]) == (False, first["after"])
    third = run(dict(CNI, sysctls={KEYS[0]: 233}))
    assert json.loads(read(NETWORK).decode())["plugins"][2]["sysctl"] == {KEYS[0]: "233"}
    assert third["changed"] is True
    restored = run(ABSENT)
    assert (restored["changed"], restored["way"], restored["reason"]) == (True, None, None)
    assert read(NETWORK) == conflist().replace(b"\n", b"\r\n")
    assert not os.path.exists(os.path.dirname(ORIGINALS))
    assert run(ABSENT) == {
        "changed": False,
        "way": None,
        "reason": None,
        "before": {},
        "after": {},
        "restart": [],
        "notes": [],
    }


@isolated
def test_node_settings_and_this_keep_their_originals_side_by_side():
    write(NETWORK, conflist())
    run({"sysctls": {KEYS[0]: 600}}, name="node_settings")
    run(CNI)
    run(ABSENT, name="node_settings")
    assert b'"tuning"' in read(NETWORK)
    assert read("/etc/sysctl.d/k8s.conf") is None
    run(ABSENT)
    assert (read(NETWORK), read(ORIGINALS)) == (conflist(), None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({}, "state is present but all of the following are missing: sysctls", id="no sysctls"),
        pytest.param(
            {"sysctls": {"vm.swappiness": 1}},
            "sysctls: vm.swappiness given, at least one below net is expected, without an interface: no other belongs "
            "to a pod's network namespace. Write a name such as net.ipv4.tcp_keepalive_time.",
            id="a sysctl of the whole machine",
        ),
        pytest.param(
            {"sysctls": {KEYS[0]: 0}},
            f"sysctls: {KEYS[0]}: 0 is below 1 (the kernel takes it and breaks idle connections, tcp_timer.c). Choose "
            "at least 1.",
            id="a keepalive that ends connections",
        ),
        pytest.param(
            dict(CNI, cni_file="net.conflist"),
            "cni_file: 'net.conflist' is not the absolute path of a configuration file. Write a path such as "
            "/etc/cni/net.d/10-net.conflist.",
            id="a file by a relative path",
        ),
        pytest.param(
            dict(CNI, cni_directory="/proc/1/root/etc"),
            "cni_directory: '/proc/1/root/etc' is not the absolute path of a configuration file. Write a path such as "
            "/etc/cni/net.d.",
            id="a folder of a process",
        ),
        pytest.param(
            dict(CNI, cni_plugin_directories=["/run/none"]),
            "tuning: the CNI plugin is in none of /run/none, where runtimes look for it. Without it no pod would start "
            "any more. Install the CNI plugins (Debian: containernetworking-plugins), or name their place. Nothing was "
            "changed.",
            id="no tuning plugin",
        ),
    ],
)
@isolated
def test_what_makes_no_sense_is_refused(options, message):
    write(NETWORK, conflist())
    assert run(options)["msg"] == message
    assert (read(NETWORK), read(ORIGINALS)) == (conflist(), None)


@isolated
def test_the_name_of_a_file_that_nobody_can_print_is_printable_in_errors_and_refused():
    path = os.fsdecode(NETWORKS.encode() + b"/10-\xff\x1b[31m.conflist")
    shown = NETWORKS + r"/10-\udcff\x1b[31m.conflist"
    write(path, b"{\x1b")
    assert run(CNI)["msg"].startswith(f"{shown}: is not JSON (line 1, column 2: ")
    write(path, conflist())
    done = run(CNI)
    assert f"'{shown}' is no file that is written here (kind cni). Choose another file." in done["msg"]
    assert (read(path), read(ORIGINALS)) == (conflist(), None)


def test_not_root_is_told_so():
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": ABSENT})
    code = (
        f"import os, sys\nfrom {pod_sysctls.__name__} import main\n"
        f"sys.argv = ['pod_sysctls', {arguments!r}]\nos.setgid(65534)\nos.setuid(65534)\nmain()\n"
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([_module_runs.ROOT, *filter(None, sys.path)]))
    done = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=False)
    assert json.loads(done.stdout.decode())["msg"] == (
        "This task: it runs as user 65534, expected root (user 0). Set become to true."
    )


def test_the_documentation_has_every_key_of_the_result():
    assert set(yaml.safe_load(pod_sysctls.RETURN)) == {"way", "reason", "before", "after", "restart", "notes"}
