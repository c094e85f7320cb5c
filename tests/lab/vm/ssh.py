# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way into a guest: one configuration file for ssh, Ansible and testinfra, one kept connection per machine."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from . import image
from .tools import find


def control_socket(port: int) -> Path:
    """The socket of the kept connection: a short path, because a socket's name has at most 107 bytes."""
    return Path.home() / ".ansible/cp" / f"lab-{port}"


def config_text(name: str, port: int) -> str:
    """ssh_config lines for one machine: its key only, its host key only, one kept connection."""
    keys = image.folder()
    options = {
        "HostName": "127.0.0.1",
        "Port": port,
        "User": "root",
        "IdentityFile": f'"{keys / image.USER_KEY}"',
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        "HostKeyAlias": "lab",
        "UserKnownHostsFile": f'"{keys / "known_hosts"}"',
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "ControlMaster": "auto",
        "ControlPath": f'"{control_socket(port)}"',
        "ControlPersist": "10m",
        "ConnectTimeout": 60,
        "ServerAliveInterval": 30,
        "ServerAliveCountMax": 10,
        "LogLevel": "ERROR",
    }
    return f"Host {name}\n" + "".join(f"    {key} {value}\n" for key, value in options.items())


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether an SSH server greets on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def drop_connection(config: Path, name: str, port: int) -> None:
    """End the kept connection: after a restore, a reset or a reboot its other end knows nothing of it."""
    if control_socket(port).exists():
        subprocess.run([str(find("ssh")), "-F", str(config), "-O", "exit", name], capture_output=True, check=False)
        control_socket(port).unlink(missing_ok=True)
