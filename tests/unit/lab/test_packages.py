# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirrors and kernels are read out of apt's own texts."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.lab.vm.packages import (
    TRANSPORT,
    Mirrors,
    find_mirrors,
    newest_kernel,
    parse_stanzas,
)

DEB822 = """\
Types: deb
# http://snapshot.example.org/archive/debian/20250520T000000Z
URIs: http://mirror.example.org/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example.org/debian-security
Suites: bookworm-security
Components: main
"""
ONE_LINE = """\
# deb http://old.example.org/debian bullseye main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example.org/debian trixie main
deb-src http://source.example.org/debian trixie main
deb http://security.example.org/debian-security trixie-security main
"""
OTHERS = """\
deb https://packages.example.org/apt cloud-sdk-bookworm main
deb http://archive.example.org/ubuntu noble main
"""
BOTH = Mirrors("http://mirror.example.org/debian", "http://security.example.org/debian-security")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param([DEB822], BOTH, id="stanzas name both mirrors"),
        pytest.param([ONE_LINE], BOTH, id="lines name both mirrors; comments and source lines do not count"),
        pytest.param([OTHERS, DEB822], BOTH, id="other archives are passed over"),
        pytest.param([OTHERS], None, id="a machine without Debian sources has no mirror"),
        pytest.param(
            [DEB822.replace("Types: deb\n", "Types: deb-src\n")], None, id="source packages alone are no mirror"
        ),
        pytest.param(
            [DEB822.replace("Components", "Enabled: no\nComponents")], None, id="disabled stanzas do not count"
        ),
        pytest.param(
            ["deb http://one.example.org/debian sid main"],
            Mirrors("http://one.example.org/debian", "http://one.example.org/debian-security"),
            id="the security archive is beside the main one when nothing names it",
        ),
    ],
)
def test_mirrors(texts: list[str], expected: Mirrors | None) -> None:
    assert find_mirrors(texts) == expected


@pytest.mark.parametrize(
    ("suite", "address"),
    [
        ("bookworm-backports", BOTH.main),
        ("bullseye-security", BOTH.security),
    ],
)
def test_a_suite_comes_from_its_archive(suite: str, address: str) -> None:
    assert BOTH.line(suite) == (
        f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {address} {suite} main"
    )


def test_stanzas_leave_out_continuation_lines_and_comments() -> None:
    text = "Package: a\n# no\nDescription: short\n long: text\n\n\nPackage: b\nVersion: 1:2\n"
    assert list(parse_stanzas(text)) == [
        {"Package": "a", "Description": "short"},
        {"Package": "b", "Version": "1:2"},
    ]


IMAGE = "linux-image-{}-cloud-amd64".format
SPLIT = [f"linux-{part}-7.2.12+deb13-cloud-amd64" for part in ("image", "binary", "modules", "base")]


@pytest.mark.parametrize(
    ("names", "series", "expected"),
    [
        pytest.param([IMAGE("6.1.0-9"), IMAGE("6.1.0-56")], "6.1", [IMAGE("6.1.0-56")], id="56 is newer than 9"),
        pytest.param(
            [IMAGE("6.12.90+deb12"), IMAGE("6.12.90+deb12.1")],
            "6.12",
            [IMAGE("6.12.90+deb12.1")],
            id="a rebuild is newer",
        ),
        pytest.param([IMAGE("6.12.9+deb12")], "6.1", [], id="6.12 is not of the series 6.1"),
        pytest.param(
            [
                IMAGE("6.1"),
                "linux-image-cloud-amd64",
                IMAGE("6.1.0-56") + "-unsigned",
                IMAGE("6.1.0-56") + "-dbg",
                "linux-image-6.1.0-56-amd64",
            ],
            "6.1",
            [],
            id="names without release, unsigned ones, other flavours and debug symbols do not count",
        ),
        pytest.param(
            [*reversed(SPLIT), "linux-headers-7.2.12+deb13-cloud-amd64"],
            "7.2",
            SPLIT,
            id="a split kernel brings all its parts, image first",
        ),
    ],
)
def test_the_newest_kernel_of_a_series(names: list[str], series: str, expected: list[str]) -> None:
    packages = [{"Package": name, "Version": "1"} for name in names]
    assert [package["Package"] for package in newest_kernel(packages, series)] == expected


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('Acquire::http::Proxy "http://proxy.example.org:3128";', True),
        ('Acquire::Check-Valid-Until "false";', True),
        ('Acquire::IndexTargets::deb::Packages::MetaKey "x";', False),
        ('APT::Update::Post-Invoke:: "rm";', False),
    ],
)
def test_only_transport_settings_reach_the_guest_s_installation(line: str, kept: bool) -> None:
    assert bool(TRANSPORT.match(line)) is kept
