# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What re-arming leaves alone, and the reason that it tells."""

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._open_clients import VIP, lines_of

KEEPALIVE = 2
SERVICE = VIP + ":80"
LATE = "server = listen('0.0.0.0')\nlate = Client(server)\nwrite_time(600)\n"


def test_a_connection_that_was_idle_for_longer_than_the_limit_is_forgotten_and_left_alone():
    code = LATE + "time.sleep(1.5)\nprint(json.dumps([rearm(at_risk_now(services=1)), late.timer()]))"
    assert lines_of(code) == [[[[SERVICE, 0, {"forgotten": 1}]], [KEEPALIVE, 7200]]]


def test_a_connection_with_data_under_way_at_each_look_is_counted_and_left_alone():
    code = LATE + (
        "late.accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)\n"
        "late.act('mine.setblocking(False)')\n"
        "for _number in range(99):\n"
        "    late.act('try: mine.send(bytes(1 << 16))\\nexcept BlockingIOError: pass')\n"
        "assert late.timer()[0] not in (0, 2)\nprint(json.dumps([rearm(at_risk_now()), late.held()]))"
    )
    assert lines_of(code) == [[[[SERVICE, 0, {"busy": 1}]], [True, "600/75/9"]]]


@pytest.mark.parametrize("own", [(7000,), (7000, 60, 4)])
def test_what_a_program_has_set_itself_is_left_alone_and_told(own):
    code = (
        f"server = listen('0.0.0.0')\nchosen = Client(server, own={own})\nbefore = chosen.held()\n"
        "print(json.dumps(rearm(at_risk_now())))\nprint(json.dumps([before, chosen.held()]))"
    )
    done, (before, after) = lines_of(code)
    assert done == [[SERVICE, 0, {"own_values": 1}]]
    assert before == after


@pytest.mark.parametrize("check", [True, False])
def test_sockets_that_a_control_group_tags_are_not_even_duplicated(check):
    code = LATE + (
        "found = at_risk_now()\npidfd.keeps_tags = lambda pid: pid != late.pid\n"
        "pidfd.duplicate = lambda *what: sys.exit('duplicated')\n"
        f"print(json.dumps(rearm(found, check={check})))"
    )
    assert lines_of(code) == [[[SERVICE, 0, {"net_cls": 1}]]]


@pytest.mark.parametrize("check", [True, False])
def test_a_user_timeout_with_which_one_lost_probe_would_end_it_keeps_it_as_it_is(check):
    code = LATE + (
        "for timeout in (1, 600000 + 9 * 30000 - 1, 600000 + 9 * 30000):\n"
        "    late.act('mine.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, %d)' % timeout)\n"
        f"    print(json.dumps([rearm(at_risk_now(), check={check}), late.timer()]))"
    )
    after = 7200 if check else 600
    assert lines_of(code) == [
        [[[SERVICE, 0, {"user_timeout": 1}]], [KEEPALIVE, 7200]],
        [[[SERVICE, 0, {"user_timeout": 1}]], [KEEPALIVE, 7200]],
        [[[SERVICE, 1, {}]], [KEEPALIVE, after]],
    ]


def test_a_program_that_has_turned_keepalive_off_meanwhile_is_left_alone():
    code = LATE + (
        "found = at_risk_now()\nlate.act('mine.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)')\n"
        "print(json.dumps([rearm(found), late.held()]))"
    )
    assert lines_of(code) == [[[[SERVICE, 0, {"own_values": 1}]], [False, "600/75/9"]]]


@pytest.mark.parametrize(
    ("number", "error", "scope", "reason"),
    [
        pytest.param("pidfd.OPEN", "ENOSYS", False, "kernel", id="a kernel before 5.3"),
        pytest.param("pidfd.GETFD", "ENOSYS", False, "kernel", id="a kernel before 5.6"),
        pytest.param("pidfd.GETFD", "EPERM", False, "rights", id="a security module forbids it"),
        pytest.param("pidfd.GETFD", "EPERM", True, "ptrace_scope", id="Yama forbids it to everybody"),
        pytest.param("pidfd.GETFD", "EMFILE", False, "refused", id="another error"),
        pytest.param("54", "EPERM", False, "refused", id="setsockopt is refused (its number on x86_64)"),
    ],
)
def test_a_kernel_that_refuses_is_told_and_nothing_is_set(number, error, scope, reason):
    """The kernel refuses for real, by a filter for system calls. Only Yama's file is not there everywhere."""
    code = LATE + (
        f"second = Client(server)\n"
        f"pidfd.nobody_may = lambda: {scope}\n"
        "write_time(300)\nfound = at_risk_now()\n"
        f"refuse({number}, errno.{error})\n"
        "print(json.dumps([rearm(found), late.timer(), second.timer()]))"
    )
    told, *timers = lines_of(code)[0]
    assert told == [[SERVICE, 0, {reason: 1}]] * len(told)
    assert timers == [[KEEPALIVE, 7200], [KEEPALIVE, 600]][: len(timers)]


def test_a_process_of_another_user_namespace_than_ours_is_not_ours_to_trace():
    code = LATE + (
        "libc = ctypes.CDLL(None, use_errno=True)\nfound = at_risk_now()\n"
        "assert libc.unshare(0x10000000) == 0, os.strerror(ctypes.get_errno())\n"
        "print(json.dumps(rearm(found)))"
    )
    assert lines_of(code) == [[[SERVICE, 0, {"rights": 1}]]]


def test_a_socket_that_no_process_has_is_told():
    code = LATE + "print(json.dumps([rearm(at_risk_now(), pids=[1]), late.timer()]))"
    assert lines_of(code) == [[[[SERVICE, 0, {"no_process": 1}]], [KEEPALIVE, 7200]]]


def test_a_socket_beyond_the_open_files_that_are_looked_at_is_unlisted():
    code = LATE + "rearming.MAX_DESCRIPTORS = 1\nprint(json.dumps([rearm(at_risk_now()), late.timer()]))"
    assert lines_of(code) == [[[[SERVICE, 0, {"unlisted": 1}]], [KEEPALIVE, 7200]]]


def test_when_the_time_is_over_the_rest_is_only_counted():
    code = LATE + "print(json.dumps([rearm(at_risk_now(), deadline=0), late.timer()]))"
    assert lines_of(code) == [[[[SERVICE, 0, {"unlisted": 1}]], [KEEPALIVE, 7200]]]


def test_the_paths_of_multipath_tcp_are_told_apart():
    code = (
        "try:\n    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)\n"
        "except OSError:\n    print('null'); sys.exit()\n"
        "server.bind(('0.0.0.0', 80)); server.listen(9)\n"
        "client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)\n"
        "client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
        "client.connect((VIP, 80)); kept += [client, server.accept()[0]]\nwrite_time(600)\n"
        "print(json.dumps(rearm(at_risk_now(), pids=[os.getpid()])))"
    )
    (told,) = lines_of(code)
    if told is None:
        pytest.skip("this kernel has no Multipath TCP")
    assert told == [[SERVICE, 0, {"refused": 1}]]


@pytest.mark.parametrize(("pids", "reason"), [("None", "gone"), ("[1]", "no_process")])
def test_all_that_share_an_inode_are_counted(pids, reason):
    """As the paths of a Multipath TCP connection do."""
    code = LATE + (
        "found = at_risk_now() * 2\nother = found[1]._replace(cookie=5, peer='10.96.0.10:81')\n"
        f"print(json.dumps(rearm([found[0]._replace(cookie=4), other], pids={pids})))"
    )
    assert lines_of(code) == [[[SERVICE, 0, {reason: 1}], [VIP + ":81", 0, {reason: 1}]]]
