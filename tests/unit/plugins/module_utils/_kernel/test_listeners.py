# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real listeners: which one the kernel gives a connection to is seen by connecting. Whom they belong to is in
test__kube_proxy.py."""

import os
import socket
import subprocess
import sys
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import listeners
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Process
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated

# Listens on all the addresses, connects and prints what at() says, and what the connection got.
CODE = r"""
import os, select, socket, subprocess
subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])
sockets = {{}}
for address in {addresses!r}:
    _nothing, only, host = address.rpartition('*')  # *:: takes IPv6 only
    server = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    if only:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((host, 80))
    server.listen(5)
    sockets[os.fstat(server.fileno()).st_ino] = server
said = listeners.at({target!r}, 80)
try:
    client = socket.create_connection(({target!r}, 80), 1)
    assert listeners.ends_here(client)
except ConnectionRefusedError:
    pass
got = [inode for inode, server in sockets.items() if select.select([server], [], [], 0)[0]]
print([(list(sockets).index(each.inode), each.uid) for each in said], [list(sockets).index(each) for each in got])
"""


@pytest.mark.parametrize(
    ("addresses", "target", "said"),
    [
        pytest.param(["127.0.0.1"], "127.0.0.1", "[(0, 0)] [0]", id="the address itself"),
        pytest.param(["0.0.0.0"], "127.0.0.1", "[(0, 0)] [0]", id="the wildcard"),
        pytest.param(["::"], "127.0.0.1", "[(0, 0)] [0]", id="the wildcard of IPv6"),
        pytest.param(["::ffff:127.0.0.1"], "127.0.0.1", "[(0, 0)] [0]", id="IPv4 in IPv6"),
        pytest.param(["*::", "0.0.0.0"], "127.0.0.1", "[(1, 0)] [1]", id="one that takes IPv6 only, beside it"),
        pytest.param(["*::"], "127.0.0.1", "[(0, 0)] []", id="one that takes IPv6 only, which the table does not tell"),
        pytest.param(["::1"], "::1", "[(0, 0)] [0]", id="IPv6"),
        pytest.param(["::"], "::1", "[(0, 0)] [0]", id="the wildcard for IPv6"),
        pytest.param(["0.0.0.0"], "::1", "[] []", id="IPv4 does not take IPv6"),
        pytest.param(["127.0.0.2"], "127.0.0.1", "[] []", id="another address"),
        pytest.param([], "127.0.0.1", "[] []", id="nobody"),
    ],
)
def test_the_listener_that_the_kernel_takes(addresses, target, said):
    code = CODE.format(addresses=addresses, target=target)
    assert run_python("_kernel.listeners", code, "unshare", "-n") == said


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("192.0.2.1", False), ("2001:db8::1", False)],
)
def test_an_address_of_this_machine(host, own):
    assert listeners.is_own_address(host) is own


def test_the_process_of_root_that_has_all_of_the_sockets():
    with socket.socket() as one, socket.socket() as two:
        inodes = [os.fstat(each.fileno()).st_ino for each in (one, two)]
        assert listeners.roots_process(inodes, None).pid == os.getpid()
        assert listeners.roots_process(inodes, Process(os.getppid())).pid == os.getpid()
        assert listeners.name_holder(inodes[0]).startswith(f", process {os.getpid()} (")
    assert listeners.roots_process(inodes, Process(os.getpid())) is None
    assert listeners.name_holder(inodes[0]) == ""


OPEN_FILES = """
import os, resource, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
for _number in range(min(most, 15000) - 10):
    os.dup(1)
for _number in range(30):
    if os.fork() == 0:
        break
else:
    print("ready", flush=True)
time.sleep(600)
"""


@isolated
def test_many_open_files_of_many_processes_do_not_hold_the_search_up():
    with subprocess.Popen([sys.executable, "-c", OPEN_FILES], stdout=subprocess.PIPE) as pod, socket.socket() as own:
        try:
            assert pod.stdout.readline() == b"ready\n"
            inode = os.fstat(own.fileno()).st_ino
            assert listeners.roots_process([inode], None).pid == os.getpid()
            begin = time.monotonic()
            assert listeners.roots_process([inode + (1 << 32)], None, seconds=0.5) is None
            assert time.monotonic() - begin < 2
        finally:
            pod.kill()
