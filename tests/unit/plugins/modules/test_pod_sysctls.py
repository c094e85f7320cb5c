# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pod_sysctls run for real: files of its own, the real CNI plugins, a process named crio."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml

from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import parse
from ansible_collections.kubenode.connections.plugins.modules import pod_sysctls
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    read_only,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pods_to_come import (
    KERNEL,
    KEYS,
    PLUGINS,
    SAFE,
    SYSCTLS,
    conflist,
    pod,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.modules import test_node_settings

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
    return test_node_settings.run(options, check, diff, name)


@pytest.mark.parametrize("version", ["0.3.1", "0.4.0", "1.0.0"])
@isolated
def test_a_pod_created_afterwards_gets_the_values_through_the_real_plugin(version):
    write(NETWORK, conflist(version))
    with pod(read(NETWORK)) as before:
        assert before.keepalive() == KERNEL
        assert run(CNI)["changed"] is True
        with pod(read(NETWORK)) as after:
            assert after.keepalive() == SAFE
            if version != "0.3.1":  # CHECK came with 0.4.0
                after.check()
        assert before.keepalive() == KERNEL
    assert run(ABSENT)["changed"] is True
    with pod(read(NETWORK)) as restored:
        assert restored.keepalive() == KERNEL


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
    assert first["reason"] == f"{NETWORK} is the network of pods to come, and {PLUGINS}/tuning accepted the sysctls."
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
def test_a_network_that_its_owner_has_written_again_gets_it_again_and_then_that_one_back():
    write(NETWORK, conflist())
    run(CNI)
    newer = conflist("1.0.0")
    write(NETWORK, newer)
    assert run(CNI)["changed"] is True
    assert b'"tuning"' in read(NETWORK)
    run(ABSENT)
    assert read(NETWORK) == newer


@isolated
def test_what_somebody_has_added_since_stays():
    write(NETWORK, conflist())
    run(CNI)
    write(NETWORK, read(NETWORK).replace(b'"plugins"', b'"disableCheck": true,\n  "plugins"'))
    run(ABSENT)
    assert read(NETWORK) == conflist().replace(b'"plugins"', b'"disableCheck": true,\n  "plugins"')


@isolated
def test_a_network_that_is_gone_needs_nothing_back():
    write(NETWORK, conflist())
    run(CNI)
    os.unlink(NETWORK)
    done = run(ABSENT)
    (note,) = done["notes"]
    assert note == (
        f"{NETWORK} was removed by someone else since it was written here, so it stays away, and so do the "
        f"{len(conflist())} bytes that it had before the first run."
    )
    assert done["changed"] is True
    assert (read(NETWORK), read(ORIGINALS)) == (None, None)


@isolated
def test_the_first_file_of_another_name_later_is_the_one_that_has_it():
    write(NETWORK, conflist())
    run(CNI)
    first = write(NETWORKS + "/05-new.conflist", conflist())
    run(CNI)
    assert read(NETWORK) == conflist()
    assert b'"tuning"' in read(first)


@isolated
def test_another_way_gives_the_file_of_the_first_way_back():
    write(NETWORK, conflist())
    os.makedirs(os.path.dirname(DROP_IN))
    run(CNI)
    done = run(CRIO)
    assert done["restart"] == ["crio"]
    assert read(NETWORK) == conflist()
    assert (os.stat(DROP_IN).st_mode & 0o777, os.stat(DROP_IN).st_uid) == (0o644, 0)
    assert [f'"{key}={value}"' in read(DROP_IN).decode() for key, value in SYSCTLS.items()] == [True] * 3
    assert run(ABSENT)["restart"] == ["crio"]
    assert read(DROP_IN) is None


@isolated
def test_crio_needs_a_restart_until_it_was_started_after_the_file():
    os.makedirs(os.path.dirname(DROP_IN))
    program = shutil.copy(shutil.which("sleep"), "/run/crio")
    old = subprocess.Popen([program, "60"])
    try:
        assert run(dict(CRIO, way="auto"))["restart"] == ["crio"]
        again = run(dict(CRIO, way="auto"))
        assert (again["changed"], again["way"], again["restart"]) == (False, "crio", ["crio"])
    finally:
        old.kill()
        old.wait()
    new = subprocess.Popen([program, "60"])
    try:
        assert run(CRIO)["restart"] == []
    finally:
        new.kill()
        new.wait()


@isolated
def test_a_drop_in_that_somebody_has_edited_stays_and_is_said():
    os.makedirs(os.path.dirname(DROP_IN))
    run(CRIO)
    write(DROP_IN, b"# mine now\n")
    assert run(ABSENT)["notes"] == [
        f"{DROP_IN} was edited by someone else since it was written here, so it stays. Remove it if it is of no use."
    ]
    assert read(DROP_IN) == b"# mine now\n"


@isolated
def test_a_drop_in_that_somebody_has_edited_is_not_shown():
    os.makedirs(os.path.dirname(DROP_IN))
    run(CRIO)
    write(DROP_IN, b'[crio.runtime]\ndefault_env = ["TOKEN=s3cr3t"]\n')
    for options in (CRIO, ABSENT):
        done = run(options, check=True, diff=True)
        assert done["before"] == {DROP_IN: "# Somebody else wrote this, 46 bytes, which are not shown.\n"}
        assert "s3cr3t" not in str(done)


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


@isolated
def test_a_directory_may_be_written_with_more_slashes():
    write(NETWORK, conflist())
    run(dict(CNI, cni_directory=f"/{NETWORKS}//"))
    assert list(parse(read(ORIGINALS)).files) == [NETWORK]
    assert run(CNI)["changed"] is False


@isolated
def test_a_directory_in_which_a_user_may_write_is_refused():
    write(NETWORK, conflist())
    os.chown(NETWORKS, 1000, 1000)
    done = run(CNI)
    why = f"Root writes nothing below {NETWORKS}: {NETWORKS} belongs to user 1000 (mode 0755), root is expected."
    assert done["msg"].startswith(why)
    assert done["msg"].endswith("Nothing was changed.")
    assert (read(NETWORK), read(ORIGINALS)) == (conflist(), None)


@isolated
def test_a_read_only_directory_changes_nothing():
    write(NETWORK, conflist())
    read_only(NETWORKS)
    done = run(CNI)
    assert done["failed"] is True
    assert done["msg"] == (
        f"{NETWORK}: cannot be written: Read-only file system (EROFS). It is mounted read-only here (an unprivileged "
        "container, or a read-only image): run this on the host, or remount it writable. Nothing was changed."
    )
    assert read(ORIGINALS) is None


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


@isolated
def test_tuning_where_the_runtime_does_not_look_is_refused_before_anything_is_written():
    write(NETWORK, conflist())
    os.makedirs("/run/other")
    os.symlink(f"{PLUGINS}/tuning", "/run/other/tuning")
    done = run(dict(CNI, cni_plugin_directories=["/run/other"]))
    assert done["msg"] == (
        f"tuning: the CNI plugin is in /run/other, but ptp, the first plugin of {NETWORK}, is in none of /run/other: "
        "the runtime looks elsewhere, and without tuning there no pod would start any more. Put tuning beside ptp, and "
        "name that directory in cni_plugin_directories. Nothing was changed."
    )
    assert (read(NETWORK), read(ORIGINALS)) == (conflist(), None)


def test_not_root_is_told_so():
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": ABSENT})
    code = (
        f"import os, sys\nfrom {pod_sysctls.__name__} import main\n"
        f"sys.argv = ['pod_sysctls', {arguments!r}]\nos.setgid(65534)\nos.setuid(65534)\nmain()\n"
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([test_node_settings.ROOT, *filter(None, sys.path)]))
    done = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=False)
    assert json.loads(done.stdout.decode())["msg"] == (
        "This task: it runs as user 65534, expected root (user 0). Set become to true."
    )


def test_the_documentation_has_every_key_of_the_result():
    assert set(yaml.safe_load(pod_sysctls.RETURN)) == {"way", "reason", "before", "after", "restart", "notes"}
