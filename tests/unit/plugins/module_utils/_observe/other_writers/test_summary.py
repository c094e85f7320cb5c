# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All other writers of a node together, in real files below a directory of their own."""

import json

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.plugins.module_utils._observe.other_writers import summary
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import write_tree

TIME, INTVL = "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl"
WANTS = "etc/systemd/system/multi-user.target.wants/"
FILES = {
    "usr/lib/systemd/systemd-sysctl": "",
    "usr/sbin/keepalived": "Keepalived v2.2.7 (",
    WANTS + "keepalived.service": "",
    "etc/keepalived/keepalived.conf": "global_defs {\nlvs_timeouts tcp 600\n}\nvirtual_server 10.0.0.9 80 {\n}\n",
    "usr/sbin/tuned": "",
    WANTS + "tuned.service": "",
    "etc/tuned/active_profile": "ours\n",
    "etc/tuned/ours/tuned.conf": f"[sysctl]\n{TIME}=300\n{INTVL}=9\nvm.swappiness=1\n",
    "etc/sysctl.conf": f"{INTVL} = 30\n# {TIME} = 1\n{TIME} =\t200\nvm.swappiness = 1\n",
}
KEEPALIVED, TUNED = "the configuration of keepalived", "the configuration of TuneD"
KUBE_ROUTER = "the flags of kube-router"
NO_PROBLEMS = {KEEPALIVED: [], TUNED: [], KUBE_ROUTER: [], "/etc/sysctl.conf": []}


def test_what_each_writer_sets_of_the_keys_as_plain_data(tmp_path):
    seen = summary.read([TIME, INTVL], root=write_tree(tmp_path, FILES))
    profile = "/etc/tuned/ours/tuned.conf"
    assert json.loads(json.dumps(seen)) == [
        {"file": "/etc/keepalived/keepalived.conf", "line": 2, "timeouts": {"tcp": 600}},
        {
            "profile": "ours",
            "reapplies": True,
            "sysctls": {
                INTVL: {"value": "9", "file": profile, "line": 3},
                TIME: {"value": "300", "file": profile, "line": 2},
            },
            "excluded": [],
        },
        {
            "read_at_boot": False,
            "sysctls": {INTVL: {"value": "30", "line": 1}, TIME: {"value": "200", "line": 3}},
        },
        None,
        NO_PROBLEMS,
    ]
    assert list(seen.tuned["sysctls"]) == list(seen.sysctl_conf["sysctls"]) == [INTVL, TIME]


def test_of_writers_that_are_not_there_nothing_is_told(tmp_path):
    assert summary.read([TIME], root=str(tmp_path)) == (None, None, None, None, NO_PROBLEMS)


def test_problems_are_told_by_whose_file_it_is(tmp_path):
    files = dict(FILES)
    files["etc/keepalived/keepalived.conf"] = "include {a,b}\n"
    files["etc/tuned/ours/tuned.conf"] = "[main]\ninclude=${f:exec:x}\n"
    del files["etc/sysctl.conf"]
    root = write_tree(tmp_path, files)
    (tmp_path / "etc/sysctl.conf").mkdir()
    seen = summary.read([TIME], root=root)
    assert seen[:3] == (None, {"profile": "ours", "reapplies": False, "sysctls": {}, "excluded": []}, None)
    assert seen.problems == {
        KEEPALIVED: [Problem("/etc/keepalived/keepalived.conf", 1, "the pattern '{a,b}' is not understood")],
        TUNED: [Problem("/etc/tuned/ours/tuned.conf", 2, "the profile '${f:exec:x}' is not understood")],
        KUBE_ROUTER: [],
        "/etc/sysctl.conf": [Problem("/etc/sysctl.conf", 0, "it is a directory, not a plain file")],
    }
