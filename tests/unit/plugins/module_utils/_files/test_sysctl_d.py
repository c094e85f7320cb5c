# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctl files of a node, held against what their readers make of them.

The last test runs the real systemd-sysctl and the real ``sysctl --system`` in a namespace of its own, on random files.
"""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._files import sysctl_d
from ansible_collections.kubenode.connections.plugins.module_utils._files.sysctl_d import BootValue
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import write_tree

TIME = "net.ipv4.tcp_keepalive_time"
DOTTED_INTERFACE = "net.ipv4.conf.eth0/100.rp_filter"
SYSTEMD = {"usr/lib/systemd/systemd-sysctl": ""}
NOTHING = BootValue(None, None, None, None)


def boot_value(root, files, key=TIME):
    return sysctl_d.read_boot([key], write_tree(root, files)).values[key]


LINES = [
    pytest.param(b"a.b = 1\n", "assignment", "a.b", "1", id="an assignment"),
    pytest.param(b"a/b=1", "assignment", "a.b", "1", id="slashes, no blanks, no line end"),
    pytest.param(b" \ta.b =  1 2\t3 \r\n", "assignment", "a.b", "1 2\t3", id="blanks around, tabs inside, CRLF"),
    pytest.param(b"a.b = c = d\n", "assignment", "a.b", "c = d", id="the first = separates"),
    pytest.param(b"-a.b = 1\n", "assignment", "a.b", "1", id="errors are ignored"),
    pytest.param(b"- a.b = 1\n", "assignment", "a.b", "1", id="a blank after the dash"),
    pytest.param(b"-a.b\n", "exclude", "a.b", None, id="an exclusion"),
    pytest.param(b"a.*.b = 1\n", "assignment", "a.*.b", "1", id="a pattern"),
    pytest.param(b"a.eth0/100.b = 1\n", "assignment", "a.eth0/100.b", "1", id="a dotted interface name"),
    pytest.param(b"a/eth0.100/b = 1\n", "assignment", "a.eth0/100.b", "1", id="the same with slashes"),
    pytest.param("# für\n".encode("latin-1"), "comment", None, None, id="a comment in Latin-1"),
    pytest.param(b"  ; note\n", "comment", None, None, id="a comment with a semicolon"),
    pytest.param(b"#" * (2 << 20), "comment", None, None, id="a comment of 2 MiB"),
    pytest.param(b" \t\r\n", "blank", None, None, id="a blank line"),
]


@pytest.mark.parametrize(("raw", "kind", "key", "value"), LINES)
def test_a_line_is_understood(raw, kind, key, value):
    assert list(sysctl_d.parse_lines(raw)) == [sysctl_d.Line(1, raw, kind, key, value, None)]


USELESS = [
    pytest.param(b"net.ipv4.ip_forward 1\n", "the line has no =", id="no equals sign"),
    pytest.param(b"= 1\n", "the line has no name before =", id="no name"),
    pytest.param(b"-\n", "the line has no name", id="a dash alone"),
    pytest.param(b"a.b\0 = 1\n", "the line has a NUL byte", id="a NUL byte"),
    pytest.param(b"a.b = f\xfcr\n", "the line is not UTF-8 (byte 8)", id="bad UTF-8"),
    pytest.param(b"x" * 1000000, "the line has 1000000 bytes, a setting at most 65536", id="a line of 1 MB"),
]


@pytest.mark.parametrize(("raw", "what"), USELESS)
def test_a_useless_line_is_a_problem_and_the_rest_still_counts(tmp_path, raw, what):
    data = b"\n" + raw.rstrip(b"\n") + b"\n" + TIME.encode() + b" = 600\n"
    root = write_tree(tmp_path, dict(SYSTEMD, **{"etc/sysctl.d/a.conf": data}))
    assert sysctl_d.read_boot([TIME], root) == sysctl_d.Boot(
        {TIME: BootValue("600", "/etc/sysctl.d/a.conf", 3, None)}, [Problem("/etc/sysctl.d/a.conf", 2, what)]
    )


def test_an_assignment_of_nothing_undoes_the_one_before_and_is_a_problem(tmp_path):
    root = write_tree(tmp_path, dict(SYSTEMD, **{"etc/sysctl.d/a.conf": TIME + " = 600\n" + TIME + " =\n"}))
    boot = sysctl_d.read_boot([TIME], root)
    assert boot.values[TIME] == BootValue(None, None, None, "600")
    assert boot.problems == [Problem("/etc/sysctl.d/a.conf", 2, "the line has no value after =")]


def test_systemd_sysctl_gives_up_a_file_after_a_line_of_1_mib_and_procps_does_not(tmp_path):
    data = b"#" * (1 << 20) + b"\n" + TIME.encode() + b" = 600\n"
    assert boot_value(tmp_path, dict(SYSTEMD, **{"etc/sysctl.d/a.conf": data})) == BootValue(None, None, None, "600")


A, B = "etc/sysctl.d/a.conf", "etc/sysctl.d/b.conf"
TREES = [
    pytest.param({}, NOTHING, id="no directory at all"),
    pytest.param({A: TIME + "=600"}, BootValue("600", "/" + A, 1, None), id="one file"),
    pytest.param({A: TIME + "=1\n" + TIME + "=2"}, BootValue("2", "/" + A, 2, None), id="the last line of a file wins"),
    pytest.param({A: TIME + "=1", B: TIME + "=2"}, BootValue("2", "/" + B, 1, None), id="the last file by name wins"),
    pytest.param(
        {"usr/lib/sysctl.d/z.conf": TIME + "=1", A: TIME + "=2"},
        BootValue("1", "/usr/lib/sysctl.d/z.conf", 1, None),
        id="the name decides, not the directory",
    ),
    pytest.param(
        {A: TIME + "=1", "run/sysctl.d/a.conf": TIME + "=2", "usr/lib/sysctl.d/a.conf": TIME + "=3"},
        BootValue("1", "/" + A, 1, None),
        id="of files with one name that in /etc counts",
    ),
    pytest.param(
        {"usr/local/lib/sysctl.d/a.conf": TIME + "=1", "run/sysctl.d/a.conf": TIME + "=2"},
        BootValue("2", "/run/sysctl.d/a.conf", 1, None),
        id="and /run comes before /usr/local/lib",
    ),
    pytest.param(
        {"lib/sysctl.d/a.conf": TIME + "=1"},
        BootValue("1", "/lib/sysctl.d/a.conf", 1, None),
        id="/lib counts where it is a directory of its own",
    ),
    pytest.param(
        {"usr/lib/sysctl.d/a.conf": TIME + "=1", "lib": "-> usr/lib"},
        BootValue("1", "/usr/lib/sysctl.d/a.conf", 1, None),
        id="/lib is /usr/lib where it is a link",
    ),
    pytest.param(
        {"usr/lib/sysctl.d/a.conf": TIME + "=1", A: "-> /dev/null"}, NOTHING, id="a link to /dev/null masks a file"
    ),
    pytest.param({"usr/lib/sysctl.d/a.conf": TIME + "=1", A: ""}, NOTHING, id="an empty file masks a file"),
    pytest.param({"usr/lib/sysctl.d/a.conf": TIME + "=1", A: "-> gone"}, NOTHING, id="a link to nowhere masks a file"),
    pytest.param(
        {"etc/sysctl.d/a.conf.bak": TIME + "=1", "etc/sysctl.d/.a.conf": TIME + "=2"}, NOTHING, id="other names"
    ),
    pytest.param(
        {"etc/sysctl.conf": TIME + "=1"}, BootValue(None, None, None, "1"), id="only procps reads /etc/sysctl.conf"
    ),
    pytest.param(
        {"etc/sysctl.conf": TIME + "=1", "etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf"},
        BootValue("1", "/etc/sysctl.d/99-sysctl.conf", 1, None),
        id="unless a link in sysctl.d names it",
    ),
    pytest.param(
        {"etc/sysctl.conf": TIME + "=1", A: TIME + "=2"},
        BootValue("2", "/" + A, 1, "1"),
        id="procps reads it last and gets another value",
    ),
    pytest.param({A: TIME + " = 1 \t 2"}, BootValue("1", "/" + A, 1, None, "1 2"), id="what follows is ignored"),
    pytest.param({A: TIME + " = 600;"}, BootValue(None, "/" + A, 1, None, "600;"), id="the kernel refuses it"),
    pytest.param({A: TIME + ' = "600"'}, BootValue(None, "/" + A, 1, None, '"600"'), id="quotes are refused"),
    pytest.param({A: TIME + " = 0600"}, BootValue("384", "/" + A, 1, None, "0600"), id="an octal number"),
    pytest.param({A: TIME + " = 0x258"}, BootValue("600", "/" + A, 1, None), id="a hexadecimal number"),
    pytest.param(
        {A: TIME + "=1", B: TIME + "=10m"},
        BootValue(None, "/" + B, 1, "1", "10m"),
        id="a refused line wins all the same",
    ),
    pytest.param(
        {A: "net.ipv4.tcp_*_time=1", B: "net.ipv4.tcp_keepalive_*=1e3"},
        BootValue("1", "/" + A, 1, None),
        id="a refused pattern does not",
    ),
    pytest.param(
        {A: "net/ipv4/tcp_keepalive_time=1"}, BootValue("1", "/" + A, 1, None), id="slashes name the same key"
    ),
    pytest.param({A: "-" + TIME + "=1"}, BootValue("1", "/" + A, 1, None), id="a dash only ignores errors"),
    pytest.param({A: "net.ipv4.tcp_keepalive_*=1"}, BootValue("1", "/" + A, 1, None), id="a pattern sets a key"),
    pytest.param({A: "net.*.*=2\nnet.*=1"}, BootValue("2", "/" + A, 1, None), id="a star stops at a separator"),
    pytest.param(
        {A: TIME + "=1", B: "net.ipv4.*=2"}, BootValue("1", "/" + A, 1, None), id="the key beats a later pattern"
    ),
    pytest.param({A: "net.ipv4.*=1\n-" + TIME}, NOTHING, id="an excluded key is left alone by patterns"),
    pytest.param(
        {A: "net.ipv4.*=1\nnet.ipv4.tcp_*=2\nnet.ipv4.*=3"},
        BootValue("3", "/" + A, 3, None),
        id="a pattern with another value counts as new",
    ),
    pytest.param(
        {A: "net.ipv4.tcp_keepalive_[^ip]*=1"}, BootValue("1", "/" + A, 1, None), id="a pattern of other letters"
    ),
    pytest.param(
        {A: "net.ipv4.*=1\nnet.ipv4.tcp_*=2\nnet.ipv4.*=1"},
        BootValue("2", "/" + A, 2, "1"),
        id="the same pattern with the same value stays where it was, with systemd",
    ),
    pytest.param(
        {A: TIME + "=1\n-" + TIME},
        BootValue(None, None, None, "1"),
        id="an exclusion cancels an assignment, with systemd",
    ),
    pytest.param(
        {A: "net.ipv4.*=1\n-net.ipv4.tcp_*"},
        BootValue("1", "/" + A, 1, None),
        id="an excluding pattern excludes nothing, with systemd",
    ),
]


@pytest.mark.parametrize(("files", "expected"), TREES)
def test_what_a_key_is_at_boot(tmp_path, files, expected):
    assert boot_value(tmp_path, dict(files, **SYSTEMD)) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"etc/sysctl.conf": TIME + "=1", A: TIME + "=2"}, "1", id="sysctl.conf comes last"),
        pytest.param({A: TIME + "=1\n-" + TIME}, "1", id="an exclusion does not cancel an assignment"),
        pytest.param({A: "net.ipv4.*=1\n-" + TIME}, None, id="an excluded key is left alone by patterns"),
        pytest.param({A: TIME + "=1\n" + TIME + "=\n"}, "1", id="an assignment of nothing changes nothing"),
    ],
)
def test_where_systemd_sysctl_is_not_installed_procps_decides(tmp_path, files, expected):
    value = boot_value(tmp_path, files)
    assert (value.value, value.procps_value) == (expected, None)


@pytest.mark.parametrize("name", ["net/ipv4/conf/eth0.100/rp_filter", "net.ipv4.conf.eth0/100.rp_filter"])
def test_both_spellings_of_a_dotted_interface_name_set_its_key(tmp_path, name):
    assert boot_value(tmp_path, dict(SYSTEMD, **{A: name + "=2"}), DOTTED_INTERFACE).value == "2"


def test_a_star_covers_a_dotted_interface_name(tmp_path):
    assert boot_value(tmp_path, dict(SYSTEMD, **{A: "net.ipv4.conf.*.rp_filter=2"}), DOTTED_INTERFACE).value == "2"


def test_a_directory_among_the_files_is_a_problem(tmp_path):
    (tmp_path / A).mkdir(parents=True)
    boot = sysctl_d.read_boot([TIME], str(tmp_path))
    assert boot.problems == [Problem("/" + A, 0, "it is a directory, not a plain file")]


@given(st.binary())
def test_no_bytes_make_the_parser_raise_or_lose_any(data):
    lines = list(sysctl_d.parse_lines(data))
    assert b"".join(line.raw for line in lines) == data
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))


BLANKS = st.text(" \t", max_size=2)
NAMES = st.lists(st.text("abcxyz_019-*", min_size=1), min_size=1, max_size=4).map(
    lambda parts: "net." + ".".join(parts)
)
VALUES = st.text("abc019 \t=#;.", min_size=1).map(str.strip).filter(bool)


@given(NAMES, VALUES, st.booleans(), BLANKS, BLANKS, BLANKS, st.sampled_from(["", "\n", "\r\n"]))
def test_a_written_assignment_is_read_again(name, value, dash, before, around, after, end):
    raw = "".join([before, "-" if dash else "", name, around, "=", around, value, after, end]).encode()
    (line,) = sysctl_d.parse_lines(raw)
    assert line == sysctl_d.Line(1, raw, "assignment", name, value, None)


# The keys of a new network namespace, each with a value of its own that no line below sets.
LIVE = {
    TIME: "7200",
    "net.ipv4.tcp_keepalive_intvl": "75",
    "net.ipv4.tcp_fin_timeout": "60",
    "net.ipv4.conf.a/b.tag": "0",
}
READERS = {"systemd": ["/usr/lib/systemd/systemd-sysctl"], "procps": ["/usr/sbin/sysctl", "--system"]}
SCRIPT = r"""
set -e
root=$1; shift
mount --rbind /usr "$root/usr"
for dir in lib/sysctl.d local/lib; do mount --bind "$root/files/usr/$dir" "$root/usr/$dir"; done
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
ip link add a.b type veth peer name c
echo 0 >/proc/sys/net/ipv4/conf/a.b/tag # once set, conf/default no longer changes it
chroot "$root" "$@" >/dev/null 2>&1 || true
for key in net/ipv4/tcp_keepalive_time net/ipv4/tcp_keepalive_intvl net/ipv4/tcp_fin_timeout net/ipv4/conf/a.b/tag; do
  cat "/proc/sys/$key"
done
"""
"""Only keys of the namespace can be written: the files name no other, and outside of net they could not."""


def read_for_real(base, files, command):
    """What the real reader makes of the files in a new network and mount namespace: the values of the LIVE keys."""
    for name in ("usr", "proc", "dev", "etc/sysctl.d", "run", "files/usr/lib/sysctl.d", "files/usr/local/lib/sysctl.d"):
        (base / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        if os.path.islink("/" + name):
            (base / name).symlink_to("usr/" + name)
    write_tree(base, {("files/" + name if name.startswith("usr/") else name): text for name, text in files.items()})
    return run("unshare", "-mn", "sh", "-c", SCRIPT, "sh", str(base), *command).split("\n")


def assert_real_reader_agrees(tmp_path_factory, reader, files):
    assert os.path.exists(READERS[reader][0]), "needs the Debian packages systemd and procps"
    root = write_tree(tmp_path_factory.mktemp("model"), dict(files, **(SYSTEMD if reader == "systemd" else {})))
    ours = [sysctl_d.read_boot([key], root).values[key].value or LIVE[key] for key in LIVE]
    assert ours == read_for_real(tmp_path_factory.mktemp("real"), files, READERS[reader])


STRANGE = [
    *(pytest.param(row.values[0], id=row.id) for row in USELESS),
    pytest.param(b"#" * ((1 << 20) - 1), id="a comment one byte short of 1 MiB"),
    pytest.param(b"#" * (1 << 20), id="a comment of 1 MiB"),
    pytest.param(b"net.ipv4.tcp_fin_timeout =", id="an assignment of nothing"),
    pytest.param("# für".encode("latin-1"), id="a comment in Latin-1"),
]


@pytest.mark.parametrize("reader", sorted(READERS))
@pytest.mark.parametrize("raw", STRANGE)
def test_the_real_reader_makes_the_same_of_a_file_with_a_strange_line(tmp_path_factory, reader, raw):
    data = b"net.ipv4.tcp_fin_timeout = 61\n" + raw.rstrip(b"\n") + b"\n" + TIME.encode() + b" = 600\n"
    assert_real_reader_agrees(tmp_path_factory, reader, {A: data})


PATTERNS = [
    "net.ipv4.*",
    "net.ipv4.tcp_*",
    "net/ipv4/tcp_keepalive_[it]*",
    "net.ipv4.tcp_[^k]*",
    "net.*.tcp_?*_t*",
    "net.ipv4.conf.*.tag",
]
SPELLED = [*LIVE, *PATTERNS, "net/ipv4/tcp_keepalive_time", "net/ipv4/conf/a.b/tag"]
ODD = ["98;", '"98"', "98 # note", "98#note", "98\t97", "98,", "+98", "0x62", "0142", "098", "98s", "1e2", "4294967297"]
RANDOM_LINES = st.one_of(
    st.builds("{}{} = {}".format, st.sampled_from(["", "-"]), st.sampled_from(SPELLED), st.integers(100, 103)),
    st.builds("-{}".format, st.sampled_from(SPELLED)),
    st.builds("{} =".format, st.sampled_from(list(LIVE))),
    st.builds("net.ipv4.tcp_keepalive_{} = {}".format, st.sampled_from(["time", "intvl"]), st.sampled_from(ODD)),
    st.sampled_from(["# net.ipv4.tcp_keepalive_time = 99", "; x", "", "net.ipv4.tcp_keepalive_time 99"]),
)
RANDOM_FILES = st.dictionaries(
    st.sampled_from(
        [A, B, "run/sysctl.d/a.conf", "usr/lib/sysctl.d/b.conf", "usr/local/lib/sysctl.d/c.conf", "etc/sysctl.conf"]
    ),
    st.lists(RANDOM_LINES, max_size=5).map("\n".join),
    min_size=1,
)


@pytest.mark.parametrize("reader", sorted(READERS))
@settings(max_examples=30)
@given(files=RANDOM_FILES)
def test_the_real_reader_makes_the_same_of_random_files(tmp_path_factory, reader, files):
    assert_real_reader_agrees(tmp_path_factory, reader, files)
