# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pod_processes import OTHER_UID, UID
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pods_with_connections import (
    FAR,
    lines_of,
)


def test_pods_and_the_node_by_name_and_only_what_is_at_risk(tmp_path):
    (rearmed, plain, notes), web, db = lines_of(
        tmp_path,
        "web = pod(UID, 'late', 'late', 'silent', 'loopback')\ndb = pod(OTHER_UID, 'late', 'own')\n"
        "rearm()\nprint(gaps(web))\nprint(gaps(db))",
    )
    assert (rearmed, plain["rearmed"], plain["not_rearmed"], plain["more_rows"]) == (3, 3, 1, 0)
    processes = [row.pop("process") for row in plain["rows"]]
    assert [(each["name"][:6], each["pod"]) for each in processes] == [("python", None)] * 2
    own = {
        "reason_id": "own_values",
        "reason": "the program has set 7000/75/9 itself, its network namespace has 7200/75/9",
        "connections": 1,
    }
    of_pod = {"kind": "pod", "peer": FAR}
    assert plain["rows"] == [
        dict(of_pod, label="shop/db-0", uid=OTHER_UID, rearmed=1, not_rearmed=[own]),
        dict(of_pod, label="shop/web-0", uid=UID, rearmed=2, not_rearmed=[]),
    ]
    assert notes == [
        (
            "1 open connection at risk was not re-armed, "
            "because the program has set 7000/75/9 itself, its network namespace has 7200/75/9: shop/db-0 (1). "
            "Change them in the program's own settings where that is not wanted."
        )
    ]
    assert (web, db) == ([600, 600, 7200], [600, 7000])


def test_a_pod_whose_cgroup_cannot_be_read_is_left_alone_and_told(tmp_path):
    (rearmed, _plain, (note,)), web = lines_of(
        tmp_path,
        "web = pod(UID, 'late')\nos.mkfifo(LOGS + '/fifo')\n"
        "subprocess.check_call(['mount', '--bind', LOGS + '/fifo', '/proc/%d/cgroup' % web.pid])\n"
        "rearm()\nprint(gaps(web))",
    )
    assert (rearmed, web) == (0, [7200])
    assert note.startswith("open connections: whose a network namespace is could not be seen (/proc/")
    assert note.endswith("/cgroup: is a FIFO, not a plain file), so it was left alone. Run again.")


def test_check_mode_counts_the_same_and_touches_nothing(tmp_path):
    told, before, done, after = lines_of(
        tmp_path,
        "web = pod(UID, 'late', 'silent', 'own')\nwish = WISH._replace(mode='all')\n"
        "rearm(wish, True)\nprint(gaps(web))\nrearm(wish)\nprint(gaps(web))",
    )
    assert told == done
    assert (told[0], told[1]["not_rearmed"]) == (2, 1)
    assert (before, after) == ([7000, 7200], [600, 600, 7000])


def test_a_second_time_nothing_is_left_to_do(tmp_path):
    lines = lines_of(tmp_path, "web = pod(UID, 'late')\nrearm()\nrearm()")
    assert lines[1] == [0, {"rearmed": 0, "not_rearmed": 0, "rows": [], "more_rows": 0}, []]


@pytest.mark.parametrize(
    ("kinds", "expected"), [(["node", "container"], [7200]), (["pod"], [600])], ids=["others", "pods"]
)
def test_only_the_kinds_that_are_asked_for(tmp_path, kinds, expected):
    code = f"web = pod(UID, 'late')\nrearm(WISH._replace(kinds={kinds}))\nprint(gaps(web))"
    assert lines_of(tmp_path, code)[1] == expected


def test_a_namespace_of_nobody_we_know_is_left_alone(tmp_path):
    code = "other = start('unshare', '-n', sys.executable, '-c', PROGRAM, 'late')\nrearm()\nprint(gaps(other))"
    assert lines_of(tmp_path, code)[1] == [7200]


def test_of_a_process_in_the_nodes_network_its_pod_is_told(tmp_path):
    code = (
        "host = start(sys.executable, '-c', PROGRAM, 'late')\n"
        "into(host, V1, 'kubepods/pod{}/{}'.format(UID, '5c' * 32))\nrearm()\nprint(gaps(host))"
    )
    (_rearmed, plain, _notes), after = lines_of(tmp_path, code)
    (row,) = plain["rows"]
    assert (row["kind"], row["label"], row["uid"], row["process"]["pod"]) == (
        "node",
        "the node itself",
        None,
        "shop/web-0",
    )
    assert after == [600]


def test_the_keepalive_that_is_planned_decides_what_is_at_risk_and_not_that_of_before(tmp_path):
    """Nobody sees a socket's own interval: that of the namespace counts, in check mode the one to come."""
    code = (
        "web = pod(UID, 'own')\ninode = os.stat('/proc/%d/ns/net' % web.pid).st_ino\n"
        "values = 'cd /proc/sys/net/ipv4; echo 600 > tcp_keepalive_time; echo 9000 > tcp_keepalive_intvl'\n"
        "subprocess.check_call(['nsenter', '-n', '-t', str(web.pid), 'sh', '-c', values])\n"
        "for planned in ({}, {inode: Keepalive(600, 30, 9)}):\n"
        "    found = open_connections.rearm(WISH._replace(outside_limit=8000), planned, True, log_directory=LOGS)\n"
        "    print(found.plain['not_rearmed'])"
    )
    assert lines_of(tmp_path, code) == [1, 0]


def test_the_nodes_own_keepalive_is_planned_by_the_sysctls_of_the_run(tmp_path):
    code = (
        "inode = os.stat('/proc/self/ns/net').st_ino\n"
        "found = open_connections.with_own({1: WISH.keepalive}, {'net.ipv4.tcp_keepalive_time': '600', 'x': '1'})\n"
        "print(json.dumps([str(found[1]), str(found[inode]), len(found)]))"
    )
    assert lines_of(tmp_path, code) == [["600/30/9", "600/75/9", 2]]


def test_more_rows_than_are_told_are_counted(tmp_path):
    code = "open_connections.MAX_ROWS = 1\npod(UID, 'late')\npod(OTHER_UID, 'late', 'late')\nrearm()"
    ((rearmed, plain, _notes),) = lines_of(tmp_path, code)
    assert rearmed == 3
    assert (len(plain["rows"]), plain["rows"][0]["rearmed"], plain["more_rows"]) == (1, 2, 1)


RUN = (
    "names_from_logs()\nweb, db = pod(UID, 'late', 'late', 'loopback'), pod(OTHER_UID, 'late', 'own')\n"
    "wish = Settings(pods=(600, 30, 9), open_connections={})\n"
)


def test_a_run_re_arms_last_and_only_what_could_not_be_is_told(tmp_path):
    code = (
        RUN.format("WISH") + "converge(wish, True)\nprint(gaps(web))\nconverge(wish)\nprint(gaps(web))\nconverge(wish)"
    )
    told, before, done, after, again = lines_of(tmp_path, code)
    assert (before, after) == ([7200, 7200, 7200], [600, 600, 7200])
    assert (told["changed"], done["changed"], again["changed"]) == (True, True, False)
    assert (done["open_connections"]["rearmed"], done["open_connections"]["not_rearmed"]) == (3, 1)
    assert again["open_connections"]["rearmed"] == 0
    for result in (told, done):
        assert [note.partition(" because ")[0] for note in result["notes"]] == [
            "1 open connection at risk was not re-armed,"
        ]
    del told["notes"], done["notes"]
    told, done = (
        json.loads(json.dumps(each).replace("its network namespace has 7200", "has 600")) for each in (told, done)
    )
    for each in (told, done):
        each["open_connections"]["rows"][0]["not_rearmed"] = []
    assert told == done


def test_a_run_that_is_not_asked_to_names_the_pods_to_restart_as_before(tmp_path):
    code = RUN.format("None") + "converge(wish)\nprint(gaps(web))"
    done, after = lines_of(tmp_path, code)
    assert after == [7200, 7200, 7200]
    assert done["open_connections"] is None
    assert done["notes"] == [
        (
            "Connections that are open already keep the timer they were armed with. "
            "Restart these pods, or have them connect again, where that matters: shop/db-0 (2 open), "
            "shop/web-0 (3 open)."
        )
    ]


def test_a_run_that_changes_nothing_else_has_changed_by_what_it_re_arms(tmp_path):
    code = (
        "names_from_logs()\nweb = pod(UID, 'late')\nwish = Settings(open_connections=WISH)\n"
        "for check in (True, False, False):\n    converge(wish, check)"
    )
    told, done, again = lines_of(tmp_path, code)
    assert told == done
    assert (done["changed"], again["changed"]) == (True, False)
    assert done["diff"] == []


def test_a_later_run_makes_sooner_what_an_earlier_one_gave_until_all_is_given_back(tmp_path):
    """The record tells what was given from what a program has set itself."""
    code = (
        "names_from_logs()\nweb = pod(UID, 'late', 'own')\n"
        "for seconds, limit in ((600, 900), (350, 500), (350, 500), (200, 300)):\n"
        "    wish = WISH._replace(keepalive=Keepalive(seconds, 30, 9), limit=limit, outside_limit=limit)\n"
        "    converge(Settings(open_connections=wish))\n    print(gaps(web))\n"
        "    converge(NOTHING) if seconds == 200 else None\n"
        "print(json.dumps(os.path.exists(RECORD)))"
    )
    *lines, kept = lines_of(tmp_path, code)
    runs, after = lines[0:8:2], lines[1:8:2]
    assert [each["open_connections"]["rearmed"] for each in runs] == [1, 1, 0, 1]
    assert [each["changed"] for each in runs] == [True, True, False, True]
    assert after == [[600, 7000], [350, 7000], [350, 7000], [200, 7000]]
    assert kept is False


def test_a_run_that_fails_re_arms_nothing(tmp_path):
    code = (
        "names_from_logs()\nweb = pod(UID, 'late')\n"
        "wish = Settings(sysctls={'net.ipv4.tcp_keepalive_time': 'x'}, open_connections=WISH)\n"
        "try:\n    converge(wish)\nexcept NodeError as error:\n    print(json.dumps(str(error)))\nprint(gaps(web))"
    )
    message, after = lines_of(tmp_path, code)
    assert "does not take 'x'" in message
    assert after == [7200]
