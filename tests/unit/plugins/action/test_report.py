# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible import context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible.utils import color
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.kubenode.connections.plugins.action.report import ActionModule, _show
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import Rerun
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import STYLES, Span, plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import (
    applied,
    cluster,
    document,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    applied_node,
    nodes,
    quiet_node,
    stock_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report._schema import complaints

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - kubenode.connections.report:
        nodes: "{{ several }}"
        plan: "{{ several | kubenode.connections.plan({}) }}"
"""

SEEN = """
    - ansible.builtin.copy:
        dest: "{{ playbook_dir }}/seen.json"
        content: "{{ dict(names | zip(query('vars', *names))) | to_json }}"
        mode: "0600"
      vars:
        ansible_python_interpreter: "{{ ansible_playbook_python }}"
        names: "{{ query('varnames', '^keepalive_') }}"
"""

OPTIONS = ("-i", "localhost,", "-e", "@nodes.json")

CLEAN = {name: value for name, value in os.environ.items() if name != "NO_COLOR" and not name.startswith("ANSIBLE_")}

SILENCED = [{"id": "keepalive-too-late", "reason": "replaced on Monday"}]


def run(check_mode=False, **arguments):
    task = Task()
    task.args = arguments
    task.check_mode = check_mode
    loader = DataLoader()
    play_context = PlayContext()
    connection = connection_loader.get("local", play_context, os.devnull)
    action = ActionModule(task, connection, play_context, loader, Templar(loader=loader), None)
    action._load_name = "report"  # as the plugin loader sets it
    return action.run(task_vars={})


def expected_lines(several):
    """Where no terminal is, Ansible takes 79 columns; no option was given to ansible-playbook."""
    return [plain(line) for line in text_lines(document(several, {}), 79, Rerun(()))]


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_lines_are_printed_as_they_are_and_returned(capsys, check_mode):
    several = nodes(stock_node(), None)
    plan = make_plan(several, {})
    result = run(check_mode, plan=plan, nodes=several)
    assert {key: result[key] for key in ("changed", "verdict", "lines")} == {
        "changed": False,
        "verdict": "unsafe",
        "lines": expected_lines(several),
    }
    assert capsys.readouterr().out.splitlines() == result["lines"]


def test_marked_values_of_ansible_make_no_difference(capsys):
    several = nodes(stock_node())
    plan = make_plan(several, {})
    result = run(plan=wrap_var(plan), nodes=wrap_var(several))
    assert result["lines"] == expected_lines(several)
    assert {type(line) for line in result["lines"]} == {str}
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"plan": {}}, "parameters are required together: plan, nodes", id="an argument is missing"),
        pytest.param({"plan": {}, "nodes": {}, "more": 1}, "Unsupported parameters .*more", id="an argument too many"),
        pytest.param({"plan": [1], "nodes": {}}, "dict", id="an argument of the wrong type"),
    ],
)
def test_wrong_arguments_are_refused(capsys, arguments, message):
    with pytest.raises(AnsibleError, match=message):
        run(**arguments)
    assert capsys.readouterr().out == ""


def test_a_plan_that_is_none_is_refused(capsys):
    with pytest.raises(AnsibleActionFail) as caught:
        run(plan={}, nodes={})
    assert str(caught.value) == (
        "report: this is not a plan with its nodes (KeyError: 'nodes'). "
        "Give the result of the filter kubenode.connections.plan and the nodes that it was made from."
    )
    assert capsys.readouterr().out == ""


def report(several, check_mode=False, **arguments):
    """Run the action on these nodes; what it returned."""
    return run(check_mode, plan=make_plan(several, {}), nodes=several, **arguments)


def printed(capsys):
    return capsys.readouterr().out.splitlines()


def test_what_was_seen_is_printed_where_the_files_cannot_be_written(tmp_path, capsys):
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(AnsibleActionFail, match="keepalive_report_dir"):
        report(cluster(), dest=str(tmp_path / "reports"))
    assert printed(capsys)[0].startswith("UNSAFE: ")


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_files_are_written_in_check_mode_too_and_count_as_no_change(tmp_path, capsys, check_mode):
    result = report(cluster(), check_mode, dest=str(tmp_path), formats=["json", "prometheus"])
    assert result["changed"] is False
    assert result["files"][:2] == [str(tmp_path / "report.json"), str(tmp_path / "report.prom")]
    assert printed(capsys)[-1] == f"Report: {tmp_path}/report.json, {tmp_path}/report.prom"
    document = json.loads((tmp_path / "report.json").read_bytes())
    assert complaints(document) == []
    assert document["check_mode"] is check_mode
    assert document["counts"] == result["counts"]
    made_at = datetime.strptime(document["made_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert abs((datetime.now(timezone.utc) - made_at).total_seconds()) < 600


def test_by_default_there_is_the_page_and_json(tmp_path):
    assert report(cluster(), dest=str(tmp_path))["files"] == [f"{tmp_path}/report.html", f"{tmp_path}/report.json"]


@pytest.mark.parametrize(("formats", "named"), [(["html"], True), (["json"], False)])
def test_the_page_is_named_only_where_it_is_written(tmp_path, formats, named):
    told = "\n".join(report(nodes(stock_node()), dest=str(tmp_path), formats=formats)["lines"])
    assert ("report.html, or the next audit" in told) is named
    assert ("as a page: -e keepalive_report_dir=reports" in " ".join(told.split())) is not named


@pytest.mark.parametrize("formats", ["json,junit", "json, junit", ["json", "junit"]], ids=str)
def test_formats_may_be_text(tmp_path, formats):
    files = report(cluster(), dest=str(tmp_path), formats=formats)["files"]
    assert files == [f"{tmp_path}/report.json", f"{tmp_path}/report.junit.xml"]


@pytest.mark.parametrize(("mode", "expected"), [(None, 0o600), ("0640", 0o640), (0o644, 0o644)])
def test_the_mode_of_the_files(tmp_path, mode, expected):
    (path,) = report(cluster(), dest=str(tmp_path), formats=["json"], mode=mode)["files"]
    assert Path(path).stat().st_mode & 0o777 == expected


def test_without_a_folder_no_file_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "files" not in report(cluster())
    assert list(tmp_path.iterdir()) == []


def test_a_relative_folder_is_one_where_the_playbook_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert report(cluster(), dest="reports", formats=["json"])["files"] == [f"{tmp_path}/reports/report.json"]


@pytest.mark.parametrize("folder", [None, "reports"])
def test_a_query_prints_what_it_found_and_nothing_else(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    result = report(cluster(), query="nodes[?verdict!='safe'].name", dest=folder)
    assert result["query_result"] == ["worker1", "worker3"]
    assert json.loads("\n".join(printed(capsys))) == ["worker1", "worker3"]


def test_a_query_that_finds_nothing_says_null(capsys):
    assert report(cluster(), query="nothing")["query_result"] is None
    assert printed(capsys) == ["null"]


def test_a_finding_fails_the_play_after_everything_was_printed_and_written(tmp_path, capsys):
    result = report(nodes(stock_node()), fail_on="critical", dest=str(tmp_path), formats=["json"])
    assert result["failed"] is True
    assert result["msg"].startswith("1 finding of severity critical: critical keepalive-too-late on worker1 ")
    assert result["files"] == [f"{tmp_path}/report.json"]
    assert (tmp_path / "report.json").exists()
    assert "lines" not in result  # Ansible would print them once more
    assert printed(capsys)[0] == "UNSAFE: idle connections at risk on worker1, in 23 network namespaces (pods)."


def test_a_silenced_finding_is_shown_with_its_reason_and_does_not_fail_the_play(capsys):
    result = report(nodes(stock_node()), fail_on="critical", silence=SILENCED)
    assert "failed" not in result
    assert "  silenced: CRITICAL keepalive-too-late on worker1 (replaced on Monday)" in printed(capsys)


def test_without_fail_on_nothing_fails(capsys):
    assert "failed" not in report(nodes(stock_node()))
    assert printed(capsys)


def test_compared_with_an_earlier_report_it_says_what_changed(tmp_path, capsys):
    report(nodes(stock_node()), dest=str(tmp_path), formats=["json"])
    earlier = str(tmp_path / "report.json")
    printed(capsys)
    result = report(nodes(applied_node()), dest=str(tmp_path), formats=["json"], compare=earlier)
    assert "  worker1: keepalive 7200/75/9 -> 600/30/9" in result["lines"]
    assert [line for line in printed(capsys) if line.startswith("Since the report of 20")]
    document = json.loads((tmp_path / "report.json").read_bytes())
    assert complaints(document) == []
    assert document["drift"]["changes"]


def test_the_first_run_has_no_earlier_report_and_says_so(tmp_path, capsys):
    result = report(cluster(), compare=str(tmp_path / "report.json"))
    assert printed(capsys)[-1] == (
        f"No earlier report at {tmp_path}/report.json: nothing to compare with (keepalive_report_compare)."
    )
    assert "failed" not in result


def test_after_an_apply_it_prints_before_and_after(tmp_path, capsys):
    several = nodes(applied_node(), quiet_node())
    more = {"applied": applied(), "verdicts_before": {"worker1": "unsafe"}, "kind": "apply"}
    report(several, dest=str(tmp_path), formats=["json"], **more)
    lines = printed(capsys)
    assert lines[3] == "Apply changed 1 of 2 nodes."
    assert "  worker1: UNSAFE before, SAFE now" in lines
    document = json.loads((tmp_path / "report.json").read_bytes())
    assert complaints(document) == []
    assert [node["applied"]["changed"] for node in document["nodes"]] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"query": "nodes["}, "keepalive_report_query: 'nodes\\[' is not a JMESPath expression", id="a bad query"
        ),
        pytest.param(
            {"silence": [{"id": "keepalive-to-late", "reason": "x"}]},
            "keepalive_silence: 'keepalive-to-late' is not the id of a finding. Did you mean keepalive-too-late",
            id="an unknown id",
        ),
        pytest.param({"compare": "/dev"}, "keepalive_report_compare: /dev is a folder", id="a folder to compare with"),
        pytest.param(
            {"compare": "/dev/null"}, "keepalive_report_compare: /dev/null is a character device", id="a device"
        ),
        pytest.param({"dest": "/dev/null"}, "keepalive_report_dir: /dev/null/report", id="no folder to write to"),
        pytest.param(
            {"dest": "/tmp", "mode": "u=rw"}, "keepalive_report_mode: 'u=rw' is not the mode", id="a mode in letters"
        ),
        pytest.param({"fail_on": "fatal"}, "fail_on must be one of: never, critical", id="an unknown severity"),
        pytest.param(
            {"formats": ["pdf"], "dest": "/tmp"},
            "formats must be one or more of: html, json, junit, prometheus.*: pdf",
            id="an unknown format",
        ),
        pytest.param({"silence": [{"id": "ip-vs-idle"}]}, "missing required arguments: reason", id="no reason"),
    ],
)
def test_what_cannot_be_done_is_said(capsys, arguments, message):
    with pytest.raises(AnsibleError, match=message):
        report(cluster(), **arguments)
    assert "Traceback" not in capsys.readouterr().out


def test_the_next_command_has_the_options_of_this_run(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    given = {"inventory": (f"{tmp_path}/hosts",), "connection": "ssh", "extra_vars": ("keepalive_margin=9", "token=x")}
    monkeypatch.setattr(context, "CLIARGS", given)
    report(nodes(stock_node()))
    lines = printed(capsys)
    assert lines[1:3] == [
        "Run: ansible-playbook kubenode.connections.apply -i hosts \\",
        "     -e keepalive_margin=9 --check --diff",
    ]
    assert lines[-5:-3] == [
        "      without: token (given to this run). They may be secrets, or cannot be",
        "      shown here. Add them.",
    ]


def test_where_all_variables_of_this_run_are_in_the_commands_nothing_is_said(monkeypatch, capsys):
    monkeypatch.setattr(context, "CLIARGS", {"extra_vars": ("keepalive_margin=9", "")})
    report(nodes(stock_node()))
    assert "without:" not in capsys.readouterr().out


def test_where_the_play_goes_on_no_next_step_is_named(monkeypatch, capsys):
    monkeypatch.setattr(context, "CLIARGS", {"extra_vars": ("token=x",)})
    report(nodes(stock_node()), next_step=False)
    out = capsys.readouterr().out
    assert "ansible-playbook" not in out
    assert "without:" not in out


LINE = (Span("SAFE", "safe"), Span(" on "), Span("worker1", "unsafe"))


def test_every_style_has_a_colour_where_ansible_has_colours(monkeypatch, capsys):
    monkeypatch.setattr(color, "ANSIBLE_COLOR", True)
    _show([LINE, tuple(Span(style, style) for style in STYLES)])
    first, second = printed(capsys)
    assert first == "\033[0;32mSAFE\033[0m on \033[0;31mworker1\033[0m"
    assert second.count("\033[0m") == len(STYLES)


def test_without_colours_the_words_are_all_there_is(monkeypatch, capsys):
    monkeypatch.setattr(color, "ANSIBLE_COLOR", False)
    _show([LINE])
    assert printed(capsys) == ["SAFE on worker1"]


def playbook(folder, play, *options, **environment):
    """Run a play on the nodes for real."""
    (folder / "nodes.json").write_text(json.dumps({"several": nodes(stock_node())}), encoding="utf-8")
    (folder / "play.yml").write_text(play, encoding="utf-8")
    collections = Path(sys.modules[ActionModule.__module__].__file__).parents[5]
    ran = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "play.yml", *options],
        env={
            **CLEAN,
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_LOG_PATH": str(folder / "log"),
            **environment,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        pytest.param({}, False, id="a pipe"),
        pytest.param({"ANSIBLE_FORCE_COLOR": "1"}, True, id="a pipe, colours forced, as some CI systems do"),
        pytest.param({"NO_COLOR": "1"}, False, id="NO_COLOR"),
    ],
)
def test_colours_in_a_real_run(tmp_path, environment, coloured):
    """ansible-playbook prints from another process than the one that makes the lines; its log has no colours."""
    ran = playbook(tmp_path, PLAY, *OPTIONS, **environment)
    verdict = "UNSAFE: idle connections at risk on worker1, in 23 network namespaces (pods)."
    shown = verdict.replace("UNSAFE", "\033[0;31mUNSAFE\033[0m") if coloured else verdict
    assert shown in ran.stdout.splitlines()
    assert ("\033" in ran.stdout) is coloured
    logged = (tmp_path / "log").read_text(encoding="utf-8")
    assert logged.count(verdict) == 1
    assert "\033" not in logged


@pytest.mark.parametrize("more", [{}, {"next_step": False}, {"query": "verdict"}], ids=str)
def test_the_page_has_the_options_of_this_run_and_no_secrets(monkeypatch, tmp_path, more):
    given = {"inventory": ("hosts",), "extra_vars": ("keepalive_margin=9", "token=hunter2")}
    monkeypatch.setattr(context, "CLIARGS", given)
    report(nodes(stock_node()), dest=str(tmp_path), formats=["html"], **more)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "kubenode.connections.apply -i hosts -e keepalive_margin=9 --check --diff<" in page
    assert "hunter2" not in page


def command_of(lines):
    """The words of the command to run next that the report ends with, without its flags."""
    begin = max(number for number, line in enumerate(lines) if line.startswith("  ansible-playbook "))
    end = next(number for number in range(begin, len(lines)) if not lines[number].endswith("\\"))
    words = shlex.split("\n".join(lines[begin : end + 1]).replace("\\\n", ""))
    assert (words[:2], words[-2:]) == (["ansible-playbook", "kubenode.connections.apply"], ["--check", "--diff"])
    return words[2:-2]


GIVEN = [
    "{keepalive_middleboxes: [aws_nlb, {name: a fw, seconds: 3600}], keepalive_pods: no, env: prod}",
    '{"keepalive_margin": 1, "keepalive_x": "{{ [5] | first }}a", "token": "hunter2", "keepalive_y": 1e3}',
    "keepalive_margin=2 keepalive_z=1 region=hunter2 keepalive_profile=article and",
    "@more.yml",
    "keepalive_z=3 keepalive_empty=",
    "keepalive_quoted='a  b $HOME' keepalive_odd=\"it's $(id) \\\\ {{ 4 }}\" keepalive_letter=\\u8282",
    "keepalive_vault_password=hunter2",
    "{keepalive_date: 2026-01-01}",
]
LOST = {"keepalive_vault_password": "hunter2", "keepalive_date": "2026-01-01"}
KEPT = {
    "keepalive_middleboxes": ["aws_nlb", {"name": "a fw", "seconds": 3600}],
    "keepalive_pods": False,
    "keepalive_margin": 4,
    "keepalive_x": "5a",
    "keepalive_y": 1000.0,
    "keepalive_z": "3",
    "keepalive_profile": "article",
    "keepalive_empty": "",
    "keepalive_quoted": "a  b $HOME",
    "keepalive_odd": "it's $(id) \\ 4",
    "keepalive_letter": "节",
}


def test_the_next_command_of_a_real_run_has_its_variables(tmp_path):
    """Run with the options that are printed, a play sees the same variables, but for those that are named."""
    (tmp_path / "more.yml").write_text("keepalive_margin: 4\nkeepalive_z: 2\n", encoding="utf-8")
    ran = playbook(tmp_path, PLAY + SEEN, *OPTIONS, *(word for each in GIVEN for word in ("-e", each)))
    assert json.loads((tmp_path / "seen.json").read_bytes()) == {**KEPT, **LOST}
    assert " without: env, token, region, keepalive_vault_password, keepalive_date (given to this run). " in " ".join(
        ran.stdout.split()
    )
    assert "hunter2" not in ran.stdout
    ran = playbook(tmp_path, PLAY + SEEN, *command_of(ran.stdout.splitlines()))
    assert json.loads((tmp_path / "seen.json").read_bytes()) == KEPT
    assert "without:" not in ran.stdout


def test_a_file_of_variables_that_is_gone_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "there.yml").write_text("", encoding="utf-8")
    given = {"extra_vars": (f"@{tmp_path}/there.yml", "@/nowhere/gone.yml", "@/dev/null")}
    monkeypatch.setattr(context, "CLIARGS", given)
    report(nodes(stock_node()))
    words = " ".join(capsys.readouterr().out.split())
    assert f"-e @{tmp_path}/there.yml" in words
    assert " without: @/nowhere/gone.yml, @/dev/null (given to this run). " in words


@pytest.mark.parametrize(
    ("extra", "become"),
    [
        (("keepalive_become=false",), ["keepalive_become=true"]),
        (("{keepalive_become: no}",), ["keepalive_become=true"]),
        (("@FILE",), ["keepalive_become=true"]),
        (("@FILE", "keepalive_become=yes"), ["keepalive_become=yes"]),
        (("keepalive_become=yes", "@FILE"), ["keepalive_become=true"]),
        (("keepalive_become=1", "@/nowhere/gone.yml"), ["keepalive_become=1"]),
        ((), []),
    ],
    ids=str,
)
def test_an_apply_is_never_named_without_root(monkeypatch, tmp_path, capsys, extra, become):
    (tmp_path / "vars.yml").write_text("keepalive_become: false\n", encoding="utf-8")
    given = {"extra_vars": tuple(each.replace("FILE", f"{tmp_path}/vars.yml") for each in extra)}
    monkeypatch.setattr(context, "CLIARGS", given)
    report(nodes({**stock_node(), "root": False}))
    (line,) = set(re.findall(r"Run: (.*?--diff)", " ".join(printed(capsys)).replace("\\", "")))
    assert re.findall(r"keepalive_become=\S+", line) == become


def test_who_was_root_without_become_is_given_the_same_words_again(monkeypatch, capsys):
    monkeypatch.setattr(context, "CLIARGS", {"extra_vars": ("keepalive_become=false",)})
    report(nodes(stock_node()))
    (line,) = set(re.findall(r"Run: (.*?--diff)", " ".join(printed(capsys)).replace("\\", "")))
    assert re.findall(r"keepalive_become=\S+", line) == ["keepalive_become=false"]


ENCRYPTED = '{"keepalive_x": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\\n6161"}, "keepalive_margin": "9"}'


def test_a_value_that_is_encrypted_is_not_shown(monkeypatch, capsys):
    monkeypatch.setattr(context, "CLIARGS", {"extra_vars": (ENCRYPTED,)})
    report(nodes(stock_node()))
    words = " ".join(capsys.readouterr().out.split())
    assert " -e keepalive_margin=9 --check" in words
    assert " without: keepalive_x (given to this run). " in words


def test_in_chinese_all_that_people_read_is_chinese_and_plain_text(tmp_path, capsys):
    result = report(cluster(), language="zh", dest=str(tmp_path), formats=["json", "junit"])
    assert result["lines"][0].startswith("不安全")
    assert {type(line) for line in result["lines"]} == {str}
    assert printed(capsys)[-1].startswith("报告")
    assert json.loads((tmp_path / "report.json").read_bytes())["nodes"][0]["why"].isascii()
    assert (tmp_path / "report.junit.xml").read_text().isascii()


def test_a_failure_is_told_in_the_language(capsys):
    result = report(nodes(stock_node()), fail_on="critical", language="zh")
    assert "级别为严重" in result["msg"]
    assert "keepalive_audit_fail_on: critical" in result["msg"]
    assert type(result["msg"]) is str
    assert capsys.readouterr().out


def test_an_opening_is_two_lines_and_the_files_are_whole(tmp_path, capsys):
    result = report(nodes(stock_node(), stock_node()), detail="opening", one_first=True, dest=str(tmp_path))
    assert result["lines"][-1] == "Now: 2 nodes are changed, worker1 first and alone."
    assert result["lines"][0].startswith("Before: UNSAFE: ")
    assert printed(capsys) == result["lines"]
    assert len(json.loads((tmp_path / "report.json").read_bytes())["findings"]) > 2


def test_where_the_play_fails_it_is_no_opening(capsys):
    report(nodes(stock_node()), detail="opening", fail_on="critical")
    assert printed(capsys)[0].startswith("UNSAFE: ")


def test_in_full_there_is_more_than_in_brief():
    several = nodes(stock_node())
    brief, full = (report(several, detail=detail)["lines"] for detail in ("brief", "full"))
    assert not [line for line in brief if line.startswith("Limits: ")]
    assert [line for line in full if line.startswith("Limits: ")]
