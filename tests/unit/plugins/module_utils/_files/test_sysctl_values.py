# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel takes of a text, held against the kernel of this machine in a network namespace of its own."""

import json
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._files import sysctl_values
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run

TIME = "net.ipv4.tcp_keepalive_time"
PROBES = "net.ipv4.tcp_keepalive_probes"
RETRIES2 = "net.ipv4.tcp_retries2"
FORWARD = "net.ipv4.ip_forward"

TEXTS = [
    *("600", "600;", '"9"', "'9'", "600 # ten minutes", "600#x", "600\t60", "600,", "+600", "0x258", "0X1f", "1e3"),
    *(
        "0600",
        "08",
        "0o600",
        "0b11",
        "0x",
        "-5",
        "--5",
        "- 5",
        "-0",
        "600 abc",
        "12.5",
        "10m",
        "600s",
        "600\x0b",
        "600\xa0",
    ),
    *("9", "0", "255", "256", "99999999", "2147483647", "2147483648", "99999999999", "18446744073709551617"),
    *("0" * 19 + "9", "0" * 20 + "9", "0" * 30 + "9", "-" + "0" * 18 + "9", "-" + "0" * 19 + "9", "x", "on", "true"),
]

NEWER = tuple(map(int, os.uname().release.split(".")[:2])) >= (5, 13)
"""Only then some keys are bytes."""

SCRIPT = r"""
import json, os, sys
for key, texts in json.loads(sys.argv[1]).items():
    path = "/proc/sys/" + key.replace(".", "/")
    first, found = open(path).read(), []
    for text in texts:
        for written in (first, text + "\n"):
            place = os.open(path, os.O_WRONLY)
            try:
                os.write(place, written.encode())
                now = open(path).read().strip()
            except OSError:
                now = None
            os.close(place)
        found.append(now)
    print(json.dumps(found))
"""


def test_the_kernel_takes_the_same():
    keys = (TIME, PROBES, RETRIES2, FORWARD) if NEWER else (TIME, FORWARD)
    lines = run("unshare", "-n", "python3", "-c", SCRIPT, json.dumps(dict.fromkeys(keys, TEXTS))).splitlines()
    for key, line in zip(keys, lines):
        assert dict(zip(TEXTS, json.loads(line))) == {text: sysctl_values.taken(key, text) for text in TEXTS}, key


SPELLINGS = [
    pytest.param(TIME, "600", True, id="a number"),
    pytest.param(TIME, "-5", True, id="a negative number"),
    pytest.param(TIME, "0x258", True, id="a hexadecimal number"),
    pytest.param(TIME, "0600", False, id="an octal number"),
    pytest.param(TIME, "600 # ten minutes", False, id="a comment behind it"),
    pytest.param(TIME, "600;", False, id="refused"),
    pytest.param("net.ipv4.tcp_rmem", "4096  131072\t33554432", True, id="three numbers of a key that is not known"),
    pytest.param("net.core.default_qdisc", "fq", True, id="a word of a key that is not known"),
]


@pytest.mark.parametrize(("key", "text", "expected"), SPELLINGS)
def test_whether_a_text_means_what_it_says(key, text, expected):
    assert sysctl_values.as_written(key, text) is expected


@pytest.mark.parametrize(
    ("release", "expected"),
    [("5.10.0-46-amd64", "300"), ("3.10.0-1160.el7.x86_64", "300"), ("5.13", None), ("odd", "300")],
)
def test_probes_are_a_byte_on_newer_kernels(release, expected):
    assert sysctl_values.taken(PROBES, "300", release) == expected
