# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text with which a careless expression, loop or number takes minutes, or ends in Python's words.

Each case asserts what comes out.
"""

import contextlib
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.asked import sysctls
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.printable import printable
from ansible_collections.kubenode.connections.plugins.module_utils._converge import options
from ansible_collections.kubenode.connections.plugins.module_utils._files import (
    conflist,
    crio_conf,
    drop_ins,
    ipvs_unit,
    kubelet_conf,
    modules_load,
    sysctl_d,
    sysctl_editor,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import conntrack_flows, ipvs_timeouts
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import go_buildinfo, pod_names
from ansible_collections.kubenode.connections.plugins.module_utils._observe.other_writers import (
    keepalived as keepalived_conf,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.other_writers import tuned as tuned_profiles
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._hang_guard import hang_guard

_MANY = 200000
_LINE = 60000
"""A line of sysctl.d is read up to 65536 bytes."""

TIME = "net.ipv4.tcp_keepalive_time"


@pytest.fixture(autouse=True)
def _alarm():
    with hang_guard():
        yield


def crio(text):
    found = crio_conf.read_entries(f'{text}\n[crio.runtime]\ndefault_sysctls = ["a=1"]\n'.encode(), "/x")
    return found.entries


def tuned(text):
    """What a profile with this text before it sets."""
    sections = tuned_profiles.parse(f"{text}\n[sysctl]\n{TIME} = 300\n".encode(), "/x")
    found, _any = tuned_profiles._sysctls(tuned_profiles._merged([sections]), [TIME], [])
    return found[TIME].value


def keepalived(text):
    end = "\n}\n" * 10 + "global_defs {\nlvs_timeouts tcp 600\n}\nvirtual_server x 1 {\n}\n"
    lines = [keepalived_conf._Line("x", number, line) for number, line in enumerate((text + end).split("\n"), 1)]
    found = keepalived_conf.parse(keepalived_conf._that_hold(lines, "x"), [])
    return found.timeouts and found.timeouts.timeouts


def gate(text):
    return kubelet_conf.gate_enabled(None, [f"{text}\n  DefaultPodSysctls: true\n"])


def refused(function, *arguments):
    with pytest.raises(NodeError) as caught:
        function(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    "text", ["\t" * 1600, "\t" * _MANY, " \t" * _MANY + "x", "a " * _MANY, "'" * _MANY, "[" * _MANY]
)
def test_crio_conf(text):
    assert crio(text) == ("a=1",)


def test_crio_conf_with_an_entry_that_never_ends():
    data = b"[crio.runtime]\ndefault_sysctls = [" + b'"a", ' * 1000 + b'"' + b"\\x" * _MANY
    assert refused(crio_conf.read_entries, data, "/x").startswith("/x:2: default_sysctls is not a list of strings")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[main]\ndrop = a" + " " * _MANY + "b", id="blanks in what is dropped"),
        pytest.param("[main]\ndrop = a" + "\t;" * _MANY, id="separators in what is dropped"),
        pytest.param("".join(f"[s{number}]\nx=1\n" for number in range(30000)), id="many sections"),
        pytest.param("[a]\n" * _MANY, id="one section many times"),
        pytest.param("[main]\nx = 1\n" + " y\n" * _MANY, id="a value of many lines"),
        pytest.param("[" * _MANY, id="brackets"),
        pytest.param(" #" * _MANY, id="comments"),
        pytest.param("[main]\nx = " + "${f:virt_check:" * 30000, id="functions that never end"),
    ],
)
def test_a_profile_of_tuned(text):
    assert tuned(text) == "300"


def test_tuned_has_few_folders_of_profiles():
    setting = tuned_profiles.Setting(",".join(f"/d{number}" for number in range(50000)), "/x", 1)
    assert tuned_profiles._directories({"profile_dirs": setting})[:1] == ["/d49999"]
    assert len(tuned_profiles._directories({"profile_dirs": setting})) <= 20


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("include" + "\t" * _MANY + '"', id="an include of nothing"),
        pytest.param('"' + "\\" * _MANY, id="backslashes in quotes"),
        pytest.param('"a' * _MANY, id="quotes"),
        pytest.param("{" * 10, id="braces"),
        pytest.param("$" * _MANY, id="signs of parameters"),
        pytest.param("${" + "a" * _MANY, id="the name of a parameter"),
        pytest.param("@" + "^" * _MANY, id="a condition"),
    ],
)
def test_keepalived_conf(text):
    assert keepalived(text) == {"tcp": 600}


@pytest.mark.parametrize("blanks", [" ", " \t", "\r", "\t="])
def test_editing_of_a_sysctl_file(blanks):
    data = f"{TIME} = 1{blanks * (_LINE // 2)}2\t\r\nother = 1\n".encode()
    assert sysctl_editor.edit(data, {TIME: "600"}, sysctl_editor.SYSCTLS) == f"{TIME} = 600\t\r\nother = 1\n".encode()


@pytest.mark.parametrize("stars", [12, 20])
def test_a_pattern_of_many_stars(stars):
    name = "nf_conntrack_tcp_timeout_unacknowledged"
    assert not drop_ins.matches("*_" * stars + "x", name + "_" * 200)
    assert drop_ins.matches("*a" * 3 + "*", name + "a" * 200)


def test_a_pattern_of_many_brackets():
    assert not drop_ins.matches("[" * _MANY, "a")
    assert not drop_ins.matches("[]" + "[" * _MANY, "a")


def test_sysctl_files_with_lines_of_others_and_patterns(tmp_path):
    (tmp_path / "etc/sysctl.d").mkdir(parents=True)
    lines = "".join(f"a.b{number} = 1\n" for number in range(30000))
    pattern = "net.ipv4." + "*_" * 30 + " = 5\n"
    (tmp_path / "etc/sysctl.d/a.conf").write_text(lines + pattern + f"{TIME} = 600\n")
    boot = sysctl_d.read_boot([TIME, "net.ipv4.tcp_retries2"], str(tmp_path))
    assert boot.values[TIME].value == "600"
    assert boot.values["net.ipv4.tcp_retries2"].value is None


@pytest.mark.parametrize(
    "text", ["AllAlpha" + "\t" * _MANY, "AllAlpha:" * _MANY, "#" * _MANY, "\t#" * _MANY, '"' * _MANY]
)
def test_the_gates_of_kubelet(text):
    assert gate(text)


def test_numbers_that_are_too_long_for_python_are_no_numbers():
    long = "9" * 5000
    assert kubelet_conf.has_field(f"v1.{long}.0") is None
    assert ipvs_unit.unit_seconds(f"pack('3i', {long}, 1, 1)".encode()) == {}
    assert "is not a whole number of seconds" in refused(options.timeouts_from, timeouts(long))
    assert "is below 1" in refused(partial(sysctls, "sysctls"), {TIME: "-" + long})
    assert sysctls("sysctls", {TIME: long}) == {TIME: long}
    with pytest.raises(ipvs_timeouts.IpvsError):
        ipvs_timeouts.parse_timeouts(f"Timeout (tcp tcpfin udp): {long} 1 1")


def timeouts(tcp):
    return {"tcp": tcp, "tcpfin": None, "udp": None, "persistent": True}


def test_what_go_says_of_its_modules():
    module = "google.golang.org/grpc"
    assert (
        go_buildinfo.version_of(module, f"dep\t{module}\t" * 30000 + "\n" + f"dep\t{module}\tv1.2.3\t" + "=" * _MANY)
        is None
    )
    assert go_buildinfo.version_of(module, f"dep\t{module}\tv1.2.3\t" + "=" * _MANY) == "1.2.3"


def test_names_of_pods():
    uid = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"
    assert pod_names.owner_of("0::" + "/pod" * _MANY + f"/pod{uid}").uid == uid
    assert pod_names.owner_of("0::" + "kubepods-" * 50000 + f"/kubepods/pod{uid}").uid == uid
    assert pod_names.owner_of("0::" + "/machine-" * _MANY + "/lxc/" * _MANY + "docker-" * _MANY).container is None
    assert pod_names.parse_log_directory("a_" * _MANY) is None


def test_a_flow_of_many_directions():
    line = b"ipv4 2 tcp 6 9 ESTABLISHED " + b"src=1.1.1.1 dst=1.1.1.1 sport=1 dport=1 " * 30000
    assert list(conntrack_flows.parse([line])) == []


def test_modules_of_the_command_line():
    assert modules_load.cmdline_modules(b'"' + b"a" * 4000 + b" modules_load=x") == ["x"]


def test_a_configuration_list_with_more_than_anybody_chains():
    many = ", ".join(['{"type": "tuning", "sysctl": {"net.a": "1"}}'] * 20000)
    ours = {"net.a": ["1"]}
    assert "plugins, at most 100" in refused(conflist.unchained, f'{{"plugins": [{many}]}}'.encode(), "/x", None, ours)


def test_escapes_in_a_long_text():
    assert printable("\x1b" * _MANY) == "\\x1b" * _MANY
    assert printable("\n\x1b\t" * 100000, is_file=True) == "\n\\x1b\t" * 100000


PARSERS = [
    lambda text: crio_conf.read_entries(text.encode("utf-8", "surrogatepass"), "/x"),
    lambda text: conflist.chained(text.encode("utf-8", "surrogatepass"), "/x", {"net.a": "1"}),
    lambda text: conflist.unchained(text.encode("utf-8", "surrogatepass"), "/x", None, {"net.a": ["1"]}),
    lambda text: sysctl_editor.edit(text.encode("utf-8", "surrogatepass"), {"net.a": "1"}, sysctl_editor.SYSCTLS),
    lambda text: sysctl_editor.edit(text.encode("utf-8", "surrogatepass"), {"a": ""}, sysctl_editor.MODULES),
    lambda text: kubelet_conf.gate_enabled(text, [text]),
    lambda text: modules_load.parse_modules(text.encode("utf-8", "surrogatepass")),
    lambda text: modules_load.cmdline_modules(text.encode("utf-8", "surrogatepass")),
    pod_names.owner_of,
    pod_names.parse_stat,
    lambda text: sysctls("sysctls", {text: text}),
]
WORDS = (
    '[crio.runtime] default_sysctls = [ ] " \' \\ \\ud800 { } "plugins": "type":"tuning" , # 1e999 net.a pod ( ) null :'
)
PIECES = st.sampled_from([*WORDS.split(), "\n", "\t", " ", "9" * 30, "\0", "\ud800", "\x1b"])


@pytest.mark.parametrize("parse", PARSERS)
@given(text=st.lists(PIECES, max_size=30).map("".join) | st.text(st.characters()))
def test_no_text_makes_a_parser_raise_anything_but_an_error_for_people(parse, text):
    with contextlib.suppress(NodeError):
        parse(text)
