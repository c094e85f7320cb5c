# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge import rearming
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._open_clients import FAR, VIP, lines_of

NONE, KEEPALIVE = 0, 2
SERVICE = VIP + ":80"
LATE = "server = listen('0.0.0.0')\nlate = Client(server)\nwrite_time(600)\n"


def test_a_client_that_was_armed_late_is_re_armed_in_place_with_its_idle_time_counted():
    code = LATE + (
        "print(json.dumps(late.timer()))\n"
        "time.sleep(2.5)\n"
        "print(json.dumps(rearm(at_risk_now())))\n"
        "found = [each for each in inet_diag.read() if each.inode == late.inode][0]\n"
        "print(json.dumps([found.expires_ms, found.idle_ms]))\n"
        "print(json.dumps([late.timer(), late.held(), os.waitpid(late.pid, os.WNOHANG)[0]]))\n"
        "late.act('mine.send(bytes(1))')\n"
        "print(len(late.accepted.recv(9)))\n"
        "print(json.dumps(rearm(at_risk_now())))"
    )
    before, done, (expires_ms, idle_ms), after, received, again = lines_of(code)
    assert before == [KEEPALIVE, 7200]
    assert done == [[SERVICE, 1, {}]]
    assert idle_ms >= 2500
    assert expires_ms <= 597500
    assert after == [[KEEPALIVE, 600], [True, "600/30/9"], 0]
    assert (received, again) == (1, [])


def test_of_those_that_never_asked_only_the_mode_all_makes_one_that_has_keepalive():
    code = (
        "server = listen('0.0.0.0')\n"
        "silent = Client(server, keepalive=False)\n"
        "print(json.dumps([rearm(at_risk_now()), silent.timer()[0], silent.held()]))\n"
        "time.sleep(1)\n"
        "print(json.dumps([rearm(at_risk_now(silent=True), silent=True), silent.timer(), silent.held()]))"
    )
    before, after = lines_of(code)
    assert before == [[], NONE, [False, "7200/75/9"]]
    assert after == [[[SERVICE, 1, {}]], [KEEPALIVE, 600], [True, "600/30/9"]]


def test_check_mode_counts_the_same_and_sets_nothing():
    code = LATE + (
        "silent = Client(server, keepalive=False)\nown_time = Client(server, own=(7000,))\n"
        "for check in (True, False):\n"
        "    done = rearm(at_risk_now(silent=True), silent=True, check=check)\n"
        "    print(json.dumps([done, late.timer(), silent.held(), own_time.timer()]))"
    )
    (told, *before), (done, *after) = lines_of(code)
    assert sorted(told) == sorted(done)
    assert (sum(part[1] for part in told), sum(part[2].get("own_values", 0) for part in told)) == (2, 1)
    assert before == [[KEEPALIVE, 7200], [False, "600/75/9"], [KEEPALIVE, 7000]]
    assert after == [[KEEPALIVE, 600], [True, "600/30/9"], [KEEPALIVE, 7000]]


def test_what_a_run_has_given_before_is_no_programs_own_and_can_be_sooner_still():
    """Re-armed by a run before, or enforced, which never makes the namespace's own next probe later."""
    code = LATE + (
        "enforced = Client(server, own=(500, 20, 7)); chosen = Client(server, own=(500, 21, 9))\n"
        "rearm(at_risk_now())\nsooner = Keepalive(200, 25, 8)\n"
        "again = lambda given: [rearm(at_risk_now(services=300), wanted=sooner, given=given),"
        " late.held(), enforced.held(), chosen.held()]\n"
        "print(json.dumps(again(())))\nprint(json.dumps(again((WANTED, Keepalive(500, 20, 7)))))"
    )
    before, after = lines_of(code)
    assert before == [
        [[SERVICE, 0, {"own_values": 1}]] * 3,
        *([True, f"{own}"] for own in ("600/30/9", "500/20/7", "500/21/9")),
    ]
    assert sorted(after[0]) == [[SERVICE, 0, {"own_values": 1}]] + [[SERVICE, 1, {}]] * 2
    assert after[1:] == [[True, "200/25/8"], [True, "200/20/8"], [True, "500/21/9"]]


MEANWHILE = """
real = socket_holders.find_open
def find_and_act(*given, **more):
    found = real(*given, **more)
    act()
    return found
socket_holders.find_open = find_and_act
"""


@pytest.mark.parametrize("other", ["late", "silent"])
def test_another_socket_under_the_same_number_is_never_touched(other):
    """The program closes the socket between the search and the duplicate, and opens one that is at risk, too."""
    keepalive = int(other == "late")
    code = "server = listen('0.0.0.0')\nlate = Client(server)\n" + MEANWHILE
    code += (
        "def act():\n"
        "    late.act('was = mine.fileno(); mine.close(); other = socket.socket(); assert other.fileno() == was;'\n"
        f"             'other.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, {keepalive});'\n"
        "             'other.connect((\"10.96.0.10\", 80)); kept.append(other)')\n"
        "    kept.append(server.accept()[0])\n"
        "found = at_risk_now(silent=True)\n"
        "print(json.dumps(rearm(found, silent=True)))\n"
        "late.inode = os.stat('/proc/%d/fd/%d' % (late.pid, late.descriptor)).st_ino\n"
        "print(json.dumps([late.inode != found[0].inode, late.held(), late.timer()]))"
    )
    done, after = lines_of(code)
    assert done == [[SERVICE, 0, {"gone": 1}]]
    assert after == [True, [bool(keepalive), "7200/75/9"], [KEEPALIVE, 7200] if keepalive else after[2]]
    assert (after[2][0] == KEEPALIVE) is bool(keepalive)


def test_a_socket_with_the_number_of_another_inode_is_told_apart_by_its_cookie():
    code = LATE + (
        "found = [each._replace(cookie=each.cookie + 1) for each in at_risk_now()]\n"
        "print(json.dumps([rearm(found), late.timer()]))"
    )
    assert lines_of(code) == [[[[SERVICE, 0, {"gone": 1}]], [KEEPALIVE, 7200]]]


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param("late.end()", id="the process has ended"),
        pytest.param("late.act('mine.close()')", id="it has closed the socket"),
        pytest.param("late.act('os.dup2(1, mine.fileno())')", id="it has a file under the number"),
        pytest.param("late.act('mine.shutdown(socket.SHUT_WR)')", id="it closes the connection"),
        pytest.param("late.accepted.close(); time.sleep(0.2)", id="the other end has closed it"),
    ],
)
def test_what_ends_between_the_search_and_the_duplicate_is_gone(meanwhile):
    code = LATE + MEANWHILE + f"def act():\n    {meanwhile}\nprint(json.dumps(rearm(at_risk_now())))"
    assert lines_of(code) == [[[SERVICE, 0, {"gone": 1}]]]


def test_what_listens_opens_or_closes_is_never_at_risk():
    code = (
        "server = listen('0.0.0.0')\n"
        "half = Client(server, keepalive=False); half.act('mine.shutdown(socket.SHUT_WR)')\n"
        "other = Client(server); other.accepted.close(); time.sleep(0.2)\n"
        "deaf_server = listen('0.0.0.0', 81); deaf(deaf_server)\n"
        "opening = socket.socket(); opening.setblocking(False); opening.connect_ex((VIP, 81))\n"
        "print(json.dumps([each.peer for each in at_risk_now(silent=True)]))"
    )
    assert lines_of(code) == [[]]


def test_a_connection_to_another_address_and_one_in_many_processes():
    code = (
        "server = listen('0.0.0.0', 5432)\nfar = Client(server, FAR, near=NEAR)\nwrite_time(600)\n"
        "child = os.fork()\nif child == 0: signal.pause()\n"
        "print(json.dumps([rearm(at_risk_now()), far.timer()]))"
    )
    assert lines_of(code) == [[[[FAR + ":5432", 1, {}]], [KEEPALIVE, 600]]]


def test_a_default_time_out_of_this_process_does_not_change_the_owners_socket():
    code = LATE + (
        "socket.setdefaulttimeout(5)\nrearm(at_risk_now())\n"
        "late.act('assert os.get_blocking(mine.fileno())')\nprint(json.dumps(late.timer()))"
    )
    assert lines_of(code) == [[KEEPALIVE, 600]]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param((7200, 75, 9), (600, 30, 9), id="what is wanted"),
        pytest.param((300, 75, 9), (300, 30, 9), id="the namespace's first probe comes sooner"),
        pytest.param((7200, 10, 3), (600, 10, 9), id="its next probe comes sooner"),
        pytest.param((0, 0, 0), (600, 30, 9), id="it has none that counts"),
    ],
)
def test_nothing_becomes_later_than_in_the_namespace(own, expected):
    assert rearming.sooner(Keepalive(*own), Keepalive(600, 30, 9)) == Keepalive(*expected)
