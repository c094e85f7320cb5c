# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks on four hosts, each with namespaces of its own: one plan, a real canary, nobody forgotten."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from ansible.release import __version__ as core

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_pythons import too_old
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import TIME

FILE = "/etc/sysctl.d/k8s.conf"
ALL = ("cp1", "node1", "node2", "node3")
OLD_PYTHON = next(
    (f"python{each}" for each in ("3.6", "3.7", "3.8") if too_old(core, each, "") and shutil.which(f"python{each}")), ""
)
STARTED = re.compile(r"^TASK \[.*: (.*)\]", re.MULTILINE)


def times(hosts):
    return [hosts.sysctl(name, TIME) for name in ALL]


def batches(ran):
    """The hosts of each batch that was converged."""
    plays = ran.stdout.split("PLAY [Converge in batches")[1:]
    return [
        sorted(re.findall(r"^(?:changed|ok|fatal): \[(\w+)\]", play.split("PLAY [")[0], re.MULTILINE)) for play in plays
    ]


def test_an_apply_takes_the_canary_first_and_a_converged_fleet_is_not_contacted_again(four):
    first, second = four.run("apply"), four.run("apply")
    assert (first.returncode, second.returncode) == (0, 0), first.stdout + first.stderr
    assert times(four) == ["233"] * 4
    assert batches(first) == [["cp1"], ["node1"], ["node2"], ["node3"]]
    assert batches(second) == [[]]
    assert "Apply changed 4 of 4 nodes." in first.stdout
    assert "Apply changed 0 of 4 nodes." in second.stdout


def test_a_report_for_strangers_names_nobody_and_the_apply_goes_by_the_real_names(four, tmp_path):
    ran = four.run(
        "apply",
        keepalive_report_redact=True,
        keepalive_report_dir=str(tmp_path / "report"),
        keepalive_report_formats=["html", "json", "junit", "prometheus"],
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert times(four) == ["233"] * 4
    files = [path for path in (tmp_path / "report").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"report.html", "report.json", "node-1.prom", "node-4.prom"}
    text = "\n".join(path.read_text() for path in files)
    assert not re.search(rf"\b({'|'.join(ALL)})\b|inventory\.json", text)
    document = json.loads((tmp_path / "report" / "report.json").read_text())
    outcomes = {node["name"]: node["applied"]["outcome"] for node in document["nodes"]}
    assert outcomes == {f"node-{number}": "changed" for number in (1, 2, 3, 4)}


def test_a_report_for_strangers_is_not_compared_with_one_that_has_names(four, tmp_path):
    ran = four.run("audit", keepalive_report_redact=True, keepalive_report_compare=str(tmp_path / "report.json"))
    assert ran.returncode != 0
    assert "keepalive_report_redact: the report to compare with (keepalive_report_compare) has" in ran.stdout


def test_a_node_that_fails_ends_the_batches_and_the_report_says_what_became_of_each(four, tmp_path):
    """node1 cannot write its file; cp1 was the batch before it, node2 and node3 would have been those after it."""
    four.freeze("node1", "/etc/sysctl.d")
    ran = four.run("apply", keepalive_report_dir=str(tmp_path / "report"), keepalive_report_formats=["json"])
    assert ran.returncode != 0
    assert times(four) == ["233", "7200", "7200", "7200"]
    assert batches(ran) == [["cp1"], ["node1"]]
    told = " ".join(ran.stdout.split())
    assert "Apply changed 1 of 4 nodes. It failed on node1. It did not touch node2, node3." in told
    assert "node2, node3: not touched, the apply ended before" in told
    assert "Read-only file system (EROFS). It is mounted read-only here" in told
    assert "applies what is left. Remove the cause of the failure first." in told
    assert re.findall(r"^(\w+) .* failed=(\d)", ran.stdout, re.MULTILINE) == [
        ("cp1", "0"),
        ("node1", "1"),
        ("node2", "0"),
        ("node3", "0"),
    ]
    document = json.loads((tmp_path / "report" / "report.json").read_text())
    outcomes = {node["name"]: node["applied"]["outcome"] for node in document["nodes"]}
    assert outcomes == {"cp1": "changed", "node1": "undone", "node2": "untouched", "node3": "untouched"}


def test_an_apply_whose_controller_is_killed_between_the_batches_is_finished_by_the_next(four):
    four.run_until(lambda: four.sysctl("node1", TIME) == "233", "apply")
    assert times(four)[:2] == ["233", "233"]
    assert times(four)[3] == "7200"
    again = four.run("apply")
    assert again.returncode == 0, again.stdout + again.stderr
    assert times(four) == ["233"] * 4
    assert four.run("restore").returncode == 0
    assert times(four) == ["7200"] * 4


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        pytest.param("cp1", ["7200", "7200", "7200", "7200"], id="the canary"),
        pytest.param("node3", ["233", "233", "233", "7200"], id="the last one"),
    ],
)
def test_a_node_that_fails_in_the_first_or_the_last_batch_is_taken_by_the_next_apply(four, name, reached):
    four.freeze(name, "/etc/sysctl.d")
    assert four.run("apply").returncode != 0
    assert times(four) == reached
    four.freeze(name, "/etc/sysctl.d", "rw")
    again = four.run("apply")
    assert again.returncode == 0, again.stdout + again.stderr
    assert times(four) == ["233"] * 4


def test_with_a_share_that_may_fail_the_batches_go_on(four):
    four.freeze("node1", "/etc/sysctl.d")
    ran = four.run("apply", keepalive_max_fail_percentage=100)
    assert ran.returncode != 0
    assert times(four) == ["233", "7200", "233", "233"]
    assert "Apply changed 3 of 4 nodes. It failed on node1." in ran.stdout


def test_an_apply_begins_with_two_lines_and_ends_with_the_report(four):
    ran = four.run("apply")
    opening = ran.stdout.split("PLAY [Converge in batches")[0].splitlines()
    told = [line for line in opening if line and not line.startswith(("PLAY", "TASK", "ok:"))]
    first, *_more = [number for number, line in enumerate(told) if line.startswith("Before: ")]
    assert told[first].startswith("Before: UNSAFE: idle connections at risk on all 4 nodes")
    assert told[-1] == "Now: 4 nodes are changed, cp1 first and alone."
    assert len(told) - first <= 4
    assert ran.stdout.count("NODE ") == 1


def test_what_is_no_longer_wished_is_given_back_though_no_value_is_late(four):
    further = {"net.core.somaxconn": 1024, "net/ipv4/ip_local_port_range": "2000 60000"}
    first, second = (four.run("apply", keepalive_sysctls=further) for _round in range(2))
    assert four.sysctl("node1", "net.core.somaxconn") == "1024"
    assert "Apply changed 4 of 4 nodes." in first.stdout
    assert batches(second) == [[]]
    ran = four.run("apply")
    assert ran.returncode == 0, ran.stdout
    assert four.sysctl("node1", "net.core.somaxconn") != "1024"
    assert "somaxconn" not in four.file("node1", FILE)


def test_policies_that_differ_are_refused_by_name_and_value_before_anything_is_observed(four):
    four.hosts["cp1"]["keepalive_profile"] = "article"
    ran = four.run("apply")
    assert ran.returncode != 0
    assert "keepalive_profile: article on cp1, derived on node[1-3]. One plan is made" in ran.stdout
    assert re.findall(r"^fatal: \[(\w+)\]", ran.stdout, re.MULTILINE) == ["cp1"]
    assert "Observe the node" not in ran.stdout
    assert times(four) == ["7200"] * 4


def test_what_belongs_to_a_node_may_differ(four):
    four.groups["workers"] = {
        "hosts": {"node2": {}, "node3": {}},
        "vars": {"keepalive_sysctls": {"net.core.somaxconn": 1024}},
    }
    ran = four.run("apply")
    assert ran.returncode == 0, ran.stdout
    assert ["1024" in (four.file(name, FILE) or "") for name in ALL] == [False, False, True, True]
    assert times(four) == ["233"] * 4


def test_the_canary_is_a_host_that_was_observed_and_the_others_have_their_reason(four, tmp_path):
    four.lose("cp1")
    four.hosts["node2"]["ansible_python_interpreter"] = "/nowhere/python"
    ran = four.run("apply", keepalive_max_unobserved_percentage=50, keepalive_report_dir=str(tmp_path / "report"))
    assert batches(ran) == [["node1"], ["node3"]]
    why = reasons(tmp_path / "report")
    assert why["cp1"].startswith("it was not observed: unreachable: ")
    assert "/nowhere/python" in why["node2"]


def reasons(report):
    document = json.loads((report / "report.json").read_text())
    return {node["name"]: node["why"] for node in document["nodes"] if not node["observed"]}


@pytest.mark.skipif(not OLD_PYTHON, reason="no Python here is too old for this ansible-core")
def test_a_python_that_is_too_old_is_told_with_what_fits(four):
    four.give_python("node2", shutil.which(OLD_PYTHON))
    ran = four.run("audit")
    told = " ".join(ran.stdout.split())
    version = OLD_PYTHON.replace("python", "Python ")
    assert f"/python-node2 on the node is {version}, ansible-core {core} needs 3." in told
    assert "Set ansible_python_interpreter to a newer Python of the node, or run ansible-core 2." in told
    assert not re.search("json char|SyntaxError", ran.stdout + ran.stderr)


def test_too_many_that_were_not_observed_stop_the_apply_before_the_first_write(four, tmp_path):
    four.lose("node2")
    ran = four.run("apply", keepalive_report_dir=str(tmp_path / "report"))
    assert reasons(tmp_path / "report").keys() == {"node2"}
    assert ran.returncode != 0
    assert "1 of 4 hosts could not be observed, at most 10 %" in ran.stdout
    assert [four.sysctl(name, TIME) for name in ALL if name != "node2"] == ["7200"] * 3


def test_another_strategy_of_ansible_changes_nothing(four, monkeypatch):
    monkeypatch.setenv("ANSIBLE_STRATEGY", "free")
    ran = four.run("audit")
    assert ran.stdout.count("To change: ") == 1


LEFT_OUT = "3 of 4 hosts were left out: node[1-3]."


def test_a_limit_on_the_hosts_is_told_and_nothing_is_safe_beyond_them(four):
    four.run("apply")
    ran = four.run("audit", "--limit", "cp1")
    assert f"{LEFT_OUT} Their limits are not in this plan." in " ".join(ran.stdout.split())
    assert "UNKNOWN" in ran.stdout
    assert "SAFE:" not in ran.stdout


def test_an_earlier_report_knows_the_limits_of_those_left_out_and_hands_them_on(four, tmp_path):
    report = {"keepalive_report_dir": str(tmp_path / "report"), "keepalive_report_formats": ["json"]}
    four.run("audit", **report)
    for _round in range(2):
        ran = four.run("audit", "--limit", "cp1", **report)
        told = " ".join(ran.stdout.split())
        assert LEFT_OUT in told
        assert "is what the report of " in told
        assert "Their limits are not in this plan" not in told


def test_an_apply_may_be_limited(four):
    ran = four.run("apply", "--limit", "node1")
    assert ran.returncode == 0, ran.stdout
    assert times(four) == ["7200", "233", "7200", "7200"]


def test_hosts_that_are_no_nodes_are_named_and_neither_counted_nor_changed(four, tmp_path):
    four.start("node1", "containerd")
    four.start("node2", "crio")
    ran = four.run("apply", keepalive_report_dir=str(tmp_path / "report"), keepalive_report_formats=["json"])
    assert ran.returncode == 0, ran.stdout
    assert "2 hosts are no nodes of a cluster" in ran.stdout
    assert times(four) == ["7200", "233", "233", "7200"]
    document = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [node["name"] for node in document["nodes"]] == ["node1", "node2"]
    assert document["other_hosts"] == ["cp1", "node3"]
    ran = four.run("apply", keepalive_every_host=True)
    assert ran.returncode == 0, ran.stdout
    assert times(four) == ["233"] * 4


@pytest.mark.parametrize(
    "given",
    [
        ("-e", "keepalive_middleboxes=aws_nlb keepalive_margin=3", "--limit", "node1,node2"),
        ("-e", "@vars.yml", "-e", "{keepalive_margin: 3}", "-f", "2"),
        ("-e", "keepalive_become=no", "-e", '{"keepalive_middleboxes": [{"name": "a fw", "seconds": 350}]}'),
    ],
    ids=str,
)
def test_the_command_that_a_report_names_works_when_it_is_pasted(four, monkeypatch, given):
    del four.variables["keepalive_middleboxes"]
    del four.variables["keepalive_become"]
    monkeypatch.chdir(four.folder)
    (four.folder / "vars.yml").write_text("keepalive_middleboxes: [aws_nlb]\nkeepalive_become: false\n")
    command = first_command(four.run("audit", *given).stdout)
    assert ("keepalive_become=no" in command) == ("keepalive_become=no" in given)
    ran = four.paste(command.replace(" --check --diff", ""))
    assert ran.returncode == 0, command + ran.stdout + ran.stderr
    changed = [name in ("node1", "node2") or "--limit" not in given for name in ALL]
    assert [time != "7200" for time in times(four)] == changed


def first_command(output):
    lines = output.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("Run: "))
    end = next(number for number in range(begin, len(lines)) if not lines[number].endswith("\\"))
    return "\n".join(lines[begin : end + 1]).removeprefix("Run: ")


def test_verify_and_restore_know_all_hosts(four):
    four.run("apply")
    verified, restored = four.run("verify"), four.run("restore")
    assert (verified.returncode, restored.returncode) == (0, 0), verified.stdout + restored.stdout
    assert times(four) == ["7200"] * 4
    told = " ".join(restored.stdout.split())
    assert "Restore gave 4 of 4 nodes back what they had before the first apply. cp1, node[1-3] (4): " in told
    assert f"{TIME}: 233 -> 7200" in told
    assert f"{FILE}: removed" in told
    assert "May be at risk again: cp1, node[1-3] (4): the first probe comes after 7200 s, not 233 s" in told
    four.lose("node2")
    ran = four.run("verify")
    assert re.findall(r"^fatal: \[(\w+)\]: UNREACHABLE", ran.stdout, re.MULTILINE) == ["node2"]
    assert sorted(re.findall(r"^fatal: \[(\w+)\]: FAILED", ran.stdout, re.MULTILINE)) == ["cp1", "node1", "node3"]


def test_two_clusters_in_one_run_have_a_plan_each(four, tmp_path):
    clusters = (("cp1,node1", 350), ("node2,node3", 700))
    plays = [
        {
            "ansible.builtin.import_playbook": "kubenode.connections.apply",
            "vars": {"keepalive_hosts": hosts, "keepalive_middleboxes": [{"name": "a fw", "seconds": seconds}]},
        }
        for hosts, seconds in clusters
    ]
    playbook = tmp_path / "two.yml"
    playbook.write_text(json.dumps(plays))
    ran = four.run(str(playbook))
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.count("Apply changed 2 of 2 nodes.") == 2
    assert times(four) == ["233", "233", "466", "466"]


def test_the_role_in_a_play_of_ones_own_plans_from_what_it_observed_and_applies_it(four, tmp_path):
    play = {"hosts": "all", "gather_facts": False, "roles": ["kubenode.connections.keepalive"]}
    playbook = tmp_path / "play.yml"
    playbook.write_text(json.dumps([play]))
    ran = four.run(str(playbook), "--check")
    assert ran.returncode == 0, ran.stdout
    assert "not observed" not in ran.stdout
    assert "apply would change 4 of 4 nodes" in " ".join(ran.stdout.split())
    assert times(four) == ["7200"] * 4
    ran = four.run(str(playbook))
    assert ran.returncode == 0, ran.stdout
    assert "Apply changed 4 of 4 nodes." in ran.stdout
    assert times(four) == ["233"] * 4


WRONG = [
    pytest.param({"keepalive_time": "soon"}, "keepalive_time: 'soon' is not a whole number", id="a word for a number"),
    pytest.param({"keepalive_tiem": 600}, "keepalive_tiem: not a variable of this collection", id="a misspelt name"),
    pytest.param({"keepalive_report_formats": "pdf"}, "keepalive_report_formats: 'pdf' is not one of", id="a format"),
    pytest.param({"keepalive_silence": [{"id": "limit-unknown"}]}, "limit-unknown has no reason", id="no reason"),
    pytest.param({"keepalive_kube_proxy_timeout": -1}, "keepalive_kube_proxy_timeout: -1", id="a negative time"),
    pytest.param({"keepalive_margin": "{{ nothing_there }}"}, "keepalive_margin: its template fails", id="a template"),
]


@pytest.mark.parametrize(("variables", "said"), WRONG)
def test_a_wrong_variable_is_told_once_before_anything_is_observed(four, variables, said):
    ran = four.run("audit", **variables)
    assert ran.returncode != 0
    assert (ran.stdout + ran.stderr).count(said) <= 2, ran.stdout  # ansible-core from 2.19 on shows an error twice
    assert said in ran.stdout
    assert "Observe the node" not in ran.stdout
    assert len(ran.stdout) < 3000


@pytest.mark.parametrize("given", ["aws_nlb", "aws_nlb,azure_lb", ["aws_nlb"]])
def test_a_plain_string_is_taken_where_a_list_is_meant(four, given):
    ran = four.run("audit", keepalive_middleboxes=given, keepalive_report_detail="full")
    assert ran.returncode == 0, ran.stdout
    assert "AWS NLB (declared in keepalive_middleboxes)" in ran.stdout


@pytest.mark.parametrize("reader", ["head -n 1", "head", "grep -m1 PLAY", "grep -m1 UNSAFE"])
def test_a_reader_that_goes_away_ends_the_run(four, reader):
    ran = four.run("audit", into=reader)
    assert ran.stdout


def test_a_silence_of_a_node_that_is_not_there_is_told(four):
    silence = [{"id": "limit-unknown", "reason": "known", "nodes": ["node9"]}]
    ran = four.run("audit", keepalive_silence=silence)
    assert "node9" in ran.stdout + ran.stderr
    silence[0]["nodes"] = ["node3"]
    ran = four.run("audit", "--limit", "node1", keepalive_silence=silence)
    assert "is no node of this report" not in ran.stdout + ran.stderr


def test_tags_that_run_nothing_are_told(four):
    ran = four.run("audit", "--tags", "network")
    assert ran.returncode != 0
    assert "--tags network" in ran.stdout + ran.stderr


def test_hosts_that_nobody_matches_are_told(four):
    ran = four.run("audit", keepalive_hosts="nobody")
    assert ran.returncode != 0
    assert "keepalive_hosts" in ran.stdout + ran.stderr


@pytest.mark.parametrize("playbook", ["apply", "restore"])
@pytest.mark.parametrize(("name", "value"), [("keepalive_hosts", "node1"), ("keepalive_serial", 1)])
def test_hosts_and_batches_in_the_inventory_are_refused_for_ansible_would_not_read_them(four, playbook, name, value):
    four.variables[name] = value
    ran = four.run(playbook)
    assert ran.returncode != 0
    assert f"{name}: it stands in the inventory (on cp1, node[1-3] (4)), where it would do nothing" in ran.stdout
    assert times(four) == ["7200"] * 4


@pytest.mark.parametrize("playbook", ["apply", "restore"])
def test_batches_of_no_size_are_refused_before_a_node_is_touched(four, playbook):
    ran = four.run(playbook, keepalive_serial="all")
    assert ran.returncode != 0
    assert "keepalive_serial: 'all' is no size of a batch." in ran.stdout
    assert "Unexpected Exception" not in ran.stdout + ran.stderr


def test_where_ansible_makes_any_error_fatal_a_host_that_is_lost_ends_no_run(four, monkeypatch):
    monkeypatch.setenv("ANSIBLE_ANY_ERRORS_FATAL", "true")
    four.lose("node3")
    ran = four.run("apply", keepalive_max_unobserved_percentage=30)
    assert times(four) == ["233", "233", "233", "7200"], ran.stdout + ran.stderr
    assert "Apply changed 3 of 4 nodes." in ran.stdout
    back = four.run("restore")
    assert times(four) == ["7200"] * 4, back.stdout + back.stderr
    assert "It failed on node3." in " ".join(back.stdout.split())
