# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from hypothesis import given

from ansible_collections.kubenode.connections.plugins.module_utils._files.sysctl_editor import (
    MODULES,
    SYSCTLS,
    edit,
    undo,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._sysctl_files import (
    files,
    foreign,
    values,
    wishes,
)

TIME = "net.ipv4.tcp_keepalive_time"
INTVL = "net.ipv4.tcp_keepalive_intvl"
VLAN = "net.ipv4.conf.eth0/100.rp_filter"

EDITS = [
    ("an empty file gets the line", b"", {TIME: "600"}, b"net.ipv4.tcp_keepalive_time = 600\n"),
    (
        "a missing key comes last",
        b"# mine\nvm.x = 1\n",
        {TIME: "600"},
        b"# mine\nvm.x = 1\n" + TIME.encode() + b" = 600\n",
    ),
    ("missing keys keep the order they are given in", b"", {TIME: "6", INTVL: "3"}, b"%b = 6\n%b = 3\n"),
    ("a key that is there is edited where it is", b"%b=7200\nvm.x=1\n", {TIME: "600"}, b"%b=600\nvm.x=1\n"),
    ("its blanks and tabs stay", b" \t%b\t=  7200 \t\n", {TIME: "600"}, b" \t%b\t=  600 \t\n"),
    (
        "the spelling with slashes stays",
        b"net/ipv4/tcp_keepalive_time=1\n",
        {TIME: "6"},
        b"net/ipv4/tcp_keepalive_time=6\n",
    ),
    ("the minus for no error stays", b"-%b = 1\n", {TIME: "6"}, b"-%b = 6\n"),
    ("of duplicates the last is edited, the one that counts", b"%b=1\n%b=2\n", {TIME: "6"}, b"%b=1\n%b=6\n"),
    ("of duplicates none is added when the last is right", b"%b=1\n%b=6\n", {TIME: "6"}, b"%b=1\n%b=6\n"),
    ("a line end of two bytes stays", b"%b=1\r\nvm.x=1\r\n", {TIME: "6"}, b"%b=6\r\nvm.x=1\r\n"),
    ("a new line ends as the others do", b"vm.x=1\r\n", {TIME: "6"}, b"vm.x=1\r\n" + TIME.encode() + b" = 6\r\n"),
    ("a missing final line end stays missing", b"vm.x=1\n%b=1", {TIME: "6"}, b"vm.x=1\n%b=6"),
    (
        "an appended line does not run into the last one",
        b"vm.x=1",
        {TIME: "6"},
        b"vm.x=1\n" + TIME.encode() + b" = 6\n",
    ),
    ("bytes that are not UTF-8 stay", b"# gr\xfc\xdfe\nx=\xff\n%b=1\n", {TIME: "6"}, b"# gr\xfc\xdfe\nx=\xff\n%b=6\n"),
    ("a comment that names the key stays a comment", b"# %b=1\n;%b=2\n", {TIME: "6"}, b"# %b=1\n;%b=2\n%b = 6\n"),
    ("an exclusion is not an assignment", b"-%b\n", {TIME: "6"}, b"-%b\n%b = 6\n"),
    (
        "a pattern is somebody else's line",
        b"net.ipv4.tcp_keepalive_*=9\n",
        {TIME: "6"},
        b"net.ipv4.tcp_keepalive_*=9\n%b = 6\n",
    ),
    ("a value with an equals sign goes as a whole", b"%b = a=b = c\n", {TIME: "6"}, b"%b = 6\n"),
    ("a missing value is filled in", b"%b =\n", {TIME: "6"}, b"%b =6\n"),
    ("what looks like a comment behind a value is part of it", b"%b = 7200 # no\n", {TIME: "6"}, b"%b = 6\n"),
    ("tabs for blanks are no change", b"a.b = 4096\t87380  6291456\n", {"a.b": "4096 87380 6291456"}, None),
    ("a line without an equals sign stays", b"garbage\n%b=1\n", {TIME: "6"}, b"garbage\n%b=6\n"),
    ("a megabyte without a line end stays", b"#" * (1 << 20), {TIME: "6"}, b"#" * (1 << 20) + b"\n%b = 6\n"),
    (
        "a dot in an interface's name: slashes",
        b"net/ipv4/conf/eth0.100/rp_filter=1\n",
        {VLAN: "2"},
        b"net/ipv4/conf/eth0.100/rp_filter=2\n",
    ),
    (
        "a dot in an interface's name: dots",
        b"net.ipv4.conf.eth0/100.rp_filter=1\n",
        {VLAN: "2"},
        b"net.ipv4.conf.eth0/100.rp_filter=2\n",
    ),
    ("nothing wanted changes nothing", b"%b=1", {}, None),
]


def filled(data):
    """The bytes with TIME for the first %b and, where two different keys are meant, INTVL for the second."""
    if data == b"%b = 6\n%b = 3\n":
        return data % (TIME.encode(), INTVL.encode())
    return data.replace(b"%b", TIME.encode())


@pytest.mark.parametrize(("before", "wanted", "after"), [pytest.param(*row[1:], id=row[0]) for row in EDITS])
def test_editing_a_sysctl_file(before, wanted, after):
    before = filled(before)
    assert edit(before, wanted, SYSCTLS) == (before if after is None else filled(after))


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        pytest.param(b"", ["ip_vs"], b"ip_vs\n", id="an empty file gets the line"),
        pytest.param(
            b"overlay\n", ["ip_vs", "br_netfilter"], b"overlay\nip_vs\nbr_netfilter\n", id="new ones come last"
        ),
        pytest.param(b"  br-netfilter\r\n", ["br_netfilter"], b"  br-netfilter\r\n", id="a dash is an underscore"),
        pytest.param(b"#ip_vs\n;ip_vs\n", ["ip_vs"], b"#ip_vs\n;ip_vs\nip_vs\n", id="a comment loads nothing"),
        pytest.param(b"overlay", ["ip_vs"], b"overlay\nip_vs\n", id="no running into the last line"),
        pytest.param(b"\xff\xfe\n", ["ip_vs"], b"\xff\xfe\nip_vs\n", id="bytes that are no text stay"),
    ],
)
def test_editing_a_modules_file(before, wanted, after):
    assert edit(before, dict.fromkeys(wanted, ""), MODULES) == after
    assert edit(after, dict.fromkeys(wanted, ""), MODULES) == after


UNDOS = [
    ("an edited value comes back", b"%b=7200\n", b"%b=600\n", b"%b=7200\n"),
    ("the original's tabs come back", b"%b=1\t2\n", b"%b=600\n", b"%b=1\t2\n"),
    ("an added line goes", b"vm.x=1\n", b"vm.x=1\n%b = 600\n", b"vm.x=1\n"),
    ("an added line goes from between new foreign ones", b"", b"vm.x=1\n%b = 600\nvm.y=1\n", b"vm.x=1\nvm.y=1\n"),
    ("a value that someone else has set since stays", b"%b=7200\n", b"%b=500\n", b"%b=500\n"),
    ("a line that someone else has removed stays away", b"%b=7200\nvm.x=1\n", b"vm.x=1\n", b"vm.x=1\n"),
    ("a foreign line that now comes after ours stays", b"", b"%b = 600\n%b=5\n", b"%b=5\n"),
    ("a spelling that someone else has changed stays", b"%b=7200\n", b"  %b  =\t600 \r\n", b"  %b  =\t7200 \r\n"),
    ("a foreign line that had our value all along stays", b"%b=600\n%b=7200\n", b"%b=600\n", b"%b=600\n"),
]


@pytest.mark.parametrize(("original", "data", "after"), [pytest.param(*row[1:], id=row[0]) for row in UNDOS])
def test_undoing_our_lines(original, data, after):
    assert undo(filled(data), filled(original), {TIME: ["600"]}, SYSCTLS) == filled(after)


@given(files, wishes)
def test_editing_keeps_every_foreign_line_and_its_order(data, wanted):
    assert foreign(edit(data, wanted, SYSCTLS), wanted) == foreign(data, wanted)


@given(files, wishes)
def test_editing_gives_every_wanted_key_its_value(data, wanted):
    after = values(edit(data, wanted, SYSCTLS))
    assert {key: after[key] for key in wanted} == wanted


@given(files, wishes)
def test_editing_twice_is_editing_once(data, wanted):
    once = edit(data, wanted, SYSCTLS)
    assert edit(once, wanted, SYSCTLS) == once


@given(files, wishes)
def test_a_file_that_is_right_keeps_every_byte(data, wanted):
    right = edit(data, wanted, SYSCTLS)
    assert edit(right, values(right), SYSCTLS) == right


@given(files, wishes)
def test_undoing_an_edit_gives_the_bytes_back(data, wanted):
    edited = edit(data, wanted, SYSCTLS)
    ours = {key: [value] for key, value in wanted.items()}
    undone = undo(edited, data, ours, SYSCTLS)
    needs_an_end = data and not data.endswith(b"\n")  # when a line is appended; the whole file comes back by its hash
    assert undone == data or (needs_an_end and undone in (data + b"\n", data + b"\r\n"))
