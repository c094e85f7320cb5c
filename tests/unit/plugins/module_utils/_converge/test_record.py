# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import base64
import hashlib
import json
import os
import signal
import stat

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.record import read_record, write_record
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._observe.ours import DIRECTORY, MAX_BYTES, PATH
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    read,
    tree,
    write,
)

TIME = "net.ipv4.tcp_keepalive_time"
VICTIM = "/etc/sysctl.d/root.conf"
THEIRS = b"# root's own\n"
WISH = Settings(sysctls={TIME: "600"})


def forged():
    """A record with which a restore writes over a file of root's."""
    ours = hashlib.sha256(THEIRS).hexdigest()
    file = {"kind": "sysctls", "original": base64.b64encode(b"kernel.x=evil\n").decode(), "hashes": [ours], "ours": {}}
    document = {"version": 1, "sysctls": {}, "ipvs_timeouts": {}, "directories": [], "rps": {}, "pods": {}}
    return json.dumps(dict(document, files={VICTIM: file})).encode()


def as_user(work, user=1000):
    child = os.fork()
    if child == 0:
        os.setgid(user)
        os.setuid(user)
        work()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def _users_folder():
    os.mkdir(DIRECTORY)
    os.chown(DIRECTORY, 1000, 1000)
    as_user(lambda: write(PATH, forged()))


def _users_folder_in_a_folder_for_all():
    os.chmod("/var/lib", 0o1777)
    as_user(lambda: write(PATH, forged()))


def _folder_for_all():
    os.mkdir(DIRECTORY)
    os.chmod(DIRECTORY, 0o777)
    as_user(lambda: write(PATH, forged()))


def _users_file_in_roots_folder():
    os.mkdir(DIRECTORY)
    os.chown(write(PATH, b""), 1000, 1000)
    as_user(lambda: write(PATH, forged()))


def _file_for_all():
    os.mkdir(DIRECTORY)
    os.chmod(write(PATH, b""), 0o666)
    as_user(lambda: write(PATH, forged()))


def _users_file(name):
    os.mkdir("/run/home")
    os.chown("/run/home", 1000, 1000)
    as_user(lambda: write(f"/run/home/{name}", forged()))
    return f"/run/home/{name}"


def _linked_file():
    os.mkdir(DIRECTORY)
    os.symlink(_users_file("evil"), PATH)


def _linked_folder():
    os.symlink(os.path.dirname(_users_file("originals.json")), DIRECTORY)


def _hard_link():
    os.mkdir("/var/lib/home")
    os.chown("/var/lib/home", 1000, 1000)
    as_user(lambda: write("/var/lib/home/evil", forged()))
    os.mkdir(DIRECTORY)
    os.link("/var/lib/home/evil", PATH)
    os.chown(PATH, 0, 0)


def _file_for_folder():
    write(DIRECTORY, b"")


FORGED = [
    pytest.param(
        _users_folder, f"the folder {DIRECTORY} belongs to user 1000 and has mode 0755.", id="a user's folder"
    ),
    pytest.param(
        _users_folder_in_a_folder_for_all,
        "the folder /var/lib belongs to user 0 and has mode 1777.",
        id="a user's folder in a folder for all",
    ),
    pytest.param(
        _folder_for_all, f"the folder {DIRECTORY} belongs to user 0 and has mode 0777.", id="a folder for all"
    ),
    pytest.param(
        _users_file_in_roots_folder, f"{PATH}: it belongs to user 1000, has mode 0644 and 1 name.", id="a user's file"
    ),
    pytest.param(_file_for_all, f"{PATH}: it belongs to user 0, has mode 0666 and 1 name.", id="a file for all"),
    pytest.param(_linked_file, f"{PATH}: it is a symbolic link, expected a plain file.", id="a link for the file"),
    pytest.param(
        _linked_folder, f"{DIRECTORY}: it is a symbolic link, expected a directory.", id="a link for the folder"
    ),
    pytest.param(_hard_link, f"{PATH}: it belongs to user 0, has mode 0644 and 2 names.", id="a hard link"),
    pytest.param(
        _file_for_folder, f"{DIRECTORY}: it is a plain file, expected a directory.", id="a file for the folder"
    ),
]


@pytest.mark.parametrize(("make", "why"), FORGED)
@isolated
def test_a_record_that_others_can_have_written_is_refused_and_nothing_is_written(make, why):
    write(VICTIM, THEIRS)
    make()
    signal.alarm(30)
    before = tree()
    for wish in (NOTHING, WISH):
        for check in (True, False):
            with pytest.raises(NodeError) as error:
                converge(wish, check)
            assert why in str(error.value)
            assert str(error.value).endswith(" Nothing was changed.")
            assert tree() == before
    assert read(VICTIM) == THEIRS


@isolated
def test_a_record_of_root_in_a_folder_of_an_earlier_version_is_believed():
    write(PATH, b"{}")
    os.chmod(DIRECTORY, 0o755)
    os.chmod(PATH, 0o644)
    assert read_record() == b"{}"


@isolated
def test_a_fifo_is_named_and_never_waited_for():
    os.mkdir(DIRECTORY)
    os.mkfifo(PATH)
    signal.alarm(30)
    with pytest.raises(NodeError) as error:
        converge(NOTHING, False)
    assert str(error.value) == (
        f"{PATH}: it is a FIFO, expected a plain file. Find out who made it, and move it away. Nothing was changed."
    )


@isolated
def test_the_record_and_its_folder_are_for_root_alone_whatever_the_umask():
    for umask in (0, 0o022, 0o777):
        os.umask(umask)
        write_record(b"{}")
        modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (DIRECTORY, PATH)]
        assert (modes, read_record()) == ([0o700, 0o600], b"{}")
        write_record(None)
        assert not os.path.exists(DIRECTORY)


@isolated
def test_the_record_goes_and_what_else_is_in_its_folder_stays():
    write(DIRECTORY + "/kube-proxy.json", b"theirs")
    write_record(b"{}")
    write_record(None)
    write_record(None)
    assert os.listdir(DIRECTORY) == ["kube-proxy.json"]


@isolated
def test_a_folder_that_cannot_be_removed_is_no_failure():
    os.mkdir(DIRECTORY)
    mount("tmpfs", DIRECTORY, "tmpfs", data="mode=700")
    write_record(b"{}")
    write_record(None)
    assert os.listdir(DIRECTORY) == []


@isolated
def test_a_record_without_end_is_refused():
    write(PATH, b"")
    os.truncate(PATH, MAX_BYTES + 1)
    with pytest.raises(NodeError, match=f"{PATH}: it has more than {MAX_BYTES} bytes"):
        read_record()
