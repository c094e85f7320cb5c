# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""default_sysctls in CRI-O's files. Where the Python has a parser of TOML, it must read the same."""

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files import crio_conf
from ansible_collections.kubenode.connections.plugins.module_utils._files.crio_conf import Source

try:
    import tomllib
except ImportError:
    tomllib = None

PATH = "/etc/crio/crio.conf.d/10-crio.conf"
MINIKUBE = """\
[crio.image]
signature_policy = "/etc/crio/policy.json"
pause_image = "registry.k8s.io/pause:3.10"

[crio.runtime]
cgroup_manager = "cgroupfs"
default_sysctls = [
  "net.ipv4.ip_unprivileged_port_start=0", # low ports
]
allowed_unsafe = ["a=b"]
"""


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        pytest.param(MINIKUBE, ["net.ipv4.ip_unprivileged_port_start=0"], id="a list over several lines"),
        pytest.param('[crio.runtime]\ndefault_sysctls = ["a=1", "b=2"]\n', ["a=1", "b=2"], id="a list in one line"),
        pytest.param("[crio.runtime]\ndefault_sysctls=['a=1',]", ["a=1"], id="literal strings, and no line end"),
        pytest.param(
            '[ crio . "runtime" ]\r\n"default_sysctls" = [\r\n]\r\n', [], id="quoted names, nothing in the list"
        ),
        pytest.param('[crio]\nruntime.default_sysctls = ["a=\\u0031"]\n', ["a=1"], id="a dotted name, and an escape"),
        pytest.param('crio.runtime.default_sysctls = ["a=1"]\n[other]\n', ["a=1"], id="the whole name at the top"),
        pytest.param(
            '[crio.runtime]\ndefault_sysctls = [ # why\n "a=#1"  # so\n , "b=]" ]\n',
            ["a=#1", "b=]"],
            id="comments between, and their signs in the text",
        ),
        pytest.param('[crio.runtime]\n# default_sysctls = ["a=1"]\n', None, id="a comment, as the package brings it"),
        pytest.param('[crio.other]\ndefault_sysctls = ["a=1"]\n', None, id="another table's"),
        pytest.param('[crio.runtime]\nx = 1\n[[a.b]]\ndefault_sysctls = ["a=1"]\n', None, id="behind a list of tables"),
        pytest.param("", None, id="an empty file"),
    ],
)
def test_what_a_file_sets(text, entries):
    found = crio_conf.read_entries(text.encode(), PATH)
    assert found == (None if entries is None else Source(PATH, tuple(entries)))
    if tomllib is not None:
        runtime = tomllib.loads(text).get("crio", {}).get("runtime", {})
        assert runtime.get("default_sysctls") == entries


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('default_sysctls = "a=1"', id="no list"),
        pytest.param("default_sysctls = [1]", id="no strings"),
        pytest.param('default_sysctls = ["a=1" "b=2"]', id="no comma"),
        pytest.param('default_sysctls = ["a=1",', id="no end"),
        pytest.param('default_sysctls = ["\\q"]', id="an escape that there is not"),
        pytest.param('x = {default_env = ["TOKEN=s3cr3t"], default_sysctls = ["a=1"]}', id="an inline table"),
    ],
)
def test_what_is_not_understood_is_refused(line):
    with pytest.raises(NodeError) as error:
        crio_conf.read_entries(f"[crio.runtime]\n{line}\n".encode(), PATH)
    assert str(error.value) == (
        f"{PATH}:2: default_sysctls is not a list of strings below [crio.runtime], which is expected (crio.conf(5)). "
        "Write it that way, so that it can be kept."
    )


def test_half_a_surrogate_pair_is_no_text():
    with pytest.raises(NodeError, match=":2: default_sysctls is not a list of strings"):
        crio_conf.read_entries(b'[crio.runtime]\ndefault_sysctls = ["a=\\ud800"]\n', PATH)


def test_the_entries_of_the_last_file_before_ours_are_kept_but_for_our_keys():
    sources = [Source("/a", ("x=1",)), Source("/b", ("net.a=1", "net.b=2"))]
    entries, kept = crio_conf.merged(sources, {"net.b": "3", "net.c": "4"})
    assert (entries, kept) == (["net.a=1", "net.b=3", "net.c=4"], sources[1])


def test_ours_alone_where_no_file_sets_any():
    assert crio_conf.merged([], {"net.b": "3"}) == (["net.b=3"], None)


def test_the_file_that_is_written_reads_as_it_was_meant():
    entries = ["net.a=1 2", "net.a=\N{GRINNING FACE} é", "net.ipv4.tcp_keepalive_time=600"]
    data = crio_conf.drop_in(entries, Source("/b", ("net.a=1 2",)))
    assert data.decode() == (
        "# Written by the Ansible module kubenode.connections.pod_sysctls.\n"
        "# This list stands for the one of /b, whose other entries it repeats.\n"
        '[crio.runtime]\ndefault_sysctls = [\n    "net.a=1 2",\n    "net.a=\N{GRINNING FACE} é",\n'
        '    "net.ipv4.tcp_keepalive_time=600",\n]\n'
    )
    assert crio_conf.read_entries(data, PATH) == Source(PATH, tuple(entries))
    if tomllib is not None:
        assert tomllib.loads(data.decode()) == {"crio": {"runtime": {"default_sysctls": entries}}}
