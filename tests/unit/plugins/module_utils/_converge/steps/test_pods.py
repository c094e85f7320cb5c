# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods are real network namespaces here; which namespace is whose pod is told by _observe/connections/test_pods.py."""

import json

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

ISOLATED = ("unshare", "-pfmn", "--mount-proc")
MNT = 'mount -t tmpfs t /mnt && exec "$@"'
ROOMS = "_kernel.namespaces, _converge.steps.pod_keepalive, _converge.steps.pods as steps_pods, _converge.transaction"
PRELUDE = r"""
import json, os, subprocess, time
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import LiveRecord
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.running_pods import Pod
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
hidden = None
sandboxes = {}
def find():
    ways = {uid: '/proc/{}/ns/net'.format(process.pid) for uid, process in processes.items()}
    pods = {
        uid: Pod('shop/' + uid, os.stat(way).st_ino, [way], None, None, sandboxes.get(uid)) for uid, way in ways.items()
    }
    return steps_pods.Running(pod_keepalive.read(pods), hidden)
def step(wanted=None, **ours):
    records = {uid: LiveRecord('7200/75/9', (text,)) for uid, text in ours.items()}
    return steps_pods.PodsKeepalive(records, wanted and namespaces.Keepalive(*wanted), find)
def live():
    command = ['nsenter', '--net=/proc/{}/ns/net', 'sysctl', '-n'] + KEYS
    return {
        uid: '/'.join(subprocess.check_output([part.format(process.pid) for part in command]).decode().split())
        for uid, process in processes.items()
    }
def end(uid):
    processes[uid].kill()
    processes.pop(uid).wait()
def inside(uid, script):
    # A process in the pod's network namespace that runs this script.
    way = ['nsenter', '--net=/proc/{}/ns/net'.format(processes[uid].pid), 'sh', '-c', script]
    return subprocess.Popen(way, stdout=subprocess.PIPE)
def rewrites(uid, names, pause=''):
    # Something in the pod that keeps these to the kernel's values, for ever.
    values = dict(zip(KEYS, ('7200', '75', '9')))
    keys = [KEYS[0].replace('time', name) for name in names]
    body = ''.join('echo {} > /proc/sys/{}; '.format(values[key], key.replace('.', '/')) for key in keys)
    inside(uid, 'echo ready; while :; do ' + body + pause + ' done').stdout.readline()
def refuses(uid, name, how='bind,ro'):
    # The key of this pod's namespace alone: it has a directory entry of its own below /proc/sys.
    path = '/proc/sys/net/ipv4/tcp_keepalive_' + name
    assert inside(uid, 'mount --bind {0} {0} && mount -o remount,{1} {0}'.format(path, how)).wait() == 0
def until_rewritten(uid, it):
    # The step, whose apply ends when something in the pod has written again.
    real = it.apply
    def apply():
        real()
        while live()[uid] == '600/30/9':
            time.sleep(0.01)
    it.apply = apply
    return it
def apart(it):
    return {uid: [each.wanted, each.found, each.cause, each.why] for uid, each in it.not_taken.items()}
def plain(value):
    # Records without the namespace, which is another one each time.
    return list(value[:2]) if isinstance(value, LiveRecord) else value
def say(*values):
    print(json.dumps([plain(value) for value in values]))
"""


def said(code):
    """What the last say() printed."""
    return json.loads(run_python(ROOMS, PRELUDE + code, *ISOLATED).splitlines()[-1])


def test_pods_with_the_kernels_keepalive_get_the_planned_one():
    code = (
        "pod('web'); pod('db')\nit = step((600, 30, 9))\ntransaction.run([it])\n"
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


def test_a_pod_in_a_sandbox_is_left_alone_and_named():
    code = (
        "pod('vm'); pod('run'); pod('web')\nsandboxes.update(vm='vm', run='gvisor')\nit = step((600, 30, 9))\n"
        "transaction.run([it])\nsay(it.after, it.notes(), live())"
    )
    after, notes, live = said(code)
    assert after == {"web": "600/30/9"}
    assert len(notes) == 1
    assert notes[0] == (
        "keepalive of 2 running pods in a sandbox (gVisor, a virtual machine) was left alone, for their TCP is not "
        "this kernel's: shop/run, shop/vm. Have their programs ask for keepalive themselves."
    )
    assert live == {"vm": "7200/75/9", "run": "7200/75/9", "web": "600/30/9"}


def test_what_an_earlier_run_gave_to_one_in_a_sandbox_is_given_back():
    code = "pod('vm', 600, 30, 9)\nsandboxes.update(vm='vm')\nit = step(vm='600/30/9')\ntransaction.run([it])\n"
    assert said(code + "say(live(), it.notes())") == [{"vm": "7200/75/9"}, []]


def test_the_kernels_keepalive_is_not_made_later():
    code = "pod('web')\nit = step((20000, 75, 9))\ntransaction.run([it])\nsay(it.changed, live())"
    assert said(code) == [False, {"web": "7200/75/9"}]


def test_what_an_earlier_run_gave_follows_the_plan():
    code = (
        "pod('web', 600, 30, 9)\nit = step((233, 11, 9), web='600/30/9')\ntransaction.run([it])\n"
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
        f"pod('web', {numbers})\nit = step((600, 30, 9), web='{values}')\ntransaction.run([it])\n"
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
    code = "pod('web', 600, 30, 9)\nit = step(web='600/30/9')\ntransaction.run([it])\n"
    assert said(code + "say(live(), it.targets['web'].final)") == [{"web": "7200/75/9"}, None]


def test_restore_leaves_what_somebody_else_has_set_since():
    code = "pod('web', 300, 30, 9)\nit = step(web='600/30/9')\nsay(it.changed, it.targets['web'].note, live())"
    changed, note, live = said(code)
    assert (changed, live) == (False, {"web": "300/30/9"})
    assert note.startswith("keepalive of shop/web is 300/30/9, not the 600/30/9 that was set here")


def test_a_failure_of_a_later_step_brings_the_pods_keepalive_back():
    code = r"""
class Fails(transaction.Step):
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
    transaction.run([it, Fails('x', 1, 2)])
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
    code = f"pod('web'); pod('db')\n{when}\ntransaction.run([it])\n"
    assert said(code + "say(it.show(it.after), it.targets['web'].final, live())") == [
        {"shop/db": "600/30/9"},
        None,
        {"db": "600/30/9"},
    ]


def test_the_record_of_a_pod_that_has_ended_goes_away():
    assert said("it = step((600, 30, 9), gone='600/30/9')\nsay(it.changed, it.targets['gone'].final)") == [False, None]


SAME_UID = """
pod('web')
first = step((600, 30, 9))
transaction.run([first])
record = first.targets['web'].final
end('web')
"""


@pytest.mark.parametrize("wanted", ["None", "namespaces.Keepalive(300, 30, 9)"])
def test_what_a_pod_of_the_same_uid_has_was_never_ours(wanted):
    """Such as a pod after a reboot, whose network gives every new one this keepalive."""
    code = SAME_UID + (
        "pod('web', 600, 30, 9)\n"
        f"it = steps_pods.PodsKeepalive({{'web': record}}, {wanted}, find)\ntransaction.run([it])\n"
        "say(it.targets['web'].final, it.notes(), live())"
    )
    assert said(code) == [None, [], {"web": "600/30/9"}]


def test_a_pod_of_the_same_uid_gets_the_planned_keepalive_and_the_kernels_back():
    code = SAME_UID + (
        "pod('web')\nit = steps_pods.PodsKeepalive({'web': record}, namespaces.Keepalive(300, 30, 9), find)\n"
        "transaction.run([it])\nagain = it.targets['web'].final\nhad = live()\n"
        "back = steps_pods.PodsKeepalive({'web': again}, None, find)\ntransaction.run([back])\n"
        "say(had, again.original, again.namespace != record.namespace, live())"
    )
    assert said(code) == [{"web": "300/30/9"}, "7200/75/9", True, {"web": "7200/75/9"}]


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        pytest.param("", "7200/75/9", id="in the same namespace"),
        pytest.param("[:8].replace(record.namespace[:8], '0' * 8) + record.namespace[8:]", "600/30/9", id="reboot"),
    ],
)
def test_a_record_is_of_one_boot(earlier, now):
    code = (
        "pod('web')\nfirst = step((600, 30, 9))\ntransaction.run([first])\nrecord = first.targets['web'].final\n"
        f"record = record._replace(namespace=record.namespace{earlier})\n"
        "it = steps_pods.PodsKeepalive({'web': record}, None, find)\ntransaction.run([it])\nsay(live())"
    )
    assert said(code) == [{"web": now}]


def test_without_a_wish_and_without_records_no_namespace_is_looked_at():
    code = "find = None\nit = step()\nsay(it.changed, it.notes())"
    assert said(code) == [False, []]


def test_the_pods_whose_connections_keep_their_timers_are_named():
    note = "Connections that are open already keep the timer they were armed with. Restart these pods, or have them "
    code = "names = ['a', 'b', 'c']\nfor name in names: pod(name)\n"
    code += "for name in names[:2]: connect(name)\nsay(step((600, 30, 9)).notes())"
    assert said(code) == [[f"{note}connect again, where that matters: shop/a (1 open), shop/b (1 open)."]]


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
    code = (
        f"pod('web')\nconnect('web', {how})\nsay(step((600, 30, 9)).notes(), steps_pods.timers_in(find().pods['web']))"
    )
    assert said(code) == [[], timers]


def test_restore_names_no_connections():
    code = "pod('web', 600, 30, 9)\nconnect('web')\nit = step(web='600/30/9')\nsay(it.changed, it.notes())"
    assert said(code) == [True, []]


def test_pods_that_nobody_came_to_are_said_and_left_as_they_are():
    code = (
        "names = ['p%02d' % n for n in range(12)]\nfor name in names: pod(name)\n"
        "pod_keepalive._ALL_SECONDS = 0\nit = step((600, 30, 9), p00='233/11/9')\ntransaction.run([it])\n"
        "say(it.changed, it.notes(), 'p00' in it.targets, set(live().values()) == {'7200/75/9'}, apart(it)['p00'])"
    )
    names = ", ".join(f"shop/p{number:02}" for number in range(10))
    why = "0 s were over before its turn came"
    note = f"keepalive of 12 running pods could not be read ({why}), so it was left as it is: {names} and 2 more. "
    assert said(code) == [False, [note + "Run this again."], False, True, ["600/30/9", None, "unread", why]]


def test_restore_keeps_the_record_of_a_pod_that_it_cannot_read_and_says_so():
    code = (
        "pod('web', 600, 30, 9); pod('other')\npod_keepalive._ALL_SECONDS = 0\n"
        "it = step(web='600/30/9')\nsay(it.changed, it.notes(), 'web' in it.targets)"
    )
    note = (
        "keepalive of 1 running pod could not be read (0 s were over before its turn came), so it was left as it is, "
        "and what was there before stays recorded: shop/web. Run this again."
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
    pods, hidden = json.loads(run_python(ROOMS, PRELUDE + "say(*steps_pods.running_pods())", *ISOLATED, *beside))
    assert pods == {}
    assert hidden.startswith("/proc/")
    assert hidden.endswith("/ns/net: Permission denied")


def test_no_process_hides_its_namespace_from_root():
    assert said("pod('web')\nsay(*steps_pods.running_pods())") == [{}, None]


def test_pods_without_a_timer_are_not_to_be_restarted():
    assert said("pod('web')\nsay(step((600, 30, 9)).notes())") == [[]]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("time",), id="the first probe"),
        pytest.param(("intvl", "probes"), id="the others"),
        pytest.param(("time", "intvl", "probes"), id="all of it"),
    ],
)
@pytest.mark.parametrize("pause", [pytest.param("", id="at once"), pytest.param("sleep 0.3;", id="now and then")])
def test_a_pod_that_rewrites_its_keepalive_is_said_and_its_neighbours_have_theirs(names, pause):
    code = (
        f"pod('hostile'); pod('good'); rewrites('hostile', {names}, '{pause}')\n"
        "it = until_rewritten('hostile', step((600, 30, 9)))\ntransaction.run([it])\n"
        "say(it.after, apart(it), it.notes(), live(), it.targets['hostile'].final, it.targets['good'].final)"
    )
    after, apart, (note,), live, forgotten, kept = said(code)
    assert after == {"good": "600/30/9"}
    assert apart == {"hostile": ["600/30/9", "7200/75/9", "rewritten", "something else sets it"]}
    assert note == (
        "keepalive of 1 running pod was set and did not stay: shop/hostile (it has 7200/75/9). Something else sets "
        "it: look in the pod."
    )
    assert live == {"hostile": "7200/75/9", "good": "600/30/9"}
    assert (forgotten, kept) == (None, ["7200/75/9", ["600/30/9"]])


def test_of_a_pod_that_has_set_another_value_only_ours_is_taken_back():
    code = (
        "pod('own'); pod('good'); it = step((600, 30, 9)); real = it.apply\n"
        "it.apply = lambda: (real(), inside('own', 'sysctl -qw net.ipv4.tcp_keepalive_time=1000').wait())\n"
        "transaction.run([it])\nsay(it.after, apart(it)['own'][1:3], live(), it.targets['own'].final)"
    )
    assert said(code) == [
        {"good": "600/30/9"},
        ["1000/75/9", "rewritten"],
        {"own": "1000/75/9", "good": "600/30/9"},
        None,
    ]


@pytest.mark.parametrize("name", ["time", "intvl"])
def test_a_pod_that_refuses_one_key_of_three_is_put_back_by_itself(name):
    code = (
        f"pod('web'); pod('db'); refuses('web', '{name}')\nit = step((600, 30, 9))\ntransaction.run([it])\n"
        "say(it.after, apart(it), it.notes(), live(), it.targets['web'].final)"
    )
    why = f"/proc/sys/net/ipv4/tcp_keepalive_{name}: Read-only file system"
    note = f"keepalive of 1 running pod could not be written ({why}), so it was left alone: "
    assert said(code) == [
        {"db": "600/30/9"},
        {"web": ["600/30/9", "7200/75/9", "refused", why]},
        [note + "shop/web (it has 7200/75/9)."],
        {"web": "7200/75/9", "db": "600/30/9"},
        None,
    ]


def test_a_pod_that_refuses_what_an_earlier_run_gave_it_keeps_its_record():
    code = (
        "pod('web', 600, 30, 9); refuses('web', 'time')\nit = step((233, 11, 9), web='600/30/9')\n"
        "transaction.run([it])\nsay(live(), it.targets['web'].final)"
    )
    assert said(code) == [{"web": "600/30/9"}, ["7200/75/9", ["600/30/9"]]]


def test_a_namespace_of_another_user_namespace_is_left_and_told():
    """The pod was there before; we are root only in a user namespace that does not own it."""
    code = (
        "pod('good')\nforeign = Pod('shop/foreign', os.stat('/mnt/foreign').st_ino, ['/mnt/foreign'], "
        "namespaces.Keepalive(7200, 75, 9), None)\nreal = find\n"
        "find = lambda: steps_pods.Running(dict(real().pods, foreign=foreign), None)\n"
        "it = step((600, 30, 9))\ntransaction.run([it])\nsay(it.after, apart(it), live())"
    )
    before = "mount -t tmpfs t /mnt && touch /mnt/foreign && unshare -n --keep-caps true && "
    before += 'unshare --net=/mnt/foreign true && exec unshare -Ur "$@"'
    output = run_python(ROOMS, PRELUDE + code, "unshare", "-m", "sh", "-c", before, "sh", *ISOLATED)
    assert json.loads(output.splitlines()[-1]) == [
        {"good": "600/30/9"},
        {
            "foreign": [
                "600/30/9",
                "7200/75/9",
                "refused",
                "its network namespace cannot be entered: Operation not permitted",
            ]
        },
        {"good": "600/30/9"},
    ]


HANGS = """
pod('a'); pod('hangs'); pod('z')
os.mkfifo('/mnt/way')
pod_keepalive._CHILD_SECONDS = 1
def hang(it):
    it._orders['hangs'].pod.ways[:] = ['/mnt/way']
"""


def test_a_namespace_that_hangs_costs_no_other_pod_its_value():
    code = (
        HANGS + "it = step((600, 30, 9)); hang(it); begin = time.monotonic()\ntransaction.run([it])\n"
        "say(it.after, apart(it), it.targets['hangs'].final, live(), time.monotonic() - begin)"
    )
    output = run_python(ROOMS, PRELUDE + code, "unshare", "-m", "sh", "-c", MNT, "sh", *ISOLATED)
    after, apart, final, live, seconds = json.loads(output.splitlines()[-1])
    assert after == {"a": "600/30/9", "z": "600/30/9"}
    why = "the process that enters its network namespace took longer than 1 s"
    assert apart == {"hangs": ["600/30/9", None, "unread", why]}
    assert final == ["7200/75/9", ["7200/30/9", "600/75/9", "600/30/9"]]
    assert live == {"a": "600/30/9", "hangs": "7200/75/9", "z": "600/30/9"}
    assert seconds < 10


def test_all_pods_together_have_an_end_too():
    code = (
        HANGS + "pod_keepalive._ALL_SECONDS = 1\nit = step((600, 30, 9)); hang(it)\ntransaction.run([it])\n"
        "say(it.after, {uid: each[3] for uid, each in apart(it).items()})"
    )
    output = run_python(ROOMS, PRELUDE + code, "unshare", "-m", "sh", "-c", MNT, "sh", *ISOLATED)
    after, why = json.loads(output.splitlines()[-1])
    assert after == {"a": "600/30/9"}
    assert why["z"] == "1 s were over before its turn came"


@pytest.mark.parametrize("half", ["600/75/9", "600/30/9", "7200/30/5"])
def test_a_run_that_was_killed_between_two_values_is_known_again(half):
    code = (
        "pod('web')\nahead = step((600, 30, 5)).targets['web'].ahead\n"
        f"for key, value in zip(KEYS, {half.split('/')}):\n"
        "    inside('web', 'sysctl -qw {}={}'.format(key, value)).wait()\n"
        "for wanted in (None, namespaces.Keepalive(600, 30, 5)):\n"
        "    it = steps_pods.PodsKeepalive({'web': ahead}, wanted, find)\n    say(it.after)\n"
    )
    output = run_python(ROOMS, PRELUDE + code, *ISOLATED).splitlines()
    assert [json.loads(line) for line in output[-2:]] == [[{"web": "7200/75/9"}], [{"web": "600/30/5"}]]


def test_a_pod_that_does_not_take_its_original_back_keeps_its_record_for_another_try():
    code = (
        "pod('web', 600, 30, 9); pod('db', 600, 30, 9); refuses('web', 'intvl')\n"
        "it = step(web='600/30/9', db='600/30/9')\ntransaction.run([it])\n"
        "say(it.after, live(), it.targets['web'].final, it.targets['db'].final, it.notes())"
    )
    after, live, kept, forgotten, (note,) = said(code)
    assert (after, live) == ({"db": "7200/75/9"}, {"web": "600/30/9", "db": "7200/75/9"})
    assert (kept, forgotten) == (["7200/75/9", ["600/30/9"]], None)
    assert note == (
        "keepalive of 1 running pod could not be written (/proc/sys/net/ipv4/tcp_keepalive_intvl: Read-only file "
        "system), so it was left alone, and what was there before stays recorded: shop/web (it has 600/30/9)."
    )


def test_a_pod_that_keeps_half_of_what_it_had_keeps_a_record_that_knows_it():
    code = (
        "pod('web', 600, 30, 9); it = step(web='600/30/9'); real = it.apply\n"
        "def apply():\n    refuses('web', 'intvl')\n"
        "    inside('web', 'sysctl -qw net.ipv4.tcp_keepalive_time=7200').wait()\n    refuses('web', 'time'); real()\n"
        "it.apply = apply\ntransaction.run([it])\nsay(live(), apart(it)['web'][1:3], it.targets['web'].final)"
    )
    assert said(code) == [
        {"web": "7200/30/9"},
        ["7200/30/9", "refused"],
        ["7200/75/9", ["7200/30/9", "600/75/9", "600/30/9"]],
    ]


def undone(code):
    """The message of a run that fails after this code has touched its pods, and what they have then."""
    fails = r"""
class Fails(transaction.Step):
    area = 'sysctls'
    def read(self):
        return self.before
    def apply(self):
        touch()
        raise ValueError('no')
    def undo(self):
        pass
pod('web'); pod('db')
it = step((600, 30, 9))
try:
    transaction.run([it, Fails('x', 1, 2)])
except Exception as error:
    say(str(error), live())
"""
    return said(code + fails)


def test_an_undo_says_which_pods_are_not_as_before_and_that_the_node_is():
    message, live = undone("def touch(): refuses('web', 'time')\n")
    assert live == {"web": "600/75/9", "db": "7200/75/9"}
    assert message.endswith(
        "The node is as before, but some of its running pods or containers are not: keepalive of shop/web: 600/75/9, "
        "before it was 7200/75/9 (/proc/sys/net/ipv4/tcp_keepalive_time: Read-only file system). Mend that by hand."
    )


@pytest.mark.parametrize(
    "touch",
    [
        pytest.param("end('web')", id="has ended"),
        pytest.param(
            "inside('web', 'sysctl -qw net.ipv4.tcp_keepalive_time=1000').wait()", id="has a value of its own since"
        ),
        pytest.param("rewrites('web', ('time', 'intvl'))", id="rewrites it"),
    ],
)
def test_an_undo_has_nothing_to_say_of_a_pod_that(touch):
    message, live = undone(f"def touch(): {touch}\n")
    assert message.endswith("The node is as before: everything that this run had written was undone and read back.")
    assert live["db"] == "7200/75/9"
    assert live.get("web") in (None, "1000/75/9", "7200/75/9")
