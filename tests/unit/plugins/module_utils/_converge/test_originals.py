# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common import rps_rules
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import Timeouts
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import (
    MAX_BYTES,
    NOTHING,
    PATH,
    FileRecord,
    LiveRecord,
    Originals,
    dump,
    parse,
)
from ansible_collections.kubenode.connections.plugins.module_utils._files import enforce_unit, ipvs_unit
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls import methods

texts = st.text(max_size=8)
names = st.text("ab_", min_size=1, max_size=4)
sysctl_names = st.lists(names, min_size=2, max_size=3).map(".".join)
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
UNIT = ipvs_unit.PATH
namespaces = st.builds("{} {}{}".format, st.uuids(), st.sampled_from(["", "inode "]), st.integers(0, (1 << 64) - 1))
processes = st.builds("{} {} {}".format, st.uuids(), st.integers(1, 1 << 22), st.integers(0, 1 << 63))


def file_records(kind):
    return st.builds(
        FileRecord,
        st.just(kind),
        st.one_of(st.none(), st.binary(max_size=20)),
        st.lists(texts, max_size=2).map(tuple),
        st.dictionaries(texts, st.lists(texts, min_size=1, max_size=2).map(tuple), max_size=2),
        st.one_of(st.none(), st.just(""), processes),
    )


NOWHERE = st.none()


def live(names, values, where=NOWHERE):
    known = st.lists(values, min_size=1, max_size=2).map(tuple)
    return st.dictionaries(names, st.builds(LiveRecord, st.one_of(st.none(), values), known, where), max_size=2)


files = st.one_of(
    st.dictionaries(
        paths, st.one_of(file_records("sysctls"), file_records("modules"), file_records("cni")), max_size=2
    ),
    st.dictionaries(st.just(UNIT), file_records("whole")),
    st.dictionaries(st.sampled_from([enforce_unit.PATH, enforce_unit.SCRIPT]), file_records("whole")),
    st.dictionaries(st.sampled_from([ipvs_unit.LINK, enforce_unit.LINK]), file_records("link")),
    st.dictionaries(paths.map(lambda path: f"{path}/{methods.DROP_IN}"), file_records("pods")),
)
keepalives = st.builds(Keepalive, st.integers(1, 32767), st.integers(1, 32767), st.integers(1, 127))
enforcements = st.builds(
    Enforcement,
    keepalives,
    st.lists(st.integers(1, 65535), max_size=2).map(tuple),
    st.lists(paths, max_size=2).map(tuple),
)
originals = st.builds(
    Originals,
    files,
    live(sysctl_names, st.text("0123456789 \t-az", max_size=20)),
    live(st.sampled_from(Timeouts._fields), st.integers(0, 2147483)),
    st.lists(paths).map(tuple),
    live(st.just("/sys/class/net/eth0/queues/rx-0/rps_cpus"), st.text("0123456789abcdef,", min_size=1)),
    live(st.uuids().map(str), st.just("7200/75/9"), st.one_of(st.none(), namespaces)),
    live(st.just("nspawn-web"), st.just("7200/75/9"), st.one_of(st.none(), namespaces)),
    live(st.sampled_from(["/run/docker/netns/ingress_sbox tcp", "docker-" + "5c" * 32 + " udp"]), st.integers(0, 900)),
    st.one_of(st.none(), enforcements),
    st.lists(keepalives, max_size=4).map(tuple),
    st.one_of(st.none(), st.from_regex(r"[0-9]{1,15}-[0-9a-f]{8,32}", fullmatch=True)),
)


@given(originals)
def test_what_is_kept_comes_back_as_it_was(kept):
    nothing = kept._replace(plan_id=None) == NOTHING
    assert parse(dump(kept)) == (NOTHING if nothing else kept)


def test_a_byte_that_a_disk_flips_is_refused_or_changes_nothing():
    kept = NOTHING._replace(
        files={"/etc/sysctl.d/k8s.conf": FileRecord("sysctls", b"# mine\n", ("5c",), {"net.a": ("600",)})},
        sysctls={"net.a": LiveRecord("7200", ("600",))},
    )
    data, believed = dump(kept), []
    for place, bit in ((place, bit) for place in range(len(data)) for bit in range(8)):
        flipped = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        try:
            if parse(flipped) != kept:
                believed.append((place, flipped))
        except NodeError:
            pass
    assert believed == []


def test_a_record_of_the_first_releases_has_no_hash_and_is_taken_over():
    kept = NOTHING._replace(sysctls={"net.a": LiveRecord("7200", ("600",))})
    document = json.loads(dump(kept))
    del document["sha256"]
    assert parse(json.dumps(document).encode()) == kept


def test_nothing_to_keep_is_no_file():
    assert dump(NOTHING) is None
    assert parse(None) == NOTHING


def broken(**changes):
    document = {"version": 1, "files": {}, "sysctls": {}, "ipvs_timeouts": {}, "directories": [], "rps": {}, "pods": {}}
    document.update(changes)
    return json.dumps({name: value for name, value in document.items() if value is not KeyError}).encode()


RECORD = {"kind": "sysctls", "original": None, "hashes": [], "ours": {}}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "Expecting value: line 1 column 1 (char 0)", id="an empty file"),
        pytest.param(b'{"version": 1,', "Expecting property name", id="a file cut off"),
        pytest.param(b"\xff", "'utf-8' codec can't decode byte 0xff in position 0", id="bytes that are no text"),
        pytest.param(broken(version=2), "it has version 2, expected 1", id="a later version"),
        pytest.param(broken(lost=1), "'lost' in it is not known here: a newer", id="a part that no release had"),
        pytest.param(broken(sha256="0"), "its sha256 is not that of its contents", id="changed since it was written"),
        pytest.param(
            broken(rearmed=["0/30/9"]),
            "0/30/9 is no keepalive that open connections are given here",
            id="a keepalive that no run gives",
        ),
        pytest.param(broken(rearmed=["600/30"]), "not enough values to unpack", id="no keepalive"),
        pytest.param(broken(rearmed=["600/30/9"] * 5), "5 keepalives of open connections are in it", id="too many"),
        pytest.param(broken(plan_id="1-x"), "'1-x' is no ID of a plan", id="no plan"),
        pytest.param(broken(plan_id=1), "1 is not of type str", id="a number for a plan"),
        pytest.param(broken(files=KeyError), "it lacks 'files'", id="a part is missing"),
        pytest.param(broken(files=[]), "'list' object has no attribute 'items'", id="a list for a table"),
        pytest.param(b"[]", "list indices must be integers", id="a list for the whole"),
        pytest.param(
            broken(files={"/f": dict(RECORD, kind="exec")}), "a file of kind 'exec' is not known", id="an unknown kind"
        ),
        pytest.param(
            broken(files={"/f": dict(RECORD, original="%%")}),
            "base64",
            id="contents that are no base64",
        ),
        pytest.param(
            broken(sysctls={"a.b": {"original": 7, "ours": []}}), "7 is not of type str", id="a number for a sysctl"
        ),
        pytest.param(
            broken(ipvs_timeouts={"tcp": {"original": True, "ours": []}}),
            "True is not of type int",
            id="true for seconds",
        ),
    ],
)
def test_a_file_that_is_not_ours_is_refused(data, why):
    with pytest.raises(NodeError) as error:
        parse(data)
    message = str(error.value)
    assert message.startswith(PATH + ": the record of what this node had before the first run cannot be used (")
    assert why in message
    assert message.endswith(
        "). Put the file back from a backup; or move it away, then what the node has now counts as original."
    )


LIVE = {"original": "1", "ours": ["2"]}
IPVS = {"original": 900, "ours": [8284]}
QUEUE = "/sys/class/net/eth0/queues/rx-0/rps_cpus"
STRANGE = [
    ("a file below /proc", {"files": {"/proc/sys/kernel/core_pattern": RECORD}}, "no file that is written here"),
    ("a file below //dev", {"files": {"//dev/sda": RECORD}}, "no file that is written here"),
    ("a path with ..", {"files": {"/etc/sysctl.d/../shadow": RECORD}}, "no file that is written here"),
    ("a relative path", {"files": {"etc/shadow": RECORD}}, "no file that is written here"),
    ("a path with a line break", {"files": {"/etc/a\nb": RECORD}}, "no file that is written here"),
    ("a path that is not UTF-8", {"files": {"/etc/a\udcff": RECORD}}, "no file that is written here"),
    ("no path", {"files": {"": RECORD}}, "no file that is written here"),
    ("the root", {"files": {"/": RECORD}}, "no file that is written here"),
    ("a whole file elsewhere", {"files": {"/etc/shadow": dict(RECORD, kind="whole")}}, "(kind whole)"),
    ("a link elsewhere", {"files": {"/etc/shadow": dict(RECORD, kind="link")}}, "(kind link)"),
    ("a drop-in of another name", {"files": {"/etc/crio/crio.conf": dict(RECORD, kind="pods")}}, "(kind pods)"),
    ("a key without a value", {"files": {"/etc/f": dict(RECORD, ours={"a.b": []})}}, "without a value"),
    ("text for a process", {"files": {"/etc/f": dict(RECORD, unread_by="a\nb")}}, "where a process is expected"),
    ("a number for a process", {"files": {"/etc/f": dict(RECORD, unread_by=1)}}, "1 is not of type str"),
    ("a directory with ..", {"directories": ["/etc/../var"]}, "no directory that is made here"),
    ("a directory of the kernel", {"directories": ["/sys/fs/cgroup/x"]}, "no directory that is made here"),
    ("a sysctl above /proc/sys", {"sysctls": {"net/../../self/mem": LIVE}}, "is no sysctl"),
    ("a sysctl in another spelling", {"sysctls": {"net/ipv4/tcp_keepalive_time": LIVE}}, "is no sysctl"),
    ("a sysctl without a dot", {"sysctls": {"kernel": LIVE}}, "is no sysctl"),
    ("a value of two lines", {"sysctls": {"a.b": dict(LIVE, original="1\n2")}}, "is none of a sysctl"),
    ("a live value that was never set", {"sysctls": {"a.b": dict(LIVE, ours=[])}}, "no value that was set here"),
    ("a queue elsewhere", {"rps": {"/etc/shadow": LIVE}}, "is no setting of a receive queue"),
    ("a queue by ..", {"rps": {QUEUE.replace("eth0", ".."): LIVE}}, "is no setting of a receive queue"),
    ("a file beside the queue's", {"rps": {QUEUE[:-8] + "uevent": LIVE}}, "is no setting of a receive queue"),
    ("text for a mask", {"rps": {QUEUE: dict(LIVE, original="x")}}, "is none of a setting"),
    ("a pod's UID with a slash", {"pods": {"../x": LIVE}}, "is no pod"),
    ("a container's ID with a slash", {"containers": {"docker-../x": LIVE}}, "is no container"),
    ("text for a pod's namespace", {"pods": {"1-2": dict(LIVE, namespace="x")}}, "a network namespace is expected"),
    ("a number for it", {"pods": {"1-2": dict(LIVE, namespace=1)}}, "1 is not of type str"),
    ("text for a container's keepalive", {"containers": {"lxc-web": dict(LIVE, original="1 2")}}, "is none of a cont"),
    ("a namespace elsewhere", {"namespace_ipvs_timeouts": {"/etc/x tcp": IPVS}}, "is no IPVS timeout"),
    ("a namespace with no timeout", {"namespace_ipvs_timeouts": {"/run/netns/vpn": IPVS}}, "is no IPVS timeout"),
    ("text for a pod's keepalive", {"pods": {"1-2": dict(LIVE, original="1 2")}}, "is none of a pod"),
    ("a timeout that IPVS has not", {"ipvs_timeouts": {"sctp": {"original": 1, "ours": [2]}}}, "no IPVS timeout"),
    ("seconds below 0", {"ipvs_timeouts": {"tcp": {"original": -1, "ours": [2]}}}, "no IPVS timeout"),
    ("seconds that no int holds", {"ipvs_timeouts": {"tcp": {"original": 1 << 31, "ours": [2]}}}, "no IPVS timeout"),
    ("a number of 5,000 digits", {"ipvs_timeouts": {"tcp": {"original": 1, "ours": [7]}}}, "5000 digits"),
]


@pytest.mark.parametrize(("parts", "why"), [pytest.param(*row[1:], id=row[0]) for row in STRANGE])
def test_a_record_of_what_no_run_writes_is_refused(parts, why):
    data = broken(**parts)
    if "digits" in why:
        data = data.replace(b"7", b"9" * 5000)
    with pytest.raises(NodeError) as error:
        parse(data)
    assert why in str(error.value)
    assert len(str(error.value)) < 600


def test_a_record_that_nests_without_end_is_refused():
    with pytest.raises(NodeError, match="cannot be used"):
        parse(b'{"version": 1, "files": ' + b"[" * 200000 + b"]" * 200000 + b"}")


def test_what_is_in_a_record_does_not_stand_in_messages():
    secret = "c2VjcmV0" * 1000
    with pytest.raises(NodeError) as error:
        parse(broken(files={"/f": dict(RECORD, original=[secret])}))
    assert len(str(error.value)) < 400


def test_what_could_not_be_read_again_is_not_written():
    for strange in (
        NOTHING._replace(files={"/etc/a\udcff": FileRecord("sysctls", None, (), {})}),
        NOTHING._replace(files={"/etc/a": FileRecord("sysctls", b"x" * MAX_BYTES, (), {})}),
    ):
        with pytest.raises(NodeError, match="what this node has cannot be recorded"):
            dump(strange)


def test_the_files_that_are_known_are_those_that_are_written():
    for path, kind in ((UNIT, "whole"), (rps_rules.PATH, "whole"), (ipvs_unit.LINK, "link")):
        kept = NOTHING._replace(files={path: FileRecord(kind, None, (), {})})
        assert parse(dump(kept)) == kept
