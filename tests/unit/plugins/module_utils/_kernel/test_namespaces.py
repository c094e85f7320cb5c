# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network namespaces made for real, in a process and mount namespace where no others are visible."""

import json
import os
import signal

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import namespaces
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

ISOLATED = ("unshare", "-pfmn", "--mount-proc")
PRELUDE = r"""
import ctypes, json, os, subprocess, time
def namespace(time_seconds=None):
    # A process in a new network namespace, perhaps with a keepalive of its own; it ends with us.
    change = 'echo {} >/proc/sys/net/ipv4/tcp_keepalive_time; '.format(time_seconds) if time_seconds else ''
    command = ['unshare', '-n', 'sh', '-c', change + 'echo ready; exec sleep 600']
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    process.stdout.readline()
    return process
def show(inside=None):
    before = os.readlink('/proc/self/ns/net')
    seen = namespaces.read(inside=inside)
    stayed = os.readlink('/proc/self/ns/net') == before
    print(json.dumps([seen.total, seen.unreadable, seen.error, seen.groups, stayed]))
"""
DEFAULT = [7200, 75, 9]
DROP_SYS_ADMIN = r"""
class Header(ctypes.Structure):
    _fields_ = [('version', ctypes.c_uint32), ('pid', ctypes.c_int)]
class Data(ctypes.Structure):
    _fields_ = [('effective', ctypes.c_uint32), ('permitted', ctypes.c_uint32), ('inheritable', ctypes.c_uint32)]
libc, header, data = ctypes.CDLL(None), Header(0x20080522, 0), (Data * 2)()
assert libc.capget(ctypes.byref(header), data) == 0
data[0].effective &= ~(1 << 21)  # CAP_SYS_ADMIN
assert libc.capset(ctypes.byref(header), data) == 0
"""


def seen_after(code, prefix=ISOLATED):
    """What the last show() printed: total, unreadable, error, groups, and whether the caller stayed where it was."""
    last = run_python("_kernel.namespaces, _kernel.namespace_paths", PRELUDE + code, *prefix).splitlines()[-1]
    total, unreadable, error, groups, stayed = json.loads(last)
    assert stayed
    return total, unreadable, error, groups


def test_the_only_namespace_is_the_own():
    assert seen_after("show()") == (1, 0, None, [[DEFAULT, 1, True]])


def test_namespaces_of_processes_are_grouped_by_their_keepalive():
    code = (
        "subprocess.check_call(['sysctl', '-qw', 'net.ipv4.tcp_keepalive_time=600',"
        " 'net.ipv4.tcp_keepalive_intvl=30'])\n"
        "pods = [namespace(), namespace(), namespace(200), namespace()]\nshow()"
    )
    assert seen_after(code) == (
        5,
        0,
        None,
        [[[600, 30, 9], 1, True], [DEFAULT, 3, False], [[200, 75, 9], 1, False]],
    )


WITHOUT_KEYS = r"""
def old_kernel(pod):
    # As before Linux 4.5, where only the first namespace has these sysctls: it has a directory entry of its own.
    way = ['nsenter', '--net=/proc/{}/ns/net'.format(pod.pid), 'mount', '-t', 'tmpfs', 't', '/proc/sys/net/ipv4']
    subprocess.check_call(way)
"""


def test_namespaces_without_the_sysctls_have_the_keepalive_of_the_own():
    code = (
        "subprocess.check_call(['sysctl', '-qw', 'net.ipv4.tcp_keepalive_time=600'])\n"
        "pods = [namespace(), namespace()]\nfor each in pods:\n    old_kernel(each)\nshow()\n"
        "seen = namespaces.read()\n"
        "print(json.dumps([seen.total, seen.unreadable, seen.error, seen.groups, seen.shared]))"
    )
    total, unreadable, error, groups = seen_after(WITHOUT_KEYS + code)
    assert (total, unreadable, error, groups) == (3, 0, None, [[[600, 75, 9], 3, True]])


def test_where_every_namespace_has_its_own_none_is_shared():
    code = "pods = [namespace(), namespace(300)]\nseen = namespaces.read()\n"
    code += "print(json.dumps([seen.shared, seen.unreadable, None, None, True]))"
    assert seen_after(code)[:2] == (False, 0)


def test_two_processes_in_one_namespace_count_once():
    code = (
        "pod = namespace(200)\n"
        "second = subprocess.Popen(['nsenter', '-n', '-t', str(pod.pid), 'sleep', '600'])\n"
        "while os.readlink('/proc/%d/ns/net' % second.pid) != os.readlink('/proc/%d/ns/net' % pod.pid):\n"
        "    time.sleep(0.01)\n"
        "show()"
    )
    assert seen_after(code) == (2, 0, None, [[DEFAULT, 1, True], [[200, 75, 9], 1, False]])


def test_a_named_namespace_without_a_process_counts_and_other_files_do_not():
    code = (
        "subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/run'])\n"
        "subprocess.check_call(['ip', 'netns', 'add', 'pod'])\n"
        "open('/run/netns/left-over', 'w').close()\n"
        "show()"
    )
    assert seen_after(code) == (2, 0, None, [[DEFAULT, 2, True]])


def test_a_process_that_ends_while_we_look_is_no_error():
    code = (
        "pods = [namespace(200), namespace(300)]\n"
        "find = namespace_paths.find\n"
        "def find_and_end(*arguments):\n"
        "    found = find(*arguments)\n"
        "    pods[0].kill(); pods[0].wait()\n"
        "    return found\n"
        "namespace_paths.find = find_and_end\n"
        "show()"
    )
    assert seen_after(code) == (2, 0, None, [[DEFAULT, 1, True], [[300, 75, 9], 1, False]])


def test_a_namespace_that_took_the_place_of_another_is_not_taken_for_it():
    code = (
        "pods = [namespace(200), namespace(300)]\n"
        "inode = os.stat('/proc/%d/ns/net' % pods[0].pid).st_ino\n"
        "find = namespace_paths.find\n"
        "def find_and_reuse_the_pid(*arguments):\n"
        "    found = find(*arguments)\n"
        "    found[1][inode].ways[:] = ['/proc/%d/ns/net' % pods[1].pid]\n"
        "    return found\n"
        "namespace_paths.find = find_and_reuse_the_pid\n"
        "show()"
    )
    assert seen_after(code) == (2, 0, None, [[DEFAULT, 1, True], [[300, 75, 9], 1, False]])


def test_where_setns_is_missing_in_python_the_c_library_does_it():
    code = "import os\nif hasattr(os, 'setns'):\n    del os.setns\npod = namespace(200)\nshow()"
    assert seen_after(code) == (2, 0, None, [[DEFAULT, 1, True], [[200, 75, 9], 1, False]])


def test_without_root_the_own_namespace_is_read_and_the_others_are_counted_with_the_reason():
    code = "pods = [namespace(200), namespace(300)]\nos.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\nshow()"
    total, unreadable, error, groups = seen_after(code)
    assert (total, groups) == (1, [[DEFAULT, 1, True]])
    assert unreadable == 2
    assert error in [f"/proc/{pid}/ns/net: Permission denied" for pid in range(1, 1000)]


def test_without_the_right_to_enter_a_namespace_it_is_counted_with_the_reason():
    code = "pods = [namespace(200)]\n" + DROP_SYS_ADMIN + "show()"
    total, unreadable, error, groups = seen_after(code)
    assert (total, unreadable, groups) == (2, 1, [[DEFAULT, 1, True]])
    assert error.endswith("/ns/net: Operation not permitted")


def test_where_the_own_namespace_has_no_keepalive_values_all_are_unreadable_with_the_reason():
    # As in a container on a kernel before 4.5, where only the first namespace has them.
    code = (
        "subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/proc/sys/net/ipv4'])\n"
        "pod = namespace()\n"
        "original = namespace_paths._setns\n"
        "def setns(descriptor):\n"
        "    original(descriptor)\n"
        "    subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/proc/sys/net/ipv4'])\n"
        "namespace_paths._setns = setns\n"
        "show()"
    )
    total, unreadable, error, groups = seen_after(code)
    assert (total, unreadable, groups) == (2, 2, [])
    assert error == "net.ipv4.tcp_keepalive_time is not there"


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        pytest.param(f"os.kill(os.getpid(), {int(signal.SIGKILL)})", "ended with wait status 9", id="killed"),
        pytest.param(
            "raise RuntimeError('unforeseen')", "failed: RuntimeError: unforeseen", id="an error nobody thought of"
        ),
    ],
)
def test_a_reader_that_dies_leaves_the_rest_unreadable(ending, said):
    code = "pod = namespace()\ndef dies(*_arguments):\n    " + ending + "\nnamespaces._enter_and_look = dies\nshow()"
    assert seen_after(code) == (
        2,
        1,
        f"the reader of the other network namespaces {said}",
        [[DEFAULT, 1, True]],
    )


def test_a_hanging_reader_is_ended():
    code = (
        "pod = namespace()\nnamespaces._CHILD_SECONDS = 1\n"
        "namespaces._enter_and_look = lambda *_arguments: time.sleep(60)\nshow()"
    )
    assert seen_after(code)[:3] == (
        2,
        1,
        "the reader of the other network namespaces took longer than 3 s",
    )


def test_a_slow_reader_has_time_for_each_namespace():
    code = "pods = [namespace(), namespace()]\nnamespaces._CHILD_SECONDS = 1\nshow(lambda _pids: time.sleep(0.8))"
    assert seen_after(code)[:3] == (3, 0, None)


def test_all_namespaces_together_have_their_time_too():
    code = "pods = [namespace(), namespace()]\nnamespaces._ALL_SECONDS = 2\nshow(lambda _pids: time.sleep(1.2))"
    assert seen_after(code)[:3] == (3, 2, "the reader of the other network namespaces took longer than 2 s")


IDENTITIES = """
def identity():
    read = lambda _pids: {'identity': namespaces.own_identity()}
    return [space.inside['identity'] for space in namespaces.read(inside=read).spaces]
"""


@pytest.mark.parametrize("option", [71, 9999])
def test_each_namespace_has_an_identity_of_its_own(option):
    """By its cookie, and by its inode where the kernel has no cookies."""
    code = IDENTITIES + (
        f"namespaces._SO_NETNS_COOKIE = {option}\npods = [namespace(), namespace()]\n"
        "print(json.dumps([identity(), identity()]))"
    )
    first, second = json.loads(run_python("_kernel.namespaces", PRELUDE + code, *ISOLATED).splitlines()[-1])
    assert first == second
    assert len(set(first)) == 3
    assert [" inode " in each for each in first] == [option == 9999] * 3


def test_a_namespace_made_after_another_is_gone_has_another_identity():
    code = IDENTITIES + (
        "pod = namespace()\nwas = identity()\npod.kill(); pod.wait(); time.sleep(0.2)\npod = namespace()\n"
        "print(json.dumps([was, identity()]))"
    )
    was, now = json.loads(run_python("_kernel.namespaces", PRELUDE + code, *ISOLATED).splitlines()[-1])
    assert (was[0], len(set(was + now))) == (now[0], 3)


def test_without_proc_nothing_is_known_and_said(tmp_path):
    seen = namespaces.read(str(tmp_path))
    assert (seen.total, seen.unreadable, seen.groups) == (0, 1, [])
    assert seen.error == "{}: No such file or directory".format(os.path.join(str(tmp_path), "self/ns/net"))


def test_this_process_leaves_no_child_behind_and_stays_where_it_is():
    before = os.readlink("/proc/self/ns/net")
    seen = namespaces.read()
    assert os.readlink("/proc/self/ns/net") == before
    assert seen.total >= 1
    assert sum(group.own for group in seen.groups) == 1
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
