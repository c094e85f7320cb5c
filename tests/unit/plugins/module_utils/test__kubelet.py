# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes named kubelet, in namespaces of their own; programs that answer --version well, wrongly or never."""

import json
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils import _kubelet
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

ISOLATED = ("unshare", "-pfmn", "--mount-proc")
UNSET = {"disable_http2": False, "read_idle_timeout": 30, "ping_timeout": 15}
SHOW = "print(json.dumps(_kubelet.read()._asdict()))"

START = r"""
import json, os, shutil, signal, subprocess, time
def start(environment, name='kubelet', arguments=('60',), prefix=()):
    os.makedirs(FOLDER, exist_ok=True)
    program = os.path.join(FOLDER, name)
    if not os.path.exists(program):
        shutil.copy(shutil.which('sleep'), program)
    environment = dict({'PATH': os.environ['PATH']}, **environment)
    process = subprocess.Popen((*prefix, program) + arguments, env=environment)
    while name[:15] not in [comm(pid) for pid in os.listdir('/proc') if pid.isdigit() and int(pid) >= process.pid]:
        time.sleep(0.01)
    return process
def comm(pid):
    try:
        # The kernel names a new program before its environment can be read.
        with open('/proc/%s/environ' % pid, 'rb') as environ, open('/proc/%s/comm' % pid) as handle:
            return handle.read().strip() if environ.read() else None
    except OSError:
        return None
"""


def show(tmp_path, code):
    """What the code prints last, as JSON."""
    return json.loads(run_python("_kubelet", f"FOLDER = {str(tmp_path)!r}{START}{code}", *ISOLATED).splitlines()[-1])


def variables_of(seen):
    return {name: seen[name] for name in UNSET}


def test_no_kubelet_is_no_error(tmp_path):
    assert show(tmp_path, SHOW) == dict(dict.fromkeys(_kubelet.Kubelet._fields), running=False)


VARIABLES = [
    pytest.param({}, {}, id="nothing is set: the defaults"),
    pytest.param(
        {"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "20", "HTTP2_PING_TIMEOUT_SECONDS": "10"},
        {"read_idle_timeout": 20, "ping_timeout": 10},
        id="both are set",
    ),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "0"}, {"read_idle_timeout": 0}, id="0 seconds: off"),
    pytest.param({"HTTP2_PING_TIMEOUT_SECONDS": "0"}, {}, id="0 seconds to answer: the default"),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "20s"}, {}, id="no number: the default"),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": "9" * 30}, {}, id="no number of Go: the default"),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": " 20"}, {}, id="a blank before it: the default"),
    pytest.param({"HTTP2_READ_IDLE_TIMEOUT_SECONDS": ""}, {}, id="empty: the default"),
    pytest.param({"DISABLE_HTTP2": "false"}, {"disable_http2": True}, id="any text switches HTTP/2 off"),
    pytest.param({"DISABLE_HTTP2": ""}, {}, id="empty does not"),
    pytest.param({"XDISABLE_HTTP2": "1", "DISABLE_HTTP2X": "1"}, {}, id="other names do not count"),
]


@pytest.mark.parametrize(("environment", "expected"), VARIABLES)
def test_the_variables_in_force(tmp_path, environment, expected):
    seen = show(tmp_path, f"start({environment!r})\n{SHOW}")
    assert seen["running"] is True
    assert variables_of(seen) == dict(UNSET, **expected)


def test_nothing_else_of_the_environment_is_returned(tmp_path):
    code = f"start({{'TOKEN': 'secret-7f3a', 'DISABLE_HTTP2': '1'}})\n{SHOW}"
    seen = show(tmp_path, code)
    assert seen["disable_http2"] is True
    assert "secret-7f3a" not in json.dumps(seen)
    names = show(tmp_path, "process = start({'TOKEN': 'x', 'DISABLE_HTTP2': '1'})\n" + READ_VARIABLES)
    assert names == {"DISABLE_HTTP2": "1"}


READ_VARIABLES = "print(json.dumps(_kubelet.read_variables(process.pid)[0]))"


def test_of_a_variable_that_is_there_twice_the_first_one_counts(tmp_path):
    code = (
        "import ctypes\n"
        "process = start({})\n"
        "process.kill()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    words = [b'DISABLE_HTTP2=first', b'DISABLE_HTTP2=second', None]\n"
        "    argv = (ctypes.c_char_p * 3)(b'kubelet', b'60', None)\n"
        "    path = os.path.join(FOLDER, 'kubelet').encode()\n"
        "    ctypes.CDLL(None).execve(path, argv, (ctypes.c_char_p * 3)(*words))\n"
        "while comm(pid) != 'kubelet':\n"
        "    time.sleep(0.01)\n"
        "print(json.dumps(_kubelet.read_variables(pid)[0]))"
    )
    assert show(tmp_path, code) == {"DISABLE_HTTP2": "first"}


def test_a_kubelet_within_hyperkube_is_found(tmp_path):
    code = (
        "shutil.copy(shutil.which('sh'), os.path.join(FOLDER, 'hyperkube'))\n"
        "open(os.path.join(FOLDER, 'kubelet'), 'w').write('read line')\n"
        "command = [os.path.join(FOLDER, 'hyperkube'), 'kubelet']\n"
        "process = subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.PIPE)\n"
        "while comm(process.pid) != 'hyperkube':\n    time.sleep(0.01)\n"
        "print(json.dumps([_kubelet.find_process(), process.pid]))"
    )
    found, pid = show(tmp_path, code)
    assert found == pid


NOT_FOUND = [
    pytest.param("start({}, name='kubelet-wrapper')", id="another name"),
    pytest.param("start({}, prefix=('unshare', '-n'))", id="the node in a container beside us"),
    pytest.param("os.kill(start({}).pid, signal.SIGKILL)\ntime.sleep(0.2)", id="a process that has ended"),
]


@pytest.mark.parametrize("code", NOT_FOUND)
def test_what_is_no_kubelet_of_this_node(tmp_path, code):
    assert show(tmp_path, f"{code}\nprint(json.dumps(_kubelet.find_process()))") is None


def test_the_nodes_own_kubelet_comes_before_a_pod_that_calls_itself_so(tmp_path):
    code = (
        "pod = start({}, prefix=('unshare', '-m'))\nown = start({})\n"
        "print(json.dumps([_kubelet.find_process(), own.pid, pod.pid]))"
    )
    found, own, pod = show(tmp_path, code)
    assert found == own > pod


def test_the_program_of_a_process_is_asked(tmp_path):
    seen = show(tmp_path, f"process = start({{}})\n{SHOW}")
    said = "kubelet's version: /proc/{}/exe --version answers '"
    assert seen["version"] is None
    assert seen["error"].startswith(said.format(seen["pid"]))
    assert seen["error"].endswith("', expected Kubernetes vX.Y.Z.")


def test_a_program_that_was_replaced_is_still_the_one_asked(tmp_path):
    code = (
        "process = start({})\nos.rename(os.path.join(FOLDER, 'kubelet'), os.path.join(FOLDER, 'old'))\n"
        "os.rename(os.path.join(FOLDER, 'old'), os.path.join(FOLDER, 'kubelet'))\n"
        "os.unlink(os.path.join(FOLDER, 'kubelet'))\n"
        f"open(os.path.join(FOLDER, 'kubelet'), 'w')\n{SHOW}"
    )
    assert " --version answers '" in show(tmp_path, code)["error"]


UNTRUSTED = [
    pytest.param("start({}, prefix=('unshare', '-m'))", "it belongs to a container", id="a container"),
    pytest.param(
        "start({})\nos.chmod(os.path.join(FOLDER, 'kubelet'), 0o777)",
        "others than root can write it",
        id="anybody can write it",
    ),
    pytest.param(
        "start({})\nos.chown(os.path.join(FOLDER, 'kubelet'), 65534, 65534)",
        "others than root can write it",
        id="it is another user's",
    ),
    pytest.param(
        "process = subprocess.Popen([shutil.which('sh'), '-c', 'printf kubelet > /proc/self/comm; read line'],\n"
        "    stdin=subprocess.PIPE)\n"
        "while comm(process.pid) != 'kubelet':\n    time.sleep(0.01)",
        "its name is ",
        id="a process that renamed itself",
    ),
]


@pytest.mark.parametrize(("code", "why"), UNTRUSTED)
def test_a_program_that_root_had_better_not_run_is_not_run(tmp_path, code, why):
    seen = show(tmp_path, f"{code}\n{SHOW}")
    assert seen["version"] is None
    assert seen["error"].startswith(f"kubelet's version: its program is not run, {why}")
    assert variables_of(seen) == UNSET


def test_not_root_gets_no_version_and_no_variables_and_is_told_why(tmp_path):
    code = f"process = start({{'DISABLE_HTTP2': '1'}})\nos.setgid(65534)\nos.setuid(65534)\n{SHOW}"
    seen = show(tmp_path, code)
    pid = seen["pid"]
    assert variables_of(seen) == dict.fromkeys(UNSET)
    assert (seen["running"], seen["version"]) == (True, None)
    assert seen["error"] == (
        f"kubelet's version: /proc/{pid}/exe: Permission denied. "
        f"kubelet's environment: /proc/{pid}/environ: Permission denied."
    )


# A process directory of our own, for its program must be one that answers as kubelet does.
def process_folder(tmp_path, script, name="kubelet"):
    program = tmp_path / name
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    for pid in ("7", "self"):
        folder = tmp_path / "proc" / pid / "ns"
        folder.mkdir(parents=True)
        for kind in ("mnt", "pid", "user", "net"):
            (folder / kind).symlink_to(f"{kind}:[1]")
    process = tmp_path / "proc" / "7"
    (process / "comm").write_text(name + "\n")
    (process / "cmdline").write_text(name + "\0kubelet\0")
    (process / "environ").write_text("DISABLE_HTTP2=\0")
    (process / "exe").symlink_to(program)
    return str(tmp_path / "proc")


ANSWERS = [
    pytest.param("echo Kubernetes v1.31.2", "v1.31.2", id="a release"),
    pytest.param("echo Kubernetes v1.30.5+rke2r1", "v1.30.5+rke2r1", id="a distribution's release"),
    pytest.param("echo Kubernetes v1.35.0-rc.0", "v1.35.0-rc.0", id="a candidate"),
    pytest.param("echo 'Flag --x is deprecated' >&2; echo Kubernetes v1.20.0", "v1.20.0", id="a warning before it"),
    pytest.param(
        '[ "$1" = --version ] && [ $# = 1 ] && echo Kubernetes v1.19.4', "v1.19.4", id="--version and no more"
    ),
]


@pytest.mark.parametrize(("script", "version"), ANSWERS)
def test_the_version(tmp_path, script, version):
    seen = _kubelet.read(process_folder(tmp_path, script))
    assert (seen.pid, seen.version, seen.error) == (7, version, None)


def test_hyperkube_is_asked_as_kubelet(tmp_path):
    script = '[ "$1 $2" = "kubelet --version" ] && echo Kubernetes v1.16.9'
    assert _kubelet.read(process_folder(tmp_path, script, "hyperkube")).version == "v1.16.9"


NONSENSE = [
    pytest.param("echo kubelet 9.1", "'kubelet 9.1'", id="another program"),
    pytest.param("echo Kubernetes v1.31", "'Kubernetes v1.31'", id="half a version"),
    pytest.param("exit 1", "''", id="nothing"),
    pytest.param("yes | head -c 9999", repr("y\n" * 40), id="much"),
]


@pytest.mark.parametrize(("script", "said"), NONSENSE)
def test_an_answer_that_is_no_version(tmp_path, script, said):
    proc = process_folder(tmp_path, script)
    seen = _kubelet.read(proc)
    assert (seen.running, seen.version) == (True, None)
    assert seen.error == (f"kubelet's version: {proc}/7/exe --version answers {said}, expected Kubernetes vX.Y.Z.")


def test_a_program_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(_kubelet, "_LIMIT_SECONDS", 0.2)
    proc = process_folder(tmp_path, "exec sleep 60")
    assert _kubelet.read(proc).error == (
        f"kubelet's version: {proc}/7/exe --version: no end after 0.2 s. Run it by hand and see what it waits for."
    )


def test_a_process_that_has_ended_meanwhile(tmp_path):
    proc = process_folder(tmp_path, "echo Kubernetes v1.31.2")
    os.unlink(os.path.join(proc, "7", "environ"))
    seen = _kubelet.read(proc)
    assert (seen.version, seen.disable_http2, seen.error) == (
        "v1.31.2",
        None,
        "kubelet's environment: the process has ended.",
    )
