# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd timer that has a node watch itself, its service and its program, as files. Private to this collection."""

import os
import re
import shlex
from typing import Optional

from .guard_conf import FIRST_LINE
from .systemd_units import DIRECTORY, path_of, quote

NAME = "kubenode-guard"
TIMER = f"{NAME}.timer"
SERVICE = f"{NAME}.service"
TIMER_PATH = path_of(TIMER)
SERVICE_PATH = path_of(SERVICE)
LINK = f"{DIRECTORY}/timers.target.wants/{TIMER}"
PROGRAM = "/etc/kubenode.connections/guard.pyz"
METRICS = "kubenode.prom"
CURE = "--cure"

_TIMER = """\
[Unit]
Description=See from time to time whether idle TCP connections of this node are safe
Documentation=https://github.com/kubenode/connections/blob/main/docs/guard.md

[Timer]
OnBootSec=1min
OnUnitInactiveSec={interval}s
RandomizedDelaySec={spread}s
AccuracySec=5s

[Install]
WantedBy=timers.target
"""

# Its rights are those of a look into every pod's network namespace: setns(2) wants CAP_SYS_ADMIN, /proc of others
# CAP_SYS_PTRACE, netlink CAP_NET_ADMIN, the folder of the metrics, which may be another user's, CAP_DAC_OVERRIDE. As
# nobody, and with the last three, kubelet is asked for its version where nothing else tells it.
_SERVICE = """\
[Unit]
Description=See whether idle TCP connections of this node are safe
Documentation=https://github.com/kubenode/connections/blob/main/docs/guard.md

[Service]
Type=oneshot
ExecStart={python} -I {program} {arguments}
TimeoutStartSec=120
MemoryMax=256M
TasksMax=256
CPUQuota=50%
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
UMask=0022
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_NET_ADMIN CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL
ProtectSystem=strict
ReadWritePaths={writes}
ProtectHome=read-only
ProtectKernelTunables={tunables}
ProtectControlGroups=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateNetwork=no
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
KeyringMode=private
SystemCallArchitectures=native
"""


def timer_text(interval_seconds: int) -> bytes:
    """The timer; a tenth of the interval is left to chance, so that not all nodes run at the same time."""
    text = _TIMER.format(interval=interval_seconds, spread=interval_seconds // 10)
    return FIRST_LINE + text.encode()


def service_text(textfile: str, cure: bool, python: str) -> bytes:
    """The service, with the node's own Python. One that cures may write sysctls, the record and its lock, too.

    What it is told to do stands beside its rights, so that no run has one without the other.
    """
    writes = [textfile, *(["/run", "/var/lib/kubenode.connections"] if cure else [])]
    text = _SERVICE.format(
        python=quote(python),
        program=PROGRAM,
        arguments=" ".join([*([CURE] if cure else []), quote(textfile)]),
        writes=" ".join(quote(f"-{path}") for path in writes),
        tunables="no" if cure else "yes",
    )
    return FIRST_LINE + text.encode()


def textfile_of(service: bytes) -> Optional[str]:
    """The folder for metrics that service_text was given. None where the text is another one."""
    found = re.search(r"^ExecStart=(.+)$", service.decode("utf-8", "replace"), re.MULTILINE)
    if not service.startswith(FIRST_LINE) or not found:
        return None
    try:
        return shlex.split(found.group(1))[-1].replace("%%", "%").replace("$$", "$")
    except (ValueError, IndexError):  # quotes that nobody closes, or no word
        return None


def is_there() -> bool:
    """Whether any of it is on this node."""
    return any(os.path.lexists(path) for path in (TIMER_PATH, SERVICE_PATH, LINK, PROGRAM))
