# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.lab.container import image

LISTING = """\
http://deb.debian.org/debian/|bookworm|main|Debian
http://deb.debian.org/debian/|bookworm-updates|main|Debian
http://deb.debian.org/debian-security/|bookworm-security|main|Debian
http://deb.debian.org/debian/|bookworm-backports|main|Debian
http://deb.debian.org/debian/|trixie|main|Debian
https://download.example.org/linux/debian/|bookworm|stable|Example
W: a warning of apt
"""
"""apt-get indextargets on a machine with backports, a pinned later release and another vendor's archive."""


def test_only_the_release_its_updates_and_its_security_updates_are_taken() -> None:
    assert image.source_lines(image.parse_sources(LISTING), codename="bookworm", origin="Debian") == [
        "deb http://deb.debian.org/debian-security/ bookworm-security main",
        "deb http://deb.debian.org/debian/ bookworm main",
        "deb http://deb.debian.org/debian/ bookworm-updates main",
    ]


def test_a_source_that_was_never_fetched_has_no_origin_and_is_taken() -> None:
    fresh = image.parse_sources("http://mirror.example.org/debian/|bookworm|main|\n")
    assert image.source_lines(fresh, codename="bookworm", origin="Debian") == [
        "deb http://mirror.example.org/debian/ bookworm main"
    ]


def test_another_release_comes_from_the_mirrors_of_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_MIRROR", "http://mirror.example.org/debian/")
    monkeypatch.delenv("LAB_SECURITY_MIRROR", raising=False)
    lines = [line.partition("] ")[2] for line in image.debian_sources("bullseye")]
    assert lines == [
        "http://mirror.example.org/debian bullseye main",
        "http://mirror.example.org/debian-security bullseye-security main",
    ]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["trixie", "--include=systemd"], id="another release is another recipe"),
        pytest.param(["bookworm", "--include=systemd,sudo"], id="one more package is another recipe"),
    ],
)
def test_recipe_changes_with_what_the_image_is_made_of(options: list[str]) -> None:
    known = image.recipe(["bookworm", "--include=systemd"])
    assert image.recipe(["bookworm", "--include=systemd"]) == known
    assert image.recipe(options) != known


def test_missing_programs_are_named_with_the_line_that_installs_them() -> None:
    absent = image.missing({"sh": "dash", "no-such-program": "two one", "neither-this": "two"})
    assert image.complaint(*absent) == (
        "Programs of the container lab: no-such-program, neither-this missing. "
        "Run: sudo apt-get -o DPkg::Lock::Timeout=600 install --yes --no-install-recommends one two"
    )
