# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SSH to a node: a real client and a real server, joined by a pipe, so that no port and no address is needed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

SETTINGS = """
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
"""


class Sshd:
    """An SSH server that is started on the node at each connection; its keys are below the folder."""

    def __init__(self, program: str, folder: Path) -> None:
        folder.mkdir()
        for name in ("host_key", "key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True)
        settings = folder / "sshd_config"
        settings.write_text(SETTINGS.format(folder=folder), encoding="utf-8")
        # Where the program is only unpacked, its libraries are beside it.
        libraries = ":".join(str(path) for path in Path(program).parents[1].glob("lib/*-linux-gnu*"))
        self._server = ["env", f"LD_LIBRARY_PATH={libraries}", program, "-i", "-e", "-f", str(settings)]
        self._key = str(folder / "key")

    def variables(self, enter: list[str]) -> dict[str, Any]:
        """What the inventory says of a node that is entered so."""
        proxy = shlex.join([*enter, *self._server])
        options = ["-F", os.devnull, "-o", f"ProxyCommand={proxy}", "-o", "UserKnownHostsFile=/dev/null"]
        return {
            "ansible_connection": "ssh",
            "ansible_user": "root",
            "ansible_ssh_private_key_file": self._key,
            "ansible_ssh_common_args": shlex.join([*options, "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"]),
        }


def find_sshd() -> str | None:
    """The SSH server of this machine, or the one that noxfile.py has unpacked."""
    return os.environ.get("SSHD") or shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
