# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import Row, RpsSettings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import (
    NOTHING,
    By,
    Settings,
    plan_from,
    settings_from,
    timeouts_from,
)

OPTIONS = {
    "state": "present",
    "modules": None,
    "sysctls": None,
    "ipvs_timeouts": None,
    "ipvs_timeouts_persistent": True,
    "rps": None,
    "pods": None,
    "containers": None,
    "namespace_ipvs_timeouts": None,
    "enforce": None,
    "sysctl_file": "/etc/sysctl.d/k8s.conf",
    "modules_file": "/etc/modules-load.d/k8s.conf",
}


def given(**options):
    return settings_from(dict(OPTIONS, **options))


def test_what_is_not_given_stays_and_what_is_empty_is_given_back():
    assert given() == Settings()
    assert given(modules=[], sysctls={}, ipvs_timeouts={}) == Settings(modules=(), sysctls={}, ipvs_timeouts={})


def test_the_keepalive_of_pods_has_all_three_values():
    assert given(pods={"time": 600, "intvl": 30, "probes": 9}) == Settings(pods=(600, 30, 9))
    assert given(pods={"time": None, "intvl": None, "probes": None}) == Settings(pods=())
    assert given(containers={"time": 600, "intvl": 30, "probes": 9}) == Settings(containers=(600, 30, 9))


def test_what_every_new_connection_gets():
    values = {"time": 600, "intvl": 30, "probes": 9}
    nothing = {"exclude_ports": [], "exclude_cgroups": []}
    assert given(enforce=dict(values, **nothing)) == Settings(enforce=Enforcement(Keepalive(600, 30, 9)))
    assert given(enforce=dict(dict.fromkeys(values), **nothing)) == Settings(enforce=())
    with pytest.raises(NodeError) as error:
        given(enforce=dict(values, time=0, **nothing))
    assert str(error.value) == "enforce: time: 0 is not from 1 to 32767 (tcp(7)). Choose such a value."


@pytest.mark.parametrize(
    ("pods", "message"),
    [
        pytest.param(
            {"time": 600, "intvl": 30, "probes": None},
            "pods: probes is not given, and a keepalive has all three. Write time, intvl and probes.",
            id="one is missing",
        ),
        pytest.param(
            {"time": 600, "intvl": 0, "probes": 9},
            "pods: intvl: 0 is not from 1 to 32767 (tcp(7)). Choose such a value.",
            id="one floods the connection",
        ),
        pytest.param(
            {"time": 600, "intvl": 30, "probes": 128},
            "pods: probes: 128 is not from 1 to 127 (tcp(7)). Choose such a value.",
            id="one is more than setsockopt takes",
        ),
    ],
)
def test_a_keepalive_of_pods_that_no_socket_can_have_is_refused(pods, message):
    with pytest.raises(NodeError) as error:
        given(pods=pods)
    assert str(error.value) == message


def rps(entries=0, **row):
    nothing = {"name": None, "numa_node": None, "fewer_queues_than": None}
    return {"flow_entries": entries, "nics": [dict(nothing, **row)] if row else None}


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        pytest.param(rps(), RpsSettings(), id="nothing, which gives back what was set"),
        pytest.param(rps(32768, cpus="0-3"), RpsSettings((Row("0-3"),), 32768), id="all NICs and their flows"),
        pytest.param(
            rps(cpus="8", name="eth0", numa_node=1, fewer_queues_than=4),
            RpsSettings((Row("8", "eth0", 1, 4),)),
            id="everything that can be said of one",
        ),
    ],
)
def test_receive_packet_steering(options, settings):
    assert given(rps=options) == Settings(rps=settings)


NO_CPUS = "is not a list of CPUs. Write one such as 0-3,8."
NO_POWER = "is not 0 nor a power of two up to 536870912 (the kernel rounds others up, sysctl_net_core.c)."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (rps(30000, cpus="0"), f"flow_entries: 30000 {NO_POWER} Write one such as 32768."),
        (rps(1 << 30, cpus="0"), f"flow_entries: 1073741824 {NO_POWER} Write one such as 32768."),
        (rps(-1, cpus="0"), f"flow_entries: -1 {NO_POWER} Write one such as 32768."),
        (rps(cpus="ff"), f"nics: cpus: 'ff' {NO_CPUS}"),
        (rps(cpus=""), f"nics: cpus: '' {NO_CPUS}"),
        (rps(cpus="0", name="a/b"), "nics: name: 'a/b' is not the name of a NIC. Write one such as eth0."),
        (rps(cpus="0", numa_node=-1), "nics: numa_node: -1 is below 0. Write a number from 0 on."),
        (rps(cpus="0", fewer_queues_than=0), "nics: fewer_queues_than: 0 is below 1. Write a number from 1 on."),
    ],
)
def test_receive_packet_steering_that_cannot_be_is_refused(options, message):
    with pytest.raises(NodeError) as error:
        given(rps=options)
    assert str(error.value) == f"rps: {message}"


def test_absent_gives_everything_back_whatever_else_is_said():
    assert given(state="absent", modules=["ip_vs"], sysctls={"a.b": 1}) == NOTHING


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        pytest.param({"modules": ["br-netfilter"]}, {"modules": ("br_netfilter",)}, id="a dash in a module's name"),
        pytest.param({"modules": ["a-b", "a_b"]}, {"modules": ("a_b",)}, id="a module named twice"),
        pytest.param({"sysctls": {"net/ipv4/x": 5}}, {"sysctls": {"net.ipv4.x": "5"}}, id="slashes and a number"),
        pytest.param(
            {"sysctls": {"net/ipv4/conf/eth0.100/x": "1"}},
            {"sysctls": {"net.ipv4.conf.eth0/100.x": "1"}},
            id="an interface with a dot, in slashes",
        ),
        pytest.param(
            {"sysctls": {"net.ipv4.conf.eth0/100.x": "1"}},
            {"sysctls": {"net.ipv4.conf.eth0/100.x": "1"}},
            id="an interface with a dot, in dots",
        ),
        pytest.param({"sysctls": {"a.b": " 1\t2 "}}, {"sysctls": {"a.b": "1\t2"}}, id="blanks around a value"),
        pytest.param(
            {"ipvs_timeouts": {"tcp": 8284, "tcpfin": None, "udp": None}},
            {"ipvs_timeouts": {"tcp": 8284}},
            id="some of the timeouts",
        ),
        pytest.param(
            {"sysctl_file": "/etc//sysctl.d/./x.conf"},
            {"sysctl_file": "/etc/sysctl.d/x.conf"},
            id="a path with detours",
        ),
        pytest.param({"ipvs_timeouts_persistent": False}, {"persistent": False}, id="no unit"),
    ],
)
def test_options_become_settings(options, settings):
    assert given(**options) == Settings(**settings)


NO_NAME = (
    "is not the name of a setting below /proc/sys (no leading / or -, no .., no pattern). "
    "Write a name such as net.ipv4.tcp_keepalive_time."
)
NO_MODULE = "is not the name of a kernel module (letters, digits, _ and -). Write a name such as br_netfilter."
NO_LINE = "is empty or has a line break or control character. Write one line of text."
NO_TEXT = "expected text or a whole number. Write what the kernel takes, in quotes."
NO_PATH = "is not the absolute path of a configuration file. Write a path such as /etc/sysctl.d/k8s.conf."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modules": ["ip_vs; reboot"]}, "modules: 'ip_vs; reboot' " + NO_MODULE),
        ({"modules": [""]}, "modules: '' " + NO_MODULE),
        ({"modules": ["ip_vs\n"]}, "modules: 'ip_vs\\n' " + NO_MODULE),
        ({"modules": ["../x"]}, "modules: '../x' " + NO_MODULE),
        ({"sysctls": {"net.ipv4..x/../../y": 1}}, "sysctls: 'net.ipv4..x/../../y' " + NO_NAME),
        ({"sysctls": {"net/../../etc/passwd": 1}}, "sysctls: 'net/../../etc/passwd' " + NO_NAME),
        ({"sysctls": {"net.ipv4.conf.//.x": 1}}, "sysctls: 'net.ipv4.conf.//.x' " + NO_NAME),
        ({"sysctls": {"/proc/sys/net/ipv4/x": 1}}, "sysctls: '/proc/sys/net/ipv4/x' " + NO_NAME),
        ({"sysctls": {"-net.ipv4.x": 1}}, "sysctls: '-net.ipv4.x' " + NO_NAME),
        ({"sysctls": {"net.ipv4.*": 1}}, "sysctls: 'net.ipv4.*' " + NO_NAME),
        ({"sysctls": {"net.ipv4.x\nvm.y": 1}}, "sysctls: 'net.ipv4.x\\nvm.y' " + NO_NAME),
        ({"sysctls": {"net.ipv4.x\0": 1}}, "sysctls: 'net.ipv4.x\\x00' " + NO_NAME),
        ({"sysctls": {"net.ipv4.x=1": 1}}, "sysctls: 'net.ipv4.x=1' " + NO_NAME),
        ({"sysctls": {"": 1}}, "sysctls: '' " + NO_NAME),
        ({"sysctls": {"net": 1}}, "sysctls: 'net' " + NO_NAME),
        ({"sysctls": {7: 1}}, "sysctls: 7 " + NO_NAME),
        ({"sysctls": {"a.b": 1, "a/b": 2}}, "sysctls: 'a/b' names a.b a second time. Leave one of the two out."),
        (
            {"sysctls": {"a.b": True}},
            "sysctls: a.b: True is bool, expected text or a whole number. Write what the kernel takes, in quotes.",
        ),
        (
            {"sysctls": {"a.b": 1.5}},
            "sysctls: a.b: 1.5 is float, expected text or a whole number. Write what the kernel takes, in quotes.",
        ),
        (
            {"sysctls": {"a.b": None}},
            "sysctls: a.b: None is NoneType, expected text or a whole number. Write what the kernel takes, in quotes.",
        ),
        (
            {"sysctls": {"a.b": {}}},
            "sysctls: a.b: {} is dict, expected text or a whole number. Write what the kernel takes, in quotes.",
        ),
        ({"sysctls": {"a.b": " "}}, "sysctls: a.b: ' ' " + NO_LINE),
        ({"sysctls": {"a.b": "1\nvm.x=2"}}, "sysctls: a.b: '1\\nvm.x=2' " + NO_LINE),
        ({"sysctls": {"a.b": "1\r2"}}, "sysctls: a.b: '1\\r2' " + NO_LINE),
        ({"sysctls": {"a.b": "1\x002"}}, "sysctls: a.b: '1\\x002' " + NO_LINE),
        ({"sysctls": {"a.b": "\udc80"}}, "sysctls: a.b: '\\udc80' " + NO_LINE),
        (
            {"sysctls": {"net.ipv4.tcp_keepalive_probes": 0}},
            (
                "sysctls: net.ipv4.tcp_keepalive_probes: 0 is below 1 (the kernel takes it and breaks idle "
                "connections, "
                "tcp_timer.c). Choose at least 1."
            ),
        ),
        (
            {"ipvs_timeouts": {"tcp": 0}},
            "ipvs_timeouts: tcp: 0 is no timeout, to the kernel it means keep. Leave tcp out.",
        ),
        (
            {"ipvs_timeouts": {"udp": 2147484}},
            (
                "ipvs_timeouts: udp: 2147484 seconds, but at most 2147483 (the kernel's INT_MAX / HZ at HZ=1000). "
                "Choose a value between 1 and 2147483."
            ),
        ),
        ({"sysctl_file": "k8s.conf"}, "sysctl_file: 'k8s.conf' " + NO_PATH),
        ({"sysctl_file": "/etc/sysctl.d/"}, "sysctl_file: '/etc/sysctl.d/' " + NO_PATH),
        ({"sysctl_file": "/etc/../proc/sys/x"}, "sysctl_file: '/etc/../proc/sys/x' " + NO_PATH),
        ({"modules_file": "/etc/a\nb"}, "modules_file: '/etc/a\\nb' " + NO_PATH),
        (
            {"modules_file": "/etc/sysctl.d/k8s.conf"},
            "sysctl_file and modules_file: both are '/etc/sysctl.d/k8s.conf', one file cannot be both. Name two files.",
        ),
    ],
    ids=str,
)
def test_an_option_that_makes_no_sense_is_refused_by_name_and_value(options, message):
    with pytest.raises(NodeError) as error:
        given(**options)
    assert str(error.value) == message


def timeouts(**options):
    return timeouts_from(
        dict({"tcp": None, "tcpfin": None, "udp": None, "persistent": True, "namespace": None}, **options)
    )


def test_keep_is_like_leaving_a_timeout_out():
    kept = timeouts(tcp="8284", udp="keep")
    assert kept == Settings(ipvs_timeouts={"tcp": 8284}, persistent=True, merge=True)
    inside = timeouts(tcp="8284", tcpfin="keep", namespace="ingress_sbox")
    assert inside == Settings(namespace_ipvs_timeouts={"ingress_sbox": {"tcp": 8284}}, merge=True)


@pytest.mark.parametrize(
    ("spaces", "message"),
    [
        ({"vpn": 900}, "namespace_ipvs_timeouts: vpn: 900 is no mapping of tcp, tcpfin or udp to seconds. Write su"),
        ({"vpn": {"tpc": 9}}, "namespace_ipvs_timeouts: vpn: {'tpc': 9} is no mapping of tcp, tcpfin or udp to sec"),
        ({"vpn": {}}, "namespace_ipvs_timeouts: vpn: {} is no mapping of tcp, tcpfin or udp to seconds. Write such"),
        ({"vpn": {"tcp": 0}}, "namespace_ipvs_timeouts: vpn: tcp: 0 is no timeout, to the kernel it means keep. Leave"),
        ({"vpn": {"udp": "5 min"}}, "namespace_ipvs_timeouts: vpn: udp: '5 min' is not a whole number of seconds. Wri"),
    ],
)
def test_timeouts_of_a_namespace_that_make_no_sense(spaces, message):
    with pytest.raises(NodeError) as error:
        given(namespace_ipvs_timeouts=spaces)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("seconds", [1, 900, 2147483], ids=str)
def test_seconds_that_every_kernel_takes(seconds):
    assert timeouts(tcp=str(seconds)).ipvs_timeouts == {"tcp": seconds}


NO_SECONDS = "is not a whole number of seconds. Write seconds such as 900."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "udp: 0 is no timeout, to the kernel it means keep. Write keep, or leave udp out."),
        ("-1", "udp: -1 seconds, but at least 1. Choose a value between 1 and 2147483."),
        ("00", "udp: 00 seconds, but at least 1. Choose a value between 1 and 2147483."),
        (
            "2678400",
            (
                "udp: 2678400 seconds, but at most 2147483 (the kernel's INT_MAX / HZ at HZ=1000). "
                "Choose a value between 1 and 2147483."
            ),
        ),
        ("15m", "udp: '15m' " + NO_SECONDS),
        ("12.5", "udp: '12.5' " + NO_SECONDS),
        ("", "udp: '' " + NO_SECONDS),
        ("Keep", "udp: 'Keep' " + NO_SECONDS),
        ("١٢", "udp: '١٢' " + NO_SECONDS),
    ],
    ids=repr,
)
def test_seconds_that_make_no_sense_are_refused(text, message):
    with pytest.raises(NodeError) as error:
        timeouts(udp=text)
    assert str(error.value) == message


def test_the_plan_that_settings_are_of():
    assert plan_from(None) is None
    assert plan_from({"id": "12-5f0c93ab", "seen": ""}) == By("12-5f0c93ab", "")
    with pytest.raises(NodeError) as caught:
        plan_from({"id": "12", "seen": ""})
    assert str(caught.value) == "plan.id: '12' is no ID of a plan, one such as 12-5f0c93ab is expected."
