# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By real namespaces, cgroups and processes."""

import functools

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pod_processes import (
    ID,
    OTHER_UID,
    UID,
    shown,
)


@pytest.fixture
def pods_of(tmp_path):
    return functools.partial(shown, tmp_path)


def test_a_running_pod_that_the_reader_did_not_reach_says_why(pods_of):
    pods = pods_of(
        f"pod = namespace()\ninto(pod, V1, 'kubepods/pod{UID}/{ID}')\nsettle()\nnamespaces._CHILD_SECONDS = 1\n"
        "spaces = namespaces.read(inside=lambda pids: time.sleep(60)).spaces\n"
        "found = running_pods.pods_of(spaces, log_directory=LOGS)[0]\n"
        "print(json.dumps({uid: [pod.keepalive, pod.error] for uid, pod in found.items()}))"
    )
    assert pods == {UID: [None, "the reader of the other network namespaces took longer than 3 s"]}


def test_a_pod_whose_cgroup_cannot_be_read_may_be_there_all_the_same(pods_of):
    found, untold = pods_of(
        f"pod = namespace()\ninto(pod, V1, 'kubepods/pod{UID}/{ID}')\nsettle()\nspaces = namespaces.read().spaces\n"
        "os.mkfifo(LOGS + '/fifo')\n"
        "subprocess.check_call(['mount', '--bind', LOGS + '/fifo', '/proc/%d/cgroup' % pod.pid])\n"
        "found, untold = running_pods.pods_of(spaces, log_directory=LOGS)\n"
        "print(json.dumps([list(found), untold.replace(str(pod.pid), 'PID')]))"
    )
    assert (found, untold) == ([], "/proc/PID/cgroup: is a FIFO, not a plain file")


RUNNING = """
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import pods as steps_pods
def say_running(*processes):
    # The UID of the pod whose own namespace each process is in, by what the step that writes takes for running pods.
    settle()
    found = {pod.inode: [uid, pod.keepalive] for uid, pod in steps_pods.running_pods().pods.items()}
    print(json.dumps([found.get(os.stat('/proc/%d/ns/net' % process.pid).st_ino) for process in processes]))
"""
DEFAULT = [7200, 75, 9]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"kubepods/pod{OTHER_UID}/{ID}/kubepods/pod{UID}/{ID}", id="a container below its own cgroup"),
        pytest.param(f"kubepods.slice/kubepods-pod{OTHER_UID}.slice/{ID}/pod{UID}", id="the same by systemd"),
        pytest.param(f"user.slice/user-1000.slice/user@1000.service/kubepods/pod{UID}/{ID}", id="a user of the node"),
    ],
)
def test_nobody_takes_a_pods_place_by_the_name_of_a_cgroup(pods_of, path):
    """The impostor is the older one: of two namespaces of one pod that of the oldest process counts."""
    impostor, pod = pods_of(
        RUNNING + f"impostor, pod = namespace(), namespace()\ninto(impostor, V1, {path!r})\n"
        f"into(pod, V1, 'kubepods/pod{UID}/{ID}')\nsay_running(impostor, pod)"
    )
    assert pod == [UID, DEFAULT]
    assert impostor in (None, [OTHER_UID, DEFAULT])


def test_a_namespace_that_a_program_made_within_its_pod_is_not_even_entered(pods_of):
    """So that neither thousands of them nor one that hangs cost the other pods their turn."""
    assert pods_of(
        RUNNING + f"pod, nested, other = namespace(), namespace(), namespace()\n"
        f"for each, uid in ((pod, {UID!r}), (nested, {UID!r}), (other, {OTHER_UID!r})):\n"
        f"    into(each, V1, 'kubepods/pod' + uid + '/{ID}')\n"
        "enter, inode = namespace_paths.enter, os.stat('/proc/%d/ns/net' % nested.pid).st_ino\n"
        "namespace_paths.enter = lambda number, ways: os.abort() if number == inode else enter(number, ways)\n"
        "say_running(pod, nested, other)"
    ) == [[UID, DEFAULT], None, [OTHER_UID, DEFAULT]]
