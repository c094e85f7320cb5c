# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths to network namespaces made for real, where no others are visible."""

import json

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import namespace_paths
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

PRELUDE = r"""
import json, os, subprocess
def namespace(*more):
    # A process in a new network namespace; it ends with us.
    process = subprocess.Popen(['unshare', '-n', *more, 'sh', '-c', 'echo; exec sleep 600'], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process
def inode(pid):
    return os.stat('/proc/%d/ns/net' % pid).st_ino
def find(proc='/proc'):
    return namespace_paths.find(proc)
"""


def said(code):
    return json.loads(
        run_python("_kernel.namespace_paths", PRELUDE + code, "unshare", "-pfmn", "--mount-proc").splitlines()[-1]
    )


def test_each_namespace_with_its_processes_its_names_and_a_few_ways_the_own_first():
    code = (
        "subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/run'])\n"
        "subprocess.check_call(['ip', 'netns', 'add', 'vpn'])\n"
        "pod = namespace()\n"
        "way = '/proc/%d/ns/net' % pod.pid\n"
        "more = [subprocess.Popen(['nsenter', '--net=' + way, 'sh', '-c', 'echo; exec sleep 600'],\n"
        "        stdout=subprocess.PIPE) for _ in range(4)]\n"
        "for each in more:\n    each.stdout.readline()\n"
        "own, found, hidden = find()\n"
        "there = found.pop(inode(pod.pid))\n"
        "pids = [pod.pid] + [each.pid for each in more]\n"
        "mine, named = found.values()\n"
        "print(json.dumps([own == list(found)[0] == inode(os.getpid()), os.getpid() in mine.pids, there.pids == pids,\n"
        "    there.ways == ['/proc/%d/ns/net' % pid for pid in pids[:3]], list(named), hidden]))"
    )
    assert said(code) == [True, True, True, True, [[], ["vpn"], ["/run/netns/vpn"]], []]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("/run/docker/netns", "ingress_sbox"),
        ("/run/snap.docker/netns", "lb_1"),
        ("/run/user/1000/a b", "netns-\u00e4\\\\"),
    ],
)
def test_a_namespace_that_only_a_mount_keeps_is_found_by_its_name_wherever_it_is(folder, name):
    code = (
        "subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/run'])\n"
        f"os.makedirs('{folder}')\n"
        f"kept = '{folder}/{name}'\n"
        "open(kept, 'w').close()\n"
        "subprocess.check_call(['unshare', '--net=' + kept, 'true'])\n"
        "own, found, hidden = find()\n"
        "print(json.dumps([list(each) for inode, each in found.items() if inode != own] + hidden))"
    )
    name = name.replace("\\\\", "\\")
    assert said(code) == [[[], [name], [f"{folder}/{name}"]]]


def test_a_process_that_hides_its_namespace_is_told_with_what_to_do():
    code = "pod = namespace()\nos.setgid(65534)\nos.setuid(65534)\n"
    code += "own, found, hidden = find()\nprint(json.dumps([pod.pid, len(found), hidden]))"
    pid, count, hidden = said(code)
    assert count == 1
    assert [
        f"/proc/{pid}/ns/net: Permission denied",
        "Run again as root (-e keepalive_become=true).",
    ] in hidden


def test_where_not_even_the_own_can_be_seen_it_raises(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        namespace_paths.find(str(tmp_path), [str(tmp_path)])
    assert caught.value.filename == str(tmp_path / "self/ns/net")


ENTERED = "print(json.dumps([entered, inode(os.getpid()) == target]))"


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        pytest.param("['/proc/%d/ns/net' % pod.pid]", [True, True], id="its own way"),
        pytest.param("['/proc/0/ns/net', '/proc/%d/ns/net' % pod.pid]", [True, True], id="the first one has vanished"),
        pytest.param("['/proc/0/ns/net']", [False, False], id="all have vanished"),
        pytest.param("['/proc/%d/ns/net' % other.pid]", [False, False], id="another one has taken its place"),
    ],
)
@pytest.mark.parametrize("library", ["", "if hasattr(os, 'setns'):\n    del os.setns\n"], ids=["Python", "C"])
def test_a_namespace_is_entered_by_a_way_that_still_leads_to_it(ways, expected, library):
    code = f"{library}pod, other = namespace(), namespace()\ntarget = inode(pod.pid)\n"
    assert said(f"{code}entered = namespace_paths.enter(target, {ways})\n{ENTERED}") == expected


def test_what_the_kernel_refuses_is_raised():
    code = (
        "import ctypes\npod = namespace()\n"
        "target = inode(pod.pid)\nway = os.open('/proc/%d/ns/net' % pod.pid, os.O_RDONLY)\n"
        "os.setgid(65534)\nos.setuid(65534)\ntry:\n    namespace_paths.enter(target, ['/proc/self/fd/%d' % way])\n"
        "except OSError as error:\n    print(json.dumps(error.strerror))"
    )
    assert said(code) in ("Operation not permitted", "Permission denied")
