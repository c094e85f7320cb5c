# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of a node for molecule/default, made of the distribution's own packages: no registry is needed.

``python3 -m tests.lab.container.image`` prints the image's name and builds it first where it is not there yet.
LAB_DEBIAN names another release of Debian, such as bullseye or trixie, which comes from the mirrors of the machines.
With KUBENODE_LAB_IMAGE set it prints that instead, and podman fetches it from its registry. Such an image needs
systemd, Python, OpenSSH's server and sudo.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..vm.config import LabError, cache
from ..vm.packages import machine_mirrors, transport_options
from ..vm.tools import find, install_command, locked, run, step

REPOSITORY = "localhost/kubenode-node"

PACKAGES = (
    "systemd,systemd-sysv,dbus,python3,openssh-server,sudo,iproute2,procps,kmod,nftables,conntrack,"
    "containernetworking-plugins"
)

PODMAN_PACKAGES = {
    "podman": "podman netavark aardvark-dns uidmap golang-github-containers-common",
    # crun, podman's other runtime, refuses machines with both versions of cgroups
    "runc": "runc",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
BUILD_PACKAGES = {"mmdebstrap": "mmdebstrap"}

OPTIONS = [
    "--variant=minbase",
    f"--include={PACKAGES}",
    *(f"--dpkgopt=path-exclude=/usr/share/{tree}/*" for tree in ("doc", "man", "locale")),
]
CHANGES = ['CMD ["/lib/systemd/systemd"]', "ENV container=podman"]


@dataclass(frozen=True)
class Source:
    """One configured line of apt: where, which suite, which part of it, and who signed it ("" while not fetched)."""

    address: str
    suite: str
    component: str
    origin: str


def parse_sources(listing: str) -> list[Source]:
    """Sources out of `apt-get indextargets` lines ``address|suite|component|origin``; any other line is left out."""
    rows = (line.split("|") for line in listing.splitlines())
    return [Source(*row) for row in rows if len(row) == 4]


def source_lines(sources: Iterable[Source], *, codename: str, origin: str) -> list[str]:
    """The sources.list lines of one release, its updates and its security updates, without other vendors' archives."""
    suites = {codename, f"{codename}-updates", f"{codename}-security"}
    wanted = (source for source in sources if source.suite in suites and source.origin in (origin, ""))
    return sorted({f"deb {source.address} {source.suite} {source.component}" for source in wanted})


def missing(package_of: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Programs that are not there, and the Debian packages that bring them, sorted."""
    programs = [program for program in package_of if find(program) is None]
    return programs, sorted({name for program in programs for name in package_of[program].split()})


def complaint(programs: Sequence[str], packages: Sequence[str]) -> str:
    """What a person reads about missing programs."""
    return f"Programs of the container lab: {', '.join(programs)} missing. Run: {install_command(packages)}"


def require(package_of: Mapping[str, str]) -> None:
    """Install what is missing (as root, with apt-get), or raise LabError with the line that does it."""
    programs, packages = missing(package_of)
    if not packages:
        return
    if os.geteuid() != 0 or find("apt-get") is None:
        raise LabError(complaint(programs, packages))
    with step(f"installing {' '.join(packages)}"):
        run(install_command(packages).split()[1:], environment={"DEBIAN_FRONTEND": "noninteractive"})


def os_release() -> dict[str, str]:
    """What the machine says about its distribution; empty where it says nothing."""
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def machine_sources(release: dict[str, str]) -> list[str]:
    """The sources.list lines of the machine's own distribution; LabError where it has none."""
    if find("apt-get") is None:
        raise LabError(
            "apt-get: missing, needed to build the node image from Debian packages. "
            "Set KUBENODE_LAB_IMAGE to an image with systemd, Python, OpenSSH's server and sudo."
        )
    fields = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)"
    listing = run(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]).decode()
    codename = release.get("VERSION_CODENAME", "")
    lines = source_lines(parse_sources(listing), codename=codename, origin=release.get("ID", "").capitalize())
    if not lines:
        raise LabError(
            f"apt sources: none for {codename or 'this release'}, one expected. "
            "Add the distribution's archive below /etc/apt, or set KUBENODE_LAB_IMAGE."
        )
    return lines


def debian_sources(codename: str) -> list[str]:
    """The sources.list lines of a release of Debian and of its security updates."""
    mirrors = machine_mirrors()
    return [mirrors.line(suite) for suite in (codename, f"{codename}-security")]


def recipe(options: Sequence[str]) -> str:
    """Twelve hex digits that change with the recipe, so that an image of an older one is not used."""
    text = "\n".join([platform.machine(), *options, *CHANGES])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def build_tree(tree: Path, options: Sequence[str], codename: str, lines: Sequence[str]) -> None:
    """Make the tar archive of a node's root tree; it appears under its name only when it is whole."""
    require(BUILD_PACKAGES)
    tree.parent.mkdir(parents=True, exist_ok=True)
    partial = tree.with_suffix(f".{os.getpid()}.partial")
    mode = ["--mode=root"] if os.geteuid() == 0 else []
    transport = [f"--aptopt={line}" for line in transport_options()]
    fixed = ["mmdebstrap", "--format=tar", "--keyring=/usr/share/keyrings"]
    try:
        with step(f"building a node's root tree from packages of {codename}, half a minute or so"):
            run([*fixed, *mode, *transport, *options, codename, str(partial), "-"], data="\n".join(lines).encode())
        for older in tree.parent.glob("node-*.tar"):
            older.unlink()
        partial.rename(tree)
    finally:
        partial.unlink(missing_ok=True)


def image() -> str:
    """The name of an image that podman has or can fetch; builds it where it is missing."""
    require(PODMAN_PACKAGES)
    own = os.environ.get("KUBENODE_LAB_IMAGE")
    if own:
        return own
    release = os_release()
    other = os.environ.get("LAB_DEBIAN", "")
    codename = other or release.get("VERSION_CODENAME", "")
    digits = recipe([codename, *OPTIONS])
    name = f"{REPOSITORY}:{digits}"
    if name in run(["podman", "images", "--format", "{{.Repository}}:{{.Tag}}"]).decode().split():
        return name
    tree = cache() / f"node-{digits}.tar"
    if not tree.exists():
        build_tree(tree, OPTIONS, codename, debian_sources(other) if other else machine_sources(release))
    with step(f"importing {tree.name} as {name}"):
        run(["podman", "import", *(part for change in CHANGES for part in ("--change", change)), tree, name])
    return name


def main() -> int:
    """Print the image's name; progress and complaints go to standard error."""
    try:
        with locked():
            print(image())
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
