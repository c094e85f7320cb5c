# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's monitor (QMP over a socket in the machine's folder)."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .config import LabError

SECONDS = 300


class Monitor:
    """An open monitor."""

    def __init__(self, stream: io.BufferedRWPair) -> None:
        self.stream = stream

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a QMP command and return its value; events in between are passed over."""
        message = {"execute": command, "arguments": arguments}
        self.stream.write(json.dumps(message).encode() + b"\n")
        self.stream.flush()
        for line in self.stream:
            answer = json.loads(line)
            if "error" in answer:
                raise LabError(f"QEMU monitor: {command} answered {answer['error']['desc']!r}, success expected.")
            if "return" in answer:
                return answer["return"]
        raise LabError(f"QEMU monitor: closed during {command}, an answer expected. The machine has ended.")

    def human(self, line: str) -> None:
        """Run a command of the human monitor; what it prints is its complaint."""
        complaint = self.execute("human-monitor-command", **{"command-line": line})
        if complaint.strip():
            raise LabError(f"QEMU monitor: {line} said {complaint.strip()!r}, nothing expected.")


@contextlib.contextmanager
def open_monitor(folder: Path) -> Iterator[Monitor]:
    """Connect to the monitor of the machine in a folder.

    The socket is reached through the folder's descriptor: its path may be longer than the 107 bytes of a socket's name.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SECONDS)
            connection.connect(f"/proc/self/fd/{descriptor}/qmp.sock")
            with connection.makefile("rwb") as stream:
                stream.readline()
                monitor = Monitor(stream)
                monitor.execute("qmp_capabilities")
                yield monitor
    except OSError as error:
        raise LabError(f"QEMU monitor in {folder}: {error}, a connection expected. Is the machine up?") from error
    finally:
        os.close(descriptor)
