# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""check_variables, report and converge in one real play: two hosts with namespaces of their own, one out of reach."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_text import node_in
from ansible_collections.kubenode.connections.tests.playbooks._fleet import fleet
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import TIME
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report._schema import complaints

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - kubenode.connections.check_variables: {of_playbook: true}
      register: checked
      run_once: true
    - kubenode.connections.check_variables:
      register: refused
      run_once: true
      ignore_errors: true
      vars:
        keepalive_margin: "{{ 'much' if inventory_hostname == 'w2' else 0 }}"
    - kubenode.connections.observe:
      register: observed
    - kubenode.connections.report:
        registered: {observed: observed}
        max_unobserved_percentage: 33
        dest: "{{ playbook_dir }}/stopped"
      register: stopped
      run_once: true
      ignore_errors: true
    - kubenode.connections.report:
        registered: {observed: observed}
        max_unobserved_percentage: 34
        dest: "{{ playbook_dir }}/before"
        formats: [json]
      register: run
      run_once: true
    - kubenode.connections.converge: &converge
        node: "{{ run.planned.nodes[inventory_hostname] }}"
        limit: "{{ run.planned.nodes[inventory_hostname].limit or omit }}"
        planned_at: "{{ run.planned.made_at }}"
      register: foreseen
      check_mode: true
    - kubenode.connections.converge:
        <<: *converge
        limit: {seconds: 100, name: a low one, node: w9}
      register: low
      ignore_errors: true
      when: inventory_hostname == 'w2'
    - kubenode.connections.converge: *converge
      register: converged
    - kubenode.connections.converge:
        node: "{{ dict(run.planned.nodes.w1, to_converge=false) }}"
      register: spared
      ignore_errors: true
      vars:
        ansible_python_interpreter: /nowhere/python
    - kubenode.connections.converge:
        node: {to_converge: true}
      register: wrong
      run_once: true
      ignore_errors: true
    - kubenode.connections.report:
        registered: {observed: observed, converged: converged, planned: run}
        kind: apply
        dest: "{{ playbook_dir }}/after"
        formats: [json]
      run_once: true
    - ansible.builtin.copy:
        dest: "{{ playbook_dir }}/results.json"
        content: "{{ dict(names | zip(query('vars', *names))) | to_json }}"
        mode: "0600"
      delegate_to: localhost
      vars:
        ansible_connection: local
        ansible_python_interpreter: "{{ ansible_playbook_python }}"
        names: [checked, refused, stopped, run, foreseen, low, converged, spared, wrong]
      when: inventory_hostname == 'w2'
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The folder of the play, what its tasks returned on w2, and the keepalive time of each host afterwards."""
    folder = tmp_path_factory.mktemp("play")
    (folder / "play.yml").write_text(yaml.safe_dump(yaml.safe_load(PLAY)), encoding="utf-8")
    with fleet(folder, "w1", "w2", "w3") as hosts:
        hosts.variables["keepalive_middleboxes"] = "aws_nlb"
        hosts.lose("w3")
        ran = hosts.run(str(folder / "play.yml"))
        times = {name: hosts.sysctl(name, TIME) for name in ("w1", "w2", "w3")}
    assert (folder / "results.json").exists(), ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    return folder, json.loads((folder / "results.json").read_bytes()), times


@pytest.fixture
def results(played):
    return played[1]


def document(played, name):
    read = json.loads((played[0] / name / "report.json").read_bytes())
    assert complaints(read) == []
    return read, {node["name"]: node for node in read["nodes"]}


def test_variables_that_are_right(results):
    assert (results["checked"]["changed"], results["checked"].get("failed", False)) == (False, False)


def test_a_variable_of_another_host_is_refused_as_that_host_understands_it(results):
    assert results["refused"]["failed"]
    assert results["refused"]["msg"].endswith("Write a whole number from 0 to 2147483. (on w2)")


def test_too_many_hosts_out_of_reach_stop_the_run_after_its_report(played, results):
    assert "1 of 3 hosts could not be observed, at most 33 % may be " in results["stopped"]["msg"]
    assert "planned" not in results["stopped"]
    _document, nodes = document(played, "stopped")
    assert nodes["w3"]["why"].startswith("it was not observed: unreachable: ")


def test_the_plan_of_what_the_hosts_have_registered(played, results):
    planned = results["run"]["planned"]
    assert planned["to_converge"] == ["w1", "w2"]
    assert planned["limit"] == {"seconds": 350, "name": "AWS NLB", "node": None}
    assert {name: node["verdict"] for name, node in planned["nodes"].items()} == {
        "w1": "unsafe",
        "w2": "unsafe",
        "w3": "unknown",
    }
    assert planned["nodes"]["w3"]["failure"].startswith("w3 is unknown: it was not observed: unreachable: ")
    read, nodes = document(played, "before")
    assert (read["kind"], read["made_at"], list(nodes)) == ("audit", planned["made_at"], ["w1", "w2", "w3"])


def test_check_mode_says_what_would_change_and_does_not_look_again(results):
    assert results["foreseen"]["changed"]
    assert not results["foreseen"].get("node")


def test_a_node_that_is_too_late_for_the_limit_fails_and_keeps_its_settings(results):
    assert results["low"]["failed"]
    assert results["low"]["msg"].startswith("w2 is unsafe: 233 + 2 x ")
    assert "100 s (a low one on w9)" in results["low"]["msg"]
    assert results["converged"]["changed"] is False


def test_a_node_is_converged_and_looked_at_in_one_execution(played, results):
    assert played[2] == {"w1": "233", "w2": "233", "w3": "7200"}
    assert node_in(results["converged"])["sysctls"][TIME]["value"] == "233"
    assert results["converged"]["planned_at"] == results["run"]["planned"]["made_at"]


def test_a_node_that_has_nothing_to_change_is_not_contacted(results):
    """No Python is there that could answer."""
    assert (results["spared"]["changed"], results["spared"].get("failed", False)) == (False, False)


def test_a_node_that_is_no_part_of_a_plan_is_refused(results):
    assert results["wrong"]["failed"]
    assert "missing required arguments: settings found in node" in results["wrong"]["msg"]


def test_the_report_of_the_apply_has_before_and_after(played):
    read, nodes = document(played, "after")
    assert (read["kind"], read["counts"]["nodes"]) == ("apply", {"unsafe": 0, "unknown": 1, "safe": 2})
    applied = {name: (node["applied"]["changed"], node["applied"]["verdict_before"]) for name, node in nodes.items()}
    assert applied == {"w1": (True, "unsafe"), "w2": (False, "unsafe"), "w3": (False, "unknown")}
