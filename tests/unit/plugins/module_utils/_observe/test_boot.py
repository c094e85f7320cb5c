# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import more_rights
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._strange_nodes import seen_after

READ = """
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import with_further
found = problems.Problems()
further = ['net.core.somaxconn', 'net/ipv4/route/flush', 'net.ipv4.tcp_fastopen_key', 'net.no_such']
at_boot = boot.read(with_further(further))
seen = {
    'modules': boot.modules(at_boot),
    'sysctls': boot.sysctls(at_boot, found),
    'boot_problems': boot.boot_problems(at_boot, found),
}
print(json.dumps(dict(seen, problems=found.found)))
"""
TIME = "net.ipv4.tcp_keepalive_time"


def node_after(code):
    return seen_after(code, "_observe.problems, _observe.boot", READ)


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


def test_without_any_configuration_directory_no_file_sets_anything():
    node = node_after("empty('/etc', '/run', '/usr/local/lib', '/usr/lib/sysctl.d', '/usr/lib/modules-load.d')")
    assert {key["boot"]["value"] for key in node["sysctls"].values()} == {None}
    assert node["boot_problems"] == []


def test_what_happens_at_boot_and_whether_the_module_is_there_in_time():
    code = (
        "empty('/etc/sysctl.d', '/etc/modules-load.d', '/proc/sys/net/netfilter')\n"
        "write('/etc/sysctl.d/k8s.conf', 'net.ipv4.tcp_keepalive_time = 600\\nnet.ipv4.vs.conntrack=1\\n')\n"
        "write('/etc/modules-load.d/k8s.conf', 'br_netfilter\\nip_vs\\n')\n"
    )
    node = node_after(code)
    line = {"file": "/etc/sysctl.d/k8s.conf", "procps_value": None, "written": None}
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


def test_a_key_of_a_module_that_is_built_in_is_in_time():
    code = (
        "empty('/etc/sysctl.d', '/etc/modules-load.d', '/sys/module', '/opt')\nos.makedirs('/sys/module/ip_vs')\n"
        "write('/opt/modules', '')\n"
        "if os.path.exists('/proc/modules'):\n    mount('--bind', '/opt/modules', '/proc/modules')\n"
    )
    node = node_after(code)
    assert node["modules"]["ip_vs"] == {"loaded": True, "builtin": True, "boot": None}
    assert node["sysctls"]["net.ipv4.vs.conntrack"]["boot"]["in_time"] is True


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
        "do": "Run again as root (-e keepalive_become=true).",
    } in node["problems"]


def test_further_keys_are_read_alike_but_for_secrets_and_what_is_there_to_be_written_only():
    node = node_after("write('/etc/sysctl.d/9.conf', 'net.core.somaxconn = 77\\n')")
    assert node["sysctls"].keys() - KEYS.keys() == {"net.core.somaxconn", "net.no_such"}
    assert (node["sysctls"]["net.core.somaxconn"]["state"], node["sysctls"]["net.no_such"]["state"]) == (
        "present",
        "absent",
    )
    assert node["sysctls"]["net.core.somaxconn"]["boot"]["value"] == "77"
    assert node["problems"] == []
