# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: booted once, saved, restored in a second, reset, rebooted, ended."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import config, image, kernels, qemu, recipe, ssh
from .config import LabError
from .monitor import open_monitor
from .tools import find, run, step

SNAPSHOT = "booted"


class Vm:
    """The machine of one kernel. Its folder holds the disk with the saved state, the pid and the monitor's socket."""

    def __init__(self, series: str, folder: Path, hardware: qemu.Hardware = qemu.PLAIN) -> None:
        self.series = series
        self.hardware = hardware
        self.name = qemu.host_name(series)
        self.folder = folder
        self.ssh_config = folder / "ssh_config"

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 that leads to the guest's SSH server; 0 when it never ran."""
        try:
            return int((self.folder / "port").read_text())
        except FileNotFoundError:
            return 0

    @property
    def pid(self) -> int | None:
        """The process of the machine when it runs: the pid file's, and only if that process is ours."""
        try:
            pid = int((self.folder / "pid").read_text())
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self.folder / "pid") in arguments.split(b"\0") else None

    @property
    def ssh_command(self) -> list[str]:
        """The command that logs in."""
        return [str(find("ssh")), "-F", str(self.ssh_config), self.name]

    @property
    def inventory_line(self) -> str:
        """The machine as a line of an Ansible inventory (INI)."""
        arguments = shlex.quote(f"-F {shlex.quote(str(self.ssh_config))}")
        return (
            f"{self.name} ansible_user=root ansible_ssh_args={arguments} ansible_pipelining=true "
            f"ansible_timeout=120 ansible_python_interpreter=/usr/bin/python3 lab_kernel={self.series}"
        )

    def start(self, port: int = 0) -> None:
        """Start the machine: from its saved state when there is one that fits, else from its disk. Does not wait."""
        if self.pid:
            return
        program, kernel = ready(self.series)
        accel = qemu.accelerator(program, kernel)
        stamp = recipe.digest(
            [
                image.wanted(),
                *recipe.recorded(kernel.folder),
                program.version,
                accel,
                (image.folder() / f"{image.USER_KEY}.pub").read_text(),
                Path(qemu.__file__),
                *self.hardware.options,
                self.hardware.cache,
            ]
        )
        if recipe.recorded(self.folder) != [stamp]:
            self._new_disk(program, stamp)
        self._launch(program, accel, kernel, port or ssh.free_port())

    def _new_disk(self, program: qemu.Qemu, stamp: str) -> None:
        base = image.folder() / "base.ext4"
        with recipe.building(self.folder, [stamp]) as fresh:
            if self.hardware.flushes:
                run(["cp", "--sparse=always", base, fresh / base.name])
                run(["tune2fs", "-j", fresh / base.name])
                base = Path(base.name)
            run(
                [
                    program.image,
                    "create",
                    "-q",
                    "-f",
                    "qcow2",
                    "-F",
                    "raw",
                    "-b",
                    base,
                    fresh / "disk.qcow2",
                ]
            )

    def _launch(self, program: qemu.Qemu, accel: str, kernel: kernels.Kernel, port: int) -> None:
        (self.folder / "port").write_text(str(port))
        (self.folder / "pid").unlink(missing_ok=True)
        ssh.control_socket(port).parent.mkdir(parents=True, exist_ok=True)
        self.ssh_config.write_text(ssh.config_text(self.name, port))
        saved = SNAPSHOT if self._saved.exists() else None
        try:
            command = qemu.command_line(program, accel, kernel, self.folder, port, saved, self.hardware)
            run(command, cwd=self.folder)
        except LabError:
            if saved is None:
                raise
            shutil.rmtree(self.folder)
            self.start(port)

    @property
    def _saved(self) -> Path:
        return self.folder / "saved"

    def finish_start(self) -> None:
        """Wait until the machine can be used; save its state when it has just booted from its disk."""
        self.wait()
        if not self._saved.exists():
            self.save()
        self._set_clock()

    def save(self) -> None:
        """Save disk and memory as they are now: what reset() and the next start bring back."""
        self._drop_connection()
        with open_monitor(self.folder) as monitor:
            monitor.human(f"savevm {SNAPSHOT}")
        self._saved.touch()

    def reset(self) -> None:
        """Bring back the saved state, disk and memory; the way in stays the same.

        In a new process: QEMU's processor clock never goes back within one (cpu_get_ticks), so that a guest that is
        reset in place sees the time jump forward by all that has passed since it was saved.
        """
        port = self.port
        self.stop()
        self.start(port)
        self.finish_start()

    def reboot(self) -> None:
        """A real reboot through systemd: the disk stays as it is, memory and live settings are lost."""
        before = self.boot_id()
        self.run(["systemctl", "reboot"], check=False)
        self._drop_connection()
        self._boot_at_last(lambda: ssh.answers(self.port) and self.boot_id() not in ("", before))

    def cut_power(self) -> None:
        """End the machine as when its power fails, and boot it from its disk, which was flushed or not.

        What is saved afterwards, and brought back by reset(), is the machine after that boot.
        """
        port, pid = self.port, self.pid
        if pid is None or not self.hardware.flushes:
            raise LabError(f"{self.name}: it has to run, with a disk that keeps what is flushed (Hardware.flushes).")
        self._drop_connection()
        os.kill(pid, signal.SIGKILL)
        while self.pid:
            time.sleep(0.05)
        self._saved.unlink()
        self.start(port)
        self.finish_start()

    def _boot_at_last(self, booted: Callable[[], bool]) -> None:
        """Wait for a boot. An emulated kernel that lost an interrupt stands still for ever: it is reset, once."""
        try:
            self._until(booted, time.monotonic() + config.HANG_SECONDS, "reboot")
        except LabError:
            if self.pid is None:
                raise
            with step(f"{self.name} stands still while it boots: a hard reset"), open_monitor(self.folder) as monitor:
                monitor.execute("system_reset")
                self._until(booted, time.monotonic() + config.BOOT_SECONDS, "reboot")

    def stop(self) -> None:
        """End the machine: through its monitor, so that its disk is whole; by signal when that is not answered."""
        pid = self.pid
        self._drop_connection()
        if pid is None:
            return
        try:
            with open_monitor(self.folder) as monitor:
                monitor.execute("quit")
        except LabError:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while self.pid and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.pid:
            os.kill(pid, signal.SIGKILL)
        (self.folder / "pid").unlink(missing_ok=True)

    def run(
        self, command: Sequence[str], *, data: bytes | None = None, check: bool = True, timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest as root; output as text. CalledProcessError when check is true and it fails."""
        full = [*self.ssh_command, "--", shlex.join(command)]
        done = subprocess.run(full, input=data or b"", capture_output=True, timeout=timeout, check=False)
        result = subprocess.CompletedProcess(
            list(command), done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )
        if check:
            result.check_returncode()
        return result

    def put(self, path: str, data: str | bytes, mode: int = 0o644) -> None:
        """Write a file in the guest; folders are made."""
        content = data.encode() if isinstance(data, str) else data
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"'
        self.run(["sh", "-c", script, "put", path, f"{mode:o}"], data=content)

    def boot_id(self) -> str:
        """The kernel's name for this boot, empty when the guest cannot be reached."""
        return self.run(["cat", "/proc/sys/kernel/random/boot_id"], check=False).stdout.strip()

    def wait(self) -> None:
        """Wait until systemd has started everything and SSH lets us in."""
        deadline = time.monotonic() + config.BOOT_SECONDS
        self._until(lambda: ssh.answers(self.port), deadline, "SSH")
        self._until(
            lambda: self.run(["systemctl", "is-system-running", "--wait"], check=False).returncode != 255,
            deadline,
            "log-in",
        )

    def _until(self, condition: Callable[[], bool], deadline: float, what: str) -> None:
        while not condition():
            if self.pid is None or time.monotonic() > deadline:
                console = self.folder / "console.log"
                tail = "\n".join(console.read_text(errors="replace").splitlines()[-8:]) if console.exists() else ""
                state = "has ended" if self.pid is None else f"not ready after {config.BOOT_SECONDS} s"
                raise LabError(f"{self.name}: {what}: the machine {state}. Its console ({console}) ends with:\n{tail}")
            time.sleep(0.2)

    def _set_clock(self) -> None:
        self.run(["date", "--utc", f"--set=@{time.time():.3f}"])

    def _drop_connection(self) -> None:
        if self.port:
            ssh.drop_connection(self.ssh_config, self.name, self.port)


def ready(series: str) -> tuple[qemu.Qemu, kernels.Kernel]:
    """What a start needs from the cache; LabError when it is not built."""
    program, kernel = qemu.find_qemu(), kernels.built(series)
    if program is None or kernel is None or not image.is_built():
        raise LabError(f"Lab: kernel {series} not built by today's recipe. Run: python3 tests/lab build {series}")
    return program, kernel


def start_all(machines: Sequence[Vm]) -> None:
    """Start machines side by side and wait until all can be used."""
    if not machines:
        return
    for vm in machines:
        qemu.accelerator(*ready(vm.series))
    with step(f"starting {', '.join(vm.name for vm in machines)}"):
        for vm in machines:
            vm.start()
        for vm in machines:
            vm.finish_start()
