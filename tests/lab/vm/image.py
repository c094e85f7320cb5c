# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root disk that all virtual machines start from: a Debian tree, one SSH key, one host key, an ext4 file."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from pathlib import Path

from . import config, recipe
from .config import GUEST, LabError
from .packages import KEYRING, Apt, transport_options
from .tools import run, step

NAME = "root"
USER_KEY = "id_ed25519"
HOST_KEY = "ssh_host_ed25519_key"


def folder() -> Path:
    """Where the root disk and its keys are."""
    return config.cache() / NAME


def wanted() -> str:
    """The hash of everything the root disk is made from."""
    texts = (config.RELEASE, *config.PACKAGES, *config.FROM_PYPI, *config.MASKED, *config.NOT_AT_BOOT, *config.KERNELS)
    return recipe.digest([*texts, GUEST / "tree", Path(__file__)])


def is_built() -> bool:
    """Whether the root disk is there and made by today's recipe."""
    return recipe.recorded(folder())[:1] == [wanted()]


def build(apt: Apt) -> None:
    """Make the root disk and its keys."""
    if os.geteuid() != 0:
        raise LabError(
            "Root disk of the lab: not built, and only root can (mmdebstrap makes device files). "
            "Run once: sudo python3 tests/lab build"
        )
    with recipe.building(folder(), [wanted()]) as fresh:
        tree = fresh / "tree"
        with step(f"root tree, Debian {config.RELEASE}, {len(config.PACKAGES)} packages"):
            debootstrap(apt, tree)
        with step(f"{', '.join(config.FROM_PYPI)} from PyPI"):
            install_from_pypi(tree)
        with step("keys and the guest's own files"):
            make_keys(fresh, tree)
            furnish(tree)
        with step("root disk"):
            make_disk(tree, fresh / "base.ext4", f"{config.DISK_GIB}G")
        shutil.rmtree(tree)


def debootstrap(apt: Apt, tree: Path) -> None:
    """Install the packages into a folder; documentation is left out."""
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale", "info")]
    transport = [f"--aptopt={line}" for line in transport_options()]
    disable = f'chroot "$1" systemctl disable {" ".join(config.NOT_AT_BOOT)}'
    mask = f'chroot "$1" systemctl mask {" ".join(config.MASKED)}'
    lines = [apt.mirrors.line(suite) for suite in config.RELEASE_SUITES]
    run(
        [
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            f"--keyring={KEYRING}",
            f"--include={','.join(config.PACKAGES)}",
            *left_out,
            *transport,
            f"--customize-hook={disable}",
            f"--customize-hook={mask}",
            config.RELEASE,
            tree,
            *lines,
        ]
    )


def install_from_pypi(tree: Path) -> None:
    """Unpack wheels for the guest's Python; the pip is that of the Python that runs this."""
    platforms = ["--platform=manylinux2014_x86_64", "--platform=manylinux_2_17_x86_64", "--implementation=cp"]
    where = tree / f"usr/local/lib/python{config.PYTHON}/dist-packages"
    quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--no-compile", "--no-deps"]
    only = ["--only-binary=:all:", f"--python-version={config.PYTHON}", *platforms]
    run([sys.executable, "-m", "pip", "install", *quiet, *only, f"--target={where}", *config.FROM_PYPI])


def make_keys(keys: Path, tree: Path) -> None:
    """One key to log in with and one host key, known from the start; those of the last build stay.

    Machines that still run from the last root disk can be reached with them.
    """
    for name in (USER_KEY, HOST_KEY):
        if (folder() / name).exists():
            shutil.copy(folder() / name, keys)
            shutil.copy(folder() / f"{name}.pub", keys)
        else:
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {name}", "-f", keys / name])
    (keys / "known_hosts").write_text(f"lab {(keys / f'{HOST_KEY}.pub').read_text()}")
    for old in tree.glob("etc/ssh/ssh_host_*"):
        old.unlink()
    shutil.copy(keys / HOST_KEY, tree / "etc/ssh")
    authorized = tree / "root/.ssh/authorized_keys"
    authorized.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(keys / f"{USER_KEY}.pub", authorized)


def furnish(tree: Path) -> None:
    """Put the guest's own files in, and what a first boot would otherwise make."""
    shutil.copytree(GUEST / "tree", tree, dirs_exist_ok=True)
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    (wants / "lab-network.service").symlink_to("../lab-network.service")
    names = " ".join(f"linux-{series.replace('.', '-')}" for series in config.KERNELS)
    (tree / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {names}\n::1 localhost\n")
    (tree / "etc/hostname").unlink(missing_ok=True)
    (tree / "etc/resolv.conf").unlink(missing_ok=True)
    (tree / "etc/resolv.conf").touch()
    (tree / "etc/machine-id").write_text(secrets.token_hex(16) + "\n")
    (tree / "usr/lib/modules").mkdir(exist_ok=True)


def make_disk(tree: Path, disk: Path, size: str) -> None:
    """An ext4 file system with the content of a folder: no mount, no loop device."""
    run(
        [
            "mke2fs",
            "-F",
            "-q",
            "-t",
            "ext4",
            "-O",
            "^has_journal",
            "-E",
            "lazy_itable_init=1,nodiscard",
            "-m0",
            "-d",
            tree,
            disk,
            size,
        ]
    )
