# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods are real network namespaces here; which namespace is whose pod is told by test__pod_rows."""

import json

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

ISOLATED = ("unshare", "-pfmn", "--mount-proc")
ROOMS = "_netns, _steps_pods, _transaction"
PRELUDE = r"""
import json, os, subprocess, time
from ansible_collections.kubenode.connections.plugins.module_utils._originals import LiveRecord
from ansible_collections.kubenode.connections.plugins.module_utils._pod_rows import Pod
KEYS = ['net.ipv4.tcp_keepalive_' + name for name in ('time', 'intvl', 'probes')]
processes = {}
def pod(uid, *values):
    # A running pod with the kernel's keepalive, or with these values.
    change = ''.join('sysctl -qw {}={}; '.format(*pair) for pair in zip(KEYS, values))
    command = ['unshare', '-n', 'sh', '-c', change + 'echo ready; exec sleep 600']
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    process.stdout.readline()
    processes[uid] = process
def connect(uid, idle=None, then=''):
    # Two connections of the pod to itself: one end has SO_KEEPALIVE, the other three have no timer.
    own = 'ends[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, {}); '.format(idle) if idle else ''
    code = (
        "import os, socket, time; server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen(2); "
        "ends = [socket.create_connection(server.getsockname()) for _ in 'ab']; " + own +
        "ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1); " + then +
        "print(len(ends), flush=True); time.sleep(600)"
    )
    way = 'nsenter --net=/proc/{}/ns/net sh -c'.format(processes[uid].pid).split()
    client = subprocess.Popen(way + ['ip link set lo up; exec python3 -c "$0"', code], stdout=subprocess.PIPE)
    client.stdout.readline()
reader, hidden = _steps_pods.count_timers, None
def hang(_pids):
    time.sleep(60)
def find():
    ways = {uid: '/proc/{}/ns/net'.format(process.pid) for uid, process in processes.items()}
    spaces = {space.inode: space for space in _netns.read(inside=reader).spaces}
    inodes = {uid: os.stat(way).st_ino for uid, way in ways.items()}
    pods = {
        uid: Pod('shop/' + uid, inode, [ways[uid]], *[getattr(spaces[inode], name) for name in Pod._fields[3:]])
        for uid, inode in inodes.items()
    }
    return _steps_pods.Running(pods, hidden)
def step(wanted=None, **ours):
    records = {uid: LiveRecord('7200/75/9', (text,)) for uid, text in ours.items()}
    return _steps_pods.PodsKeepalive(records, wanted and _netns.Keepalive(*wanted), find)
def live():
    command = ['nsenter', '--net=/proc/{}/ns/net', 'sysctl', '-n'] + KEYS
    return {
        uid: '/'.join(subprocess.check_output([part.format(process.pid) for part in command]).decode().split())
        for uid, process in processes.items()
    }
def end(uid):
    processes[uid].kill()
    processes.pop(uid).wait()
def say(*values):
    print(json.dumps(values))
"""


def said(code):
    """What the last say() printed."""
    return json.loads(run_python(ROOMS, PRELUDE + code, *ISOLATED).splitlines()[-1])


def test_pods_with_the_kernels_keepalive_get_the_planned_one():
    code = (
        "pod('web'); pod('db')\nit = step((600, 30, 9))\n_transaction.run([it])\n"
        "say(it.show(it.before), it.show(it.after), live())"
    )
    before, after, live = said(code)
    assert before == {"shop/web": "7200/75/9", "shop/db": "7200/75/9"}
    assert after == {"shop/web": "600/30/9", "shop/db": "600/30/9"}
    assert live == {"web": "600/30/9", "db": "600/30/9"}


def test_nothing_is_written_before_apply():
    assert said("pod('web')\nstep((600, 30, 9)).foresee()\nsay(live())") == [{"web": "7200/75/9"}]


def test_a_pod_with_values_of_its_own_is_left_alone():
    code = "pod('own', 1000, 75, 9)\nit = step((600, 30, 9))\nsay(it.changed, it.after, live())"
    assert said(code) == [False, {}, {"own": "1000/75/9"}]


def test_the_kernels_keepalive_is_not_made_later():
    code = "pod('web')\nit = step((20000, 75, 9))\n_transaction.run([it])\nsay(it.changed, live())"
    assert said(code) == [False, {"web": "7200/75/9"}]


def test_what_an_earlier_run_gave_follows_the_plan():
    code = (
        "pod('web', 600, 30, 9)\nit = step((233, 11, 9), web='600/30/9')\n_transaction.run([it])\n"
        "say(live(), it.targets['web'].final)"
    )
    assert said(code) == [{"web": "233/11/9"}, ["7200/75/9", ["233/11/9"]]]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param("233/11/9", id="each probe comes earlier"),
        pytest.param("233/30/9", id="the first one"),
        pytest.param("600/30/9", id="it is the wanted one"),
        pytest.param("233/11/15", id="more probes, and the last of them earlier"),
        pytest.param("233/11/3", id="fewer probes"),
    ],
)
def test_what_an_earlier_run_gave_is_not_made_later(values):
    numbers = ", ".join(values.split("/"))
    code = (
        f"pod('web', {numbers})\nit = step((600, 30, 9), web='{values}')\n_transaction.run([it])\n"
        f"back = step(web='{values}')\nsay(it.changed, live(), it.targets['web'].final, back.after)"
    )
    assert said(code) == [False, {"web": values}, ["7200/75/9", [values]], {"web": "7200/75/9"}]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param("601/30/9", id="the first probe"),
        pytest.param("600/31/9", id="the second one"),
        pytest.param("600/40/1", id="one that would come after its last one"),
        pytest.param("599/30/10", id="the last one"),
    ],
)
def test_what_an_earlier_run_gave_is_made_earlier(values):
    numbers = ", ".join(values.split("/"))
    assert said(f"pod('web', {numbers})\nsay(step((600, 30, 9), web='{values}').after)") == [{"web": "600/30/9"}]


def test_restore_gives_back_what_the_pod_had():
    code = "pod('web', 600, 30, 9)\nit = step(web='600/30/9')\n_transaction.run([it])\n"
    assert said(code + "say(live(), it.targets['web'].final)") == [{"web": "7200/75/9"}, None]


def test_restore_leaves_what_somebody_else_has_set_since():
    code = "pod('web', 300, 30, 9)\nit = step(web='600/30/9')\nsay(it.changed, it.targets['web'].note, live())"
    changed, note, live = said(code)
    assert (changed, live) == (False, {"web": "300/30/9"})
    assert note.startswith("keepalive of shop/web is 300/30/9, not the 600/30/9 that was set here")


def test_a_failure_of_a_later_step_brings_the_pods_keepalive_back():
    code = r"""
class Fails(_transaction.Step):
    area = 'sysctls'
    def read(self):
        return self.before
    def apply(self):
        raise ValueError('no')
    def undo(self):
        pass
pod('web')
it = step((600, 30, 9))
try:
    _transaction.run([it, Fails('x', 1, 2)])
except Exception as error:
    say(str(error), live())
"""
    message, live = said(code)
    assert "The node is as before" in message
    assert live == {"web": "7200/75/9"}


@pytest.mark.parametrize(
    "when",
    [
        pytest.param("it = step((600, 30, 9)); end('web')", id="before it is entered"),
        pytest.param("it = step((600, 30, 9)); it.apply(); end('web')", id="before it is read back"),
    ],
)
def test_a_pod_that_ends_meanwhile_is_no_error_and_not_remembered(when):
    code = f"pod('web'); pod('db')\n{when}\n_transaction.run([it])\n"
    assert said(code + "say(it.show(it.after), it.targets['web'].final, live())") == [
        {"shop/db": "600/30/9"},
        None,
        {"db": "600/30/9"},
    ]


def test_the_record_of_a_pod_that_has_ended_goes_away():
    assert said("it = step((600, 30, 9), gone='600/30/9')\nsay(it.changed, it.targets['gone'].final)") == [False, None]


def test_without_a_wish_and_without_records_no_namespace_is_looked_at():
    code = "find = None\nit = step()\nsay(it.changed, it.notes())"
    assert said(code) == [False, []]


def test_the_pods_whose_connections_keep_their_timers_are_named():
    note = "Connections that are open already keep the timer they were armed with. Restart these pods, or have them "
    code = "names = ['p%02d' % n for n in range(14)]\nfor name in names: pod(name)\n"
    code += "for name in names[:12]: connect(name)\nsay(step((600, 30, 9)).notes())"
    names = ", ".join(f"shop/p{number:02} (1 open)" for number in range(10))
    assert said(code) == [[f"{note}connect again, where that matters: {names} and 2 more."]]


RESENDS = """then='os.system("ip link set lo down"); ends[0].send(b"x"); '"""


@pytest.mark.parametrize(
    ("how", "timers"),
    [
        pytest.param("idle=15", [[15, 1]], id="a program that probes earlier itself"),
        pytest.param("idle=600", [[600, 1]], id="a program that has the same itself"),
        pytest.param(RESENDS, [], id="one that resends, which hides the other timer"),
    ],
)
def test_connections_that_a_new_timer_would_not_probe_earlier_do_not_count(how, timers):
    code = f"pod('web')\nconnect('web', {how})\nsay(find().pods['web'].inside, step((600, 30, 9)).notes())"
    assert said(code) == [{"timers": timers}, []]


def test_restore_names_no_connections():
    code = "pod('web', 600, 30, 9)\nconnect('web')\nit = step(web='600/30/9')\nsay(it.changed, it.notes())"
    assert said(code) == [True, []]


def test_pods_that_the_reader_did_not_reach_are_said_and_left_as_they_are():
    code = (
        "names = ['p%02d' % n for n in range(12)]\nfor name in names: pod(name)\n"
        "_netns._CHILD_SECONDS, reader = 1, hang\nit = step((600, 30, 9), p00='233/11/9')\n_transaction.run([it])\n"
        "say(it.changed, it.notes(), 'p00' in it.targets, set(live().values()) == {'7200/75/9'})"
    )
    names = ", ".join(f"shop/p{number:02}" for number in range(10))
    why = "the reader of the other network namespaces took longer than 1 s"
    note = f"keepalive of 12 running pods could not be read ({why}), so it was left as it is: {names} and 2 more. "
    assert said(code) == [False, [note + "Run this again."], False, True]


def test_restore_keeps_the_record_of_a_pod_that_it_cannot_read_and_says_so():
    code = (
        "pod('web', 600, 30, 9); pod('other')\n_netns._CHILD_SECONDS, reader = 1, hang\n"
        "it = step(web='600/30/9')\nsay(it.changed, it.notes(), 'web' in it.targets)"
    )
    note = (
        "keepalive of 1 running pod could not be read (the reader of the other network namespaces took longer "
        "than 1 s), so it was left as it is, and what was there before stays recorded: shop/web. Run this again."
    )
    assert said(code) == [False, [note], False]


def test_a_pod_that_may_be_among_those_that_cannot_be_seen_keeps_its_record():
    code = "hidden = '/proc/7/ns/net: Permission denied'\nit = step(web='600/30/9')\n"
    changed, (note,), forgotten = said(code + "say(it.changed, it.notes(), 'web' in it.targets)")
    assert (changed, forgotten) == (False, False)
    assert note == (
        "keepalive of running pods: there may be more of them than can be seen (/proc/7/ns/net: Permission denied). "
        "Those were left as they are, and what 1 pod of an earlier run had before stays recorded. Run this again."
    )


def test_that_pods_cannot_be_seen_is_told_where_they_would_be_changed():
    ((note,),) = said("hidden = '/proc/7/ns/net: Permission denied'\nsay(step((600, 30, 9)).notes())")
    assert note == (
        "keepalive of running pods: there may be more of them than can be seen (/proc/7/ns/net: Permission denied). "
        "Those were left as they are. Run this again."
    )


def test_processes_that_hide_their_namespace_may_be_pods():
    beside = ("sh", "-c", 'sleep 60 & exec setpriv --bounding-set=-all --inh-caps=-all "$@"', "sh")
    pods, hidden = json.loads(run_python(ROOMS, PRELUDE + "say(*_steps_pods.running_pods())", *ISOLATED, *beside))
    assert pods == {}
    assert hidden.startswith("/proc/")
    assert hidden.endswith("/ns/net: Permission denied")


def test_no_process_hides_its_namespace_from_root():
    assert said("pod('web')\nsay(*_steps_pods.running_pods())") == [{}, None]


def test_pods_without_a_timer_are_not_to_be_restarted():
    assert said("pod('web')\nsay(step((600, 30, 9)).notes())") == [[]]
