# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runtimes by what /proc says of a process; some texts are those of real processes, some processes are real."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import runtimes as pod_runtimes
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._observe.connections import (
    test_go_buildinfo,
)

LINE = "7f2a4c000000-7f2a4c0b5000 r-xp 00000000 00:3d 1056790                    {}\n"
SITE = "/usr/local/lib/python3.12/site-packages/grpc/_cython/cygrpc.cpython-312-x86_64-linux-gnu.so"
JVM = "/opt/java/openjdk/lib/server/libjvm.so"

PROCESSES = [
    pytest.param(["/usr/local/bin/python3.12", SITE], "/usr/local/bin/python3.12", "grpcio", id="grpcio"),
    pytest.param(
        ["/usr/lib/x86_64-linux-gnu/libgrpc++.so.1.51"], "/usr/bin/server", "grpcio", id="C++, linked to libgrpc"
    ),
    pytest.param(
        ["/app/libgrpc_csharp_ext.x64.so", "/usr/share/dotnet/libcoreclr.so"], "/usr/bin/dotnet", "grpcio", id="old C#"
    ),
    pytest.param(["/usr/lib/ruby/gems/grpc/src/ruby/lib/grpc/3.1/grpc_c.so"], "/usr/bin/ruby3.1", "grpcio", id="Ruby"),
    pytest.param(
        ["/app/node_modules/grpc/src/node/grpc_node.node"], "/usr/bin/node", "grpcio", id="Node's old package"
    ),
    pytest.param([JVM], "/opt/java/openjdk/bin/java", "java", id="Java"),
    pytest.param([JVM + " (deleted)"], "/opt/app", "java", id="a Java whose file was replaced"),
    pytest.param(
        ["/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.8/libcoreclr.so"], "/app/web", "dotnet", id=".NET"
    ),
    pytest.param(["/usr/lib/libnode.so.115"], "/usr/bin/electron", "node", id="Node as a library"),
    pytest.param(["/usr/lib/libpython3.12.so.1.0"], "/usr/sbin/uwsgi", "python", id="Python as a library"),
    pytest.param([], "/usr/local/bin/node", "node", id="Node"),
    pytest.param([], "/usr/bin/nodejs (deleted)", "node", id="a Node whose program was replaced"),
    pytest.param([], "/usr/bin/python3", "python", id="Python"),
    pytest.param([], "/usr/local/bin/envoy", "envoy", id="Envoy"),
    pytest.param([], "/usr/bin/node_exporter", None, id="a name that only begins like Node"),
    pytest.param([], "/app/tonic-server", None, id="nothing to rely on"),
]


def process(folder, maps, program):
    """A process as /proc shows it, with number 7."""
    os.mkdir(os.path.join(folder, "7"))
    with open(os.path.join(folder, "7", "maps"), "w", encoding="utf-8") as handle:
        handle.write(LINE.format("[heap]") + "".join(LINE.format(path) for path in maps))
    os.symlink(program, os.path.join(folder, "7", "exe"))
    return str(folder)


@pytest.mark.parametrize(("maps", "program", "runtime"), PROCESSES)
def test_a_process(tmp_path, maps, program, runtime):
    assert pod_runtimes.recognise(7, process(str(tmp_path), maps, program)) == runtime


GO = [
    pytest.param(test_go_buildinfo.build_info(test_go_buildinfo.MODULES), "grpc-go 1.59.0", id="with gRPC"),
    pytest.param(test_go_buildinfo.build_info("path\tx\n"), "go", id="without gRPC"),
    pytest.param(test_go_buildinfo.build_info(None, flags=0), "go", id="before Go 1.18"),
    pytest.param(b"nothing", None, id="not Go"),
]


@pytest.mark.parametrize(("info", "runtime"), GO)
def test_a_program_of_go(tmp_path, info, runtime):
    (tmp_path / "server").write_bytes(test_go_buildinfo.elf(info))
    assert pod_runtimes.recognise(7, process(str(tmp_path), [], str(tmp_path / "server"))) == runtime


def test_a_process_that_ended_is_no_error():
    child = subprocess.Popen(["true"])
    child.wait()
    assert pod_runtimes.recognise_all([child.pid]) == {child.pid: None}


def test_real_processes(tmp_path):
    renamed = str(tmp_path / "node")
    shutil.copy(shutil.which("sleep"), renamed)
    library = tmp_path / "cygrpc.cpython-311-x86_64-linux-gnu.so"
    library.write_bytes(b"x" * 4096)
    mapped = (
        f"import mmap\nhandle = open({str(library)!r}, 'rb')\n"
        "kept = mmap.mmap(handle.fileno(), 0, prot=mmap.PROT_READ)\nprint('ready', flush=True)\ninput()"
    )
    with_library = subprocess.Popen([sys.executable, "-c", mapped], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    plain = subprocess.Popen(
        [sys.executable, "-c", "print('ready', flush=True)\ninput()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    node, sleep = subprocess.Popen([renamed, "60"]), subprocess.Popen(["sleep", "60"])
    children = [with_library, plain, node, sleep]
    try:
        for child in (with_library, plain):
            assert child.stdout.readline() == b"ready\n"
        while os.readlink(f"/proc/{node.pid}/exe") != renamed:
            time.sleep(0.01)
        runtimes = pod_runtimes.recognise_all([child.pid for child in children])
    finally:
        for child in children:
            child.kill()
            child.communicate()
    assert list(runtimes.values()) == ["grpcio", "python", "node", None]


def test_what_may_not_be_read_is_not_recognised():
    code = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'print(1, flush=True); input()'], stdin=-1, stdout=-1)\n"
        "child.stdout.readline()\nbefore = pod_runtimes.recognise(child.pid)\n"
        "os.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
        "print(before, pod_runtimes.recognise_all([child.pid]) == {child.pid: None})\n"
        "child.communicate(b'\\n')"
    )
    assert run_python("_observe.connections.runtimes as pod_runtimes", code) == "python True"


def test_more_processes_than_the_bound_are_not_looked_at(tmp_path):
    assert len(pod_runtimes.recognise_all(list(range(1, 1000)), str(tmp_path))) == pod_runtimes.MAX_PROCESSES


def test_a_program_that_does_not_answer_costs_no_more_than_the_time(tmp_path, monkeypatch):
    monkeypatch.setattr(pod_runtimes, "_LIMIT_SECONDS", 1)
    folder = process(str(tmp_path), [], str(tmp_path / "hangs"))
    os.mkfifo(str(tmp_path / "hangs"))
    started = time.monotonic()
    assert pod_runtimes.recognise_all([8, 7, 9], folder) == {8: None}
    assert time.monotonic() - started < 60
