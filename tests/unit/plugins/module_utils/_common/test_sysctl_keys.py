# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common import sysctl_keys

SPELLINGS = [
    pytest.param("net.ipv4.ip_forward", "net.ipv4.ip_forward", "net/ipv4/ip_forward", id="dots"),
    pytest.param("net/ipv4/ip_forward", "net.ipv4.ip_forward", "net/ipv4/ip_forward", id="slashes"),
    pytest.param(
        "net/ipv4/conf/eth0.100/rp_filter",
        "net.ipv4.conf.eth0/100.rp_filter",
        "net/ipv4/conf/eth0.100/rp_filter",
        id="slashes and an interface name with a dot",
    ),
    pytest.param(
        "net.ipv4.conf.eth0/100.rp_filter",
        "net.ipv4.conf.eth0/100.rp_filter",
        "net/ipv4/conf/eth0.100/rp_filter",
        id="dots and a slash for the dot of an interface name",
    ),
    pytest.param("/net/ipv4//ip_forward/", "net.ipv4.ip_forward", "net/ipv4/ip_forward", id="needless slashes"),
    pytest.param("net..ipv4.ip_forward", "net.ipv4.ip_forward", "net/ipv4/ip_forward", id="a dot twice"),
    pytest.param("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.*.rp_filter", "net/ipv4/conf/*/rp_filter", id="a pattern"),
]


@pytest.mark.parametrize(("name", "dotted", "path"), SPELLINGS)
def test_every_spelling_means_one_key_and_one_file(name, dotted, path):
    assert sysctl_keys.canonical(name) == dotted
    assert sysctl_keys.sysctl_path(name) == "/proc/sys/" + path


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="nothing"),
        pytest.param("...", id="only separators"),
        pytest.param("net/../../etc/passwd", id="a way up with slashes"),
        pytest.param("net.//.//.passwd", id="a way up with dots"),
        pytest.param("net/./x", id="the folder itself"),
        pytest.param("net.ipv4\0.x", id="a NUL byte"),
    ],
)
def test_a_name_that_is_no_path_below_proc_sys_is_refused(name):
    with pytest.raises(ValueError, match="is not a path below /proc/sys") as caught:
        sysctl_keys.sysctl_path(name)
    assert str(caught.value) == (
        f"sysctl name: {name!r} is not a path below /proc/sys. Use a name such as net.ipv4.tcp_keepalive_time."
    )


@pytest.mark.parametrize(
    ("name", "module"),
    [
        pytest.param("net.ipv4.tcp_keepalive_time", None, id="TCP is always there"),
        pytest.param("net.ipv4.vs.conntrack", "ip_vs", id="vs needs ip_vs"),
        pytest.param("net/ipv4/vs/run_estimation", "ip_vs", id="an unmanaged vs key with slashes"),
        pytest.param("net.bridge.bridge-nf-call-arptables", "br_netfilter", id="bridge needs br_netfilter"),
        pytest.param("net.netfilter.nf_conntrack_buckets", "nf_conntrack", id="conntrack needs nf_conntrack"),
        pytest.param("net.nf_conntrack_max", "nf_conntrack", id="the old name of nf_conntrack_max"),
        pytest.param("net.netfilter.nf_log.0", None, id="packet logging is there without conntrack"),
        pytest.param("net.ipv4.vsx", None, id="only whole components count"),
    ],
)
def test_module_for(name, module):
    assert sysctl_keys.module_for(name) == module


def test_every_managed_key_says_its_module_and_is_canonical():
    for name, key in sysctl_keys.KEYS.items():
        assert key.name == name == sysctl_keys.canonical(name)
        assert key.module in (None, *sysctl_keys.MODULES)
        assert key.module == sysctl_keys.module_for(name)


# Nothing directly below /proc/sys has a dot in its name; there it could not be told from a separator.
PARTS = st.lists(st.text("abcz_019.-", min_size=1).filter(lambda part: part not in (".", "..")))


@given(PARTS)
def test_a_path_below_proc_sys_comes_back_from_its_dotted_name(parts):
    path = "/".join(["net", *parts])
    assert sysctl_keys.sysctl_path(sysctl_keys.canonical(path)) == "/proc/sys/" + path


@given(st.sampled_from(["net.", "net/"]), st.text())
def test_the_canonical_name_of_a_canonical_name_is_itself(start, text):
    once = sysctl_keys.canonical(start + text)
    assert sysctl_keys.canonical(once) == once
    assert sysctl_keys.components(once) == sysctl_keys.components(start + text)


def test_further_keys_are_known_by_their_dotted_names_and_secrets_are_not():
    names = ["net/core/somaxconn", "net.bridge.x", "net.ipv4.ip_forward", "net.ipv4.tcp_fastopen_key"]
    keys = sysctl_keys.with_further([*names, "net.ipv6.conf.eth0/1.stable_secret"])
    assert {name: keys[name] for name in keys.keys() - sysctl_keys.KEYS.keys()} == {
        "net.core.somaxconn": ("net.core.somaxconn", None, None),
        "net.bridge.x": ("net.bridge.x", "br_netfilter", None),
    }
    with pytest.raises(ValueError, match="is not a path below /proc/sys"):
        sysctl_keys.with_further(["net.ipv4/..//x\0"])
