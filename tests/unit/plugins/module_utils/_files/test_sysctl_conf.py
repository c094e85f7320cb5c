# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._files import sysctl_conf
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem

TIME = "net.ipv4.tcp_keepalive_time"
LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"


def node(root, text, link=None, systemd=True):
    """A node with this /etc/sysctl.conf, and with a drop-in that is a link to something."""
    for folder in ("etc/sysctl.d", "usr/lib/systemd", "usr/lib/sysctl.d"):
        os.makedirs(os.path.join(str(root), folder), exist_ok=True)
    with open(os.path.join(str(root), "etc/sysctl.conf"), "wb") as handle:
        handle.write(text if isinstance(text, bytes) else text.encode())
    if systemd:
        open(os.path.join(str(root), "usr/lib/systemd/systemd-sysctl"), "w").close()
    if link:
        os.symlink(link[1], os.path.join(str(root), link[0]))
    return str(root)


def read(root):
    problems = []
    return sysctl_conf.read(KEYS, str(root), problems), problems


@pytest.mark.parametrize(
    ("link", "systemd", "at_boot"),
    [
        pytest.param(None, True, False, id="nobody"),
        pytest.param(("etc/sysctl.d/99-sysctl.conf", "../sysctl.conf"), True, True, id="Debian 12, RHEL"),
        pytest.param(("usr/lib/sysctl.d/99-x.conf", "/etc/sysctl.conf"), True, True, id="a link by its vendor"),
        pytest.param(("etc/sysctl.d/99-sysctl.conf", "../other.conf"), True, False, id="a link to something else"),
        pytest.param(("etc/sysctl.d/99-sysctl", "../sysctl.conf"), True, False, id="a link that is no drop-in"),
        pytest.param(None, False, True, id="procps, without systemd"),
    ],
)
def test_whether_the_file_is_read_at_boot(tmp_path, link, systemd, at_boot):
    assert read(node(tmp_path, f"{TIME}=600\n", link, systemd)) == ((at_boot, {TIME: ("600", 1)}), [])


@pytest.mark.parametrize(
    ("text", "sysctls"),
    [
        pytest.param("", {}, id="an empty file"),
        pytest.param("# net.ipv4.tcp_keepalive_time = 600\n", {}, id="a comment"),
        pytest.param("vm.swappiness = 10\n", {}, id="a key of others"),
        pytest.param(f"{TIME} =\n", {}, id="no value"),
        pytest.param(f"-{LIBERAL} = 1\n\n{LIBERAL}=0\n", {LIBERAL: ("0", 3)}, id="the last one counts"),
        pytest.param("net/ipv4/tcp_keepalive_time = 600\n", {TIME: ("600", 1)}, id="with slashes"),
        pytest.param(b"\xff\xfe\n\0\n" + f"{TIME}=1 \t 2".encode(), {TIME: ("1", 3)}, id="garbage before it"),
        pytest.param(f"{TIME} = 600 # ten minutes\n", {TIME: ("600", 1)}, id="what the kernel takes of it"),
        pytest.param(f"{TIME} = 600;\n", {TIME: ("600;", 1)}, id="what the kernel refuses"),
    ],
)
def test_what_the_file_sets(tmp_path, text, sysctls):
    assert read(node(tmp_path, text))[0].sysctls == sysctls


def test_no_file(tmp_path):
    assert read(tmp_path) == (None, [])


def test_what_is_no_file_is_said_and_not_opened(tmp_path):
    os.mkdir(str(tmp_path / "etc"))
    os.mkfifo(str(tmp_path / "etc/sysctl.conf"))
    assert read(tmp_path) == (None, [Problem("/etc/sysctl.conf", 0, "it is a FIFO, not a plain file")])


@given(st.binary())
def test_no_bytes_make_the_reader_raise(tmp_path_factory, data):
    read(node(tmp_path_factory.mktemp("node"), data))
