# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-proxy asked for real: servers on loopback that answer well, wrongly, slowly or not at all; real processes."""

import json
import os
import socket
import subprocess
import threading
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils import _kube_proxy
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

CONFIG = {"Mode": "ipvs", "IPVS": {"TCPTimeout": "0s"}}
TIMEOUT_SECONDS = 0.6
NO_PROCESS = " No process named kube-proxy is visible either."


class Server:
    """Listens on loopback and hands each connection, with the path that is asked for, to answer(connection, path)."""

    def __init__(self, answer, family=socket.AF_INET, host="127.0.0.1"):
        self._answer = answer
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.bind((host, 0))
        self._socket.listen(5)
        self.port = self._socket.getsockname()[1]
        self.requests = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.daemon = True

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_details):
        self._stopped.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self):
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            with connection:
                try:
                    request = connection.recv(65536)
                    self.requests.append(request)
                    self._answer(connection, request.split(b" ")[1].decode(), self._stopped)
                except OSError:
                    pass  # the client has had enough


def http(body, status="200 OK", head=""):
    """An answer of that body to every path, or for a mapping to each of its paths."""

    def answer(connection, path, _stopped):
        content = body[path] if isinstance(body, dict) else body
        connection.sendall(f"HTTP/1.0 {status}\r\n{head}\r\n".encode() + content)

    return answer


def raw(data):
    return lambda connection, _path, _stopped: connection.sendall(data)


def silent(_connection, _path, stopped):
    stopped.wait(10)


def dripping(connection, _path, stopped):
    for byte in b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 1000:
        connection.sendall(bytes([byte]))
        if stopped.wait(0.1):
            return


def endless(connection, _path, stopped):
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    while not stopped.is_set():
        connection.sendall(b"x" * 65536)


GOOD = {
    "/proxyMode": b"ipvs",
    "/configz": json.dumps({"kubeproxy.config.k8s.io": CONFIG}).encode(),
    "/metrics": b'kubernetes_build_info{git_version="v1.31.2"} 1\n',
}


def ask(server, host="127.0.0.1"):
    started = time.monotonic()
    seen = _kube_proxy.read(f"{host}:{server.port}", TIMEOUT_SECONDS)
    assert time.monotonic() - started < TIMEOUT_SECONDS + 2
    return seen


def test_a_kube_proxy_that_answers():
    with Server(http(GOOD)) as server:
        seen = ask(server)
    assert (seen.running, seen.address) == (True, f"127.0.0.1:{server.port}")
    assert (seen.mode, seen.config, seen.version, seen.error) == ("ipvs", CONFIG, "v1.31.2", None)
    assert [request.split(b"\r\n")[0] for request in server.requests] == [
        b"GET /proxyMode HTTP/1.0",
        b"GET /configz HTTP/1.0",
        b"GET /metrics HTTP/1.0",
    ]


def test_metrics_that_tell_no_version_are_no_error():
    with Server(http(dict(GOOD, **{"/metrics": b"nonsense"}))) as server:
        seen = ask(server)
    assert (seen.mode, seen.config, seen.version, seen.error) == ("ipvs", CONFIG, None, None)


def test_metrics_that_never_come_cost_no_more_than_the_deadline():
    def answer(connection, path, stopped):
        (silent if path == "/metrics" else http(GOOD))(connection, path, stopped)

    with Server(answer) as server:
        seen = ask(server)
    assert (seen.mode, seen.version, seen.error) == ("ipvs", None, None)


def test_an_answer_in_chunks_counts_too():
    body = b"4\r\nipvs\r\n0\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    with Server(raw(answer)) as server:
        assert ask(server).mode == "ipvs"


def test_proxies_in_the_environment_are_ignored(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with Server(http(GOOD)) as server:
        assert ask(server).mode == "ipvs"


def test_a_kube_proxy_on_ipv6_loopback():
    with Server(http(GOOD), socket.AF_INET6, "::1") as server:
        seen = ask(server, "[::]")
    assert (seen.mode, seen.address) == ("ipvs", f"[::1]:{server.port}")


def test_a_mode_without_a_configuration_is_kept_with_the_error():
    with Server(http(dict(GOOD, **{"/configz": b"nonsense"}))) as server:
        seen = ask(server)
    assert (seen.running, seen.mode, seen.config) == (True, "ipvs", None)
    assert seen.error.startswith(f"kube-proxy at 127.0.0.1:{server.port}: /configz answers no JSON (")


NONSENSE = [
    pytest.param(
        http(b"<html>hello</html>"),
        "/proxyMode answers '<html>hello</html>', expected a mode such as ipvs.",
        id="a web page",
    ),
    pytest.param(http(b"", "404 Not Found"), "/proxyMode answers with HTTP status 404.", id="404"),
    pytest.param(http(b"", "500 Oops"), "/proxyMode answers with HTTP status 500.", id="500"),
    pytest.param(
        http(b"ipvs", head="Content-Length: 100\r\n"),
        "/proxyMode is not answered in HTTP (IncompleteRead).",
        id="cut off",
    ),
    pytest.param(
        raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "/proxyMode is not answered in HTTP (BadStatusLine).", id="another protocol"
    ),
    pytest.param(raw(b""), "/proxyMode is not answered in HTTP (RemoteDisconnected).", id="closed at once"),
    pytest.param(
        raw(b"HTTP/1.0 200 OK\r\n" + b"X" * 100000),
        "/proxyMode is not answered in HTTP (LineTooLong).",
        id="an endless header",
    ),
    pytest.param(raw(bytes(range(256)) * 8), "/proxyMode is not answered in HTTP (BadStatusLine).", id="bytes"),
    pytest.param(silent, "/proxyMode is not answered in time.", id="no answer"),
    pytest.param(dripping, "/proxyMode is not answered in time.", id="a byte now and then"),
    pytest.param(endless, "/proxyMode fails: the answer is longer than 1048576 bytes.", id="an answer without end"),
]


@pytest.mark.parametrize(("answer", "said"), NONSENSE)
def test_a_port_that_is_no_kube_proxy(answer, said):
    with Server(answer) as server:
        seen = ask(server)
    assert (seen.running, seen.mode, seen.config, seen.refused) == (False, None, None, False)
    assert seen.error == f"kube-proxy at 127.0.0.1:{server.port}: {said}"


def test_one_word_alone_does_not_make_a_kube_proxy():
    with Server(http(b"hello")) as server:
        seen = ask(server)
    assert (seen.running, seen.mode, seen.config) == (False, None, None)
    assert len(server.requests) == 2  # nobody else's metrics are read


def test_both_answers_share_one_deadline():
    def slow(connection, path, stopped):
        stopped.wait(TIMEOUT_SECONDS * 0.7)
        http(GOOD)(connection, path, stopped)

    with Server(slow) as server:
        seen = ask(server)
    assert seen.mode == "ipvs"
    assert seen.error == f"kube-proxy at 127.0.0.1:{server.port}: /configz is not answered in time."


def test_nothing_listens():
    server = Server(silent)  # reserves a port and gives it up
    with server:
        pass
    seen = ask(server)
    assert (seen.running, seen.mode, seen.refused) == (False, None, True)
    assert seen.error == f"kube-proxy at 127.0.0.1:{server.port}: nothing listens there." + NO_PROCESS


def test_a_connection_that_never_comes_about_is_given_up_in_time():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _number in range(3)]  # once the queue is full, the kernel drops what comes
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        seen = _kube_proxy.read(f"127.0.0.1:{listener.getsockname()[1]}", TIMEOUT_SECONDS)
        for filler in fillers:
            filler.close()
    assert (seen.running, seen.refused) == (False, False)
    assert seen.error.endswith(": /proxyMode is not answered in time.")


def test_a_name_instead_of_an_address_is_refused_without_asking_a_resolver():
    seen = _kube_proxy.read("kube.example.com:10249", TIMEOUT_SECONDS)
    assert seen.running is False
    assert seen.error == "kube-proxy at kube.example.com:10249: 'kube.example.com' is not an IP address."


# Real processes named kube-proxy, each in a process and network namespace of its own.
ISOLATED = ("unshare", "-pfmn", "--mount-proc")


def with_process(tmp_path, arguments, code, prefix=()):
    """What code prints beside a process named kube-proxy with these arguments."""
    program = tmp_path / "kube-proxy"
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    start = (
        "import os, subprocess, time\n"
        f"os.chdir({str(tmp_path)!r})\n"
        f"process = subprocess.Popen({[*prefix, str(program), *arguments]!r}, stdin=subprocess.PIPE)\n"
        "while True:\n"
        "    for pid in [int(name) for name in os.listdir('/proc') if name.isdigit()]:\n"
        "        if open('/proc/%d/comm' % pid).read() == 'kube-proxy\\n' and open('/proc/%d/cmdline' % pid).read():\n"
        "            break\n"
        "    else:\n"
        "        time.sleep(0.01)\n"
        "        continue\n"
        "    break\n"
    )
    return run_python("_kube_proxy", start + code, *ISOLATED)


def test_a_process_is_found_and_its_silence_is_told(tmp_path):
    code = (
        "subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])\n"
        "seen = _kube_proxy.read(None, 1.0)\nprint(seen.running, seen.pid == pid, seen.error)"
    )
    said = "True True kube-proxy at 127.0.0.1:10249: nothing listens there."
    assert with_process(tmp_path, [], code) == said


def test_the_cpus_are_those_that_the_process_may_run_on(tmp_path):
    code = (
        "cpu = min(os.sched_getaffinity(0))\nos.sched_setaffinity(pid, [cpu])\n"
        "print(_kube_proxy.read(None, 1.0).cpus, _kube_proxy._cpus(None), _kube_proxy._cpus(2 ** 22))"
    )
    assert with_process(tmp_path, [], code) == "1 None None"


def test_the_kube_proxy_of_another_network_namespace_is_not_ours(tmp_path):
    code = "print(_kube_proxy.find_process(), _kube_proxy.find_process() == pid)"
    assert with_process(tmp_path, [], code, prefix=["unshare", "-n"]) == "None False"
    assert with_process(tmp_path, [], code).endswith(" True")


ADDRESSES = [
    pytest.param([], "None", id="nothing is given"),
    pytest.param(["--metrics-bind-address=0.0.0.0:1"], "0.0.0.0:1", id="a flag"),
    pytest.param(["--metrics-bind-address", "0.0.0.0:1"], "0.0.0.0:1", id="a flag with a separate value"),
    pytest.param(
        ["-metrics-bind-address=a", "--metrics-bind-address=0.0.0.0:1"], "0.0.0.0:1", id="the last one counts"
    ),
    pytest.param(["--config={}/file"], "10.0.0.7:2", id="a configuration file"),
    pytest.param(["--config", "file"], "10.0.0.7:2", id="a configuration file by relative path"),
    pytest.param(["--config={}/file", "--metrics-bind-address=0.0.0.0:1"], "10.0.0.7:2", id="the file beats the flag"),
    pytest.param(["--config={}/empty", "--metrics-bind-address=0.0.0.0:1"], "None", id="even when it does not say it"),
    pytest.param(
        ["--config={}/gone", "--metrics-bind-address=0.0.0.0:1"], "0.0.0.0:1", id="but not when it is unreadable"
    ),
]


@pytest.mark.parametrize(("arguments", "address"), ADDRESSES)
def test_the_address_that_the_process_was_told(tmp_path, arguments, address):
    (tmp_path / "file").write_text("kind: KubeProxyConfiguration\nmetricsBindAddress: 10.0.0.7:2\n")
    (tmp_path / "empty").write_text('metricsBindAddress: ""\n')
    arguments = [argument.format(tmp_path) for argument in arguments]
    assert with_process(tmp_path, arguments, "print(_kube_proxy.bind_address(pid))") == address


def test_the_configuration_file_is_looked_up_where_the_process_sees_it(tmp_path):
    config = tmp_path / "config.conf"
    config.write_text("metricsBindAddress: 10.0.0.7:3\n")
    (tmp_path / "inside").mkdir()
    mount = f'mount --bind {tmp_path} {tmp_path}/inside && exec "$@"'
    prefix = ["unshare", "-m", "sh", "-c", mount, "sh"]
    argument = f"--config={tmp_path}/inside/config.conf"
    assert with_process(tmp_path, [argument], "print(_kube_proxy.bind_address(pid))", prefix) == "10.0.0.7:3"
    assert not os.path.exists(str(tmp_path / "inside" / "config.conf"))


def test_a_process_that_has_gone_has_no_address():
    process = subprocess.Popen(["true"])
    process.wait()
    assert _kube_proxy.bind_address(process.pid) is None


def test_a_process_that_has_ended_is_no_kube_proxy(tmp_path):
    # Not yet waited for, it still has its name, but no namespace any more.
    code = "os.kill(pid, 9)\ntime.sleep(0.2)\nprint(open('/proc/%d/comm' % pid).read(), _kube_proxy.find_process())"
    assert with_process(tmp_path, [], code).split() == ["kube-proxy", "None"]
