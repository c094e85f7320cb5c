# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a reader of kube-proxy believes: real processes and sockets."""

import os
import shutil
import socket

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import find
from ansible_collections.kubenode.connections.plugins.module_utils._observe import kube_proxy
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._kube_proxies import seen_after
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._kube_proxy_servers import (
    GOOD,
    TIMEOUT_SECONDS,
    Server,
    ask,
    http,
    silent,
)

NO_PROCESS = " No process named kube-proxy is visible either."


def test_nothing_listens():
    server = Server(silent)  # reserves a port and gives it up
    with server:
        pass
    seen = ask(server)
    assert (seen.running, seen.mode, seen.absent) == (False, None, True)
    assert seen.error == f"kube-proxy at 127.0.0.1:{server.port}: nothing listens there." + NO_PROCESS


def test_a_connection_that_never_comes_about_is_given_up_in_time():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _number in range(3)]  # once the queue is full, the kernel drops what comes
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        seen = kube_proxy.read(find(kube_proxy.WANTED), f"127.0.0.1:{listener.getsockname()[1]}", TIMEOUT_SECONDS)
        for filler in fillers:
            filler.close()
    assert (seen.running, seen.absent) == (False, False)
    assert seen.error.endswith(": /proxyMode is not answered in time.")


def test_a_name_instead_of_an_address_is_refused_without_asking_a_resolver():
    seen = kube_proxy.read(find(kube_proxy.WANTED), "kube.example.com:10249", TIMEOUT_SECONDS)
    assert (seen.running, seen.address, seen.absent) == (False, None, False)
    assert seen.error == "kube-proxy: 'kube.example.com' is not an IP address. Give it as in 127.0.0.1:10249."


# Whom it believes. 65534 is a user without rights; the server at the port says "ipvs" and a TCP timeout of 12 s.
BELIEVED = {"running": True, "mode": "ipvs", "ipvs_timeouts": {"tcp": 12, "tcpfin": 0, "udp": 0}, "error": None}
NOTHING = dict.fromkeys(("mode", "ipvs_timeouts", "conntrack", "version"))
WHERE = "kube-proxy at 127.0.0.1:10249: "
USER_LISTENS = "user 65534 listens there, process #{} ({}), not root's kube-proxy, so it was not asked."
FALSE = "Process #{} calls itself kube-proxy, but runs as user 65534: it is not believed."
NO_OWNER = (
    "a socket of root listens there, but no process of root's that may change the node's network was found to have it "
    "open within 10 s, so it was not asked."
)
POD = "['unshare', '-m', 'setpriv', '--bounding-set=-net_admin']"
NO_RIGHT = (
    "Process #1 calls itself kube-proxy, but may not change the node's network (it lacks CAP_NET_ADMIN): it is not "
    "believed."
)

NOT_BELIEVED = [
    pytest.param(
        "listening('python', prefix=NOBODY)",
        {"running": False, "pid": None, "error": WHERE + USER_LISTENS.format(1, "python")},
        id="a user, while kube-proxy is away",
    ),
    pytest.param(
        "listening('kube-proxy', prefix=NOBODY)",
        {"running": False, "error": f"{WHERE}{USER_LISTENS.format(1, 'kube-proxy')} {FALSE.format(1)}"},
        id="a user who calls himself kube-proxy",
    ),
    pytest.param(
        "listening('python', '0.0.0.0', prefix=NOBODY)",
        {"running": False, "error": WHERE + USER_LISTENS.format(1, "python")},
        id="a user at the wildcard",
    ),
    pytest.param(
        "listening('python', '::', prefix=NOBODY)",
        {"running": False, "error": WHERE + USER_LISTENS.format(1, "python")},
        id="a user at the wildcard of IPv6, which takes IPv4 too",
    ),
    pytest.param(
        "waiting('kube-proxy'); listening('python', prefix=NOBODY)",
        {"running": True, "pid": "#1", "process": "kube-proxy", "error": WHERE + USER_LISTENS.format(2, "python")},
        id="a user in the place of the real one",
    ),
    pytest.param(
        "listening('python', '::1', prefix=NOBODY); waiting('kube-proxy', '--metrics-bind-address=[::]:10249')",
        {
            "running": True,
            "pid": "#2",
            "address": "[::1]:10249",
            "error": f"kube-proxy at [::1]:10249: {USER_LISTENS.format(1, 'python')}",
        },
        id="a user at a more exact address than that of the real one",
    ),
    pytest.param(
        "listening('kube-proxy', prefix=['unshare', '-Ur'])",
        {"running": False, "pid": None},
        id="root of a user namespace",
    ),
    pytest.param(
        f"listening('kube-proxy', prefix={POD})",
        {"running": False, "pid": None, "error": f"{WHERE}{NO_OWNER} {NO_RIGHT}"},
        id="root of a pod in the node's network without the right to change it",
    ),
    pytest.param(
        f"listening('python', prefix={POD})",
        {"running": False, "pid": None, "error": WHERE + NO_OWNER},
        id="the same, which calls itself anything",
    ),
    pytest.param(
        "waiting('kube-proxy', prefix=NOBODY)",
        {"running": False, "absent": False, "error": f"{WHERE}nothing listens there. {FALSE.format(1)}"},
        id="a false kube-proxy that listens nowhere",
    ),
    pytest.param(
        "listening('kube-proxy', mode='hello')",
        {"running": True, "error": f"{WHERE}/proxyMode answers 'hello', expected ipvs, iptables or nftables."},
        id="the real one with a mode that nobody knows",
    ),
    pytest.param(
        "server = socket.socket(); server.bind(('127.0.0.1', 10249)); server.listen(5)\n"
        "os.set_inheritable(server.fileno(), True)\n"
        "waiting('python', prefix=['unshare', '-n'], close_fds=False)\nserver.close()",
        {"running": False, "error": WHERE + NO_OWNER},
        id="a socket of root that only a process of another network namespace has",
    ),
]


@pytest.mark.parametrize(("code", "expected"), NOT_BELIEVED)
def test_who_is_not_believed(code, expected):
    seen = seen_after(code + "\ntold()")
    assert {name: seen[name] for name in {**NOTHING, **expected}} == {**NOTHING, **expected}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("listening('kube-proxy')", {"pid": "#1", "process": "kube-proxy"}, id="kube-proxy"),
        pytest.param("listening('kube-proxy', '0.0.0.0')", {"pid": "#1"}, id="at the wildcard"),
        pytest.param("listening('kube-proxy', '::')", {"pid": "#1"}, id="at the wildcard of IPv6"),
        pytest.param("listening('kube-proxy', '::ffff:127.0.0.1')", {"pid": "#1"}, id="with IPv4 in IPv6"),
        pytest.param(
            "waiting('kube-proxy'); listening('kube-proxy'); waiting('kube-proxy')",
            {"pid": "#2"},
            id="of several the one that listens",
        ),
        pytest.param(
            "listening('kube-proxy', prefix=['unshare', '-m', 'setpriv', '--bounding-set=-all,+net_admin'])",
            {"pid": "#1"},
            id="in a pod with that right alone",
        ),
        pytest.param("listening('k3s-server')", {"pid": "#1", "process": "k3s-server"}, id="within another program"),
        pytest.param(
            "waiting('kube-proxy', prefix=NOBODY); listening('kube-proxy')", {"pid": "#2"}, id="beside a false one"
        ),
        pytest.param(
            "listening('kube-proxy'); six = socket.socket(socket.AF_INET6)\n"
            "six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\n"
            "os.seteuid(65534); six.bind(('::', 10249)); six.listen(5); os.seteuid(0)",
            {"pid": "#1"},
            id="beside a user who listens on IPv6 only",
        ),
    ],
)
def test_who_is_believed(code, expected):
    seen = seen_after(code + "\ntold()")
    assert {name: seen[name] for name in {**BELIEVED, **expected}} == {**BELIEVED, **expected}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("listening('kube-proxy')", BELIEVED, id="root's kube-proxy"),
        pytest.param("listening('k3s-server')", {**BELIEVED, "pid": None}, id="root's other program"),
        pytest.param(
            "listening('python', prefix=[*NOBODY[:1], '--reuid=1000', *NOBODY[2:]])",
            {"running": False, "error": WHERE + "user 1000 listens there, not root's kube-proxy, so it was not asked."},
            id="another user",
        ),
    ],
)
def test_a_reader_without_root_believes_root_s_socket_without_seeing_whose_it_is(code, expected):
    seen = seen_after(code + "\nos.setresuid(65534, 65534, 65534)\ntold()")
    assert {name: seen[name] for name in expected} == expected


def test_a_socket_that_takes_the_place_of_the_one_that_was_asked_does_not_count():
    server = Server(lambda *_arguments: None)

    def answer(connection, path, _stopped):
        if path == "/metrics":
            old, server._socket = server._socket, socket.socket()
            old.shutdown(socket.SHUT_RDWR)
            old.close()
            server._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server._socket.bind(("127.0.0.1", server.port))
            server._socket.listen(5)
        http(GOOD)(connection, path, None)

    server._answer = answer
    with server:
        seen = ask(server)
    assert (seen.running, seen.mode, seen.ipvs_timeouts, seen.version) == (False, None, None, None)
    assert seen.error == (
        f"kube-proxy at 127.0.0.1:{server.port}: another socket listens there than when it was asked, so the answer "
        "does not count."
    )


# A neighbour at 10.9.9.2 says that it is kube-proxy, and so does root's own program at the wildcard of the node.
NEIGHBOUR = """
neighbour = subprocess.Popen(['unshare', '-n', 'sleep', '1000'])
while os.readlink('/proc/%d/ns/net' % neighbour.pid) == os.readlink('/proc/self/ns/net'): time.sleep(0.01)
enter = ['nsenter', '-t', str(neighbour.pid), '-n']
for line in (
    'ip link add va type veth peer name vb netns %d' % neighbour.pid,
    'ip addr add 10.9.9.1/24 dev va',
    'ip link set va up',
):
    subprocess.check_call(line.split())
for line in ('ip addr add 10.9.9.2/24 dev vb', 'ip link set vb up'):
    subprocess.check_call(enter + line.split())
listening('kube-proxy', '0.0.0.0', mode='iptables')
listening('kube-proxy', '10.9.9.2', prefix=enter)
"""


SERVICE = "iptables -t nat -A OUTPUT -d 10.9.9.1 -p tcp --dport 10249 -j DNAT --to-destination 10.9.9.2:10249"
NOT_HERE = "a connection to it leads out of the node, so it was not asked."


@pytest.mark.parametrize(
    ("code", "error"),
    [
        pytest.param("", "this is no address of the node, so it was not asked. Give one of the node's own.", id="told"),
        pytest.param(
            "open('/proc/sys/net/ipv4/ip_nonlocal_bind', 'w').write('1')\n",
            NOT_HERE,
            id="though the kernel takes any address for its own",
        ),
    ],
)
def test_only_the_node_itself_is_asked(code, error):
    seen = seen_after(f"{NEIGHBOUR}{code}told('10.9.9.2:10249')")
    assert (seen["running"], seen["mode"]) == (True, None)
    assert seen["error"] == f"kube-proxy at 10.9.9.2:10249: {error}"


@pytest.mark.skipif(not shutil.which("iptables"), reason="needs iptables")
def test_an_address_of_the_node_that_a_service_leads_elsewhere_is_not_asked():
    # As kube-proxy does for a Service with that address among its externalIPs.
    seen = seen_after(f"{NEIGHBOUR}subprocess.check_call({SERVICE!r}.split())\ntold('10.9.9.1:10249')")
    assert (seen["mode"], seen["error"]) == (None, f"kube-proxy at 10.9.9.1:10249: {NOT_HERE}")


def test_an_address_of_the_node_other_than_loopback_is_asked():
    seen = seen_after(f"{NEIGHBOUR}told('10.9.9.1:10249')")
    assert (seen["mode"], seen["error"]) == ("iptables", None)


# What the process was told.
@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        pytest.param([], None, id="nothing is given"),
        pytest.param(["--metrics-bind-address=0.0.0.0:1"], "0.0.0.0:1", id="a flag"),
        pytest.param(["--metrics-bind-address", "0.0.0.0:1"], "0.0.0.0:1", id="a flag with a separate value"),
        pytest.param(
            ["-metrics-bind-address=a", "--metrics-bind-address=0.0.0.0:1"], "0.0.0.0:1", id="the last one counts"
        ),
        pytest.param(["--config=/opt/file"], "10.0.0.7:2", id="a configuration file"),
        pytest.param(["--config", "file"], "10.0.0.7:2", id="a configuration file by relative path"),
        pytest.param(["--config=/opt/file", "--metrics-bind-address=0.0.0.0:1"], "10.0.0.7:2", id="the file wins"),
        pytest.param(["--config=/opt/empty", "--metrics-bind-address=0.0.0.0:1"], None, id="even when it is silent"),
    ],
)
def test_the_address_that_the_process_was_told(arguments, address):
    code = (
        "open('/opt/file', 'w').write('kind: KubeProxyConfiguration\\nmetricsBindAddress: 10.0.0.7:2\\n')\n"
        "open('/opt/empty', 'w').write('metricsBindAddress: \"\"\\n')\n"
        f"waiting('kube-proxy', *{arguments!r})\n"
        "print(json.dumps(kube_proxy.bind_address(processes.find(kube_proxy.WANTED).process)))"
    )
    assert seen_after(code) == [address, []]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        pytest.param("/opt/fifo", "is a FIFO, not a plain file", id="a FIFO"),
        pytest.param("/opt/link", "is a FIFO, not a plain file", id="a link to a FIFO"),
        pytest.param("/dev/zero", "is a character device, not a plain file", id="a device"),
        pytest.param("/opt", "is a directory, not a plain file", id="a folder"),
        pytest.param("/opt/gone", "cannot be read: No such file or directory", id="nothing"),
    ],
)
def test_a_configuration_file_that_is_none_is_told_and_not_waited_for(path, why):
    code = (
        "os.mkfifo('/opt/fifo')\nos.symlink('fifo', '/opt/link')\nlistening('python')\n"
        f"waiting('kube-proxy', '--config={path}', '--metrics-bind-address=127.0.0.1:10249')\ntold()"
    )
    seen = seen_after(code)
    assert (seen["mode"], seen["error"]) == ("ipvs", f"kube-proxy was started with --config={path}, which {why}.")


def test_the_configuration_file_is_looked_up_where_the_process_sees_it():
    code = (
        "os.mkdir('/opt/inside')\nopen('/opt/config', 'w').write('metricsBindAddress: 127.0.0.1:3\\n')\n"
        "program('kube-proxy')\n"
        "prefix = ['unshare', '-m', 'sh', '-c', 'mount --bind /opt /opt/inside && exec \"$@\"', 'sh']\n"
        "waiting('kube-proxy', '--config=/opt/inside/config', prefix=prefix)\n"
        "assert not os.path.exists('/opt/inside/config')\ntold()"
    )
    assert seen_after(code)["address"] == "127.0.0.1:3"


def test_the_cpus_are_those_that_are_online_though_the_process_is_pinned_to_one():
    code = "os.sched_setaffinity(listening('kube-proxy').pid, [min(os.sched_getaffinity(0))])\ntold()"
    assert seen_after(code)["conntrack"]["max"] == 1000 * os.sysconf("SC_NPROCESSORS_ONLN")


def test_a_process_that_has_ended_is_no_kube_proxy():
    # Not yet waited for, it still has its name.
    code = (
        "process = waiting('kube-proxy')\nprocess.kill()\n"
        "while ') Z ' not in open('/proc/%d/stat' % process.pid).read(): time.sleep(0.01)\ntold()"
    )
    seen = seen_after(code)
    assert (seen["running"], seen["absent"]) == (False, True)
    assert seen["error"] == f"{WHERE}nothing listens there.{NO_PROCESS}"
