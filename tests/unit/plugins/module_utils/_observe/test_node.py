# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole node, read in namespaces where files and keys are there, missing, unreadable or read-only for real."""

import json
import pathlib

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import more_rights
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS, MODULES
from ansible_collections.kubenode.connections.plugins.module_utils._observe import node as observe_node
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"
ISOLATED = ("unshare", "-pfmn", "--mount-proc")
PRELUDE = r"""
import json, os, subprocess
def mount(*arguments):
    subprocess.check_call(('mount',) + arguments)
def empty(*paths):
    for path in paths:
        mount('-t', 'tmpfs', '-o', 'mode=755', 'none', path)
def write(path, text):
    with open(path, 'wb') as handle:
        handle.write(text.encode('latin-1'))
def empty_net():
    # /proc/net without tables of IPVS, or with false ones; those of sockets stay.
    net = '/proc/%d/net/' % os.getpid()
    empty(net)
    for name in ('tcp', 'tcp6'):
        write(net + name, '')
        mount('--bind', '/proc/%d/task/%d/net/%s' % (os.getpid(), os.getpid(), name), net + name)
subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])
"""
READ = "\nprint(json.dumps(observe_node.read_node(None, 1.0)))"
TIME = "net.ipv4.tcp_keepalive_time"
ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
NO_FILE = {"value": None, "file": None, "line": None, "procps_value": None}
KEYS_OF = {
    "": "boot_problems conntrack container growth hostname ipvs kernel kube_proxy kubelet modules namespaces owners "
    "pods problems root rps softnet sysctl_conf sysctls",
    "ipvs": "connections cut_within draining idlest loaded services services_omitted timeouts timeouts_at_boot "
    "timeouts_from totals",
    "conntrack": "be_liberal count cut_within loaded max statistics timeouts",
    "kube_proxy": "address conntrack error ipvs_timeouts mode pid process running version",
    "kubelet": "disable_http2 error pid ping_timeout read_idle_timeout running version",
    "namespaces": "count error keepalive unreadable",
    "owners": "keepalived tuned",
}


def node_after(code, prefix=ISOLATED):
    return json.loads(
        run_python("_observe.node as observe_node, _kernel.programs", PRELUDE + code + READ, *prefix).splitlines()[-1]
    )


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
        "keepalive": [{"time": 7200, "intvl": 75, "probes": 9, "namespaces": 1, "own": True}],
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
    read = "\nprint(json.dumps(observe_node.read_node('127.0.0.1:9', 1.0)))"
    node = json.loads(
        run_python("_observe.node as observe_node, _kernel.programs", PRELUDE + read, *ISOLATED).splitlines()[-1]
    )
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


IPVS = (
    "empty('/opt')\nempty_net()\n"
    "for name in ('ip_vs', 'ip_vs_conn'):\n"
    "    write('/proc/net/' + name, open({!r} + name + '.txt').read())\n"
    "write('/opt/ipvsadm', '#!/bin/sh\\n{}\\n')\nos.chmod('/opt/ipvsadm', 0o755)\n"
    "programs._PLACES = ('/opt', *programs._PLACES)\n"
)


def with_ipvs(kernel, ipvsadm):
    """Code that shows the tables of that kernel where this one has none; the socket option still says "not loaded"."""
    return IPVS.format(str(FIXTURES / kernel / "proc_net_"), ipvsadm)


@pytest.mark.parametrize("kernel", sorted(path.name for path in FIXTURES.iterdir()))
def test_the_tables_of_a_real_kernel_with_ipvs(kernel):
    ipvs = node_after(with_ipvs(kernel, "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300"))["ipvs"]
    assert (ipvs["loaded"], ipvs["timeouts"]) == (True, {"tcp": 900, "tcpfin": 120, "udp": 300})
    assert ipvs["timeouts_from"] == "ipvsadm"
    assert ipvs["connections"] == {"TCP": {"ASSURED": 1, "ESTABLISHED": 4, "TIME_WAIT": 1}, "UDP": {"UDP": 1}}
    assert ipvs["cut_within"] == {"60": 0, "300": 0, "900": 4}
    assert (len(ipvs["services"]), ipvs["services_omitted"], ipvs["draining"]) == (5, 0, [])
    assert ipvs["totals"] == {
        "services": 5,
        "real_servers": 7,
        "persistent": 1,
        "scattering": 1,
        "draining": 0,
        "draining_connections": 0,
    }
    assert [(each["idle_seconds"], each["seconds_left"]) for each in ipvs["idlest"]] == [(5, 895)] * 4
    assert sorted(ipvs["idlest"][0]) == ["client", "idle_seconds", "real_server", "seconds_left", "service"]
    assert {
        "protocol": "UDP",
        "address": "10.96.0.10",
        "port": 53,
        "fwmark": None,
        "scheduler": "rr",
        "flags": "",
        "real_servers": 1,
    } in ipvs["services"]


def test_a_timeout_that_is_lower_than_it_was_does_not_tell_how_long_connections_were_idle():
    ipvs = node_after(with_ipvs("6.1.0-56-cloud-amd64", "echo Timeout \\\\(tcp tcpfin udp\\\\): 890 120 300"))["ipvs"]
    assert [(each["idle_seconds"], each["seconds_left"]) for each in ipvs["idlest"]] == [(None, 895)] * 4


def test_garbage_from_ipvsadm_is_a_problem_and_the_rest_still_counts():
    node = node_after(with_ipvs("6.1.0-56-cloud-amd64", "echo garbage"))
    assert (node["ipvs"]["timeouts"], node["ipvs"]["timeouts_from"]) == (None, None)
    assert len(node["ipvs"]["services"]) == 5
    assert [(each["idle_seconds"], each["seconds_left"]) for each in node["ipvs"]["idlest"]] == [(None, 895)] * 4
    problem, marks = node["problems"]
    assert (problem["id"], problem["what"]) == ("ipvs-timeouts", "IPVS timeouts")
    assert marks["why"] == "IPVS service by firewall mark (7): no socket tells that it goes there"
    assert problem["why"].endswith(
        "ipvsadm -l --timeout: printed 'garbage', expected 'Timeout (tcp tcpfin udp): 900 120 300'."
    )


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
    assert [problem["what"] for problem in node["problems"]] == ["connections to services"]


def test_tables_that_make_no_sense_or_cannot_be_read_are_problems():
    code = with_ipvs("6.1.0-56-cloud-amd64", "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300") + (
        "write('/proc/net/ip_vs', 'nonsense\\nnonsense\\n')\nos.remove('/proc/net/ip_vs_conn')\n"
        "os.mkdir('/proc/net/ip_vs_conn')\n"
    )
    node = node_after(code)
    assert (node["ipvs"]["totals"]["services"], node["ipvs"]["services"], node["ipvs"]["connections"]) == (0, [], {})
    assert [(problem["what"], problem["why"]) for problem in node["problems"]] == [
        ("/proc/net/ip_vs", "2 lines make no sense"),
        ("/proc/net/ip_vs_conn", "Is a directory"),
    ]


def test_virtual_services_that_cannot_be_read_are_not_none_at_all():
    code = with_ipvs("6.1.0-56-cloud-amd64", "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300")
    node = node_after(code + "os.remove('/proc/net/ip_vs')\nos.mkdir('/proc/net/ip_vs')\n")
    assert (node["ipvs"]["totals"], node["ipvs"]["services"], node["ipvs"]["draining"]) == (None, [], [])
    assert [(problem["what"], problem["why"]) for problem in node["problems"]] == [
        ("/proc/net/ip_vs", "Is a directory")
    ]


def test_others_who_write_our_values_are_seen():
    code = (
        "empty('/etc')\nos.makedirs('/etc/systemd/system/multi-user.target.wants')\n"
        "empty('/usr/local/sbin')\n"
        "for name in ('keepalived', 'tuned'):\n"
        "    write('/usr/local/sbin/' + name, '')\n"
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
        },
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
    node = json.loads(
        run_python("_observe.node as observe_node, _kernel.programs", PRELUDE + code, *ISOLATED).splitlines()[-1]
    )
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
        "cut_within": {"60": 0, "300": 0, "900": 0},  # the table itself is not hidden
    }
    assert (node["sysctls"][ESTABLISHED]["state"], node["sysctls"][ESTABLISHED]["error"]) == ("absent", None)
    assert node["problems"] == []


def test_a_key_that_cannot_be_read_is_not_absent():
    node = node_after("mount('--bind', '/proc/sys/net/ipv4/route/flush', '/proc/sys/net/ipv4/tcp_retries2')")
    key = node["sysctls"]["net.ipv4.tcp_retries2"]
    assert (key["state"], key["value"]) == ("unreadable", None)
    assert key["error"].startswith("/proc/sys/net/ipv4/tcp_retries2: ")
    assert node["problems"] == [
        {
            "id": "sysctls",
            "what": "1 sysctls",
            "why": key["error"],
            "do": more_rights(),
        }
    ]


def test_a_read_only_proc_sys_is_read_like_any_other():
    node = node_after("mount('--bind', '-o', 'ro', '/proc/sys', '/proc/sys')")
    assert node["sysctls"][TIME]["value"] == "7200"
    assert node["problems"] == []


def test_without_any_configuration_directory_no_file_sets_anything():
    node = node_after("empty('/etc', '/run', '/usr/local/lib', '/usr/lib/sysctl.d', '/usr/lib/modules-load.d')")
    assert [key["boot"]["value"] for key in node["sysctls"].values()] == [None] * len(KEYS)
    assert node["boot_problems"] == []


def test_what_happens_at_boot_and_whether_the_module_is_there_in_time():
    code = (
        "empty('/etc/sysctl.d', '/etc/modules-load.d', '/proc/sys/net/netfilter')\n"
        "write('/etc/sysctl.d/k8s.conf', 'net.ipv4.tcp_keepalive_time = 600\\nnet.ipv4.vs.conntrack=1\\n')\n"
        "write('/etc/modules-load.d/k8s.conf', 'br_netfilter\\nip_vs\\n')\n"
    )
    node = node_after(code)
    line = {"file": "/etc/sysctl.d/k8s.conf", "procps_value": None}
    assert node["sysctls"][TIME]["boot"] == dict(line, value="600", line=1, module=None, in_time=True)
    assert node["sysctls"]["net.ipv4.vs.conntrack"]["boot"] == dict(
        line, value="1", line=2, module="ip_vs", in_time=True
    )
    assert node["modules"]["ip_vs"]["boot"] == {"file": "/etc/modules-load.d/k8s.conf", "line": 2}


def test_a_key_of_a_module_that_nothing_loads_at_boot_is_not_in_time():
    code = "empty('/etc/sysctl.d', '/etc/modules-load.d', '/proc/%d/net' % os.getpid(), '/sys/module')\n"
    node = node_after(code + "write('/etc/sysctl.d/k8s.conf', 'net.ipv4.vs.conntrack=1\\n')\n")
    assert node["modules"]["ip_vs"] == {"loaded": False, "builtin": False, "boot": None}
    boot = node["sysctls"]["net.ipv4.vs.conntrack"]["boot"]
    assert (boot["value"], boot["module"], boot["in_time"]) == ("1", "ip_vs", False)


def test_lines_that_nobody_can_parse_are_listed_up_to_a_bound():
    code = (
        "empty('/etc/sysctl.d', '/etc/modules-load.d')\n"
        "write('/etc/modules-load.d/bad.conf', 'f\\xfcr\\n')\n"
        "write('/etc/sysctl.d/bad.conf', {})\n"
    )
    few = node_after(code.format(f"'net.ipv4.ip_forward\\n' + 'x' * 1000000 + '\\n{TIME} = f\\xfcr\\n'"))
    assert few["boot_problems"] == [
        {"file": "/etc/sysctl.d/bad.conf", "line": 1, "what": "the line has no ="},
        {"file": "/etc/sysctl.d/bad.conf", "line": 2, "what": "the line has 1000000 bytes, a setting at most 65536"},
        {"file": "/etc/sysctl.d/bad.conf", "line": 3, "what": "the line is not UTF-8 (byte 32)"},
        {"file": "/etc/modules-load.d/bad.conf", "line": 1, "what": "the line is not plain ASCII text"},
    ]
    assert len(json.dumps(few)) < 20000
    many = node_after(code.format("'nonsense\\n' * 1000"))
    assert len(many["boot_problems"]) == 20


def test_what_is_no_file_among_the_drop_ins_is_told_and_not_waited_for():
    code = (
        "empty('/etc/sysctl.d', '/etc/modules-load.d')\n"
        "os.mkfifo('/etc/sysctl.d/10-pipe.conf')\nos.mkfifo('/etc/modules-load.d/pipe.conf')\n"
        "os.mkdir('/etc/sysctl.d/20-folder.conf')\nos.symlink('/dev/null', '/etc/sysctl.d/30-masked.conf')\n"
        f"write('/etc/sysctl.d/40-ours.conf', '{TIME}=600\\n')\n"
    )
    node = node_after(code)
    assert node["boot_problems"] == [
        {"file": "/etc/sysctl.d/10-pipe.conf", "line": 0, "what": "it is a FIFO, not a plain file"},
        {"file": "/etc/sysctl.d/20-folder.conf", "line": 0, "what": "it is a directory, not a plain file"},
        {"file": "/etc/modules-load.d/pipe.conf", "line": 0, "what": "it is a FIFO, not a plain file"},
    ]
    assert node["sysctls"][TIME]["boot"]["file"] == "/etc/sysctl.d/40-ours.conf"
    assert node["problems"] == []


def test_files_and_folders_that_may_not_be_read_are_problems_and_not_absent():
    code = (
        "empty('/etc/sysctl.d', '/etc/modules-load.d')\n"
        f"write('/etc/sysctl.d/secret.conf', '{TIME}=600\\n')\n"
        "os.chmod('/etc/sysctl.d/secret.conf', 0)\nos.chmod('/etc/modules-load.d', 0)\n"
        "os.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
    )
    node = node_after(code)
    assert node["boot_problems"] == []
    assert {
        "id": "boot",
        "what": "what a reboot sets",
        "why": "/etc/sysctl.d/secret.conf: the file cannot be read: Permission denied; "
        "/etc/modules-load.d: the folder cannot be read: Permission denied",
        "do": "Run as root (become: true).",
    } in node["problems"]


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
    problem, sockets = node["problems"]
    assert (problem["id"], problem["what"]) == ("namespaces", "keepalive in other network namespaces")
    assert problem["why"].startswith("1 of the namespaces or processes cannot be read, such as /proc/")
    assert problem["why"].endswith("/ns/net: Permission denied")
    assert problem["do"] == "Run as root (become: true)."
    assert sockets == {
        "id": "connections",
        "what": "connections to services",
        "why": "/proc/net/nf_conntrack: Permission denied",
        "do": "Run as root (become: true).",
    }


CONTAINERS = [
    pytest.param({}, None, id="none"),
    pytest.param({"run/systemd/container": "podman\n", ".dockerenv": ""}, "podman", id="systemd's note comes first"),
    pytest.param({"proc/1/environ": "PATH=/bin\0container=lxc\0"}, "lxc", id="the environment of PID 1"),
    pytest.param({"proc/1/environ": "container=\0"}, None, id="an empty variable"),
    pytest.param({"run/.containerenv": "", ".dockerenv": ""}, "podman", id="podman's file"),
    pytest.param({".dockerenv": ""}, "docker", id="docker's file"),
]


@pytest.mark.parametrize(("files", "expected"), CONTAINERS)
def test_the_container_manager_we_are_in(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert observe_node.container(str(tmp_path)) == expected
