# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines of the machines, and the way in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS, Lab, LabError, Vm, ssh
from ansible_collections.kubenode.connections.tests.lab.vm.kernels import Kernel
from ansible_collections.kubenode.connections.tests.lab.vm.qemu import Hardware, Qemu, command_line, recent
from ansible_collections.kubenode.connections.tests.lab.vm.tools import install_command

QEMU = Qemu("/opt/qemu-system-x86_64", "/opt/qemu-img", "10.0.2")
KERNEL = Kernel("6.1", "6.1.0-56-cloud-amd64", Path("/cache/kernel-6.1"))


def line(accel: str = "tcg", snapshot: str | None = None, folder: str = "/cache/run/main/6.1") -> list[str]:
    """The command line of the example kernel."""
    return command_line(QEMU, accel, KERNEL, Path(folder), 2222, snapshot)


def after(words: list[str], option: str) -> str:
    """The value that follows an option."""
    return words[words.index(option) + 1]


def test_ssh_is_forwarded_from_loopback_only_and_the_guest_reaches_nothing() -> None:
    assert after(line(), "-netdev") == "user,id=net,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:2222-:22"


def test_a_machine_can_reboot() -> None:
    assert "-no-reboot" not in line()


def test_a_machine_has_the_memory_disks_and_devices_that_are_asked_for() -> None:
    hardware = Hardware(2048, (Path("/more disks/a.ext4"),), ("-device", "a"))
    words = command_line(QEMU, "tcg", KERNEL, Path("/cache"), 2222, None, hardware)
    assert (after(line(), "-m"), after(words, "-m")) == ("768", "2048")
    drive = "file=/more disks/a.ext4,if=none,id=more0,format=raw,read-only=on"
    assert words[words.index(drive) - 1 :][:4] == ["-drive", drive, "-device", "virtio-blk-pci,drive=more0"]
    assert after(words, "virtio-blk-pci,drive=more0") == "-device"


def test_the_saved_state_is_loaded_when_there_is_one() -> None:
    assert after(line(snapshot="booted"), "-loadvm") == "booted"
    assert "-loadvm" not in line()


@pytest.mark.parametrize(("accel", "processor", "clock"), [("kvm", "host", False), ("tcg", "max", True)])
def test_emulation_gets_the_processor_and_clock_it_needs(accel: str, processor: str, clock: bool) -> None:
    assert after(line(accel), "-cpu") == processor
    assert ("tsc=reliable no_timer_check" in after(line(accel), "-append")) is clock


def test_a_comma_in_a_path_does_not_end_the_option() -> None:
    assert after(line(folder="/a,b"), "-drive").startswith("file=/a,,b/disk.qcow2,if=none,")


@pytest.mark.parametrize(("version", "good"), [("7.2.22", False), ("8.0.0", True), ("10.0.2", True)])
def test_a_qemu_that_crashes_guests_is_not_used(version: str, good: bool) -> None:
    assert recent(version) is good


def test_ssh_understands_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "ssh_config").write_text(ssh.config_text("linux-6-1", 2222))
    shown = subprocess.check_output(["ssh", "-G", "-F", tmp_path / "ssh_config", "linux-6-1"], text=True)
    told = dict(text.split(" ", 1) for text in shown.splitlines() if " " in text)
    wanted = {
        "hostname": "127.0.0.1",
        "port": "2222",
        "user": "root",
        "hostkeyalias": "lab",
        "stricthostkeychecking": "true",
        "controlpersist": "600",
        "batchmode": "yes",
    }
    assert {name: told[name] for name in wanted} == wanted


def test_an_inventory_line_names_host_and_ssh_configuration() -> None:
    words = Vm("6.1", Path("/lab/6.1")).inventory_line.split()
    assert words[0] == "linux-6-1"
    assert "ansible_ssh_args='-F /lab/6.1/ssh_config'" in Vm("6.1", Path("/lab/6.1")).inventory_line


def test_an_unknown_kernel_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LabError) as caught:
        Lab().vm("4.19")
    assert str(caught.value) == (f"Kernel '4.19': not one of {', '.join(KERNELS)} (tests/lab/vm/config.py). Name one.")


def test_missing_programs_come_with_the_line_that_installs_them() -> None:
    assert install_command(["cpio", "kmod"]) == (
        "sudo apt-get -o DPkg::Lock::Timeout=600 install --yes --no-install-recommends cpio kmod"
    )
