# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's kernels, unpacked and not installed: kernel, small initrd, and a disk with its modules."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import config, recipe
from .config import GUEST, LabError
from .image import make_disk
from .packages import Apt, Package, newest_kernel
from .tools import find, run, step


@dataclass(frozen=True)
class Kernel:
    """A built kernel: series ("6.1"), release (uname -r), and the folder of its files."""

    series: str
    release: str
    folder: Path


def folder(series: str) -> Path:
    """Where a kernel's files are."""
    return config.cache() / f"kernel-{series}"


def own_recipe(series: str) -> str:
    """The hash of the recipe, without the kernel's version."""
    suites = config.KERNELS[series]
    return recipe.digest(
        [series, *suites, *config.MODULE_FOLDERS, *config.BOOT_MODULES, GUEST / "init", Path(__file__)]
    )


def built(series: str) -> Kernel | None:
    """The kernel in the cache when today's recipe made it."""
    lines = recipe.recorded(folder(series))
    return Kernel(series, lines[1], folder(series)) if lines[:1] == [own_recipe(series)] else None


def newest(apt: Apt, series: str) -> list[Package]:
    """The packages of the newest kernel of a series; LabError when its suites have none."""
    found: dict[str, Package] = {}
    for suite in config.KERNELS[series]:
        found.update({package["Package"]: package for package in apt.packages(suite)})
    packages = newest_kernel(found.values(), series)
    if not packages:
        suites = ", ".join(config.KERNELS[series])
        raise LabError(
            f"Kernel {series}: no cloud kernel in {suites} of {apt.mirrors.main}, one expected. "
            "Set LAB_MIRROR to a mirror that has the suite."
        )
    return packages


def build(apt: Apt, series: str) -> None:
    """Fetch the newest kernel of a series and make its files, unless that very version is already there."""
    packages = newest(apt, series)
    release = packages[0]["Package"].removeprefix("linux-image-")
    record = [own_recipe(series), release, packages[0]["Version"]]
    if recipe.recorded(folder(series)) == record:
        return
    with recipe.building(folder(series), record) as fresh:
        tree = fresh / "tree"
        with step(f"kernel {release}: download and unpack"):
            apt.unpack(packages, tree)
            busybox = [package for package in apt.packages(config.RELEASE) if package["Package"] == "busybox-static"]
            apt.unpack(busybox, tree)
        with step(f"kernel {release}: modules and initrd"):
            shutil.copy(kernel_file(tree), fresh / "vmlinuz")
            modules = trim_modules(tree, fresh / "trimmed", release)
            make_initrd(tree, modules, fresh)
            make_disk(modules.parent, fresh / "modules.ext4", "256M")
        shutil.rmtree(tree)
        shutil.rmtree(fresh / "trimmed")


def kernel_file(tree: Path) -> Path:
    """The kernel itself: /boot until 6.x, beside its modules from 7.x on."""
    found = [*tree.glob("boot/vmlinuz-*"), *tree.glob("usr/lib/modules/*/vmlinuz")]
    if len(found) != 1:
        raise LabError(f"Kernel packages: {len(found)} vmlinuz files, 1 expected. Report the kernel's name.")
    return found[0]


def trim_modules(tree: Path, target: Path, release: str) -> Path:
    """Copy the parts of the module tree that the guest gets, and index them; the folder is lib/modules/RELEASE."""
    source = next(
        path
        for path in (tree / "lib/modules" / release, tree / "usr/lib/modules" / release)
        if (path / "kernel").is_dir()
    )
    modules = target / "lib/modules" / release
    modules.mkdir(parents=True)
    for index in tree.glob(f"**/lib/modules/{release}/modules.*"):
        shutil.copy(index, modules)
    for name in config.MODULE_FOLDERS:
        if (source / "kernel" / name).is_dir():
            shutil.copytree(source / "kernel" / name, modules / "kernel" / name)
    run(["depmod", "-b", target, release])
    return modules


def make_initrd(tree: Path, modules: Path, fresh: Path) -> None:
    """An uncompressed cpio archive: static busybox, our init, the disk's and the network's drivers in load order."""
    content = fresh / "initrd.d"
    (content / "modules").mkdir(parents=True)
    (content / "bin").mkdir()
    shutil.copy(next(tree.glob("**/bin/busybox")), content / "bin")
    shutil.copy(GUEST / "init", content / "init")
    (content / "init").chmod(0o755)
    order = []
    for path in load_order(modules):
        name = path.name.split(".ko")[0] + ".ko"
        (content / "modules" / name).write_bytes(plain_module(path))
        order.append(name)
    (content / "modules/order").write_text("".join(name + "\n" for name in order))
    names = "".join(f"{path.relative_to(content)}\n" for path in sorted(content.rglob("*")))
    (fresh / "initrd").write_bytes(
        run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=content, data=names.encode())
    )
    shutil.rmtree(content)


def load_order(modules: Path) -> list[Path]:
    """Files of the boot modules and of all they need, each once, in the order of loading."""
    base = modules.parents[2]
    lines: list[str] = []
    for name in config.BOOT_MODULES:
        shown = run(["modprobe", "-d", base, "-S", modules.name, "--show-depends", name]).decode()
        lines += [line.split()[1] for line in shown.splitlines() if line.startswith("insmod ")]
    return [Path(line) for line in dict.fromkeys(lines)]


def plain_module(path: Path) -> bytes:
    """A module's bytes, decompressed: busybox loads plain files only."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run([str(find("zstd")), "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data
