# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import fields, make_dataclass

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy import checks

NO_PAIRS = (
    " is not a mapping of names and values. Write each name once, for example 'NAME=VALUE,OTHER=VALUE', "
    "or a YAML mapping."
)
MAPPING = "x: [1] is not a mapping of names and values. Write one, for example {}."

PORTS = "Write a whole number from 1 to 65535."
NO_GROUP = (
    " is not the path of a control group. Write it as /proc/PID/cgroup shows it after 0::, from the first slash on, "
    "for example /system.slice/sshd.service."
)


@pytest.mark.parametrize(
    ("check", "value", "understood"),
    [
        pytest.param(checks.LOST_PROBES.check, "0", 0, id="no lost probe"),
        pytest.param(checks.LOST_PROBES.check, 126, 126, id="one less than the most probes"),
        pytest.param(checks.IPVS_SECONDS.check, 1, 1, id="the shortest IPVS timeout"),
        pytest.param(checks.IPVS_SECONDS.check, 2147483, 2147483, id="the longest IPVS timeout"),
        pytest.param(checks.MARGIN.check, 0, 0, id="no margin"),
        pytest.param(checks.Choice(("0", "auto")).check, 0, "0", id="the number of a choice"),
        pytest.param(checks.flag, "No", False, id="the text of a flag"),
        pytest.param(checks.path, "/x", "/x", id="an absolute path"),
        pytest.param(
            checks.sysctl_values,
            {"net/ipv4/conf/eth0.1/x": 1, "a.b": " 4096  87380\t6291456 "},
            {"net.ipv4.conf.eth0/1.x": "1", "a.b": "4096 87380 6291456"},
            id="sysctls in another spelling",
        ),
        pytest.param(checks.sysctl_values, {}, {}, id="no sysctl"),
        pytest.param(checks.timeouts, {"tcp": "900", "udp": 1}, {"tcp": 900, "udp": 1}, id="IPVS timeouts"),
        pytest.param(checks.timeouts, " tcp = 900,udp=1", {"tcp": 900, "udp": 1}, id="IPVS timeouts as text"),
        pytest.param(
            checks.sysctl_values,
            "net.ipv4.tcp_rmem=4096 87380  6291456,kernel.core_pattern=|/x a=b",
            {"net.ipv4.tcp_rmem": "4096 87380 6291456", "kernel.core_pattern": "|/x a=b"},
            id="sysctls as text",
        ),
        pytest.param(checks.power_of_two, 0, 0, id="no flow entries"),
        pytest.param(checks.power_of_two, "32768", 32768, id="a power of two"),
        pytest.param(checks.power_of_two, 1, 1, id="one flow entry"),
        pytest.param(checks.ports, ["2379", 22, 22], (22, 2379), id="ports, one of them twice"),
        pytest.param(checks.ports, "22, 65535", (22, 65535), id="ports as text"),
        pytest.param(checks.ports, 22, (22,), id="one port"),
        pytest.param(checks.ports, [], (), id="no port"),
        pytest.param(checks.ports, list(range(1, 257)), tuple(range(1, 257)), id="as many ports as a node takes"),
        pytest.param(
            checks.cgroups, ["/b/", "/a.slice/b\\x2dc.service"], ("/a.slice/b\\x2dc.service", "/b"), id="groups"
        ),
        pytest.param(checks.cgroups, "/a,/b c", ("/a", "/b c"), id="control groups as text"),
        pytest.param(checks.cgroups, (), (), id="no control group"),
    ],
)
def test_what_is_taken(check, value, understood):
    assert check("x", value) == understood


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        pytest.param(
            checks.LOST_PROBES.check,
            127,
            "x: 127 is above 126 (one less than TCP_KEEPCNT takes). Write a whole number from 0 to 126.",
            id="as many lost probes as there are",
        ),
        pytest.param(
            checks.IPVS_SECONDS.check,
            0,
            "x: 0 is below 1 (a timeout has at least one second). Write a whole number from 1 to 2147483.",
            id="no IPVS timeout",
        ),
        pytest.param(
            checks.IPVS_SECONDS.check,
            2147484,
            "x: 2147484 is above 2147483 (what every kernel takes for an IPVS timeout, in seconds). Write a whole "
            "number from 1 to 2147483.",
            id="too long an IPVS timeout",
        ),
        pytest.param(
            checks.Choice(("0", "1")).check, True, "x: True is not one of 0, 1. Write one of them.", id="a flag"
        ),
        pytest.param(
            checks.flag,
            2,
            "x: 2 is neither true nor false. Write one of them, or leave it out for its default.",
            id="a number for a flag",
        ),
        pytest.param(
            checks.path,
            "x.conf",
            "x: 'x.conf' is not the absolute path of a configuration file. Write a path such as "
            "/etc/sysctl.d/k8s.conf.",
            id="a relative path",
        ),
        pytest.param(checks.sysctl_values, [1], MAPPING, id="a list of sysctls"),
        pytest.param(checks.timeouts, [1], MAPPING, id="a list of timeouts"),
        pytest.param(checks.timeouts, "tcp", f"x: 'tcp'{NO_PAIRS}", id="text without a value"),
        pytest.param(checks.timeouts, "tcp=", f"x: 'tcp='{NO_PAIRS}", id="text with an empty value"),
        pytest.param(checks.timeouts, "=900", f"x: '=900'{NO_PAIRS}", id="text without a name"),
        pytest.param(checks.timeouts, "tcp=900,", f"x: 'tcp=900,'{NO_PAIRS}", id="text with a comma at its end"),
        pytest.param(checks.timeouts, "tcp=9,tcp=8", f"x: 'tcp=9,tcp=8'{NO_PAIRS}", id="text with a name twice"),
        pytest.param(checks.timeouts, '{"tcp": 9}', "x: '{\"tcp\": 9}'" + NO_PAIRS, id="JSON"),
        pytest.param(
            checks.sysctl_values,
            {"bad key": 1},
            "x: 'bad key' is not the name of a setting below /proc/sys (no leading / or -, no .., no pattern). Write a "
            "name such as net.ipv4.tcp_keepalive_time.",
            id="what a node would refuse as a name",
        ),
        pytest.param(
            checks.sysctl_values,
            {"a.b": True},
            "x: a.b: True is bool, expected text or a whole number. Write what the kernel takes, in quotes.",
            id="a flag for a sysctl",
        ),
        pytest.param(
            checks.sysctl_values,
            {"a.b": " "},
            "x: a.b: ' ' is empty or has a line break or control character. Write one line of text.",
            id="nothing for a sysctl",
        ),
        pytest.param(
            checks.sysctl_values,
            {"net/ipv4/tcp_keepalive_intvl": 75},
            "x: net.ipv4.tcp_keepalive_intvl is planned, not a further key. Write keepalive_intvl: 75 instead.",
            id="a keepalive sysctl in another spelling",
        ),
        pytest.param(
            checks.timeouts, {"tpc": 1}, "x: tpc is not an IPVS timeout. Did you mean tcp?", id="a misspelt timeout"
        ),
        pytest.param(
            checks.timeouts,
            {"tcp": "0"},
            "x: tcp 0 means 'keep' to the kernel, not a timeout. Leave tcp out to keep it.",
            id="0 for a timeout",
        ),
        pytest.param(
            checks.power_of_two,
            33000,
            "x: 33000 is no power of two (the kernel rounds up). Write 65536.",
            id="no power of two",
        ),
        pytest.param(
            checks.power_of_two,
            -1,
            "x: -1 is below 0 (which turns it off). Write a whole number from 0 to 536870912.",
            id="fewer than no flow entries",
        ),
        pytest.param(checks.ports, [0], f"x: 0 is below 1 (TCP has no port below). {PORTS}", id="port 0"),
        pytest.param(checks.ports, "22,", f"x: '' is not a whole number. {PORTS}", id="ports with a comma at the end"),
        pytest.param(checks.ports, [65536], f"x: 65536 is above 65535 (the highest TCP port). {PORTS}", id="no port"),
        pytest.param(
            checks.ports,
            list(range(1, 258)),
            "x: 257 ports, at most 256 can be told apart at each new connection. Exclude the control groups of the "
            "programs instead (keepalive_enforce_exclude_cgroups).",
            id="more ports than a node takes",
        ),
        pytest.param(checks.ports, [True], f"x: True is not a whole number. {PORTS}", id="a flag for a port"),
        pytest.param(
            checks.ports,
            {22: 1},
            "x: {22: 1} is not a list. Write one, for example [22, 2379].",
            id="a mapping of ports",
        ),
        *(
            pytest.param(checks.cgroups, [path], f"x: {path!r}{NO_GROUP}", id=what)
            for path, what in (
                ("system.slice", "a relative control group"),
                ("/a/../b", "a control group above"),
                ("/a//b", "a control group with an empty part"),
                ("/a\n", "a control group with a line break"),
                ("/", "the root itself"),
                ("", "an empty control group"),
                (7, "a number for a control group"),
            )
        ),
        pytest.param(
            checks.cgroups,
            ["/" + "a" * 4095],
            f"x: {'/' + 'a' * 39!r}... is longer than any path (4095 bytes). Shorten it.",
            id="an endless control group",
        ),
    ],
)
def test_what_is_refused(check, value, message):
    with pytest.raises(PlanError) as refused:
        check("x", value)
    assert str(refused.value) == message


def test_a_row_of_the_table_says_its_default_its_type_and_its_choices():
    rows = [
        ("mode", str, checks.option("str", "auto", checks.Choice(("auto", "off")), "How.")),
        ("more", dict, checks.option("dict", {}, checks.sysctl_values, "What else.")),
    ]
    table = make_dataclass("Table", rows)
    mode, more = (each.metadata["option"] for each in fields(table))
    assert (mode.type, mode.about, mode.choices, mode.check("x", "off")) == ("str", "How.", ("auto", "off"), "off")
    assert (more.type, more.choices, more.check("x", {"a/b": 1})) == ("dict", None, {"a.b": "1"})
    assert (table().mode, table().more) == ("auto", {})
    assert table().more is not table().more
