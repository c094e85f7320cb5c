# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages through a private apt: the machine's own mirror, other suites, nothing installed, nothing changed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .config import LabError, cache
from .tools import run

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITE = re.compile(r"^(bullseye|bookworm|trixie|forky|sid|unstable|testing|stable|oldstable|oldoldstable)(-security)?$")
ONE_LINE = re.compile(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)")
TRANSPORT = re.compile(r"^Acquire::(?:https?|Check-|Retries|Languages)")

Package = dict[str, str]


@dataclass(frozen=True)
class Mirrors:
    """Addresses of a Debian archive and of its security archive."""

    main: str
    security: str

    def line(self, suite: str) -> str:
        """The sources.list line of a suite."""
        address = self.security if suite.endswith("-security") else self.main
        return f"deb [signed-by={KEYRING}] {address} {suite} main"


def find_mirrors(texts: Iterable[str]) -> Mirrors | None:
    """Debian's mirrors in the texts of apt's source files (both formats); None where they name no Debian suite."""
    found: dict[bool, str] = {}
    for text in texts:
        for address, suite in _sources(text):
            match = SUITE.match(suite.split("/")[0])
            if match:
                found.setdefault(bool(match[2]), address.rstrip("/"))
    if False not in found:
        return None
    return Mirrors(found[False], found.get(True) or found[False] + "-security")


def _sources(text: str) -> Iterator[tuple[str, str]]:
    """Pairs (address, suite) of a sources file, one-line or deb822."""
    for line in text.splitlines():
        match = ONE_LINE.match(line)
        if match:
            yield match[1], match[2]
    for stanza in parse_stanzas(text):
        if stanza.get("Types", "").split()[:1] == ["deb"] and stanza.get("Enabled", "yes") != "no":
            for suite in stanza.get("Suites", "").split():
                for address in stanza.get("URIs", "").split():
                    yield address, suite


def parse_stanzas(text: str) -> Iterator[Package]:
    """Paragraphs of a Debian control file as name → value; comments and continuation lines are left out."""
    stanza: Package = {}
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if stanza:
                yield stanza
            stanza = {}
        elif line[0] not in "# \t" and ":" in line:
            name, value = line.split(":", 1)
            stanza[name] = value.strip()


def newest_kernel(packages: Iterable[Package], series: str) -> list[Package]:
    """The packages that make up the newest signed cloud kernel of a series, image first; empty when there is none.

    From 7.0 on Debian splits a kernel into linux-image, -binary, -modules and -base of the same release.
    """
    by_name = {package["Package"]: package for package in packages}
    wanted = re.compile(rf"^linux-image-({re.escape(series)}\.[0-9][^-]*(?:-[0-9]+)?)-cloud-amd64$")
    versions = [match[1] for match in map(wanted.match, by_name) if match]
    if not versions:
        return []
    version = max(versions, key=lambda text: [int(number) for number in re.findall(r"\d+", text)])
    names = [f"linux-{part}-{version}-cloud-amd64" for part in ("image", "binary", "modules", "base")]
    return [by_name[name] for name in names if name in by_name]


class Apt:
    """apt-get with its own sources and lists under the cache; the machine's proxies stay in force."""

    def __init__(self, suites: Iterable[str]) -> None:
        self.folder = cache() / "apt"
        self.suites = tuple(dict.fromkeys(suites))
        self.mirrors = machine_mirrors()

    def options(self) -> list[str]:
        """The settings that keep this apt away from the machine's own."""
        values = {
            "Dir::Etc::SourceList": self.folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
            "APT::Sandbox::User": "root",
        }
        return [part for name, value in values.items() for part in ("-o", f"{name}={value}")]

    def update(self) -> None:
        """Fetch the package lists of the suites."""
        for name in ("lists/partial", "cache/archives/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        lines = [self.mirrors.line(suite) + "\n" for suite in self.suites]
        (self.folder / "sources.list").write_text("".join(lines))
        run(["apt-get", *self.options(), "--quiet", "update"])

    def packages(self, suite: str) -> Iterator[Package]:
        """All packages that a suite lists."""
        listing = run(
            ["apt-get", *self.options(), "indextargets", "--format", "$(CODENAME) $(FILENAME)", "Created-By: Packages"]
        ).decode()
        for line in listing.splitlines():
            codename, path = line.split(" ", 1)
            if codename == suite:
                yield from parse_stanzas(run(["/usr/lib/apt/apt-helper", "cat-file", path]).decode())

    def unpack(self, packages: Iterable[Package], into: Path) -> None:
        """Download packages (apt checks their hashes) and unpack them below a folder, without their scripts."""
        downloads = self.folder / "debs"
        downloads.mkdir(parents=True, exist_ok=True)
        for package in packages:
            wanted = f"{package['Package']}={package['Version']}"
            run(["apt-get", *self.options(), "--quiet", "download", wanted], cwd=downloads)
            for deb in downloads.glob(f"{package['Package']}_*.deb"):
                into.mkdir(parents=True, exist_ok=True)
                run(["dpkg", "-x", deb, into])
                deb.unlink()


def machine_mirrors() -> Mirrors:
    """The mirrors from LAB_MIRROR and LAB_SECURITY_MIRROR, else from the machine's own apt sources."""
    main = os.environ.get("LAB_MIRROR", "").rstrip("/")
    if main:
        return Mirrors(main, os.environ.get("LAB_SECURITY_MIRROR", "").rstrip("/") or main + "-security")
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*.[ls]*"))]
    wanted = [path for path in files if path.suffix in (".list", ".sources") and path.is_file()]
    mirrors = find_mirrors(path.read_text(errors="replace") for path in wanted)
    if mirrors is None:
        raise LabError(
            "Debian mirror: none in /etc/apt, one expected. Set LAB_MIRROR (and LAB_SECURITY_MIRROR) to a "
            "Debian archive's address."
        )
    return mirrors


def transport_options() -> list[str]:
    """The machine's own apt settings about proxies, retries and date checks, as NAME "VALUE"; lines."""
    dump = run(["apt-config", "dump"]).decode()
    return [line for line in dump.splitlines() if TRANSPORT.match(line)]
