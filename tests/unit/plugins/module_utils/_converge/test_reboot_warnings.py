# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._converge import reboot_warnings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, write

TIME = "net.ipv4.tcp_keepalive_time"
LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
OURS = "/etc/sysctl.d/k8s.conf"
WISH = Settings(sysctls={TIME: "600"})

LATER = (
    TIME
    + " is 600 now and 7200 after a reboot: {0} comes after /etc/sysctl.d/k8s.conf. Take that line out, or choose a "
    "sysctl_file whose name sorts after it."
)


@pytest.mark.parametrize(
    ("path", "text", "note"),
    [
        pytest.param("/etc/sysctl.d/99-x.conf", "# x\n\n{0}=7200\n", None, id="99 sorts before k8s"),
        pytest.param(
            "/etc/sysctl.d/zz.conf", "# x\n\n{0}=7200\n", LATER.format("/etc/sysctl.d/zz.conf:3"), id="a later name"
        ),
        pytest.param(
            "/run/sysctl.d/zz.conf", "{0}=7200\n", LATER.format("/run/sysctl.d/zz.conf:1"), id="a later name in /run"
        ),
        pytest.param(
            "/etc/sysctl.d/zz.conf", "-{0} = 7200", LATER.format("/etc/sysctl.d/zz.conf:1"), id="a line with a minus"
        ),
        pytest.param("/etc/sysctl.d/zz.conf", "{0}=\t600\n", None, id="a later name with the same value"),
        pytest.param("/etc/sysctl.d/aa.conf", "{0}=7200\n", None, id="an earlier name"),
        pytest.param("/run/sysctl.d/k8s.conf", "{0}=7200\n", None, id="our name in /run, which ours in /etc hides"),
        pytest.param(
            "/etc/sysctl.d/zz.conf", "net.ipv4.tcp_keepalive_*=7200\n", None, id="a pattern gives way to our line"
        ),
        pytest.param(
            "/etc/sysctl.d/zz-\udcff\x1b.conf",
            "{0}=7200\n",
            LATER.format("/etc/sysctl.d/zz-\udcff\x1b.conf:1"),
            id="bytes",
        ),
        pytest.param("/etc/sysctl.d/zz.txt", "{0}=7200\n", None, id="a file that nobody reads"),
    ],
)
@isolated
def test_another_line_that_wins_at_boot_is_named(path, text, note):
    write(path, text.format(TIME).encode())
    expected = [] if note is None else [note]
    assert converge(WISH, True).notes == expected
    assert converge(WISH, False).notes == expected
    assert converge(WISH, False).notes == expected


@isolated
def test_a_file_that_is_not_read_to_its_end_may_set_anything_at_boot():
    path = write("/etc/sysctl.d/zz.conf", b"#" * (1 << 24) + b"\n")
    (note,) = converge(WISH, True).notes
    assert note == (
        f"{path}: the file is longer than 16777216 bytes, the rest was not read, so what it sets at boot is not known. "
        "Look at what fills it, and shorten it."
    )


@isolated
def test_where_nothing_reads_the_file_at_boot():
    path = "/etc/other/k8s.conf"
    assert converge(WISH._replace(sysctl_file=path), True).notes == [
        TIME + " is 600 now and not after a reboot: nothing reads /etc/other/k8s.conf at boot. Choose "
        "/etc/sysctl.d/NAME.conf."
    ]


@isolated
def test_etc_sysctl_conf_is_read_last_where_there_is_no_systemd_sysctl():
    boot = reboot_warnings.BootValue("7200", "/etc/sysctl.conf", 4, None)
    write("/etc/sysctl.conf", b"\n\n\n" + TIME.encode() + b"=7200\n")
    assert reboot_warnings.shadow(TIME, "600", OURS, boot) == LATER.format("/etc/sysctl.conf:4")


@isolated
def test_our_file_outside_etc_is_hidden_by_one_of_its_name_in_etc():
    boot = reboot_warnings.BootValue("7200", write(OURS, TIME.encode() + b"=7200\n"), 1, None)
    assert "comes after /run/sysctl.d/k8s.conf" in reboot_warnings.shadow(TIME, "600", "/run/sysctl.d/k8s.conf", boot)


@isolated
def test_a_key_whose_module_comes_too_late_at_boot(monkeypatch):
    monkeypatch.setattr(reboot_warnings, "module_builtin", lambda _name: False)
    wish = Settings(modules=(), sysctls={LIBERAL: "1"})
    note = (
        LIBERAL + " is 1 now and the kernel's default after a reboot: its module nf_conntrack is not loaded yet when "
        "/etc/sysctl.d/k8s.conf is read. Add nf_conntrack to modules."
    )
    assert converge(wish, True).notes == [note]
    assert converge(wish._replace(modules=("nf_conntrack",)), True).notes == []
    converge(wish._replace(modules=("nf_conntrack",)), False)
    assert converge(Settings(sysctls={LIBERAL: "1"}), False).notes == []
    assert note in converge(wish, False).notes
    write("/etc/modules-load.d/other.conf", b"nf_conntrack\n")
    assert converge(wish, True).notes == []


@isolated
def test_a_module_that_is_built_in_is_never_too_late():
    os.stat("/proc/sys/net/netfilter/nf_conntrack_max")
    builtin = reboot_warnings.module_builtin("nf_conntrack")
    assert bool(converge(Settings(sysctls={LIBERAL: "1"}), True).notes) is not builtin


@isolated
def test_a_module_that_no_longer_loads_at_boot_stays_loaded(monkeypatch):
    monkeypatch.setattr(reboot_warnings, "module_builtin", lambda _name: False)
    converge(Settings(modules=("nf_conntrack", "br_netfilter")), False)
    stays = "kernel module {0} stays loaded until the next boot, since something may use it."
    assert converge(Settings(modules=("nf_conntrack",)), True).notes == [stays.format("br_netfilter")]
    assert converge(NOTHING, False).notes == [stays.format("br_netfilter"), stays.format("nf_conntrack")]
