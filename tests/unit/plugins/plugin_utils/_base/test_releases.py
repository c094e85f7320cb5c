# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import releases
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import (
    FIXED,
    UNFIXED,
    UNKNOWN,
    WITHOUT,
    kube_proxy_forces_reuse_off,
    reuse_delay,
    version,
)


@pytest.mark.parametrize(
    ("release", "numbers"),
    [
        pytest.param("6.1.0-56-cloud-amd64", (6, 1, 0), id="Debian"),
        pytest.param("4.18.0-553.el8_10.x86_64", (4, 18, 0), id="RHEL"),
        pytest.param("7.2-rc3", (7, 2, 0), id="a release candidate"),
        pytest.param("5.15.133.1-microsoft-standard-WSL2", (5, 15, 133), id="four numbers"),
        pytest.param("", None, id="nothing"),
        pytest.param("linux-6.1", None, id="no number in front"),
        pytest.param("6", None, id="one number"),
    ],
)
def test_the_numbers_of_a_release(release, numbers):
    assert version(release) == numbers


@pytest.mark.parametrize(
    ("release", "reads"), [("6.1.0-56-cloud-amd64", True), ("7.2-rc3", True), ("5.15.133", False), ("linux", False)]
)
def test_whether_a_program_can_read_what_a_socket_has(release, reads):
    assert releases.bpf_reads_keepalive(release) is reads


@pytest.mark.parametrize(
    ("release", "delay"),
    [
        pytest.param("4.0.9", WITHOUT, id="before the sysctl"),
        pytest.param("3.10.0-1160.el7.x86_64", WITHOUT, id="a vendor's, before the sysctl"),
        pytest.param("4.1.0", UNFIXED, id="the first with the sysctl"),
        pytest.param("4.19.139", UNFIXED, id="4.19 before its backport"),
        pytest.param("4.19.140", FIXED, id="4.19 with its backport"),
        pytest.param("4.19.325", FIXED, id="4.19 at its end"),
        pytest.param("4.20.17", UNFIXED, id="a series that ended before the fix"),
        pytest.param("5.4.58", UNFIXED, id="5.4 before its backport"),
        pytest.param("5.4.59", FIXED, id="5.4 with its backport"),
        pytest.param("5.4.59-amzn2", FIXED, id="a vendor's 5.4 with its backport"),
        pytest.param("5.6.19", UNFIXED, id="a series between the backports"),
        pytest.param("5.7.15", UNFIXED, id="5.7 before its backport"),
        pytest.param("5.7.16", FIXED, id="5.7 with its backport"),
        pytest.param("5.8.18", UNKNOWN, id="5.8, of which no release note is known"),
        pytest.param("5.8.0", UNFIXED, id="5.8 before any backport"),
        pytest.param("5.9.0", FIXED, id="the fix itself"),
        pytest.param("6.1.0-56-cloud-amd64", FIXED, id="later"),
        pytest.param("5.4.0-42-generic", UNKNOWN, id="Ubuntu counts otherwise"),
        pytest.param("4.19.91-26.an8.x86_64", UNKNOWN, id="a vendor's backport under an older number"),
        pytest.param("", UNKNOWN, id="nothing"),
    ],
)
def test_whether_a_reused_port_is_delayed(release, delay):
    assert reuse_delay(release) == delay


@pytest.mark.parametrize(
    ("release", "kube_proxy", "forced"),
    [
        pytest.param("4.0.9", "v1.20.2", False, id="before the sysctl"),
        pytest.param("4.1.0", "v1.34.2", True, id="the first with it"),
        pytest.param("5.4.59", "v1.34.2", True, id="with a backport all the same"),
        pytest.param("5.8.18", "v1.34.2", True, id="the last before 5.9"),
        pytest.param("5.9.0", "v1.34.2", False, id="5.9"),
        pytest.param("5.9.0", None, False, id="5.9, and nobody knows which kube-proxy"),
        pytest.param("7.2.12", "v1.19.16", True, id="an old kube-proxy on any kernel"),
        pytest.param("7.2.12", "v1.20.14", True, id="the last of 1.20 that does"),
        pytest.param("7.2.12", "v1.20.15", False, id="the first of 1.20 that does not"),
        pytest.param("7.2.12", "v1.21.8", True, id="the last of 1.21 that does"),
        pytest.param("7.2.12", "v1.21.9", False, id="the first of 1.21 that does not"),
        pytest.param("7.2.12", "v1.22.0", False, id="1.22"),
        pytest.param("", "v1.20.2", False, id="nothing"),
    ],
)
def test_when_kube_proxy_writes_0(release, kube_proxy, forced):
    assert kube_proxy_forces_reuse_off(release, kube_proxy) is forced


@pytest.mark.parametrize(
    ("version", "release"),
    [
        pytest.param("v1.31.2", (1, 31, 2), id="a release"),
        pytest.param("1.31.2", (1, 31, 2), id="without the v"),
        pytest.param("v1.34.2+k3s1", (1, 34, 2), id="of a distribution"),
        pytest.param("v1.36.0-alpha.1", (1, 36, 0), id="of before the release"),
        pytest.param("v1.31", None, id="two numbers"),
        pytest.param("v1.31.12345678", None, id="absurd numbers"),
        pytest.param("unknown", None, id="a word"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_the_release_of_a_version(version, release):
    assert releases.release(version) == release


@pytest.mark.parametrize(
    ("version", "raises"),
    [
        pytest.param("v1.22.17", False, id="before 1.23 it writes in either direction"),
        pytest.param("v1.23.0", True, id="from 1.23 on it raises only"),
        pytest.param("v1.28.15", True, id="up to 1.28"),
        pytest.param("v1.29.0", False, id="from 1.29 on it writes in either direction again"),
        pytest.param(None, None, id="nobody knows"),
    ],
)
def test_whether_kube_proxy_only_raises(version, raises):
    assert releases.raises_only(version) is raises


def test_what_is_not_known_is_not_since():
    assert releases.since("v1.36.1", releases.MAX_CAPPED_SINCE)
    assert not releases.since("v1.35.9", releases.MAX_CAPPED_SINCE)
    assert not releases.since(None, releases.MAX_CAPPED_SINCE)


@given(st.text() | st.none())
def test_no_text_makes_it_raise(text):
    releases.raises_only(text)


@pytest.mark.parametrize(
    ("kernel", "defaults"),
    [
        pytest.param("3.10.0-1160.el7.x86_64", ("180", "120"), id="RHEL 7"),
        pytest.param("4.18.0-553.el8_10.x86_64", ("180", "120"), id="RHEL 8"),
        pytest.param("5.0.21", ("180", "120"), id="the last that may have either"),
        pytest.param("5.1.0", ("120",), id="the first that surely has 120"),
        pytest.param("6.12.0-1", ("120",), id="later"),
        pytest.param("?", ("180", "120"), id="not known"),
    ],
)
def test_what_the_timeout_of_udp_streams_begins_with(kernel, defaults):
    assert releases.udp_stream_defaults(kernel) == defaults


@pytest.mark.parametrize(
    ("release", "is_before"), [("v1.17.9", True), ("v1.18.0", False), ("v2.0.0", False), ("", False), (None, False)]
)
def test_before_a_minor_release(release, is_before):
    assert releases.before(release, (1, 18)) is is_before
