# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files are given to new pods and taken back for real, with the real CNI plugins and a process named crio."""

import contextlib
import os
import shutil
import subprocess

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import dump, parse
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls.cni_trial import PLUGIN_DIRECTORIES
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls.run import converge, wish_from
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    read_only,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._new_pods import (
    KERNEL,
    PLUGINS,
    SAFE,
    SYSCTLS,
    conflist,
    pod,
)

NETWORKS = "/run/networks"
NETWORK = NETWORKS + "/10-net.conflist"
CNI = {"sysctls": SYSCTLS, "way": "cni"}
CRIO = {"sysctls": SYSCTLS, "way": "crio"}
DROP_IN = "/etc/crio/crio.conf.d/99-kubenode-connections.conf"
ORIGINALS = "/var/lib/kubenode.connections/originals.json"
ABSENT = {"state": "absent"}
DEFAULTS = {
    "state": "present",
    "way": "auto",
    "cni_directory": NETWORKS,
    "cni_file": None,
    "cni_plugin_directories": PLUGIN_DIRECTORIES,
}


def run(options, check=False):
    """What a run with these options of pod_sysctls returns."""
    return converge(wish_from(dict(DEFAULTS, **options)), check)._asdict()


def refusal(options):
    with pytest.raises(NodeError) as error:
        run(options)
    return str(error.value)


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


@contextlib.contextmanager
def crio_runs():
    program = "/run/crio"
    if not os.path.exists(program):
        shutil.copy(shutil.which("sleep"), program)
    process = subprocess.Popen([program, "60"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


JUMPS = [pytest.param(0, id="a clock that goes on"), pytest.param(7200, id="forwards"), pytest.param(-7200, id="back")]


@pytest.mark.parametrize("seconds", JUMPS)
@isolated
def test_crio_needs_a_restart_until_it_was_started_after_the_file_whatever_the_clock_did(seconds):
    """After a jump, a time that was written down before is that far from what it would be now."""
    os.makedirs(os.path.dirname(DROP_IN))
    with crio_runs():
        assert run(dict(CRIO, way="auto"))["restart"] == ["crio"]
        written = os.stat(DROP_IN).st_mtime
        os.utime(DROP_IN, (written, written - seconds))
        again = run(dict(CRIO, way="auto"))
        assert (again["changed"], again["way"], again["restart"]) == (False, "crio", ["crio"])
    assert run(CRIO)["restart"] == []
    with crio_runs():
        done = run(CRIO)
        assert (done["changed"], done["restart"]) == (False, [])


@isolated
def test_crio_that_was_not_running_reads_the_file_when_it_starts():
    os.makedirs(os.path.dirname(DROP_IN))
    run(CRIO)
    with crio_runs():
        assert run(CRIO)["restart"] == []


@isolated
def test_where_the_record_does_not_say_who_has_read_the_file_nobody_has():
    """A record of an earlier version; and none at all, because it was lost."""
    os.makedirs(os.path.dirname(DROP_IN))
    with crio_runs():
        run(CRIO)
        old = parse(read(ORIGINALS))
        earlier = {path: record._replace(unread_by=None) for path, record in old.files.items()}
        write(ORIGINALS, dump(old._replace(files=earlier)))
        os.chmod(ORIGINALS, 0o600)
        assert run(CRIO)["restart"] == ["crio"]
        os.unlink(ORIGINALS)
        assert run(CRIO)["restart"] == ["crio"]
    with crio_runs():
        done = run(CRIO)
        assert (done["changed"], done["restart"]) == (False, [])


@isolated
def test_another_process_with_the_same_number_after_a_reboot_has_read_the_file():
    os.makedirs(os.path.dirname(DROP_IN))
    with crio_runs():
        run(CRIO)
        old = parse(read(ORIGINALS))
        boot, rest = old.files[DROP_IN].unread_by.split(" ", 1)
        earlier = "0" * 8 + boot[8:]
        record = old.files[DROP_IN]._replace(unread_by=f"{earlier} {rest}")
        write(ORIGINALS, dump(old._replace(files={DROP_IN: record})))
        os.chmod(ORIGINALS, 0o600)
        done = run(CRIO)
        assert (done["changed"], done["restart"]) == (False, [])


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
        done = run(options, check=True)
        assert done["before"] == {DROP_IN: "# Somebody else wrote this, 46 bytes, which are not shown.\n"}
        assert "s3cr3t" not in str(done)


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
    message = refusal(CNI)
    why = f"Root writes nothing below {NETWORKS}: {NETWORKS} belongs to user 1000 (mode 0755), root is expected."
    assert message.startswith(why)
    assert message.endswith("Nothing was changed.")
    assert (read(NETWORK), read(ORIGINALS)) == (conflist(), None)


@isolated
def test_a_read_only_directory_changes_nothing():
    write(NETWORK, conflist())
    read_only(NETWORKS)
    assert refusal(CNI) == (
        f"{NETWORK}: cannot be written: Read-only file system (EROFS). It is mounted read-only here (an unprivileged "
        "container, or a read-only image): run this on the host, or remount it writable. Nothing was changed."
    )
    assert read(ORIGINALS) is None


@isolated
def test_tuning_where_the_runtime_does_not_look_is_refused_before_anything_is_written():
    write(NETWORK, conflist())
    os.makedirs("/run/other")
    os.symlink(f"{PLUGINS}/tuning", "/run/other/tuning")
    assert refusal(dict(CNI, cni_plugin_directories=["/run/other"])) == (
        f"tuning: the CNI plugin is in /run/other, but ptp, the first plugin of {NETWORK}, is in none of /run/other: "
        "the runtime looks elsewhere, and without tuning there no pod would start any more. Put tuning beside ptp, and "
        "name that directory in cni_plugin_directories. Nothing was changed."
    )
    assert (read(NETWORK), read(ORIGINALS)) == (conflist(), None)
