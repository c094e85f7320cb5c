# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab is made of: kernels, packages, folders. One place to change each."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
GUEST = HERE / "guest"

RELEASE = "bookworm"
RELEASE_SUITES = ("bookworm", "bookworm-security")
BACKPORTS = "bookworm-backports"

KERNELS: dict[str, tuple[str, ...]] = {
    "5.10": ("bullseye", "bullseye-security"),
    "6.1": ("bookworm", "bookworm-security"),
    "6.12": ("bookworm-backports",),
    "7.2": ("trixie-backports",),
}
"""Kernel series, and the Debian suites that ship it."""

PACKAGES = (
    # a node: systemd, SSH, Python, and the tools that look at connections
    "systemd-sysv",
    "udev",
    "dbus",
    "kmod",
    "procps",
    "python3",
    "openssh-server",
    "openssh-client",
    "sudo",
    "iproute2",
    "ipvsadm",
    "ipset",
    "iptables",
    "nftables",
    "conntrack",
    "tcpdump",
    "ethtool",
    # real clients and servers for the proofs, not started at boot
    "postgresql-15",
    "postgresql-client-15",
    "redis-server",
    "python3-redis",
    "nodejs",
    "node-pg",
    "openjdk-17-jre-headless",
    "bsh",
    "libpostgresql-jdbc-java",
    # what shows programs of BPF, as a person would look at them
    "bpftool",
    # the plugins that a container runtime runs for each new pod
    "containernetworking-plugins",
    # who else sets IPVS timeouts and sysctls, not started at boot
    "keepalived",
    "tuned",
)

PYTHON = "3.11"
"""Of the release."""

FROM_PYPI = ("grpcio==1.85.1", "typing-extensions==4.16.0")
"""Python packages as most programs have them: gRPC's own build."""

NOT_AT_BOOT = (
    "postgresql.service",
    "redis-server.service",
    "keepalived.service",
    "tuned.service",
    "nftables.service",
    "ssh.socket",
)

MASKED = (
    "getty@.service",
    "serial-getty@.service",
    "systemd-hwdb-update.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-journal-flush.service",
    "systemd-sysusers.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "systemd-tmpfiles-clean.timer",
)
"""Units that cost seconds and have no part in a node's boot.

Never masked: udevd, modules-load and sysctl (the boot order is the real one), and logind (it does the shutdown).
"""

MODULE_FOLDERS = (
    "arch",
    "crypto",
    "lib",
    "net",
    "block",
    "fs/overlayfs",
    "fs/fuse",
    "drivers/block",
    "drivers/virtio",
    "drivers/char",
    "drivers/net",
)
"""Parts of a kernel's module tree that the guest gets; the rest only makes udev slower."""

BOOT_MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_rng")

MEMORY_MIB = 768
DISK_GIB = 4
BOOT_SECONDS = 300
"""A cold boot takes 10 s under emulation on an idle machine, and a multiple of that on a busy one."""
HANG_SECONDS = 150
"""After so long a machine that boots again stands still: seen with 7.2, whose log ends with a stall of RCU."""

QEMU_MINIMUM = 8
"""QEMU 7.2 crashes guests under emulation: double faults while 6.12 boots, oopses when netfilter hooks change."""


def cache() -> Path:
    """The folder of everything built or running; the variable LAB_CACHE moves it."""
    return Path(os.environ.get("LAB_CACHE") or HERE.parent / "cache").absolute()


class LabError(Exception):
    """Something a person has to know or do; printed without a traceback."""
