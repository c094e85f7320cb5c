# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each playbook command of the pages on the places where people run it, with an inventory as that place has it.

The hosts are namespaces, with programs that call themselves as those of the place. What IPVS itself does: tests/lab.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubenode.connections.tests.playbooks._commands import ROOT, blocks, commands
from ansible_collections.kubenode.connections.tests.playbooks._fleet import Fleet, fleet
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import TIME

NLB = {"keepalive_middleboxes": ["aws_nlb"]}
OF_NLB, KERNELS_OWN = "233", "7200"

# What kube-proxy sets of conntrack by default, and with K3s.
KUBE_PROXYS_OWN = '{"TCPEstablishedTimeout": "24h0m0s", "TCPCloseWaitTimeout": "1h0m0s"}'
LEFT_ALONE = '{"TCPEstablishedTimeout": "0s", "TCPCloseWaitTimeout": "0s"}'

PROXY = """
import http.server, json, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        config = {"kubeproxy.config.k8s.io": {"Conntrack": json.loads(sys.argv[1])}}
        body = {"/proxyMode": "iptables", "/configz": json.dumps(config)}.get(self.path, "")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_arguments):
        pass
server = http.server.HTTPServer(("127.0.0.1", 10249), Answer)
print("listens", flush=True)
server.serve_forever()
"""


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """first, second and third; an inventory with these names, and these variables, reaches them."""
    monkeypatch.chdir(tmp_path)
    with fleet(tmp_path, "first", "second", "third") as three:
        python = f"{tmp_path}/python-{{{{ inventory_hostname }}}}"
        three.variables |= {"ansible_connection": "local", "ansible_python_interpreter": python}
        yield three


def give(folder: Path, group: str, **variables: object) -> None:
    """The group_vars of an inventory in this folder."""
    (folder / "group_vars").mkdir(parents=True, exist_ok=True)
    (folder / "group_vars" / f"{group}.yml").write_text(yaml.safe_dump(variables))


def start_proxy(hosts: Fleet, name: str, program: str, conntrack: str) -> None:
    """A program with kube-proxy in it, in iptables mode, which answers at kube-proxy's metrics address."""
    path = hosts.folder / name / program
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(sys.executable)
    inside = ["nsenter", "--target", str(hosts.pids[name]), "--net", "--mount", "--pid"]
    subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
    process = subprocess.Popen([*inside, str(path), "-c", PROXY, conntrack], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"listens\n"


def outputs(hosts: Fleet, page: str) -> list[str]:
    """What each command line of a page printed that has ansible-playbook first; all succeed."""
    typed = [each.line for each in commands(ROOT / page) if each.programs[0][0] == "ansible-playbook"]
    assert typed
    printed = []
    for line in typed:
        ran = hosts.paste(line)
        assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"
        printed.append(ran.stdout)
    return printed


def times(hosts: Fleet) -> list[str]:
    return [hosts.sysctl(name, TIME) for name in hosts.pids]


def test_kubeadm_without_ipvs_has_nothing_to_set(hosts, tmp_path):
    give(tmp_path, "all", **hosts.variables)
    for name in hosts.pids:
        hosts.start(name, "kubelet")
        start_proxy(hosts, name, "kube-proxy", KUBE_PROXYS_OWN)
    (line,) = (each.line for each in commands(ROOT / "docs/kubeadm.md") if each.programs[0][0] == "kubectl")
    kubectl = f"kubectl() {{ [ \"$*\" = 'get nodes -o name' ] && printf 'node/%s\\n' {' '.join(hosts.pids)}; }}"
    subprocess.run(["bash", "-c", f"{kubectl}\n{line}"], check=True)
    audit, _check, apply, verify = outputs(hosts, "docs/kubeadm.md")
    assert "The limit is 86400 s (conntrack established" in audit
    assert "Apply changed 0 of 3 nodes." in apply
    assert "SAFE: idle connections are safe on all 3 nodes" in verify
    assert times(hosts) == [KERNELS_OWN] * 3


INVENTORY_OF_KUBESPRAY = """
[kube_control_plane]
first ip=10.3.0.1 etcd_member_name=etcd1

[etcd:children]
kube_control_plane

[kube_node]
second ip=10.3.0.2

[bastion]
third
"""

SETTINGS_OF_KUBESPRAY = """
[ssh_connection]
pipelining=True
[defaults]
force_valid_group_names = ignore
gathering = smart
fact_caching = jsonfile
fact_caching_connection = facts
library = ./library
callbacks_enabled = profile_tasks
display_skipped_hosts = no
deprecation_warnings = False
inventory_ignore_extensions = ~, .orig, .bak, .ini, .cfg, .retry, .pyc, .pyo, .creds, .gpg
"""

GROUPS_OF_KUBESPRAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.group_by: {key: k8s_cluster}
      when: group_names | intersect(["kube_control_plane", "kube_node"]) | length > 0
"""


def test_kubespray(hosts, tmp_path):
    inventory = tmp_path / "inventory" / "mycluster"
    give(inventory, "all", **hosts.variables, **NLB)
    give(inventory, "k8s_cluster", keepalive_margin=50)
    (inventory / "inventory.ini").write_text(INVENTORY_OF_KUBESPRAY)
    (tmp_path / "ansible.cfg").write_text(SETTINGS_OF_KUBESPRAY)
    (tmp_path / "cluster.yml").write_text(GROUPS_OF_KUBESPRAY)
    (playbook,) = blocks(ROOT / "docs/kubespray.md", "yaml")
    (tmp_path / "connections.yml").write_text(playbook)
    for name in ("first", "second"):
        start_proxy(hosts, name, "kube-proxy", KUBE_PROXYS_OWN)
    audit, _check, apply, extra = outputs(hosts, "docs/kubespray.md")
    assert "1 host is no node of a cluster" in audit
    assert "The limit is 350 s (AWS NLB)" in apply
    assert "[third]" not in extra.partition("Check the variables of every host")[2]
    # 350 s, less the margin of the group that was not there before.
    assert times(hosts) == ["200", "200", KERNELS_OWN]


def test_k3s_is_read_within_its_own_process(hosts, tmp_path):
    give(tmp_path, "all", **hosts.variables)
    (tmp_path / "inventory").write_text("[server]\nfirst\n[agent]\nsecond\n[k3s_cluster:children]\nserver\nagent\n")
    for name, program in (("first", "k3s-server"), ("second", "k3s-agent")):
        start_proxy(hosts, name, program, LEFT_ALONE)
    audit, _check, apply = outputs(hosts, "docs/k3s.md")
    assert "iptables  432000 s conntrack" in audit
    assert "Apply changed 0 of 2 nodes." in apply
    assert times(hosts) == [KERNELS_OWN] * 3


def test_swarm(hosts, tmp_path):
    give(tmp_path, "all", **hosts.variables, **NLB)
    (tmp_path / "inventory").write_text("[managers]\nfirst\n[workers]\nsecond\n")
    for name in hosts.pids:
        hosts.start(name, "dockerd")
    audit, _check, _apply = outputs(hosts, "docs/swarm.md")
    assert "at risk on all 2 nodes" in audit
    assert times(hosts) == [OF_NLB, OF_NLB, KERNELS_OWN]


def test_lvs_counts_real_servers_only_where_it_is_told_to(hosts, tmp_path):
    give(tmp_path, "all", **hosts.variables, **NLB)
    (tmp_path / "inventory").write_text("[directors]\nfirst\n[real_servers]\nsecond\n")
    hosts.start("first", "containerd")
    untold = hosts.paste("ansible-playbook kubenode.connections.audit -i inventory")
    assert "1 host is no node of a cluster" in untold.stdout
    outputs(hosts, "docs/lvs.md")
    assert times(hosts) == [OF_NLB, OF_NLB, KERNELS_OWN]
