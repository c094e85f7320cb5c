# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU: which one, with KVM or emulation, and its command line."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import config, recipe
from .config import LabError
from .kernels import Kernel
from .packages import Apt
from .tools import find, run, step

PROBE_SECONDS = 10
PRIVATE = "qemu"
PRIVATE_PACKAGES = ("qemu-system-x86", "qemu-system-common", "qemu-system-data", "qemu-utils")


@dataclass(frozen=True)
class Hardware:
    """What machines may have more of: memory, read-only disks (/dev/vdc and on), and devices as QEMU's options.

    flushes: the root disk has a journal, and what the guest flushes is on it when QEMU is killed. Without, its file
    system may be broken then.
    """

    memory_mib: int = config.MEMORY_MIB
    disks: tuple[Path, ...] = ()
    devices: tuple[str, ...] = ()
    flushes: bool = False

    @property
    def options(self) -> list[str]:
        """On QEMU's command line."""
        options = ["-m", str(self.memory_mib)]
        for number, disk in enumerate(self.disks):
            drive = f"file={escaped(disk)},if=none,id=more{number},format=raw,read-only=on"
            options += ["-drive", drive, "-device", f"virtio-blk-pci,drive=more{number}"]
        return [*options, *self.devices]

    @property
    def cache(self) -> str:
        """How QEMU caches the root disk."""
        return "writeback" if self.flushes else "unsafe"


PLAIN = Hardware()


@dataclass(frozen=True)
class Qemu:
    """A usable QEMU: its two programs and the version."""

    system: str
    image: str
    version: str


def version_of(program: str) -> str:
    """The version a QEMU program tells of itself, "0" when it tells none."""
    match = re.search(r"version (\d+[.\d]*)", run([program, "--version"]).decode())
    return match[1] if match else "0"


def recent(version: str) -> bool:
    """Whether a version is one that does not crash guests."""
    return int(version.split(".")[0]) >= config.QEMU_MINIMUM


def find_qemu() -> Qemu | None:
    """The installed QEMU when it is recent enough, else the one unpacked in the cache."""
    private = config.cache() / PRIVATE / "usr/bin"
    for folder in (None, private):
        system = str(folder / "qemu-system-x86_64") if folder else find("qemu-system-x86_64")
        image = str(folder / "qemu-img") if folder else find("qemu-img")
        if system and image and os.path.exists(system) and recent(version_of(system)):
            return Qemu(system, image, version_of(system))
    return None


def provide_qemu(apt: Apt) -> Qemu:
    """A recent QEMU: from the backports, unpacked beside the lab, where the installed one is too old."""
    found = find_qemu()
    if found:
        return found
    installed = version_of("qemu-system-x86_64")
    with step(f"QEMU from {config.BACKPORTS}, for the lab only ({installed} crashes guests)"):
        packages = [package for package in apt.packages(config.BACKPORTS) if package["Package"] in PRIVATE_PACKAGES]
        with recipe.building(config.cache() / PRIVATE, [package["Version"] for package in packages]) as fresh:
            apt.unpack(packages, fresh)
    found = find_qemu()
    if found is None:
        raise LabError(
            f"QEMU: {installed} < {config.QEMU_MINIMUM} (older ones crash guests), and the one of "
            f"{config.BACKPORTS} does not run here. Install QEMU {config.QEMU_MINIMUM} or newer."
        )
    return found


def accelerator(qemu: Qemu, kernel: Kernel) -> str:
    """Answer "kvm" when this kernel really boots under it, else "tcg"; the test boot's result is kept."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    note = kernel.folder / "accelerator"
    asked = f"{os.uname().release} {qemu.version}"
    lines = note.read_text().splitlines() if note.exists() else []
    if lines[:1] != [asked]:
        with step(f"kernel {kernel.release}: test boot under KVM (software emulation where it fails)"):
            lines = [asked, "kvm" if boots_under_kvm(qemu, kernel) else "tcg"]
        note.write_text("".join(line + "\n" for line in lines))
    return lines[1]


def boots_under_kvm(qemu: Qemu, kernel: Kernel) -> bool:
    """Boot the kernel under KVM as far as its initrd, which says so on the console and powers off."""
    command = [
        qemu.system,
        *machine("kvm"),
        "-m",
        "256",
        "-no-reboot",
        "-serial",
        "stdio",
        "-kernel",
        str(kernel.folder / "vmlinuz"),
        "-initrd",
        str(kernel.folder / "initrd"),
        "-append",
        "console=ttyS0 panic=-1 quiet lab.probe",
    ]
    try:
        done = subprocess.run(command, input=b"", capture_output=True, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return b"lab-probe-ok" in done.stdout


def machine(accel: str) -> list[str]:
    """The machine's fixed parts: no firmware extras, no graphics, nothing the guest must wait for."""
    speed = "-accel kvm -cpu host" if accel == "kvm" else "-accel tcg,thread=multi,tb-size=128 -cpu max"
    return f"-M q35,smm=off,sata=off,usb=off,vmport=off {speed} -nodefaults -no-user-config -display none".split()


def command_line(
    qemu: Qemu,
    accel: str,
    kernel: Kernel,
    folder: Path,
    port: int,
    snapshot: str | None,
    hardware: Hardware = PLAIN,
) -> list[str]:
    """The whole command line of a machine: started in its folder (socket names are relative), SSH on 127.0.0.1:port."""
    append = (
        f"root=/dev/vda rw console=ttyS0 panic=-1 quiet net.ifnames=0 mitigations=off random.trust_cpu=on "
        f"systemd.hostname={host_name(kernel.series)}"
    )
    if accel == "tcg":
        append += " tsc=reliable no_timer_check"
    disk = f"file={escaped(folder / 'disk.qcow2')},if=none,id=root,format=qcow2,cache={hardware.cache},discard=unmap"
    modules = f"file={escaped(kernel.folder / 'modules.ext4')},if=none,id=modules,format=raw,read-only=on"
    return [
        qemu.system,
        *machine(accel),
        "-smp",
        "2",
        "-name",
        host_name(kernel.series),
        "-kernel",
        str(kernel.folder / "vmlinuz"),
        "-initrd",
        str(kernel.folder / "initrd"),
        "-append",
        append,
        "-drive",
        disk,
        "-device",
        "virtio-blk-pci,drive=root",
        "-drive",
        modules,
        "-device",
        "virtio-blk-pci,drive=modules",
        "-netdev",
        f"user,id=net,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device",
        "virtio-net-pci,netdev=net,romfile=",
        "-device",
        "virtio-rng-pci",
        *hardware.options,
        "-serial",
        "file:console.log",
        "-qmp",
        "unix:qmp.sock,server=on,wait=off",
        "-pidfile",
        str(folder / "pid"),
        "-daemonize",
        *(["-loadvm", snapshot] if snapshot else []),
    ]


def escaped(path: Path) -> str:
    """A path as the value of a QEMU option, where a comma is doubled."""
    return str(path).replace(",", ",,")


def host_name(series: str) -> str:
    """The name of a kernel's machine, in the guest, in SSH and in the inventory."""
    return "linux-" + series.replace(".", "-")
