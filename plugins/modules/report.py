#!/usr/bin/python
# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action kubenode.connections.report; the code is in plugins/action/report.py."""

DOCUMENTATION = r"""
module: report
short_description: Print and write what was seen, who is at risk, and what would change
version_added: 0.1.0
description:
  - Prints the report where the playbook runs. The first lines say who is at risk and what to run. A table has a line
    for each group of alike nodes, the worst first. Limits and whose they are follow, the planned keepalive with its
    reasons, pods and sockets at risk, findings with all nodes that each is true of, and what would change and why.
  - Lines are as wide as the terminal, from 79 to 110 columns, and 79 where there is none. Verdicts are coloured where
    Ansible's own output is.
  - With O(dest) it writes the same as files, for people and for machines. They are all made of one document, whose
    shape has a version and a published schema,
    U(https://github.com/kubenode/connections/blob/main/docs/schema/report-1.json).
  - It can fail the play by severity, print only a part, and say what changed since an earlier report.
  - Control characters and escape sequences in what nodes returned are made visible instead of sent to the terminal.
options:
  plan:
    description: The plan, as the filter P(kubenode.connections.plan#filter) returned it.
    type: dict
    required: true
  nodes:
    description: The nodes that the plan was made from, by their names.
    type: dict
    required: true
  kind:
    description:
      - What the report is of. V(apply) prints before and after instead of the audit's words.
    type: str
    choices: [audit, apply, verify]
    default: audit
  applied:
    description: What M(kubenode.connections.node_settings) returned, by the names of nodes.
    type: dict
  verdicts_before:
    description: The verdict of before that, by the names of nodes.
    type: dict
  dest:
    description:
      - A folder where the playbook runs, for the files. It is made where it is not there. Unset writes no files.
      - A relative one is taken from where C(ansible-playbook) was started.
      - Each file is whole or the one of before. See O(mode) for who may read them.
    type: path
  mode:
    description:
      - The mode of the files, octal and in quotes, such as V("0644") for everybody. A folder that is made for them can
        be entered by those who may read them, and one that is there stays as it is.
      - Unset, nobody else may read a new file (0600) or enter a new folder (0700), whatever the umask. A file that is
        there keeps its mode and its owner, but in a folder that others may write, too, it counts as a new one.
      - Links in place of a file or of C(nodes) are not followed.
    type: raw
  formats:
    description:
      - Which files.
      - V(html) is C(report.html), one page that needs no network.
      - V(json) is C(report.json), the whole document.
      - V(junit) is C(report.junit.xml). A suite a node, a case a rule. What is critical, a warning or unknown is a
        failed case, what is silenced a skipped one.
      - V(prometheus) is C(report.prom) with all nodes, and C(nodes/NAME.prom) for each, for node_exporter's textfile
        collector.
    type: list
    elements: str
    choices: [html, json, junit, prometheus]
    default: [html, json]
  query:
    description:
      - A JMESPath expression. What it finds in the document is printed as JSON, instead of the words.
      - Needs the Python package jmespath where the playbook runs.
    type: str
  silence:
    description: Findings to show as silenced, with the reason. They do not count for O(fail_on).
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: The finding, as U(https://github.com/kubenode/connections/blob/main/docs/findings.md) lists them.
        type: str
        required: true
      reason:
        description: Why.
        type: str
        required: true
      nodes:
        description: The nodes that it is silenced on. Unset means everywhere.
        type: list
        elements: str
  fail_on:
    description:
      - Fail where there is a finding of this severity or worse that is not silenced. From the worst, V(critical),
        V(warning), V(unknown), V(info).
      - Everything is printed and written before.
    type: str
    choices: [never, critical, warning, unknown, info]
    default: never
  compare:
    description:
      - The C(report.json) of an earlier run. What changed since then is printed and is part of the document.
      - It may be the file that is written now, which is read before. No file there is said and is no error.
    type: path
  next_step:
    description: Whether to say what to run next. Turn it off where your play goes on to do that.
    type: bool
    default: true
extends_documentation_fragment:
  - kubenode.connections._attributes
attributes:
  check_mode:
    support: full
    details: The files are its output, like what it prints. It writes them in check mode, too.
  diff_mode:
    support: none
    details: It changes nothing on a node.
  platform:
    platforms: all
    support: full
    details: It runs on the controller.
  idempotent:
    support: full
    details: It never says that it changed something. The files say when they were made, so they differ each time.
notes:
  - The plan is made for the whole play, so use C(run_once).
seealso:
  - plugin: kubenode.connections.plan
    plugin_type: filter
author:
  - The kubenode.connections authors (@kubenode)
"""

EXAMPLES = r"""
- name: Print the audit
  kubenode.connections.report:
    plan: "{{ __nodes | kubenode.connections.plan }}"
    nodes: "{{ __nodes }}"
  run_once: true

- name: Write it for people and for CI, and fail where connections are being lost
  kubenode.connections.report:
    plan: "{{ __plan }}"
    nodes: "{{ __nodes }}"
    dest: reports
    mode: "0640"
    formats: [html, json, junit]
    silence:
      - id: ipvs-mode-deprecated
        reason: The move to nftables is planned for spring
      - id: keepalive-too-late
        reason: Leaves the cluster on Friday
        nodes: [worker7]
    fail_on: critical
  run_once: true

- name: Print the names of the nodes that are not safe, and nothing else
  kubenode.connections.report:
    plan: "{{ __plan }}"
    nodes: "{{ __nodes }}"
    query: nodes[?verdict!='safe'].name
  run_once: true

- name: Say what changed since the last time
  kubenode.connections.report:
    plan: "{{ __plan }}"
    nodes: "{{ __nodes }}"
    dest: reports
    compare: reports/report.json
  run_once: true
"""

RETURN = r"""
lines:
  description: The lines that were printed, without the names of the files.
  returned: success
  type: list
  elements: str
verdict:
  description:
    - The worst verdict of any node, its pods and its open connections, V(safe), V(unsafe) or V(unknown).
    - It is the word on top of the report, as of now. C(counts.safe_until_reboot) says what a reboot takes away.
  returned: always
  type: str
  sample: unsafe
counts:
  description:
    - Nodes by verdict, findings by severity without the silenced ones, changes; pods, network namespaces of no pod and
      sockets at risk.
  returned: always
  type: dict
  sample:
    nodes: {unsafe: 1, unknown: 0, safe: 2}
    safe_until_reboot: 0
    findings: {critical: 1, warning: 0, unknown: 0, info: 3}
    silenced: 1
    changes: 2
    pods: {seen: 24, at_risk: 2}
    namespaces: {of_no_pod: 0, unnamed: 0}
    sockets:
      {connections: 410, to_services: 160, without_keepalive: 6, in_flight: 1, late: 10, undecided: 2, at_risk: 16}
files:
  description: The files that were written.
  returned: when O(dest) is set, and on failure by O(fail_on)
  type: list
  elements: str
  sample: [/srv/reports/report.html, /srv/reports/report.json]
query_result:
  description: What O(query) found, none where that was nothing.
  returned: success, when O(query) is set
  type: raw
  sample: [worker1]
"""
