# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TuneD's profiles in real files below a directory of their own, in the words of those that its package brings."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.plugins.module_utils._observe.other_writers import tuned
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    ALL_RIGHTS,
    run_without_rights,
)

TIME, INTVL = "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl"
MAX = "net.netfilter.nf_conntrack_max"
VENDOR, OWN = "/usr/lib/tuned/{}/tuned.conf", "/etc/tuned/{}/tuned.conf"

THROUGHPUT = """\
#
# tuned configuration
#

[main]
summary=Broadly applicable tuning

[variables]
amd_cpuinfo_regex=model name\\s+:.*\\bAMD\\b

[cpu]
governor=performance

[sysctl]
# If a workload mostly uses anonymous memory
vm.dirty_ratio = 40
net.core.somaxconn=>2048

[sysctl.thunderx]
type=sysctl
uname_regex=aarch64
kernel.numa_balancing=0
"""
OPENSHIFT = """\
[main]
summary=Optimize systems running OpenShift (parent profile)
include=${f:virt_check:virtual-guest:throughput-performance}

[net]
nf_conntrack_hashsize=1048576

[sysctl]
net.ipv4.ip_forward=1
net.netfilter.nf_conntrack_max=1048576
"""


def node(root, profiles, active="ours", main=None, **files):
    """A node on which TuneD is enabled, with profiles by path and the active ones."""
    root = str(root)
    put(root, "/usr/sbin/tuned", "#!/usr/bin/python3\n")
    put(root, "/etc/systemd/system/multi-user.target.wants/tuned.service", "[Service]\n")
    put(root, "/etc/tuned/active_profile", active + "\n")
    for path, text in profiles.items():
        put(root, path, text)
    if main is not None:
        put(root, tuned.MAIN_CONFIG, main)
    for name, text in files.items():
        put(root, "/etc/tuned/" + name, text)
    return root


def put(root, path, text):
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    with open(root + path, "wb") as handle:
        handle.write(text if isinstance(text, bytes) else text.encode())


def sysctls(root):
    found, problems = tuned.read(KEYS, root)
    assert problems == []
    return {key: tuple(setting) for key, setting in found.sysctls.items()}


def profile(*lines, **main):
    head = "".join(f"{name}={value}\n" for name, value in main.items())
    return f"[main]\n{head}[sysctl]\n" + "".join(line + "\n" for line in lines)


def test_a_profile_that_comes_with_openshift_nodes(tmp_path):
    profiles = {
        VENDOR.format("throughput-performance"): THROUGHPUT,
        VENDOR.format("virtual-guest"): profile("vm.swappiness = 30", include="throughput-performance"),
        VENDOR.format("openshift"): OPENSHIFT,
        VENDOR.format("openshift-node"): profile("net.ipv4.tcp_fastopen=3", include="openshift"),
    }
    found, problems = tuned.read(KEYS, node(tmp_path, profiles, "openshift-node"))
    assert (found.profile, found.reapplies, problems) == ("openshift-node", True, [])
    assert found.sysctls == {
        "net.ipv4.ip_forward": ("1", VENDOR.format("openshift"), 9),
        MAX: ("1048576", VENDOR.format("openshift"), 10),
    }


PROFILES = [
    pytest.param({OWN.format("ours"): profile(f"{TIME} = 300 # ours")}, ("300", OWN.format("ours"), 3), id="ours"),
    pytest.param(
        {OWN.format("ours"): profile(f"{TIME}=300"), VENDOR.format("ours"): profile(f"{TIME}=400")},
        ("300", OWN.format("ours"), 3),
        id="a profile of /etc hides the vendor's",
    ),
    pytest.param(
        {OWN.format("ours"): profile(include="ours"), VENDOR.format("ours"): profile(f"{TIME}=400")},
        ("400", VENDOR.format("ours"), 3),
        id="which it includes by its own name",
    ),
    pytest.param(
        {
            OWN.format("ours"): profile(f"{TIME}=300", include="base"),
            VENDOR.format("base"): profile(f"{TIME}=400"),
        },
        ("300", OWN.format("ours"), 4),
        id="what is included comes before",
    ),
    pytest.param(
        {
            OWN.format("ours"): profile(include="first, -second"),
            VENDOR.format("first"): profile(f"{TIME}=1"),
            VENDOR.format("second"): profile(f"{TIME}=2"),
        },
        ("2", VENDOR.format("second"), 3),
        id="of two that are included the last one counts",
    ),
    pytest.param(
        {"/etc/tuned/profiles/ours/tuned.conf": profile(f"{TIME}=300"), OWN.format("ours"): profile(f"{TIME}=400")},
        ("300", "/etc/tuned/profiles/ours/tuned.conf", 3),
        id="the folder of newer releases",
    ),
    pytest.param({OWN.format("ours"): profile(f'{TIME}="300"')}, ("300", OWN.format("ours"), 3), id="quotes"),
    pytest.param({OWN.format("ours"): profile(f"{TIME}=>300")}, (">300", OWN.format("ours"), 3), id="only to raise it"),
    pytest.param(
        {OWN.format("ours"): profile("net/ipv4/tcp_keepalive_time=300")}, ("300", OWN.format("ours"), 3), id="slashes"
    ),
    pytest.param(
        {OWN.format("ours"): "[variables]\nt=300\n" + profile(f"{TIME}=${{t}}")},
        ("${t}", OWN.format("ours"), 5),
        id="a variable as it is written: whoever takes it knows that it cannot be known",
    ),
    pytest.param(
        {OWN.format("ours"): profile(f"{TIME}=${{f:calc}}")}, ("${f:calc}", OWN.format("ours"), 3), id="a function"
    ),
    pytest.param(
        {OWN.format("ours"): f"[my]\ntype=sysctl\n{TIME}=300\n"}, ("300", OWN.format("ours"), 3), id="another name"
    ),
    pytest.param(
        {OWN.format("ours"): f"[sysctl]\n{TIME}=1\n[main]\n[sysctl]\n{TIME}=2\n"},
        ("2", OWN.format("ours"), 5),
        id="a section twice",
    ),
]


@pytest.mark.parametrize(("profiles", "setting"), PROFILES)
def test_what_a_profile_sets(tmp_path, profiles, setting):
    assert sysctls(node(tmp_path, profiles)) == {TIME: setting}


NOTHING = [
    pytest.param({}, id="a profile that is not there"),
    pytest.param({OWN.format("ours"): profile(f"# {TIME}=300", f"; {TIME}=300")}, id="comments"),
    pytest.param({OWN.format("ours"): f"[sysctl]\nenabled=0\n{TIME}=300\n"}, id="a section that is off"),
    pytest.param({OWN.format("ours"): f"[sysctl]\ntype=script\n{TIME}=300\n"}, id="a section of another type"),
    pytest.param({OWN.format("ours"): f"[cpu]\n{TIME}=300\n"}, id="another section"),
    pytest.param({OWN.format("ours"): profile("vm.swappiness=1", f" {TIME}=300")}, id="an indented line goes on"),
    pytest.param(
        {OWN.format("ours"): profile("replace=1", include="base"), VENDOR.format("base"): profile(f"{TIME}=400")},
        id="a section that replaces the included one",
    ),
    pytest.param(
        {
            OWN.format("ours"): profile(f"drop={TIME}, vm.swappiness", include="base"),
            VENDOR.format("base"): profile(f"{TIME}=400"),
        },
        id="a key that is dropped",
    ),
    pytest.param(
        {
            OWN.format("ours"): "[main]\ninclude=base\n[my]\nvm.swappiness=1\n",
            VENDOR.format("base"): f"[my]\ntype=sysctl\n{TIME}=400\n",
        },
        id="a section whose type is not said again",
    ),
]


@pytest.mark.parametrize("profiles", NOTHING)
def test_a_profile_that_leaves_our_keys_alone(tmp_path, profiles):
    assert sysctls(node(tmp_path, profiles)) == {}


@pytest.mark.parametrize(
    ("main", "lines", "reapplies"),
    [
        pytest.param(None, ["vm.swappiness=1"], True, id="by default sysctl.d is applied again"),
        pytest.param("reapply_sysctl = 1\n", ["vm.swappiness=1"], True, id="as the package writes it"),
        pytest.param("# reapply_sysctl = 1\nreapply_sysctl=0\n", ["vm.swappiness=1"], False, id="off"),
        pytest.param("reapply_sysctl = False\n", ["vm.swappiness=1"], False, id="off in words"),
        pytest.param("reapply_sysctl = 1\n", [], False, id="a profile without sysctls applies none again"),
    ],
)
def test_whether_sysctl_d_is_applied_again(tmp_path, main, lines, reapplies):
    found, _problems = tuned.read(KEYS, node(tmp_path, {OWN.format("ours"): profile(*lines)}, main=main))
    assert found.reapplies is reapplies


@pytest.mark.parametrize(
    ("line", "excluded"),
    [
        pytest.param("", [], id="none"),
        pytest.param(f"reapply_sysctl_exclude = {TIME}\n", [TIME], id="one by its name"),
        pytest.param("reapply_sysctl_exclude = vm.*; net.*_intvl\n", [INTVL], id="a star reaches across dots"),
        pytest.param(f"reapply_sysctl_exclude = {INTVL},net.ipv4.tcp_keepalive_[st]ime,\n", [INTVL, TIME], id="two"),
        pytest.param("# reapply_sysctl_exclude =\n", [], id="as the package writes it"),
        pytest.param("reapply_sysctl_exclude = *\n", sorted(KEYS), id="all"),
    ],
)
def test_what_is_left_out_then(tmp_path, line, excluded):
    found, problems = tuned.read(KEYS, node(tmp_path, {OWN.format("ours"): profile("vm.swappiness=1")}, main=line))
    assert (found.excluded, problems) == (excluded, [])


def test_several_active_profiles_and_one_loaded_after_them(tmp_path):
    profiles = {OWN.format(name): profile(f"{TIME}={n}", f"{INTVL}={n}") for n, name in enumerate("abc", 1)}
    profiles[OWN.format("c")] = profile(f"{TIME}=3")
    root = node(tmp_path, profiles, "a b", post_loaded_profile="c\n")
    assert sysctls(root) == {TIME: ("3", OWN.format("c"), 3), INTVL: ("2", OWN.format("b"), 4)}
    assert tuned.read(KEYS, root)[0].profile == "a b c"


def test_profiles_stand_where_the_main_configuration_says(tmp_path):
    main = "profile_dirs = /usr/lib/tuned,/opt/tuned\n"
    profiles = {
        OWN.format("ours"): profile(f"{TIME}=0"),
        VENDOR.format("ours"): profile(f"{TIME}=1"),
        "/opt/tuned/ours/tuned.conf": profile(f"{TIME}=2"),
    }
    assert sysctls(node(tmp_path, profiles, main=main)) == {TIME: ("2", "/opt/tuned/ours/tuned.conf", 3)}


def test_what_depends_on_the_machine_is_said(tmp_path):
    text = f"[main]\ninclude=${{f:exec:x}}\n[sysctl]\ncpuinfo_regex=AMD\n{TIME}=300\n"
    text += f"[some]\ntype=sysctl\nenabled=${{f:virt_check:1:0}}\n{TIME}=300\n"
    found, problems = tuned.read(KEYS, node(tmp_path, {OWN.format("ours"): text}))
    assert found.sysctls == {}
    assert problems == [
        Problem(OWN.format("ours"), 2, "the profile '${f:exec:x}' is not understood"),
        Problem(OWN.format("ours"), 5, f"whether {TIME} is set here depends on the machine"),
        Problem(OWN.format("ours"), 9, f"whether {TIME} is set here depends on the machine"),
    ]


def test_profiles_that_include_each_other_come_to_an_end(tmp_path):
    profiles = {OWN.format("ours"): profile(include="base"), OWN.format("base"): profile(f"{TIME}=5", include="ours")}
    assert sysctls(node(tmp_path, profiles)) == {TIME: ("5", OWN.format("base"), 4)}


def test_where_tuned_is_not_installed_never_starts_or_has_no_profile_nothing_is_set(tmp_path):
    root = node(tmp_path, {OWN.format("ours"): profile(f"{TIME}=300")})
    put(root, "/etc/tuned/active_profile", "\n")
    assert tuned.read(KEYS, root) == (None, [])
    put(root, "/etc/tuned/active_profile", "ours\n")
    os.remove(root + "/etc/systemd/system/multi-user.target.wants/tuned.service")
    assert tuned.read(KEYS, root) == (None, [])
    put(root, "/run/tuned/tuned.pid", "812\n")
    assert tuned.read(KEYS, root)[0].profile == "ours"


WORDS = ["[main]", "[sysctl]", "[variables]", "include", "ours", "${a}", "a", TIME, "replace=1", "drop=", "type=sysctl"]
PIECES = st.sampled_from([*WORDS, "\n", "\n ", "=", " ", "#", ";", "[", "]", '"', "-", ",", "\0", "\xff"])


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(), st.text(max_size=10))
def test_no_file_makes_the_reader_raise(tmp_path_factory, text, active):
    root = tmp_path_factory.mktemp("node")
    tuned.read(KEYS, node(root, {OWN.format("ours"): text}, "ours " + active, main=text))


def test_what_may_not_be_read_or_is_no_file_is_said(tmp_path):
    root = node(tmp_path, {OWN.format("ours"): profile(f"{TIME}=300"), OWN.format("base"): profile()}, "ours base")
    os.chmod(os.path.dirname(root + OWN.format("ours")), 0)
    os.remove(root + OWN.format("base"))
    os.mkfifo(root + OWN.format("base"))
    code = f"found, problems = tuned.read([{TIME!r}], {root!r})\nprint(found.sysctls, *problems, sep='\\n')"
    assert run_without_rights("_observe.other_writers.tuned", code).split("\n") == [
        "{}",
        str(Problem(OWN.format("ours"), 0, "the file cannot be read: Permission denied", ALL_RIGHTS)),
        str(Problem(OWN.format("base"), 0, "it is a FIFO, not a plain file")),
    ]


def test_a_file_that_names_the_profile_and_may_not_be_read_is_said(tmp_path):
    root = node(tmp_path, {OWN.format("ours"): profile(f"{TIME}=300")})
    os.chmod(root + "/etc/tuned/active_profile", 0)
    code = f"print(*tuned.read([{TIME!r}], {root!r})[1])"
    assert run_without_rights("_observe.other_writers.tuned", code) == str(
        Problem("/etc/tuned/active_profile", 0, "the file cannot be read: Permission denied", ALL_RIGHTS)
    )


def test_more_profiles_than_anybody_has_are_not_read_and_that_is_said(tmp_path):
    profiles = {OWN.format(f"p{number}"): profile(include=f"p{number + 1}") for number in range(110)}
    assert tuned.read(KEYS, node(tmp_path, profiles, "p0"))[1] == [
        Problem("/etc/tuned/tuned-main.conf", 0, "more than 100 profiles are active, the rest was not read")
    ]
