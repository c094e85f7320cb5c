# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import FIRST_LINE
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_unit import (
    PROGRAM,
    SERVICE_PATH,
    is_there,
    service_text,
    textfile_of,
    timer_text,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    write,
)

FOLDER = "/var/lib/node exporter"


def setting(text, name):
    return [line.partition("=")[2] for line in text.decode().splitlines() if line.startswith(name + "=")]


def test_the_timer_runs_after_boot_and_from_then_on():
    text = timer_text(300)
    assert [setting(text, name) for name in ("OnBootSec", "OnUnitInactiveSec", "RandomizedDelaySec", "WantedBy")] == [
        ["1min"],
        ["300s"],
        ["30s"],
        ["timers.target"],
    ]


def test_without_a_cure_it_may_write_nothing_but_the_metrics():
    text = service_text(FOLDER, False, "/usr/bin/python3")
    assert setting(text, "ExecStart") == [f'/usr/bin/python3 -I {PROGRAM} "{FOLDER}"']
    assert setting(text, "ReadWritePaths") == ['"-/var/lib/node exporter"']
    assert setting(text, "ProtectKernelTunables") == ["yes"]
    assert setting(text, "ProtectSystem") == ["strict"]


def test_with_a_cure_it_may_write_sysctls_and_the_record():
    text = service_text("/run/x", True, "/usr/bin/python3")
    assert setting(text, "ExecStart") == [f"/usr/bin/python3 -I {PROGRAM} --cure /run/x"]
    assert setting(text, "ReadWritePaths") == ["-/run/x -/run -/var/lib/kubenode.connections"]
    assert setting(text, "ProtectKernelTunables") == ["no"]


def test_it_is_bounded():
    text = service_text(FOLDER, False, "/usr/bin/python3")
    bounds = ("TimeoutStartSec", "MemoryMax", "TasksMax", "CPUQuota", "Nice")
    assert [setting(text, name) for name in bounds] == [["120"], ["256M"], ["256"], ["50%"], ["10"]]


@pytest.mark.parametrize("folder", ["/run/x", FOLDER, "/a%b", "/a$b", "/a'b", '/a"b', "/a\\b", "/ä"])
def test_the_folder_for_metrics_is_read_from_it(folder):
    assert textfile_of(service_text(folder, True, "/usr/bin/python3")) == folder


@pytest.mark.parametrize(
    "text", [b"", b"ExecStart=/bin/x /run\n", FIRST_LINE, FIRST_LINE + b'ExecStart=/bin/x "/run\n']
)
def test_of_another_service_it_is_not(text):
    assert textfile_of(text) is None


@isolated
def test_whether_any_of_it_is_there():
    assert is_there() is False
    write(SERVICE_PATH)
    assert is_there() is True
