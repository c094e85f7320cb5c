# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole node, read in namespaces where files and keys are there, missing, unreadable or read-only for real."""

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import more_rights
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS, MODULES
from ansible_collections.kubenode.connections.plugins.module_utils._observe import node as observe_node
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._strange_nodes import (
    seen_after,
    with_ipvs,
)

READ = "print(json.dumps(observe_node.read_node(None, 1.0)))"
TIME = "net.ipv4.tcp_keepalive_time"
ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
NO_FILE = {"value": None, "file": None, "line": None, "procps_value": None, "written": None}
KEYS_OF = {
    "": "boot_problems cloud conntrack container container_runtimes data_planes enforcement growth hostname ipvs "
    "kernel kube_proxy kubelet modules namespaces ours owners pods problems rearming root rps softnet sysctl_conf "
    "sysctls",
    "ipvs": "connections cut_within draining idlest loaded real_servers services services_by_mark services_omitted "
    "timeouts timeouts_at_boot timeouts_from totals",
    "conntrack": "be_liberal count cut_within loaded max policies statistics timeouts",
    "kube_proxy": "address conntrack error ipvs_timeouts mode pid process running version",
    "kubelet": "disable_http2 error pid ping_timeout read_idle_timeout running standalone version",
    "namespaces": "count error keepalive shared tables unreadable",
    "owners": "keepalived kube_router tuned",
    "enforcement": "attached boot cgroup exclude_cgroups exclude_ports obstacle others possible reason systemd",
    "ours": "ipvs_timeouts ipvs_unit modules originals plan_id rps sysctls",
}


def node_after(code, read=READ):
    return seen_after(code, "_observe.node as observe_node", read)


def test_a_new_namespace_has_nothing_wrong_and_every_documented_key():
    node = node_after("empty('/etc/sysctl.d', '/etc/modules-load.d')")
    for part, names in KEYS_OF.items():
        assert sorted(node[part] if part else node) == names.split()
    assert sorted(node["modules"]) == sorted(MODULES)
    assert sorted(node["sysctls"]) == sorted(KEYS)
    assert node["root"] is True
    assert node["problems"] == []
    assert node["sysctls"][TIME] == {
        "state": "present",
        "value": "7200",
        "error": None,
        "boot": dict(NO_FILE, module=None, in_time=True),
    }
    assert node["namespaces"] == {
        "count": 1,
        "unreadable": 0,
        "error": None,
        "shared": False,
        "keepalive": [{"time": 7200, "intvl": 75, "probes": 9, "namespaces": 1, "own": True}],
        "tables": {"rows": [], "omitted": 0, "unread": 0, "error": None},
    }


def test_where_no_kube_proxy_runs_that_is_said_and_no_problem():
    node = node_after("")
    assert node["kube_proxy"] == {
        "running": False,
        "pid": None,
        "process": None,
        "address": "127.0.0.1:10249",
        "mode": None,
        "ipvs_timeouts": None,
        "conntrack": None,
        "version": None,
        "error": "kube-proxy at 127.0.0.1:10249: nothing listens there. No process named kube-proxy is visible either.",
    }
    assert node["problems"] == []


def test_an_address_that_the_user_gave_must_answer():
    node = node_after("", "print(json.dumps(observe_node.read_node('127.0.0.1:9', 1.0)))")
    assert node["problems"] == [
        {
            "id": "kube-proxy",
            "what": "kube-proxy's mode and configuration",
            "why": "kube-proxy at 127.0.0.1:9: nothing listens there. No process named kube-proxy is visible either.",
            "do": "See who listens there (ss -ltnp), or set kube_proxy_address to its metricsBindAddress.",
        }
    ]


def test_where_ipvs_is_not_loaded_nothing_is_asked_and_nothing_is_loaded():
    # An ipvsadm that tells when it is run, as the real one would load ip_vs.
    code = (
        "empty('/opt')\nwrite('/opt/ipvsadm', '#!/bin/sh\\ntouch /opt/asked\\n')\nos.chmod('/opt/ipvsadm', 0o755)\n"
        "programs._PLACES = ('/opt', *programs._PLACES)\nempty_net()\n"
    )
    node = node_after(code + "import atexit\natexit.register(lambda: os.path.exists('/opt/asked') and os._exit(9))\n")
    assert node["ipvs"]["loaded"] is False
    assert [node["ipvs"][name] for name in ("timeouts", "timeouts_from", "services", "connections")] == [
        None,
        None,
        [],
        {},
    ]
    assert node["sysctls"]["net.ipv4.vs.conntrack"]["state"] == "absent"


KUBE_PROXY = r"""
import http.server, threading
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        config = {'kubeproxy.config.k8s.io': {'Mode': 'iptables', 'IPVS': {'TCPTimeout': '15m0s'}, 'Conntrack': {}}}
        self.wfile.write(b'iptables' if self.path == '/proxyMode' else json.dumps(config).encode())
    def log_message(self, *_arguments):
        pass
server = http.server.HTTPServer(('127.0.0.1', 10249), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""


def test_ip_vs_is_loaded_and_kube_proxy_is_in_another_mode():
    node = node_after(
        with_ipvs("6.1.0-56-cloud-amd64", "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300") + KUBE_PROXY
    )
    assert (node["ipvs"]["loaded"], node["ipvs"]["timeouts"]["tcp"]) == (True, 900)
    seen = node["kube_proxy"]
    assert (seen["running"], seen["pid"], seen["mode"], seen["error"]) == (True, 1, "iptables", None)
    assert seen["ipvs_timeouts"] == {"tcp": 900, "tcpfin": 0, "udp": 0}
    assert " ".join(sorted(seen["conntrack"])) == (
        "be_liberal max max_per_core min tcp_close_wait tcp_established udp udp_stream"
    )
    assert seen["version"] is None
    assert node["problems"] == []
    assert (node["ipvs"]["services_by_mark"], node["pods"]["error"]) == (1, None)


def test_others_who_write_our_values_are_seen():
    code = (
        "empty('/etc')\nos.makedirs('/etc/systemd/system/multi-user.target.wants')\n"
        "empty('/usr/local/sbin')\n"
        "for name in ('keepalived', 'tuned'):\n"
        "    write('/usr/local/sbin/' + name, 'Keepalived v2.2.7 (')\n"
        "    write('/etc/systemd/system/multi-user.target.wants/%s.service' % name, '')\n"
        "os.makedirs('/etc/keepalived')\nos.makedirs('/etc/tuned/ours')\nos.makedirs('/etc/sysctl.d')\n"
        "write('/etc/keepalived/keepalived.conf',\n"
        "      'global_defs {\\nlvs_timeouts tcp 600\\n}\\nvirtual_server x 1 {\\n}\\ninclude {a,b}\\n')\n"
        "write('/etc/tuned/active_profile', 'ours\\n')\n"
        f"write('/etc/tuned/ours/tuned.conf', '[sysctl]\\n{TIME}=300\\n')\n"
        f"write('/etc/sysctl.conf', '{TIME}=600\\n')\nos.symlink('../sysctl.conf', '/etc/sysctl.d/99-sysctl.conf')\n"
    )
    node = node_after(code)
    assert node["owners"] == {
        "keepalived": {"file": "/etc/keepalived/keepalived.conf", "line": 2, "timeouts": {"tcp": 600}},
        "tuned": {
            "profile": "ours",
            "reapplies": True,
            "sysctls": {TIME: {"value": "300", "file": "/etc/tuned/ours/tuned.conf", "line": 2}},
            "excluded": [],
        },
        "kube_router": None,
    }
    assert node["sysctl_conf"] == {"read_at_boot": True, "sysctls": {TIME: {"value": "600", "line": 1}}}
    assert node["problems"] == [
        {
            "id": "other-writers",
            "what": "the configuration of keepalived",
            "why": "/etc/keepalived/keepalived.conf:6: the pattern '{a,b}' is not understood",
            "do": "See by hand whether these lines set what is planned here.",
        }
    ]


def test_counters_are_read_twice_with_everything_else_in_between():
    code = "import time\nstarted = time.monotonic()\nnode = observe_node.read_node(None, 1.0, 0.4)\n"
    code += "node['took'] = time.monotonic() - started\nprint(json.dumps(node))\n"
    node = node_after("", code)
    assert node["growth"]["conntrack"] == {"invalid": 0, "insert_failed": 0, "drop": 0, "early_drop": 0}
    assert 0.4 <= node["growth"]["seconds"] <= node["took"] + 0.001


def test_without_a_sample_nothing_is_said_of_growth():
    assert node_after("")["growth"] is None


def test_where_conntrack_is_not_loaded_its_keys_are_absent():
    node = node_after("empty('/proc/sys/net/netfilter')")
    assert node["conntrack"] == {
        "loaded": False,
        "count": None,
        "max": None,
        "be_liberal": None,
        "timeouts": {},
        "statistics": [],
        "policies": None,
        "cut_within": {"60": 0, "300": 0, "900": 0},  # the table itself is not hidden
    }
    assert (node["sysctls"][ESTABLISHED]["state"], node["sysctls"][ESTABLISHED]["error"]) == ("absent", None)
    assert node["problems"] == []


def test_a_read_only_proc_sys_is_read_like_any_other():
    node = node_after("mount('--bind', '-o', 'ro', '/proc/sys', '/proc/sys')")
    assert node["sysctls"][TIME]["value"] == "7200"
    assert node["problems"] == []


def test_without_root_the_rest_is_read_and_what_is_missing_is_said():
    code = (
        "pod = subprocess.Popen(['unshare', '-n', 'sleep', '600'])\n"
        "while os.readlink('/proc/%d/ns/net' % pod.pid) == os.readlink('/proc/self/ns/net'):\n    pass\n"
        "os.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
    )
    node = node_after(code)
    assert node["root"] is False
    assert node["sysctls"][TIME]["value"] == "7200"
    assert node["conntrack"]["timeouts"]["established"] == 432000
    assert (node["namespaces"]["count"], node["namespaces"]["unreadable"]) == (1, 1)
    problem, sockets = (each for each in node["problems"] if each["what"] != "timeout policies")
    assert (problem["id"], problem["what"]) == ("namespaces", "keepalive in other network namespaces")
    assert problem["why"].startswith("1 of the namespaces or processes cannot be read, such as /proc/")
    assert problem["why"].endswith("/ns/net: Permission denied")
    assert problem["do"] == "Run again as root (-e keepalive_become=true)."
    assert sockets == {
        "id": "connections",
        "what": "connections to services",
        "why": "/proc/net/nf_conntrack: Permission denied",
        "do": "Run again as root (-e keepalive_become=true).",
    }


HIDING = (
    "import shutil\nempty('/opt')\nshutil.copy(shutil.which('sleep'), '/opt/kubelet')\n"
    "kubelet = subprocess.Popen(['/opt/kubelet', '600'])\n"
    "import atexit\natexit.register(kubelet.kill)\n"
    "mount('-o', 'remount,hidepid={}', '/proc')\n"
)
"""A node with a kubelet, on which users do not see the processes of others."""

USER = (
    "child = os.fork()\n"
    "if child:\n    os.waitpid(child, 0)\n    os._exit(0)\n"  # the first process stays root's
    "atexit.unregister(kubelet.kill)\nos.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
)


@pytest.mark.parametrize("hidepid", [1, 2])
def test_where_processes_of_others_are_hidden_none_of_them_is_taken_for_absent(hidepid):
    node = node_after(HIDING.format(hidepid) + USER)
    assert (node["kubelet"]["running"], node["kube_proxy"]["running"], node["container_runtimes"]) == (None, None, None)
    assert node["namespaces"]["unreadable"] >= 1
    problems = {problem["id"]: problem for problem in node["problems"]}
    assert {"kubelet", "kube-proxy", "namespaces"} <= set(problems)
    assert problems["kubelet"] == {
        "id": "kubelet",
        "what": "kubelet",
        "why": "/proc: processes of other users are hidden (mount option hidepid), so it may run.",
        "do": "Run again as root (-e keepalive_become=true).",
    }


def test_root_sees_the_processes_that_are_hidden_from_others():
    node = node_after(HIDING.format(2))
    assert node["kubelet"]["running"] is True
    assert "hidden" not in str(node["problems"])


def test_each_part_that_cannot_be_read_is_a_problem_with_what_to_do():
    code = (
        "import shutil\nempty('/opt', '/etc')\nempty_net()\n"
        "write('/proc/net/softnet_stat', 'nonsense\\n')\n"
        "os.makedirs('/etc/udev/rules.d')\n"
        "rule = '/etc/udev/rules.d/60-kubenode-connections-rps.rules'\nwrite(rule, '')\n"
        "for path in (rule, '/proc/sys/net/netfilter/nf_conntrack_max'):\n"
        "    mount('--bind', '/proc/sys/net/ipv4/route/flush', path)\n"
        "shutil.copy(shutil.which('sleep'), '/opt/kubelet')\n"
        "kubelet = subprocess.Popen(['/opt/kubelet', '600'], preexec_fn=lambda: os.setuid(65534))\n"
        "import atexit\natexit.register(kubelet.kill)\n"
    )
    problems = {problem["id"]: problem for problem in node_after(code)["problems"]}
    assert sorted(problems) == ["conntrack", "kubelet", "rps", "softnet", "sysctls"]
    assert problems["conntrack"] == {
        "id": "conntrack",
        "what": "conntrack",
        "why": "/proc/sys/net/netfilter/nf_conntrack_max: Permission denied",
        "do": more_rights(),
    }
    assert problems["rps"] == {
        "id": "rps",
        "what": "Receive Packet Steering",
        "why": "/etc/udev/rules.d/60-kubenode-connections-rps.rules: Permission denied",
        "do": more_rights(),
    }
    assert (problems["softnet"]["what"], problems["softnet"]["why"]) == (
        "received packets of each CPU",
        "/proc/net/softnet_stat: 1 lines make no sense",
    )
    assert problems["softnet"]["do"].startswith("Report it and the kernel (")
    assert problems["kubelet"]["why"].endswith("calls itself kubelet, but runs as user 65534: it is not believed.")
    assert problems["kubelet"]["do"] == "Look at it by hand: ps -C kubelet -o pid,user,args."


CONTAINERS = [
    pytest.param({}, None, id="none"),
    pytest.param({"run/systemd/container": "podman\n", ".dockerenv": ""}, "podman", id="systemd's note comes first"),
    pytest.param({"proc/1/environ": "PATH=/bin\0container=lxc\0"}, "lxc", id="the environment of PID 1"),
    pytest.param({"proc/1/environ": "container=\0"}, None, id="an empty variable"),
    pytest.param({"proc/1/environ": "container=\x1b]0;x\0"}, "unknown", id="a variable that is no name"),
    pytest.param({"run/systemd/container": "root:$6$x:1::\n"}, "unknown", id="a file that is no name"),
    pytest.param({"run/.containerenv": "", ".dockerenv": ""}, "podman", id="podman's file"),
    pytest.param({".dockerenv": ""}, "docker", id="docker's file"),
]


@pytest.mark.parametrize(("files", "expected"), CONTAINERS)
def test_the_container_manager_we_are_in(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert observe_node.container(str(tmp_path)) == expected
