# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""keepalived's configuration in real files below a directory of their own."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import find
from ansible_collections.kubenode.connections.plugins.module_utils._observe.other_writers import keepalived, summary
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    ALL_RIGHTS,
    run_without_rights,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    elf,
    needs_x86,
    running,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    put as small_program,
)

HOST = os.uname().nodename.split(".")[0]
SERVICE = "virtual_server 10.0.0.100 443 {\n    lb_algo rr\n    real_server 10.0.0.7 443 {\n    }\n}\n"

# In the words of the sample that the package brings.
SAMPLE = """\
! Configuration File for keepalived

global_defs {
   notification_email {
     sysadmin@firewall.loc
   }
   smtp_server 192.168.200.1
   router_id LVS_DEVEL
   lvs_timeouts tcp 7200 tcpfin 60 udp 30   # as the load balancer in front
}

vrrp_instance VI_1 {
    state MASTER
    virtual_ipaddress {
        192.168.200.16
    }
}

"""


def node(tmp_path, config, program="Keepalived v2.2.7 (", **files):
    """A node with keepalived enabled, its configuration and further files by name."""
    root = str(tmp_path)
    put(root, "/usr/sbin/keepalived", f"\x7fELF\0usage\0{program}10/19,2019)\0")
    put(root, "/etc/systemd/system/multi-user.target.wants/keepalived.service", "[Service]\n")
    put(root, keepalived.CONFIG, config)
    for name, text in files.items():
        put(root, f"/etc/keepalived/{name}.conf", text)
    return root


def put(root, path, text):
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    with open(root + path, "wb") as handle:
        handle.write(text if isinstance(text, bytes) else text.encode())


def read(root):
    found, problems = keepalived.read(root)
    return found and (found.file, found.line, found.timeouts), problems


def defs(*lines):
    return "global_defs {\n" + "".join(f"    {line}\n" for line in lines) + "}\n" + SERVICE


CONFIGS = [
    pytest.param(SAMPLE + SERVICE, 9, {"tcp": 7200, "tcpfin": 60, "udp": 30}, id="the packaged sample, with timeouts"),
    pytest.param(defs("lvs_timeouts tcp 600"), 2, {"tcp": 600}, id="one timeout"),
    pytest.param(defs("lvs_timeouts udp 9 tcp 600"), 2, {"tcp": 600, "udp": 9}, id="another order"),
    pytest.param("global_defs\n{\nlvs_timeouts tcp 600\n}\n" + SERVICE, 3, {"tcp": 600}, id="a brace of its own line"),
    pytest.param(
        defs("lvs_timeouts tcp 600 udp 5", "lvs_timeouts tcp 700"), 3, {"tcp": 700, "udp": 5}, id="the last one counts"
    ),
    pytest.param(defs("lvs_timeouts tcp 0 tcpfin 30"), 2, {"tcpfin": 30}, id="0 leaves a timeout alone"),
    pytest.param(defs("lvs_timeouts tcp never tcpfin 30 udp -1"), 2, {"tcpfin": 30}, id="what keepalived ignores"),
    pytest.param(defs("lvs_timeouts tcp 2678401 udp 2678400"), 2, {"udp": 2678400}, id="more than 31 days"),
    pytest.param(
        defs(f"@{HOST} lvs_timeouts tcp 800", "@other lvs_timeouts tcp 700", "@^other lvs_timeouts udp 60"),
        4,
        {"tcp": 800, "udp": 60},
        id="conditions on the node's name",
    ),
    pytest.param(
        "$BLOCK= \\\n global_defs { \\\n lvs_timeouts tcp 1 \\\n }\n" + defs("lvs_timeouts tcp 600"),
        6,
        {"tcp": 600},
        id="a definition of several lines is skipped",
    ),
    pytest.param(
        "@other $BLOCK= \\\n global_defs { \\\n lvs_timeouts udp 1 \\\n }\n" + defs("lvs_timeouts tcp 600"),
        6,
        {"tcp": 600},
        id="so is one whose condition does not hold",
    ),
    pytest.param(
        "$VIP=10.0.0.9\nvrrp_instance X {\n$ADDRESSES\nstate $STATE\n}\n" + defs("lvs_timeouts tcp 600"),
        7,
        {"tcp": 600},
        id="parameters that cannot set them",
    ),
    pytest.param(defs('router_id "a { b"', "lvs_timeouts tcp 600"), 3, {"tcp": 600}, id="a brace in quotes"),
    pytest.param(defs("router_id x # {", "lvs_timeouts tcp 600"), 3, {"tcp": 600}, id="a brace in a comment"),
]


@pytest.mark.parametrize(("config", "line", "timeouts"), CONFIGS)
def test_the_timeouts_that_keepalived_sets(tmp_path, config, line, timeouts):
    assert read(node(tmp_path, config)) == ((keepalived.CONFIG, line, timeouts), [])


NOTHING = [
    pytest.param(SAMPLE, id="no virtual server: its LVS process does not run"),
    pytest.param(SERVICE, id="no timeouts"),
    pytest.param("", id="an empty file"),
    pytest.param(defs("! lvs_timeouts tcp 600", "# lvs_timeouts tcp 600"), id="comments"),
    pytest.param(defs("lvs_timeouts tcp"), id="no value"),
    pytest.param(
        "$B= \\\n ! \\\n global_defs { \\\n lvs_timeouts tcp 1 \\\n }\n" + SERVICE,
        id="in a definition that nobody uses",
    ),
    pytest.param(defs() + "vrrp_instance X {\nlvs_timeouts tcp 600\n}\n", id="in another block"),
    pytest.param(defs("notification_email {", "lvs_timeouts tcp 600", "}"), id="in a block of global_defs"),
]


@pytest.mark.parametrize("config", NOTHING)
def test_keepalived_leaves_the_timeouts_alone(tmp_path, config):
    assert read(node(tmp_path, config)) == (None, [])


UNKNOWN = [
    pytest.param("$TCP=900\n" + defs("lvs_timeouts tcp $TCP"), 3, "$TCP", id="a timeout"),
    pytest.param(defs("lvs_timeouts tcp ${TCP}"), 2, "${TCP}", id="a timeout in braces"),
    pytest.param("$B= \\\n lvs_timeouts tcp 1 \\\n\n" + defs("$B"), 5, "$B", id="lines of global_defs"),
    pytest.param("$BLOCK\n" + SERVICE, 1, "$BLOCK", id="whole blocks"),
    pytest.param("~SEQ(i,1,5) virtual_server 10.0.0.$i 80 {\n}\n", 1, "~SEQ(i,1,5)", id="blocks of a sequence"),
    pytest.param(f"@{HOST} include servers.conf\n", 1, "include", id="a file behind a condition"),
]


@pytest.mark.parametrize(("config", "line", "word"), UNKNOWN)
def test_what_stands_for_other_text_and_may_set_them_is_said(tmp_path, config, line, word):
    what = f"{word!r} stands for text that is not looked up, which may set the IPVS timeouts"
    assert read(node(tmp_path, config)) == (None, [Problem(keepalived.CONFIG, line, what)])


SYNC = "lvs_sync_daemon eth0 VI_1"
SYNCS = defs("lvs_timeouts tcp 600", SYNC)[: -len(SERVICE)]
RELEASES = [
    pytest.param("Keepalived v2.1.3 (", defs("lvs_timeouts tcp 600"), None, id="2.1.3 with a virtual server"),
    pytest.param("Keepalived v1.3.5 (", defs("lvs_timeouts tcp 600"), None, id="1.3.5, as CentOS 7 has it"),
    pytest.param(
        "Keepalived v2.0.19 (",
        SYNCS,
        {"tcp": 600},
        id="2.0.19 that syncs",
    ),
    pytest.param("Keepalived v2.1.4 (", defs("lvs_timeouts tcp 600"), {"tcp": 600}, id="2.1.4 with a virtual server"),
    pytest.param("Keepalived v2.3.1 (", SYNCS, None, id="2.3.1 that syncs only"),
    pytest.param("no version (", defs("lvs_timeouts tcp 600", SYNC), {"tcp": 600}, id="any release with both"),
    pytest.param("no version (", SAMPLE, None, id="any release with neither"),
]


@pytest.mark.parametrize(("program", "config", "timeouts"), RELEASES)
def test_whether_the_timeouts_count_depends_on_the_release(tmp_path, program, config, timeouts):
    found, problems = keepalived.read(node(tmp_path, config, program))
    assert (found and found.timeouts, problems) == (timeouts, [])


def test_a_program_that_does_not_tell_its_release_is_said(tmp_path):
    found, problems = keepalived.read(node(tmp_path, defs("lvs_timeouts tcp 600"), "no version ("))
    assert found.timeouts == {"tcp": 600}
    assert [(problem.file, problem.what) for problem in problems] == [
        (
            "/usr/sbin/keepalived",
            "which keepalived it is cannot be told: before 2.1.4 lvs_timeouts count only with lvs_sync_daemon",
        )
    ]


STARTED = [
    pytest.param(["-D", "-f", "/etc/keepalived/lb.conf"], {"tcp": 600}, id="a file"),
    pytest.param(["-nlf/etc/keepalived/lb.conf"], {"tcp": 600}, id="in one word with others"),
    pytest.param(["--use-file=/etc/keepalived/lb.conf", "-i", "b"], {"tcp": 700}, id="and an id for conditions"),
    pytest.param(["-S", "f", "--use-file", "/etc/keepalived/lb.conf"], {"tcp": 600}, id="after another option"),
    pytest.param(["-g/var/log/f", "-p", "/run/f.pid"], {"tcp": 1}, id="no file"),
]


@needs_x86
@pytest.mark.parametrize(("arguments", "timeouts"), STARTED)
@isolated
def test_what_a_running_one_was_started_with_counts(tmp_path, arguments, timeouts):
    lb = defs("lvs_timeouts tcp 600", "@b lvs_timeouts tcp 700")
    root = node(tmp_path, defs("lvs_timeouts tcp 1"), lb=lb)
    os.unlink(f"{root}/etc/systemd/system/multi-user.target.wants/keepalived.service")
    put(root, "/run/root/keepalived", "Keepalived v2.2.7 (")
    assert keepalived.read(root, None) == (None, [])
    with running(small_program("/run/root/keepalived", elf()), *arguments):
        found, problems = keepalived.read(root, find(summary.WANTED[0]).process)
    assert (found.timeouts, problems) == (timeouts, [])


@needs_x86
@isolated
def test_a_file_that_is_no_whole_path_is_said(tmp_path):
    with running(small_program("/run/root/keepalived", elf()), "-f", "lb.conf"):
        found, problems = keepalived.read(node(tmp_path, ""), find(summary.WANTED[0]).process)
    assert found is None
    assert problems == [Problem(keepalived.CONFIG, 0, "keepalived was started with 'lb.conf', which is no whole path")]


def test_included_files_count_in_their_place(tmp_path):
    root = node(
        tmp_path,
        "global_defs {\n    include global.conf\n}\ninclude services/*.conf\n",
        **{"global": "lvs_timeouts tcp 500\n", "services/a": "! nothing\n", "services/b": "include ../service.conf\n"},
        service=SERVICE,
    )
    assert read(root) == (("/etc/keepalived/global.conf", 1, {"tcp": 500}), [])


def test_files_that_include_each_other_come_to_an_end(tmp_path):
    root = node(tmp_path, "include a.conf\n" * 10 + defs("lvs_timeouts tcp 600"), a="include keepalived.conf\n")
    found, problems = read(root)
    assert found == (keepalived.CONFIG, 12, {"tcp": 600})
    assert [problem.what for problem in problems] == [
        "the configuration has more than 200 files or 4194304 bytes, the rest was not read"
    ]


@pytest.mark.parametrize("pattern", ["{a,b}.conf", "$DIR/a.conf", "*/*/a.conf", "a\0b"])
def test_a_pattern_that_is_not_understood_is_said(tmp_path, pattern):
    found, problems = read(node(tmp_path, defs("lvs_timeouts tcp 600") + f"include {pattern}\n"))
    assert found == (keepalived.CONFIG, 2, {"tcp": 600})
    assert problems == [Problem(keepalived.CONFIG, 9, f"the pattern {pattern!r} is not understood")]


def test_what_is_no_file_is_said_and_not_opened(tmp_path):
    root = node(tmp_path, "include pipe\ninclude gone.conf\n" + defs("lvs_timeouts tcp 600"))
    os.mkfifo(root + "/etc/keepalived/pipe")
    assert read(root) == (
        (keepalived.CONFIG, 4, {"tcp": 600}),
        [Problem("/etc/keepalived/pipe", 0, "it is a FIFO, not a plain file")],
    )


def test_where_keepalived_is_not_installed_or_never_starts_its_file_does_not_count(tmp_path):
    root = node(tmp_path, defs("lvs_timeouts tcp 600"))
    os.remove(root + "/etc/systemd/system/multi-user.target.wants/keepalived.service")
    assert read(root) == (None, [])
    put(root, "/run/keepalived.pid", "812\n")
    assert read(root)[0] is not None
    os.remove(root + "/usr/sbin/keepalived")
    assert read(root) == (None, [])


def test_an_endless_file_is_cut(tmp_path):
    root = node(tmp_path, defs("lvs_timeouts tcp 600") + f"#{'x' * 1022}\n" * (5 << 10))
    assert read(root)[0] == (keepalived.CONFIG, 2, {"tcp": 600})


WORDS = ["global_defs", "{", "}", "lvs_timeouts", "tcp", "900", "virtual_server", "include ", "include *", "@x", "@^"]
PIECES = st.sampled_from(
    [*WORDS, "\n", " ", '"', "$A=", "$A", "${A}", "$", "\\\n", "#", "!", "\0", "\xff", "{\n", "}\n"]
)


@given(st.lists(PIECES, max_size=40).map("".join) | st.text())
def test_no_file_makes_the_parser_raise(text):
    lines = [keepalived._Line("x", number, line) for number, line in enumerate(text.split("\n"), 1)]
    found = keepalived.parse(keepalived._that_hold(lines, "x"), [])
    assert found.timeouts is None or found.timeouts.timeouts


@given(st.binary())
def test_no_bytes_make_the_reader_raise(tmp_path_factory, data):
    keepalived.read(node(tmp_path_factory.mktemp("node"), data + b"\ninclude " + data))


def test_what_may_not_be_read_is_said(tmp_path):
    root = node(tmp_path, defs("lvs_timeouts tcp 600") + "include a/*.conf\ninclude b.conf\n", **{"a/x": "", "b": ""})
    for name in ("a", "b.conf"):
        os.chmod(f"{root}/etc/keepalived/{name}", 0)
    code = f"found, problems = keepalived.read({root!r})\nprint(found.timeouts, *problems, sep='\\n')"
    assert run_without_rights("_observe.other_writers.keepalived", code).split("\n") == [
        "{'tcp': 600}",
        str(Problem("/etc/keepalived/a", 0, "the folder cannot be read: Permission denied", ALL_RIGHTS)),
        str(Problem("/etc/keepalived/b.conf", 0, "the file cannot be read: Permission denied", ALL_RIGHTS)),
    ]


def test_hidden_files_count_only_where_a_pattern_asks_for_them(tmp_path):
    root = node(tmp_path, "include *.conf\ninclude .*.conf\n" + SERVICE, **{".x": defs("lvs_timeouts tcp 600")})
    os.rename(root + "/etc/keepalived/keepalived.conf", root + "/etc/keepalived/main")
    files = keepalived._Files(root)
    assert [(raw.file, raw.number) for raw in files.lines("/etc/keepalived/main")][:2] == [
        ("/etc/keepalived/.x.conf", 1),
        ("/etc/keepalived/.x.conf", 2),
    ]
    assert files.problems == []
