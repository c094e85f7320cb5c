# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom root believes: real processes of root and of another user, in the node's namespaces and in others."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import processes, rooted_files
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import NotPlainError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import (
    HOST_NETWORK,
    NODE,
    Process,
    Wanted,
    find,
    find_all,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    NOBODY,
    children,
    elf,
    needs_x86,
    put,
    running,
)

pytestmark = needs_x86

PROGRAM = "/run/root/kubelet"


def found(names=("kubelet",), namespaces=NODE):
    """The pid of the process that is believed, and the doubts."""
    process, doubts = find(Wanted(names, namespaces))
    return (None if process is None else process.pid), doubts


def kubelet(*arguments, path=PROGRAM, **how):
    return running(put(path, elf()), *arguments, **how)


@isolated
def test_roots_own_in_the_nodes_namespaces_is_believed():
    with kubelet() as process:
        assert found() == (process.pid, [])
        assert found(namespaces=HOST_NETWORK) == (process.pid, [])
        assert found(["crio"]) == (None, [])


@isolated
def test_several_programs_in_one_pass_each_by_its_own_names_and_namespaces():
    wanted = [Wanted(["kubelet"], NODE), Wanted(["kube-proxy"]), Wanted(["kubelet", "crio"]), Wanted(["dockerd"])]
    with kubelet(prefix=("unshare", "--mount")) as pod, kubelet(path="/run/root/kube-proxy") as proxy:
        own_files = f"Process {pod.pid} calls itself kubelet, but is in a container (it has its own mnt namespace)"
        assert [(process and process.pid, doubts) for process, doubts in find_all(wanted)] == [
            (None, [f"{own_files}: it is not believed."]),
            (proxy.pid, []),
            (pod.pid, []),
            (None, []),
        ]


@isolated
def test_hyperkube_is_one_of_them():
    with kubelet("kube-proxy", path="/run/root/hyperkube") as process:
        of_kubelet, of_proxy = find_all([Wanted(["kubelet"]), Wanted(["kube-proxy"])])
        assert (of_kubelet, of_proxy.process.pid) == ((None, []), process.pid)


@pytest.mark.parametrize(
    ("prefix", "doubts"),
    [
        pytest.param(("setpriv", "--reuid", str(NOBODY), "--clear-groups"), 4, id="another user's"),
        pytest.param(("unshare", "--mount"), 1, id="a pod's, in the node's network"),
    ],
)
@isolated
def test_many_of_one_name_leave_room_for_the_others(prefix, doubts):
    """Anybody can start more processes of a name than this process may have files open."""
    proxy = put("/run/root/kube-proxy", elf())
    many = [subprocess.Popen([*prefix, proxy]) for _each in range(30)]
    try:
        while not all(Process(each.pid).name() == "kube-proxy" for each in many):
            time.sleep(0.01)
        with kubelet() as process, running(put("/run/other/kube-proxy", elf())) as last:
            assert min(process.pid, last.pid) > many[-1].pid
            code = (
                "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20));"
                "wanted = [processes.Wanted(['kubelet'], processes.NODE), processes.Wanted(['kube-proxy'])];"
                "(kubelet, none), (proxy, doubts) = processes.find_all(wanted);"
                "print(kubelet.pid, none, proxy.pid, len(doubts)); print(*doubts)"
            )
            answer, told = run_python("_kernel.processes", code).splitlines()
            assert answer == f"{process.pid} [] {last.pid} {doubts}"
            assert len(told) < 500
    finally:
        for each in many:
            each.kill()
            each.wait()


@isolated
def test_one_that_ends_while_others_are_looked_at_is_told():
    with kubelet() as process:
        search = processes._Search(Wanted(["kubelet"]), dict.fromkeys(HOST_NETWORK), "/proc")
        search._believed.append(processes._Believed(Process(process.pid).started(), process.pid, 1, "kubelet"))
        assert search.found([]).process.pid == process.pid
    said = f"Process {process.pid}, called kubelet, has ended meanwhile. Run again."
    assert search.found([]) == (None, [said])


@isolated
def test_the_name_is_the_pinned_process_s_own(monkeypatch):
    """A pid that is used again between the look at its name and the pinning is another process."""
    with kubelet() as process, kubelet(path="/run/other/sh") as other:
        monkeypatch.setattr(processes, "Process", lambda pid, _proc: Process(other.pid if pid == process.pid else pid))
        assert found() == (None, [])


@isolated
def test_one_that_has_ended_is_none():
    with kubelet() as process:
        process.kill()
        time.sleep(0.2)  # it is a zombie now, with its name
        assert found() == (None, [])


@isolated
def test_another_user_is_not_believed_whosever_the_program_is():
    with kubelet(user=NOBODY) as process:
        said = f"Process {process.pid} calls itself kubelet, but runs as user {NOBODY}: it is not believed."
        assert found() == (None, [said])
        assert found(namespaces=HOST_NETWORK) == (None, [said])


@isolated
def test_a_user_who_is_root_in_a_namespace_of_his_own_is_not_believed():
    put(PROGRAM, elf())
    with running(PROGRAM, user=NOBODY, prefix=("unshare", "--user", "--map-root-user")) as process:
        said = f"Process {process.pid} calls itself kubelet, but runs as user {NOBODY}: it is not believed."
        assert found(namespaces=HOST_NETWORK) == (None, [said])


@isolated
def test_one_whose_users_differ_is_not_believed():
    """As a setuid program of root's that a user has started under that name."""
    put(PROGRAM, elf(), mode=0o4755)
    with running(PROGRAM, user=NOBODY) as process:
        assert os.stat(f"/proc/{process.pid}").st_uid == 0
        assert found() == (
            None,
            [f"Process {process.pid} calls itself kubelet, but runs as user {NOBODY}: it is not believed."],
        )


CONTAINERS = [
    pytest.param(("unshare", "--mount"), "mnt", True, id="its own files"),
    pytest.param(("unshare", "--pid", "--fork", "--kill-child"), "pid", True, id="its own processes"),
    pytest.param(("unshare", "--user", "--map-root-user"), "user", False, id="its own users"),
]


@pytest.mark.parametrize(("prefix", "kind", "in_a_pod"), CONTAINERS)
@isolated
def test_a_container_is_not_the_node(prefix, kind, in_a_pod):
    with kubelet(prefix=prefix) as process:
        pid = children(process.pid)[0] if kind == "pid" else process.pid
        why = f"is in a container (it has its own {kind} namespace)"
        said = f"Process {pid} calls itself kubelet, but {why}: it is not believed."
        assert found() == (None, [said])
        assert found(namespaces=HOST_NETWORK) == ((pid, []) if in_a_pod else (None, [said]))


@isolated
def test_root_of_a_pod_who_may_not_change_the_nodes_network_is_not_believed_there():
    """Most pods in the node's network: the default capabilities of a container have no CAP_NET_ADMIN."""
    with kubelet(prefix=("unshare", "--mount", "setpriv", "--bounding-set=-net_admin")) as process:
        why = "may not change the node's network (it lacks CAP_NET_ADMIN)"
        said = f"Process {process.pid} calls itself kubelet, but {why}: it is not believed."
        assert found(namespaces=HOST_NETWORK) == (None, [said])


@isolated
def test_another_network_is_another_node():
    with kubelet(prefix=("unshare", "--net")):
        assert found() == (None, [])
    with kubelet(user=NOBODY, prefix=("unshare", "--user", "--net")):
        assert found() == (None, [])


@isolated
def test_the_program_and_not_only_the_name_counts():
    put(PROGRAM, elf())
    os.symlink("/bin/sleep", "/run/root/kubelet2")
    process = subprocess.Popen(["/bin/sh", "-c", "printf kubelet > /proc/self/comm; read line"], stdin=subprocess.PIPE)
    try:
        time.sleep(0.2)
        program = os.readlink(f"/proc/{process.pid}/exe")
        said = f"Process {process.pid} calls itself kubelet, but runs {program}: it is not believed."
        assert found() == (None, [said])
    finally:
        process.communicate()


@isolated
def test_a_program_that_was_replaced_counts_by_its_name():
    with kubelet() as process:
        os.unlink(PROGRAM)
        assert found() == (process.pid, [])
        pinned = Process(process.pid)
        assert (pinned.program(), pinned.is_replaced()) == (PROGRAM, True)


@isolated
def test_of_several_the_last_one_counts_whatever_its_pid():
    with kubelet() as old:
        time.sleep(0.05)
        with kubelet(path="/run/other/kubelet") as new:
            one, last = "one is expected:", "is believed, because it was started last. Stop the others."
            assert found() == (
                new.pid,
                [f"Processes {old.pid}, {new.pid} are all called kubelet, {one} {new.pid} {last}"],
            )


@isolated
def test_a_child_that_is_about_to_run_something_else_is_no_second_one():
    os.mkdir("/run/root")
    shutil.copy("/bin/sh", PROGRAM)
    os.mkfifo("/run/fifo")
    with running(PROGRAM, "-c", "(read line) < /run/fifo & wait") as process:
        time.sleep(0.2)
        [child] = children(process.pid)
        assert found() == (process.pid, [])
        os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("comm", "What process {} calls itself cannot be read (Input/output error): it is left out."),
        ("status", "Process {} calls itself kubelet, but cannot be looked at (Input/output error): it is left out."),
    ],
)
@isolated
def test_one_that_cannot_be_read_is_told_and_not_taken_for_ended(name, told):
    with kubelet() as process:
        mount("/proc/self/mem", f"/proc/{process.pid}/{name}", "none", 4096)  # nothing is there to be read
        assert found() == (None, [told.format(process.pid)])


@isolated
def test_only_some_of_many_are_told():
    put(PROGRAM, elf())
    many = [subprocess.Popen(["setpriv", "--reuid", str(NOBODY), "--clear-groups", PROGRAM]) for _each in range(6)]
    try:
        while not all(Process(each.pid).name() == "kubelet" for each in many):
            time.sleep(0.01)
        pid, doubts = found()
        assert (pid, len(doubts)) == (None, 4)
        assert doubts[-1] == "3 more processes of that name are not believed."
    finally:
        for process in many:
            process.kill()
            process.wait()


@isolated
def test_hyperkube_is_what_its_first_argument_says():
    with kubelet("kubelet", path="/run/root/hyperkube") as process:
        assert found() == (process.pid, [])
        assert found(["kube-proxy"]) == (None, [])


@isolated
def test_root_without_the_right_to_look_does_not_believe():
    """Root of a container that may not look at processes with more rights than its own."""
    with kubelet() as process:
        code = "print(processes.find(processes.Wanted(['kubelet'], processes.NODE)))"
        said = run_python("_kernel.processes", code, "setpriv", "--bounding-set", "-sys_ptrace")
    assert said.startswith("Found(process=None, doubts=['Process ")
    assert f"Process {process.pid} calls itself kubelet, but may not be looked at: it is not believed." in said


@isolated
def test_a_pid_that_is_used_again_is_not_the_process():
    with kubelet() as process:
        pinned = Process(process.pid)
        assert pinned.arguments() == [PROGRAM]
    with pytest.raises(ProcessLookupError):
        pinned.arguments()


@isolated
def test_arguments_and_variables():
    with kubelet("--config", "/a b", "", environment={"TOKEN": "x", "A": "1=2"}) as process:
        pinned = Process(process.pid)
        assert pinned.arguments() == [PROGRAM, "--config", "/a b"]
        assert pinned.environ_variables(["A", "B"]) == {"A": "1=2"}


def test_of_a_variable_that_is_there_twice_the_first_one_counts():
    code = (
        "import ctypes\n"
        "words = (ctypes.c_char_p * 3)(b'A=first', b'A=second', None)\n"
        "ctypes.CDLL(None).execve(b'/bin/sleep', (ctypes.c_char_p * 3)(b'sleep', b'60', None), words)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        # Within execve(2) the name is there before the variables are.
        while Process(process.pid).name() != "sleep" or not Process(process.pid).environ_variables(["A"]):
            time.sleep(0.01)
        assert Process(process.pid).environ_variables(["A"]) == {"A": "first"}
    finally:
        process.kill()
        process.wait()


@isolated
def test_a_file_is_the_one_of_the_processs_own_root():
    write("/run/container/etc/kubelet.yaml", b"its own")
    write("/etc/kubelet.yaml", b"the node's")
    os.symlink("/etc/kubelet.yaml", "/run/container/etc/link")
    put("/run/container/kubelet", elf())
    with running("/kubelet", prefix=("chroot", "/run/container")) as process:
        pinned = Process(process.pid)
        for path in ("/etc/kubelet.yaml", "/etc/link", "/../../../etc/link"):
            assert pinned.read_file(path, 100) == (b"its own", False)
        with pytest.raises(FileNotFoundError):
            pinned.read_file("/run/container/etc/link", 100)


@isolated
def test_a_relative_path_begins_where_the_process_is():
    write("/run/here/kubelet.yaml", b"here")
    put(PROGRAM, elf())
    with running(PROGRAM, prefix=("env", "-C", "/run/here")) as process:
        assert Process(process.pid).read_file("kubelet.yaml", 2) == (b"he", True)


@isolated
def test_no_fifo_device_or_folder_of_a_process_is_waited_for():
    os.mkfifo("/run/fifo")
    os.symlink("/dev/zero", "/run/zero")
    with kubelet() as process:
        pinned = Process(process.pid)
        for path, kind in (("/run/fifo", "a FIFO"), ("/run/zero", "a character device"), ("/run", "a directory")):
            with pytest.raises(NotPlainError, match=f"is {kind}, not a plain file"):
                pinned.read_file(path, 100)


@isolated
def test_a_file_system_that_does_not_answer_is_given_up(monkeypatch):
    """What its child does on such a file system, where one cannot be made without more: it sleeps in the kernel."""
    monkeypatch.setattr(processes, "_FILE_SECONDS", 1)
    monkeypatch.setattr(rooted_files, "read_in_root", lambda *_arguments: time.sleep(60))
    with kubelet() as process, pytest.raises(OSError, match="the reader of the file took longer than 1 s"):
        Process(process.pid).read_file("/etc/passwd", 100)


@isolated
def test_sockets():
    with socket.socket() as listener:
        inode = os.fstat(listener.fileno()).st_ino
        assert inode in Process(os.getpid()).socket_inodes()


def test_a_process_that_is_not_there():
    with pytest.raises(OSError, match=os.strerror(errno.ENOENT)):
        Process(1 << 22)
