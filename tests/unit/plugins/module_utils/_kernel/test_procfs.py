# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import procfs
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python


def test_a_key_that_is_there_has_a_folded_value():
    reading = procfs.read_sysctl("net.ipv4.tcp_rmem")
    assert (reading.state, reading.error) == ("present", None)
    assert len(reading.value.split(" ")) == 3
    assert "\t" not in reading.value


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("net.ipv4.no_such_key", id="this kernel lacks the key"),
        pytest.param("net.no_such_folder.key", id="the whole folder is missing"),
        pytest.param("net.ipv4.ip_forward.key", id="a file stands where a folder should be"),
    ],
)
def test_a_key_that_is_not_there_is_absent(name):
    assert procfs.read_sysctl(name) == procfs.Reading("absent", None, None)


def test_a_key_that_may_not_be_read_is_unreadable():
    reading = procfs.read_text("/proc/sys/net/ipv4/route/flush")  # the kernel makes it writable only
    assert reading.state == "unreadable"
    assert reading.value is None
    assert reading.error.startswith("/proc/sys/net/ipv4/route/flush: ")


def test_writing_reaches_the_kernel_of_this_namespace():
    code = (
        "procfs.write_sysctl('net.ipv4.tcp_keepalive_time', '601')\n"
        "print(procfs.read_sysctl('net/ipv4/tcp_keepalive_time').value)"
    )
    assert run_python("_kernel.procfs", code, "unshare", "-n") == "601"


def test_the_kernels_refusal_arrives_with_the_path():
    code = (
        "try:\n    procfs.write_sysctl('net.ipv4.tcp_keepalive_probes', '256')\n"
        "except OSError as error:\n    print(error.errno, error.filename)"
    )
    assert run_python("_kernel.procfs", code, "unshare", "-n") == "22 /proc/sys/net/ipv4/tcp_keepalive_probes"


def test_a_read_only_proc_sys_is_an_os_error():
    code = (
        "import subprocess\nsubprocess.check_call(['mount', '--bind', '-o', 'ro', '/proc/sys', '/proc/sys'])\n"
        "print(procfs.read_sysctl('net.ipv4.tcp_keepalive_time').value)\n"
        "try:\n    procfs.write_sysctl('net.ipv4.tcp_keepalive_time', '601')\n"
        "except OSError as error:\n    print(error.errno, error.strerror)"
    )
    assert run_python("_kernel.procfs", code, "unshare", "-mn").split("\n") == ["7200", "30 Read-only file system"]


@given(st.text())
def test_folding_twice_is_folding_once(text):
    once = procfs.fold(text)
    assert procfs.fold(once) == once
    assert once.split() == text.split()


@given(st.binary())
def test_any_bytes_of_a_file_are_read_as_text(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    assert procfs.read_text(str(path)).value == data.decode("utf-8", "replace")
