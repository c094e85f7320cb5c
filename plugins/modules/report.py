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
  - Prints the report where the playbook runs. The first lines say who is at risk and what to run. Then comes a table
    with a line for each group of alike nodes, the worst first. Below it are the pods and sockets at risk, the findings
    with their nodes and what to do, and what would change and why. With O(detail=full) there are the limits and whose
    they are, the planned keepalive with its sums, and why each finding matters, too.
  - Lines are as wide as the terminal, from 79 to 110 columns, and 79 where there is none. Verdicts are coloured where
    Ansible's own output is.
  - With O(dest) it writes the same as files, for people and for machines. All are made from one document, which has a
    version and a published schema,
    U(https://github.com/kubenode/connections/blob/main/docs/schema/report-1.json).
  - It can fail the play by severity, print only a part, and say what changed since an earlier report.
  - Control characters and escape sequences in what nodes returned are made visible instead of sent to the terminal.
  - With O(registered) it makes the plan itself, once, from what all hosts of the play have registered.
options:
  plan:
    description:
      - The plan, as the filter P(kubenode.connections.plan#filter) returned it.
      - Needs O(nodes). Exactly one of O(plan), O(registered) and O(restored) is required.
    type: dict
  nodes:
    description: The nodes that the plan was made from, by their names.
    type: dict
  registered:
    description:
      - Plan here, from what the hosts of the play have registered. Each value is the name of a variable, not its value.
      - The policy is taken from the variables C(keepalive_*) of each host, as the role
        P(kubenode.connections.keepalive#role) documents them. Hosts that differ where a plan can have only one value
        are an error.
      - Every host of the play counts. One that failed or could not be reached is in the report with the reason.
      - Hosts that C(--limit) left out are named. What is known of their limits is taken from the earlier report, that
        of O(compare), else the one in O(dest). Where neither knows all of them, no node is V(safe).
    type: dict
    version_added: 0.1.0
    suboptions:
      observed:
        description:
          - The variable that M(kubenode.connections.observe) or M(kubenode.connections.node_info) was registered in.
        type: str
        required: true
      converged:
        description:
          - The variable that M(kubenode.connections.converge) was registered in. A node that it looked at again counts
            as it was found then.
        type: str
      planned:
        description:
          - The variable that this action was registered in before the nodes were converged. Needed for V(kind=apply),
            to say what was before.
        type: str
  every_host:
    description:
      - Whether hosts count that are no nodes of a cluster. Such a host has no kubelet, no kube-proxy, no container
        runtime, no IPVS service and no keepalived that sets IPVS timeouts. With V(false) the report names them, and
        they are neither judged nor changed.
      - Where no host of the play is a node, all of them count.
      - It is used with O(registered).
    type: bool
    default: false
    version_added: 0.1.0
  max_unobserved_percentage:
    description:
      - Fail if more than this percentage of the nodes could not be observed. The message has the reason of each.
        The report is printed and written first.
      - Unset never fails for that. It is used with O(registered).
    type: int
    version_added: 0.1.0
  kind:
    description:
      - What the report is about. V(apply) prints the values before and after instead of the plan.
    type: str
    choices: [audit, apply, verify]
    default: audit
  applied:
    description: What M(kubenode.connections.node_settings) returned, by the names of nodes. For O(plan).
    type: dict
  verdicts_before:
    description: The verdict of each node before that, by the names of nodes. For O(plan).
    type: dict
  dest:
    description:
      - A folder for the files, on the machine where the playbook runs. It is made if it is missing. Unset writes no
        files.
      - A relative path starts where C(ansible-playbook) was started.
      - A file is replaced as a whole, so a reader gets the old one or the new one. See O(mode) for who may read them.
    type: path
  mode:
    description:
      - The mode of the files, octal and in quotes, such as V("0644") for everybody. Whoever may read the files may
        enter a new folder. A folder that exists is not changed.
      - Unset, only the user who runs the playbook may read a new file (0600) or enter a new folder (0700), whatever the
        umask. A file that exists keeps its mode and its owner. In a folder that others may write to, it counts as a
        new one.
      - Links in place of a file or of C(nodes) are not followed.
    type: raw
  formats:
    description:
      - Which files to write.
      - V(html) is C(report.html), one page that needs no network.
      - V(json) is C(report.json), the whole document.
      - V(junit) is C(report.junit.xml). Each node is a suite, each rule is a case. A critical finding, a warning and an
        unknown fail their case. A silenced finding skips its case.
      - V(prometheus) is C(report.prom) with all nodes, and C(nodes/NAME.prom) for each, for node_exporter's textfile
        collector.
    type: list
    elements: str
    choices: [html, json, junit, prometheus]
    default: [html, json]
  query:
    description:
      - A JMESPath expression. What it finds in the document is printed as JSON, instead of the report.
      - Needs the Python package jmespath where the playbook runs.
    type: str
  silence:
    description: Findings to show as silenced, with the reason. They never fail the play by O(fail_on).
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: The finding, as U(https://github.com/kubenode/connections/blob/main/docs/findings.md) lists them.
        type: str
        required: true
      reason:
        description: Why it is silenced.
        type: str
        required: true
      nodes:
        description: The nodes that it is silenced on. Unset means everywhere.
        type: list
        elements: str
  fail_on:
    description:
      - Fail if there is a finding of this severity or worse that is not silenced. The worst is V(critical), then come
        V(warning), V(unknown) and V(info).
      - Everything is printed and written first.
    type: str
    choices: [never, critical, warning, unknown, info]
    default: never
  compare:
    description:
      - The C(report.json) of an earlier run. What changed since then is printed and is part of the document.
      - It may be the file that this run writes, because it is read first. If there is no such file, as in a first run,
        the report says so and nothing fails.
    type: path
  redact:
    description:
      - Whether nodes, Kubernetes namespaces, pods, containers and addresses have other names (V(node-1),
        V(namespace-1/pod-1)) in all that is printed, returned and written, so that it can be given to strangers.
      - A host has the number of its place in the play. RV(planned) keeps the real names, for the play goes by them.
      - Only with O(registered), and not together with O(compare).
    type: bool
    default: false
    version_added: 0.1.0
  next_step:
    description: Whether to say what to run next. Turn it off if your play does that itself.
    type: bool
    default: true
  language:
    description:
      - The language of what is printed and of C(report.html). V(en) is English, V(zh) is Chinese.
      - JSON, JUnit XML and metrics are for programs. They stay English, and so do names, ids, commands and errors.
      - Where O(plan) is a filter's result, its sentences stay English. With O(registered) the plan is told in the
        language, too.
    type: str
    choices: [en, zh]
    default: en
    version_added: 0.1.0
  detail:
    description:
      - How much is printed. The files have everything always.
      - V(brief) is what a person needs to decide and to act, for most clusters less than 40 lines.
      - V(full) has the limits, the reason of each value, each pod, and why each finding matters, too.
      - V(opening) is two lines, what was found and what is done now. It is for a play that changes nodes next, and
        reports at its end. Where the play fails here by O(fail_on) or O(max_unobserved_percentage), it is as V(brief).
    type: str
    choices: [brief, full, opening]
    default: brief
    version_added: 0.1.0
  one_first:
    description: Whether the play that follows begins with one node alone. It is said with O(detail=opening).
    type: bool
    default: false
    version_added: 0.1.0
  restored:
    description:
      - Say what came back, instead of a plan. The value is the name of a variable, in which the hosts of the play have
        registered M(kubenode.connections.node_settings) with C(state=absent).
      - It says each file and each value, and whose keepalive is late again. It writes no files.
    type: str
    version_added: 0.1.0
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
    details: It never reports a change. The files say when they were made, so they differ each time.
notes:
  - The plan is about all nodes of the play, so use C(run_once).
  - With O(registered) the RV(verdict) and the RV(counts) are custom statistics of the run, too, as
    M(ansible.builtin.set_stats) sets them, C(kubenode_verdict) and C(kubenode_counts). A report that fails the run
    sets none, because Ansible takes none from a failed task.
seealso:
  - plugin: kubenode.connections.plan
    plugin_type: filter
  - module: kubenode.connections.converge
author:
  - The kubenode.connections authors (@kubenode)
"""

EXAMPLES = r"""
- name: Observe
  kubenode.connections.node_info:
  become: true
  register: __observed

- name: Plan for all hosts of the play, and print the audit
  kubenode.connections.report:
    registered:
      observed: __observed
  register: __run
  run_once: true

- name: Print the audit of a plan that was made before
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
    - It is the first word of the report and holds now. C(counts.safe_until_reboot) counts the nodes that a reboot makes
      unsafe.
  returned: always
  type: str
  sample: unsafe
counts:
  description:
    - How many nodes there are of each verdict, findings of each severity without the silenced ones, and changes. How
      many pods, containers beside Kubernetes, network namespaces of neither, and sockets are at risk.
  returned: always
  type: dict
  sample:
    nodes: {unsafe: 1, unknown: 0, safe: 2}
    safe_until_reboot: 0
    findings: {critical: 1, warning: 0, unknown: 0, info: 3}
    silenced: 1
    changes: 2
    pods: {seen: 24, at_risk: 2}
    containers: {seen: 0, at_risk: 0}
    namespaces: {of_no_pod: 0, unnamed: 0}
    sockets:
      connections: 410
      to_services: 160
      without_keepalive: 6
      in_flight: 1
      late: 10
      undecided: 2
      kept_by_server: 4
      at_risk: 16
files:
  description: The files that were written.
  returned: when O(dest) is set, and on failure by O(fail_on)
  type: list
  elements: str
  sample: [/srv/reports/report.html, /srv/reports/report.json]
planned:
  description: What the tasks of each host need of the plan.
  returned: success, when O(registered) is set
  type: dict
  contains:
    made_at:
      description: When the plan was made.
      type: str
      sample: "2026-11-21T03:40:00Z"
    keepalive:
      description: The planned keepalive, none where nothing asks for one.
      type: dict
      sample: {"time": 600, "intvl": 30, "probes": 9}
    policy:
      description: How many probes may be lost, and the margin in seconds.
      type: dict
      sample: {"lost_probes": 2, "margin": 0}
    limit:
      description: The lowest idle limit once the settings are in force, none where none was seen.
      type: dict
      sample: {"seconds": 900, "name": "IPVS tcp", "node": "worker1"}
    to_converge:
      description: The nodes that have something to change, in the order of the play. The others need not be contacted.
      type: list
      elements: str
      sample: [worker1, worker2]
    next:
      description: The command to run next, in one line. Empty where there is none.
      type: str
      sample: ansible-playbook kubenode.connections.apply -i inventory --check --diff
      version_added: 0.1.0
    nodes:
      description: Each node by its name. Hosts that are no nodes of a cluster are not there.
      type: dict
      contains:
        to_converge:
          description: Whether it has something to change.
          type: bool
        settings:
          description: The options for M(kubenode.connections.node_settings).
          type: dict
        verdict:
          description: V(safe), V(unsafe) or V(unknown).
          type: str
        limit:
          description: The lowest idle limit that holds for the node once the settings are in force, none for none.
          type: dict
        summary:
          description: The verdict and its arithmetic as a sentence.
          type: str
        failure:
          description: Why the node is not as the plan wants it, none where it is. Running pods count.
          type: str
        watch:
          description: What the node has to know of the plan to watch itself, none for a node that was not observed.
          type: dict
        plan:
          description: O(kubenode.connections.node_settings#module:plan) of the node.
          type: dict
          version_added: 1.0.0
query_result:
  description: What O(query) found, none if it found nothing.
  returned: success, when O(query) is set
  type: raw
  sample: [worker1]
"""
