# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._files import modules_load
from ansible_collections.kubenode.connections.plugins.module_utils._files.modules_load import Source
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import write_tree

FILE = "etc/modules-load.d/k8s.conf"
LIB = f"lib/modules/{os.uname().release}/"


TREES = [
    pytest.param({}, {}, id="no directory"),
    pytest.param(
        {FILE: "# for Kubernetes\nbr_netfilter\n\n ip_vs \r\n; no\n"},
        {"br_netfilter": Source("/" + FILE, 2), "ip_vs": Source("/" + FILE, 4)},
        id="one name a line, comments and blanks between",
    ),
    pytest.param({FILE: "nf-conntrack\n"}, {"nf_conntrack": Source("/" + FILE, 1)}, id="a dash is an underscore"),
    pytest.param(
        {FILE: "ip_vs\n", "usr/lib/modules-load.d/a.conf": "\nip_vs\n"},
        {"ip_vs": Source("/usr/lib/modules-load.d/a.conf", 2)},
        id="the first file by name that has it",
    ),
    pytest.param(
        {FILE: "-> /dev/null", "usr/lib/modules-load.d/k8s.conf": "ip_vs\n"}, {}, id="a link to /dev/null masks a file"
    ),
    pytest.param(
        {"etc/modules": "ip_vs\n", "etc/modules-load.d/modules.conf": "-> ../modules"},
        {"ip_vs": Source("/etc/modules-load.d/modules.conf", 1)},
        id="/etc/modules counts where it is linked",
    ),
    pytest.param({"etc/modules": "ip_vs\n"}, {}, id="/etc/modules does not count where it is not"),
    pytest.param(
        {"proc/cmdline": "root=/dev/vda modules_load=ip_vs,nf-conntrack modules-load=br_netfilter\n", FILE: "ip_vs\n"},
        {name: Source("/proc/cmdline", 1) for name in ("ip_vs", "nf_conntrack", "br_netfilter")},
        id="the kernel's command line comes first",
    ),
    pytest.param({"proc/cmdline": "rd.modules_load=ip_vs x=modules_load=y"}, {}, id="not what only the initrd loads"),
]


@pytest.mark.parametrize(("files", "expected"), TREES)
def test_the_line_that_loads_a_module_at_boot(tmp_path, files, expected):
    root = write_tree(tmp_path, files)
    assert modules_load.read_boot(root) == (expected, [])


@pytest.mark.parametrize(
    ("line", "what"),
    [
        pytest.param("f\xfcr", "the line is not plain ASCII text", id="bad UTF-8"),
        pytest.param("ip_vs conn_tab_bits=20", "the line has more than the name of a module", id="a parameter"),
        pytest.param("x" * 1000000, "the line has 1000000 bytes, a module's name at most 255", id="a line of 1 MB"),
    ],
)
def test_a_line_that_names_no_module_is_a_problem_and_the_rest_still_counts(tmp_path, line, what):
    root = write_tree(tmp_path, {FILE: line.encode("latin-1") + b"\nip_vs\n"})
    assert modules_load.read_boot(root) == (
        {"ip_vs": Source("/" + FILE, 2)},
        [Problem("/" + FILE, 1, what)],
    )


def test_a_module_brings_along_those_it_needs(tmp_path):
    dependencies = (
        "kernel/net/netfilter/nf_conntrack.ko.xz: kernel/lib/libcrc32c.ko.xz\n"
        "kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/net/netfilter/nf_conntrack.ko.xz kernel/lib/libcrc32c.ko.xz\n"
        "kernel/net/bridge/br_netfilter.ko.xz: kernel/net/bridge/bridge.ko.xz\n"
    )
    root = write_tree(tmp_path, {LIB + "modules.dep": dependencies})
    line = Source("/" + FILE, 1)
    assert modules_load.with_dependencies({"ip_vs": line}, root) == {
        "ip_vs": line,
        "nf_conntrack": line,
        "libcrc32c": line,
    }


@given(st.binary())
def test_no_bytes_make_the_parsers_raise(data):
    names, wrong = modules_load.parse_modules(data)
    assert len(names) + len(wrong) <= data.count(b"\n") + 1
    modules_load.cmdline_modules(data)


@given(st.lists(st.text("abc_012", min_size=1)))
def test_written_names_are_read_again(names):
    assert modules_load.parse_modules("\n".join(names).encode()) == (list(enumerate(names, 1)), [])
